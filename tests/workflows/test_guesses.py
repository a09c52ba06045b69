"""What bare or unclear words do, and what they never do."""

from pathlib import Path

import pytest

from intents.reading import Evidence, Reading
from tests.scenario import scenario
from tests.workflows.gathering import MORNING, meeting
from workflows import guess
from workflows.turn import Turn

GROUP = "临河县保障群"
CLIENTS = "临河县水利局客户群"
NOTICE = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"


async def test_another_matter_after_a_mended_one_is_another_fault(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
        await bot.say("li", "修好了")
        bot.forget_all()
        await bot.say("fang", "三楼会议室话筒没有声音，马上开会", group=CLIENTS)
        bot.expect(f"#{CLIENTS}", "【报障已受理】", "GZ-20261124-002", "没有声音")
        await bot.say("fang", "还是黑屏", group=CLIENTS)
        bot.expect(f"#{CLIENTS}", "【重新处理】", "GZ-20261124-001")


async def test_mended_is_no_taking(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
        bot.forget_all()
        await bot.say("li", "修好了", group=GROUP)
        bot.expect(f"#{CLIENTS}", "【请确认】")
        assert (await bot.fault()).state == "resolved"


async def test_a_clients_received_answers_no_notice(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
        await bot.say("fang", "收到", group=CLIENTS)
        (ack,) = [row for row in await bot.obligations(kind="notice_ack") if row.unit_id == "X1"]
        assert ack.state == "open"


async def test_a_supervisors_good_is_no_arrival(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        for person in ("li", "qian"):
            await bot.say(person, "收到")
        bot.forget_all()
        await bot.say("wang", "好了", group=GROUP)
        bot.nothing_more(f"#{GROUP}")


async def test_a_colleague_answers_the_check_that_was_asked(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位", group=GROUP)
        bot.forget_all()
        await bot.say("zhao", "正常", group=GROUP)
        bot.expect(f"#{GROUP}", "检查2/4")


async def test_taking_it_after_a_mistaken_taking_is_said_again(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
        await bot.say("li", "收到", group=GROUP)
        await bot.advance("1m")
        await bot.say("li", "刚才发错了", group=GROUP)
        bot.forget_all()
        await bot.say("zhao", "我来", group=GROUP)
        bot.expect(f"#{CLIENTS}", "【已接单】", "赵工")
        bot.expect(f"#{GROUP}", "赵工已于")


async def test_a_numbered_question_in_a_group_says_how_to_answer_there(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
        bot.forget_all()
        await bot.say("li", "收到", group=GROUP)
        bot.expect(f"#{GROUP}", "请@会保 回编号")
        await bot.say("li", "收到")
        bot.expect("li", "请回编号", absent=["@会保"])


@pytest.mark.parametrize(
    "text", ["", "  ", "😀😀", "{number}", "{}", "{0.__class__}", "\x01\x02", "。", "？", "@会保", "啊" * 20_000]
)
async def test_garbage_is_silence_in_a_group(tmp_path: Path, text: str) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", text, group=CLIENTS)
        await bot.say("li", text, group=GROUP)
        bot.nothing_more()


async def test_braces_and_markup_in_a_report_do_no_harm(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室{number}没画面 {x!r} <b>'; --", group=CLIENTS)
        bot.expect(f"#{CLIENTS}", "【报障已受理】", "没有画面")


async def test_an_explained_difficulty_gets_one_answer(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        await bot.say("ma", click=f"trouble:{(await bot.meeting()).number}")
        bot.forget_all()
        await bot.say("ma", "人手不够，派不出人")
        bot.expect("ma", "已转告联络员")
        bot.nothing_more("ma")


async def test_an_engineer_of_operations_is_no_backup_for_a_customer_unit(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        await bot.say("li", "收到")
        bot.forget_all()
        await bot.advance("6m")
        bot.nothing_more("zhao")


async def test_a_reporters_good_before_anybody_took_it_ends_it(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
        await bot.say("fang", "好了", group=CLIENTS)
        assert (await bot.fault()).state in ("observing", "cancelled")


@pytest.mark.parametrize(
    ("rule", "sure", "asks"),
    [("second_opinion", 0.72, True), ("second_opinion", 0.97, False), ("received", 0.72, False)],
)
def test_nobody_is_booked_as_having_taken_it_by_likeness_that_is_not_sure(rule: str, sure: float, asks: bool) -> None:
    reading = Reading("ack", {}, sure, "act", (Evidence(rule, 0, 3, "现在呢"),))
    assert guess.is_one(reading) == asks


async def test_a_doubtful_receipt_counts_once_it_is_confirmed(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
        bot.forget_all()
        async with bot.ground.work() as work:
            person, said = work.org.people["li"], await bot.said("li", "现在呢")
            turn = Turn(work, said, person, None, Reading("ack", {}, 0.7, "act"))
            await guess.ask(turn, turn.reading)
        await bot.settle()
        bot.expect("li", "“现在呢”——您是想回复“收到”吗？", "1. 是的", "2. 不是")
        assert (await bot.fault()).owner is None
        await bot.say("li", "是的")
        assert (await bot.fault()).owner == "li"
