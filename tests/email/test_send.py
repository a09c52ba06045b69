"""What people find in their mailboxes, from the outbox to a real server."""

import re
from datetime import timedelta
from email.headerregistry import AddressHeader
from pathlib import Path
from typing import cast

import pytest

from storage.files import file_store
from storage.models import Delivery
from tests.email.house import House, house
from tests.email.letters import BOT, THREADS

NUMBER = "HY-20261125-001"
NOTICE = (
    f"您好：【会议保障通知】{NUMBER} 全省防汛视频会商（水利系统），11月25日（周三）9:30开始，8:30前到位。"
    "范围：江州市、临河县。请您单位于15:20前回“收到”，有困难请直接说明。依据：省水利厅通知。"
)
BUTTONS = (
    {"label": "收到", "value": f"ack:{NUMBER}", "say": "收到"},
    {"label": "有困难", "value": f"trouble:{NUMBER}", "say": "有困难"},
)
LI = "li@linhe.example.org"


async def notice(bot: House, to: str = LI, *, key: str = "k", text: str = NOTICE) -> None:
    await bot.post(to, text, key=key, title="全省防汛视频会商", about=NUMBER, actions=BUTTONS)


async def test_a_notice_is_a_mail_as_people_expect_it(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await notice(bot)
        [mail] = bot.smtp.mails
        message = mail.message
        assert mail.sender == BOT
        assert mail.recipients == (LI,)
        assert message["Subject"] == f"[{NUMBER}]【会议保障通知】全省防汛视频会商"
        author = cast(AddressHeader, message["From"]).addresses[0]
        assert (author.display_name, author.addr_spec) == ("会保", BOT)
        assert message["Date"] == "Tue, 24 Nov 2026 15:10:00 +0800"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "All"
        assert message["In-Reply-To"] is None
        assert THREADS.read(str(message["Message-ID"])) is not None
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/alternative", "text/plain", "text/html",
        ]  # fmt: skip


