"""Mail comes in: it finds its matter, its writer is believed or not, machines get nothing, bounces turn elsewhere."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.email.letter import read_letter
from storage.models import AuditEntry, Delivery, Fault, InboxRow
from tests.email.house import TRUSTED, House, house
from tests.email.letters import bounce, mail
from tests.simulators.email.smtp import Mail

NUMBER = "HY-20261125-001"
LI, WU, FANG, MA = "li@linhe.example.org", "wu@anchuan.example.org", "fang@linhe.example.org", "ma@sheng.example.org"


async def publish(bot: House) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
    await bot.say("chen", "确认")


async def receive(bot: House, sender: str, text: str, *, proven: bool = True, **headers: Any) -> None:
    """A mail arrives from an address; ``answers`` names the mail of ours it replies to."""
    bot.count += 1
    answered: Mail | None = headers.pop("answers", None)
    given = {"Message_ID": f"<in-{bot.count}@client.example.org>", "sender": sender, **headers}
    if answered is not None:
        theirs = str(answered.message["Message-ID"])
        given |= {"In_Reply_To": theirs, "References": theirs, "subject": f"回复：{answered.message['Subject']}"}
    if proven:
        given["Authentication_Results"] = f"{TRUSTED}; dmarc=pass header.from={sender.partition('@')[2]}"
    await bot.adapter.take(read_letter(mail(text, **given)))
    await bot.settle()


async def test_received_as_a_reply_acknowledges_the_notice_it_answers(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        [notice] = bot.smtp.to(LI)
        await receive(bot, LI, "收到", answers=notice)
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert (debt.state, debt.met_by, debt.met_via) == ("met", "li", "email")
        answer = bot.smtp.to(LI)[-1]
        assert "已登记" in answer.text
        assert answer.message["Subject"] == f"Re: {notice.message['Subject']}"
        assert answer.message["In-Reply-To"] == "<in-1@client.example.org>"
        assert answer.message["References"].split() == [notice.message["Message-ID"], "<in-1@client.example.org>"]
        assert answer.message["Auto-Submitted"] == "auto-generated"


async def test_without_proof_the_reply_is_asked_to_press_and_the_press_counts(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        await receive(bot, LI, "收到", answers=bot.smtp.to(LI)[0], proven=False)
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_at is None
        answer = bot.smtp.to(LI)[-1]
        assert "不能证明是您本人" in answer.text
        [path] = re.findall(r"https://huibao\.example\.org(\S+)", answer.text)
        assert (await bot.client.post(path)).status == 200
        await bot.settle()
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_by == "li"


async def test_nobody_is_believed_where_no_provider_is(tmp_path: Path) -> None:
    async with house(tmp_path, trusted="") as bot:
        await publish(bot)
        [notice] = bot.smtp.to(LI)
        assert "直接回复本邮件不能核实身份" in notice.text
        await receive(bot, LI, "收到", answers=notice)
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_at is None


async def test_a_fault_comes_in_by_mail_and_its_whole_story_stays_in_the_thread(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await receive(bot, FANG, "三楼会议室没声音了", subject="求助")
        number = (await bot.fault()).number
        [answer] = bot.smtp.to(FANG)
        assert answer.message["Subject"] == f"Re: [{number}] 求助"
        bot.expect("#临河县保障群", "故障派单", number)
        await bot.say("li", "收到", group="临河县保障群")
        await bot.say("li", "修好了", group="临河县保障群")
        asked = bot.smtp.to(FANG)[-1]
        assert asked.message["Subject"] == f"Re: [{number}] 求助"
        assert "<in-1@client.example.org>" in asked.message["References"]
        await receive(bot, FANG, "好了，谢谢", answers=asked)
        assert (await bot.fault()).state in {"observing", "closed"}


async def test_a_client_that_names_only_the_last_mail_stays_in_its_thread(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        chen = "chen@sheng.example.org"
        await receive(bot, chen, "没声音了，会马上开始", subject="求助")
        asked = bot.smtp.to(chen)[-1].message
        await receive(bot, chen, "青石镇", In_Reply_To=str(asked["Message-ID"]), subject=f"回复：{asked['Subject']}")
        assert (await bot.fault()).site_id == "S4"
        rows = await bot.rows(InboxRow, InboxRow.platform == "email")
        assert len({row.conversation for row in rows}) == 1


async def test_a_number_in_the_subject_finds_the_matter_when_the_thread_is_lost(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        await receive(bot, LI, "收到", subject=f"回复：[{NUMBER}]【会议保障通知】")
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_by == "li"


async def test_a_number_of_somebody_else_s_matter_gives_no_right_to_it(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了", group="临河县水利局客户群")
        number = (await bot.fault()).number
        await receive(bot, "lin@anchuan.example.org", "修好了", subject=f"回复：[{number}]")
        await receive(bot, "xu@anchuan.example.org", "撤回", subject=f"回复：[{number}]")
        assert (await bot.fault()).state == "open"


async def test_the_same_mail_is_one_message_however_often_it_is_taken(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        for _ in range(3):
            await receive(bot, FANG, "三楼会议室没声音了", Message_ID="<same@x>")
        assert len(await bot.rows(Fault)) == 1
        assert len(bot.smtp.to(FANG)) == 1


async def test_machines_are_no_message_at_all(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        sent = len(bot.smtp.mails)
        [notice] = bot.smtp.to(LI)
        await receive(bot, LI, "收到", answers=notice, Auto_Submitted="auto-replied")
        await receive(bot, LI, "这是来自QQ邮箱的假期自动回复邮件。收到")
        await receive(bot, "postmaster@qq.com", "收到")
        await receive(bot, LI, "收到", List_Id="<all.example.org>")
        assert await bot.rows(InboxRow, InboxRow.platform == "email") == []
        assert len(bot.smtp.mails) == sent
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_at is None


async def test_two_machines_stop_after_eight_answers_an_hour(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        for _ in range(12):
            await receive(bot, LI, "HY-20200101-001 收到")
        assert len(bot.smtp.to(LI)) == 8
        await bot.advance("61m")
        bot.adapter._sending._caps._sent.clear()
        await receive(bot, LI, "HY-20200101-001 收到")
        assert len(bot.smtp.to(LI)) == 9


async def test_a_forger_gets_two_and_the_person_still_the_others(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        for _ in range(5):
            await receive(bot, LI, "HY-20200101-001 收到", proven=False)
        assert len(bot.smtp.to(LI)) == 2
        await receive(bot, LI, "HY-20200101-001 收到")
        assert len(bot.smtp.to(LI)) == 3


async def test_the_count_of_answers_survives_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        for _ in range(2):
            await receive(bot, LI, "HY-20200101-001 收到", proven=False)
        bot.adapter._sending._caps._sent.clear()
        await receive(bot, LI, "HY-20200101-001 收到", proven=False)
        assert len(bot.smtp.to(LI)) == 2


async def test_a_dead_address_fails_the_delivery_turns_elsewhere_and_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, chat=False) as bot:
        await bot.post(LI, "您好：【通知】请回“收到”。", about=NUMBER)
        async with bot.ground.work() as work:
            [row] = await bot.rows(Delivery)
            row.person_id, row.kind = "li", "notice"
            await work.session.merge(row)
        [sent] = bot.smtp.mails
        theirs = str(sent.message["Message-ID"])
        await bot.adapter.take(read_letter(bounce(theirs)))
        await bot.settle()
        [row] = await bot.rows(Delivery, Delivery.person_id == "li")
        assert (row.state, row.error) == ("failed", "5.1.1 550 5.1.1 User unknown")
        assert "User unknown" in bot.smtp.to(MA)[0].text
        assert "请代为转达" in bot.smtp.to("zhao@linhe.example.org")[0].text
        [entry] = await bot.rows(AuditEntry, AuditEntry.what == "message.bounced")
        assert entry.about == NUMBER
        count = len(bot.smtp.mails)
        await bot.adapter.take(read_letter(bounce(theirs)))
        await bot.settle()
        assert len(bot.smtp.mails) == count


async def test_two_dead_addresses_are_two_words_to_the_operator(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        for key, address in (("k1", LI), ("k2", WU)):
            await bot.post(address, "您好", key=key)
            await bot.adapter.take(read_letter(bounce(str(bot.smtp.to(address)[0].message["Message-ID"]))))
            await bot.settle()
        assert len(bot.smtp.to(MA)) == 2


async def test_when_everything_is_refused_in_the_same_words_the_operator_is_not_buried(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        for number in range(30):
            bot.smtp.refuse[f"p{number}@x.cn"] = "550 5.7.1 sender not allowed"
            await bot.post(f"p{number}@x.cn", "您好", key=f"k{number}")
        assert 10 <= len(bot.smtp.to(MA)) <= 12


async def test_a_delay_changes_nothing_and_alarms_nobody(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await bot.post(LI, "您好", about=NUMBER)
        theirs = str(bot.smtp.mails[0].message["Message-ID"])
        await bot.adapter.take(read_letter(bounce(theirs, status="4.4.1", action="delayed", said="timed out")))
        await bot.settle()
        [row] = await bot.rows(Delivery)
        assert row.state == "sent"
        assert len(bot.smtp.mails) == 1


async def test_given_up_after_delays_turns_elsewhere_without_calling_the_address_dead(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await bot.post(LI, "您好", about=NUMBER)
        theirs = str(bot.smtp.mails[0].message["Message-ID"])
        await bot.adapter.take(read_letter(bounce(theirs, status="4.4.7", said="expired")))
        await bot.settle()
        [row] = await bot.rows(Delivery)
        assert row.state == "failed"
        assert bot.smtp.to(MA) == []


async def test_a_forged_bounce_fails_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await bot.post(LI, "您好", about=NUMBER)
        forged = str(bot.smtp.mails[0].message["Message-ID"]).replace("hb-1", "hb-2")
        await bot.adapter.take(read_letter(bounce(forged)))
        await bot.settle()
        assert [row.state for row in await bot.rows(Delivery)] == ["sent"]


async def test_an_outage_of_the_server_is_said_and_what_waits_goes_when_it_is_back(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        bot.smtp.script["MAIL"] += ["451 4.3.0 down"] * 6
        await bot.post(LI, "您好")
        assert bot.smtp.mails == []
        await bot.advance(timedelta(minutes=3))
        assert len(bot.smtp.to(LI)) == 1


async def test_a_stranger_is_answered_politely_once_and_nobody_is_called_when_that_fails(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        for _ in range(3):
            await receive(bot, "someone@elsewhere.example.net", "你们是谁", proven=False)
        assert len(bot.smtp.to("someone@elsewhere.example.net")) == 1
        bot.smtp.refuse["spam@elsewhere.example.net"] = "550 5.1.1 no such user"
        await receive(bot, "spam@elsewhere.example.net", "优惠", proven=False)
        assert bot.smtp.to(MA) == []
        bot.nothing_more()
