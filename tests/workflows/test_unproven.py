"""A mail that does not prove who wrote it may report a fault, and nothing else, whatever it says."""

from pathlib import Path
from typing import Any

from storage.learning import WordProposal
from storage.messages import Address, Incoming, Quote
from storage.models import AuditEntry, Expectation, Fault, Meeting, Obligation
from tests.fakes import Seen
from tests.scenario import Scenario, scenario

NUMBER = "HY-20261125-001"
SAID = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"
MAIL: dict[str, Any] = {"address": "bot@huibao.example.org"}
TABLES = (Meeting, Obligation, Fault, Expectation, WordProposal)
KNOWN = "这封邮件不能证明是您本人发出"


async def publish(bot: Scenario) -> None:
    await bot.say("chen", SAID)
    await bot.say("chen", "确认")
    bot.forget_all()


async def mail(
    bot: Scenario, person: str, text: str = "", *, click: str = "", about: str = "", proven: bool = False
) -> Incoming:
    """A mail of a person, as an answer to one about a number when given."""
    said = await bot.said(person, text, platform="email", click=click)
    place = Address(platform="email", kind="thread", id=f"{said.sender.account} {about or said.message_id}")
    incoming = said.model_copy(
        update={
            "sender": said.sender.model_copy(update={"verified": proven}),
            "conversation": place,
            "quote": Quote(text=about) if about else None,
        }
    )
    await bot.runtime.inbox.accept(incoming)
    await bot.settle()
    return incoming


def answers(bot: Scenario, person_mail: str) -> list[Seen]:
    return [seen for seen in bot.platforms["email"].seen if seen.address.id.startswith(f"{person_mail} ")]


async def state(bot: Scenario) -> list[dict[str, Any]]:
    return [row.model_dump() for table in TABLES for row in await bot.rows(table)]


async def test_nothing_but_a_report_moves_anything(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await publish(bot)
        await bot.say("fang", "三楼会议室没声音了")
        await bot.say("li", "收到", group="临河县保障群")
        fault = (await bot.fault()).number
        await bot.say("chen", "明天下午三点开防汛会商会，全省水利系统，请各地参加", group="")
        before = await state(bot)
        attempts = [
            ("chen", "确认", "", ""),
            ("chen", "", f"publish:{NUMBER}", ""),
            ("chen", f"{NUMBER} 会议取消", "", NUMBER),
            ("chen", f"{NUMBER} 改到后天下午三点", "", NUMBER),
            ("wu", "收到", "", NUMBER),
            ("wu", "收到", "", ""),
            ("wu", "安川收到", "", ""),
            ("wu", "", f"ack:{NUMBER}", ""),
            ("wu", "", f"trouble:{NUMBER}", ""),
            ("li", "已到位", "", NUMBER),
            ("li", "电源正常", "", NUMBER),
            ("li", "修好了", "", fault),
            ("li", f"{fault} 修好了", "", ""),
            ("li", "转给赵鹏", "", fault),
            ("li", "", f"hand:{fault}", ""),
            ("li", "刚才发错了", "", ""),
            ("li", "预计二十分钟到", "", fault),
            ("fang", "好了，谢谢", "", fault),
            ("fang", "还没好", "", fault),
            ("fang", f"{fault} 撤回", "", fault),
            ("fang", "不是三楼，是青石镇", "", fault),
            ("wang", "已知悉", "", fault),
            ("wang", "让赵鹏去", "", fault),
            ("li", "1", "", ""),
            ("chen", "1", "", ""),
            ("admin", "同意1", "", ""),
            ("li", "江州会堂就是江州市水利局", "", ""),
        ]
        for person, text, click, about in attempts:
            await mail(bot, person, text, click=click, about=about)
            assert await state(bot) == before, (person, text or click)
        assert [
            row for row in await bot.rows(AuditEntry) if row.via == "email" and row.what != "message.unproven"
        ] == []


async def test_the_answer_offers_a_button_where_the_matter_is_known(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await publish(bot)
        bot.forget_all()
        await mail(bot, "wu", "收到", about=NUMBER)
        [answer] = answers(bot, "wu@anchuan.example.org")
        assert KNOWN in answer.text
        assert [action.value for action in answer.message.actions] == [f"ack:{NUMBER}"]


async def test_the_same_mail_with_proof_acknowledges(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await publish(bot)
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        await mail(bot, "li", "收到", about=NUMBER)
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_at is None
        await mail(bot, "li", "收到", about=NUMBER, proven=True)
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert (debt.met_by, debt.met_via) == ("li", "email")


async def test_a_report_is_taken_and_marked(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await mail(bot, "fang", "三楼会议室没声音了")
        [answer] = answers(bot, "fang@linhe.example.org")
        assert "报障已受理" in answer.text
        fault = await bot.fault()
        assert (fault.reporter, fault.extra["unproven"]) == ("fang", True)
        bot.expect("#临河县保障群", "故障派单", fault.number, "未核实")
        await bot.say("fang", "三楼会议室没声音", group="临河县水利局客户群")
        assert (await bot.fault()).extra["unproven"] is False


async def test_an_engineer_on_duty_does_not_take_what_a_mail_in_his_name_reports(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await mail(bot, "li", "三楼会议室没声音了")
        assert (await bot.fault()).state == "open"
        [debt] = await bot.obligations(kind="fault_ack")
        assert debt.met_at is None


async def test_a_report_without_a_place_asks_for_a_whole_new_one_and_leaves_no_question_open(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await mail(bot, "chen", "没声音了，会马上开始")
        [answer] = answers(bot, "chen@sheng.example.org")
        assert "写明会场和现象" in answer.text
        assert await bot.rows(Expectation) == []
        assert await bot.rows(Fault) == []


async def test_words_that_mean_nothing_get_a_short_help(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await mail(bot, "li", "今天天气不错")
        [answer] = answers(bot, "li@linhe.example.org")
        assert "没太明白" in answer.text


async def test_a_press_by_a_link_is_the_person_s_own_and_the_record_says_how(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await publish(bot)
        said = await bot.said("li", "收到", platform="email", click=f"ack:{NUMBER}")
        await bot.runtime.inbox.accept(said.model_copy(update={"way": "email link"}))
        await bot.settle()
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert (debt.met_by, debt.met_via) == ("li", "email")
        [entry] = await bot.rows(AuditEntry, AuditEntry.via == "email link")
        assert (entry.who, entry.about, entry.detail["value"]) == ("li", NUMBER, f"ack:{NUMBER}")


async def test_a_press_is_authorised_like_the_person_s_sentence(tmp_path: Path) -> None:
    async with scenario(tmp_path, email=MAIL) as bot:
        await publish(bot)
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        said = await bot.said("lin", "收到", platform="email", click=f"ack:{debt.id}")
        await bot.runtime.inbox.accept(said.model_copy(update={"way": "email link"}))
        await bot.settle()
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_at is None