async def test_facts_come_first_and_how_to_answer_last(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await notice(bot)
        [mail] = bot.smtp.mails
        order = [
            "会议保障通知",
            "9:30开始",
            "范围：江州市、临河县",
            "依据：省水利厅通知",
            "请您单位于15:20前回“收到”",
            "https://",
        ]
        places = [mail.text.index(part) for part in order]
        assert places == sorted(places)
        html = mail.html
        assert "<table" in html
        assert "微软雅黑" in html
        assert not re.search(r"<img|<script|<style|<link|url\(", html)
        assert html.index("范围") < html.index("请您单位于15:20前回")
        assert html.count("https://huibao.example.org/mail/answer/") == 2


async def test_what_people_wrote_cannot_break_out(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        evil = "会商\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>\u202e"
        await bot.post(LI, f"【会议保障通知】{evil}", title=evil, about=NUMBER)
        [mail] = bot.smtp.mails
        assert mail.recipients == (LI,)
        assert mail.message["Bcc"] is None
        assert "\n" not in str(mail.message["Subject"])
        assert "\u202e" not in str(mail.message["Subject"])
        assert "<script>" not in mail.html


@pytest.mark.parametrize(
    "address", ["li@x.cn>\r\nRCPT TO:<all@x.cn", "li@x.cn\nBcc: a@b.cn", "no address", "李@x.cn", "<li@x.cn>"]
)
async def test_what_is_no_address_gets_nothing(tmp_path: Path, address: str) -> None:
    async with house(tmp_path) as bot:
        await bot.post(address, "您好")
        assert {mail.recipients for mail in bot.smtp.mails} == {("ma@sheng.example.org",)}, (
            "only the operator hears of it"
        )
        [row] = await bot.rows(Delivery, Delivery.address == f"email:direct:{address}")
        assert (row.state, row.error) == ("failed", "不是可用的邮箱地址")


async def test_a_greylisted_mail_goes_soon_and_is_the_same_mail(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        bot.smtp.script["DATA"] += ["451 4.7.1 greylisted, try again", "452 4.3.1 no space"]
        await notice(bot)
        [row] = await bot.rows(Delivery)
        first_retry = row.not_before - bot.clock.now()
        assert (row.state, row.attempts) == ("pending", 1)
        assert timedelta() < first_retry <= timedelta(seconds=15)
        await bot.advance("10s")
        [row] = await bot.rows(Delivery)
        assert (row.state, row.attempts) == ("sent", 3)
        [mail] = bot.smtp.mails
        assert mail.message["Message-ID"] == THREADS.message_id(f"hb-{row.id}", NUMBER)
        assert row.provider_id == mail.message["Message-ID"]


async def test_a_lost_connection_may_mean_two_mails_with_one_id(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        bot.smtp.script["DATA"].append("")
        await notice(bot)
        await bot.advance("10s")
        [mail] = bot.smtp.mails
        assert "补发" in mail.message["Subject"]
        [row] = await bot.rows(Delivery)
        assert mail.message["Message-ID"] == THREADS.message_id(f"hb-{row.id}", NUMBER)


async def test_what_the_server_refuses_for_good_is_not_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        bot.smtp.refuse[LI] = "550 5.1.1 no such user"
        await notice(bot)
        [row] = await bot.rows(Delivery, Delivery.address == f"email:direct:{LI}")
        assert (row.state, row.attempts) == ("failed", 1)
        assert row.error.startswith("550 5.1.1")


async def test_a_refused_sender_costs_nobody_his_notice_and_the_operators_hear_of_it(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        bot.smtp.script["MAIL"] += ["553 Mail from must equal authorized user"] * 100
        await notice(bot)
        [row] = await bot.rows(Delivery, Delivery.address == f"email:direct:{LI}")
        assert (row.state, row.attempts) == ("pending", 1)
        assert "不让会保的地址发信" in bot.adapter.trouble()
        await bot.advance("11m")
        bot.expect("admin", "邮件", "发送不出去", "553 Mail from must equal authorized user")
        bot.smtp.script["MAIL"].clear()
        await bot.advance("10m")
        assert len(bot.smtp.to(LI)) == 1
        assert "不让会保" not in bot.adapter.trouble()


async def test_refused_words_are_no_dead_address(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        bot.smtp.script["DATA"].append("554 DT:SPM looks like spam")
        await notice(bot)
        [row] = await bot.rows(Delivery, Delivery.address == f"email:direct:{LI}")
        assert (row.state, row.attempts, row.error) == ("failed", 1, "邮件内容被拒收（554 DT:SPM looks like spam）")


async def test_later_mails_about_a_matter_stand_in_its_thread(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await notice(bot)
        await notice(bot, key="k2", text=NOTICE.replace("会议保障通知", "会议变更"))
        await bot.post(LI, "您好：GZ-20261124-001 有进展。", key="k3", about="GZ-20261124-001")
        first, second, other = [mail.message for mail in bot.smtp.mails]
        assert second["Subject"] == f"[{NUMBER}]【会议变更】全省防汛视频会商"
        assert second["References"] == second["In-Reply-To"] == first["Message-ID"]
        assert second["Message-ID"] != first["Message-ID"]
        assert other["References"] is None


async def test_a_broadcast_uses_one_connection(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
        await bot.say("chen", "确认")
        assert len(bot.smtp.mails) >= 8
        assert bot.smtp.connections == 1
        [mail] = bot.smtp.to(LI)
        assert "【会议保障通知】" in mail.message["Subject"]
        for fact in ("编号：HY-20261125-001", "开始时间：11月25日（周三）9:30", "到位时间：8:30", "回复时限：15:20"):
            assert fact in mail.text
            assert f">{fact.partition('：')[2]}</td>" in mail.html


async def test_a_report_travels_as_a_file_under_its_name(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        sha256, size = await file_store(bot.ground.settings).save(b"PK report")
        file = {"kind": "file", "name": "十一月\r\n月报.docx", "sha256": sha256, "size": size}
        await bot.post(LI, "十一月月报。", attachments=(file,))
        [mail] = bot.smtp.mails
        [attached] = list(mail.message.iter_attachments())
        assert attached.get_filename() == "十一月__月报.docx"
        assert attached.get_content() == b"PK report"
        assert "十一月月报" in mail.text


async def test_a_report_that_is_gone_is_not_sent_without_it(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await bot.post(LI, "月报。", attachments=({"kind": "file", "name": "a.docx", "sha256": "0" * 64},))
        assert bot.smtp.to(LI) == []
        [row] = await bot.rows(Delivery, Delivery.address == f"email:direct:{LI}")
        assert (row.state, row.error) == ("failed", "附件读不到")
