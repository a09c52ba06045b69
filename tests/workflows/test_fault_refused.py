"""An engineer who will not or cannot take what was put to him is heard, and it goes on to somebody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario
from workflows import fault_pick

CLIENT, SUPPORT = "#临河县水利局客户群", "#临河县保障群"
NUMBER = "GZ-20261124-001"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        await running.say("fang", "三楼会议室没声音了", group=CLIENT[1:])
        running.forget_all()
        yield running


async def asked(bot: Scenario) -> list[list[str]]:
    return [row.person_ids for row in await bot.obligations(kind="fault_ack", state="open")]


@pytest.mark.parametrize("text", ["不接，你们自己弄", "不归我管", "我没空"])
async def test_handed_over_and_refused_it_goes_back_to_whoever_handed_it(bot: Scenario, text: str) -> None:
    await bot.say("li", "转给何伟", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("he", text)
    bot.expect("li", "李工您好", NUMBER, "何工反馈不便处理", text, "15:20前", "回“收到”", "转给")
    bot.expect(SUPPORT, NUMBER, "何工不便处理", "请李工在15:20前@会保 回“收到”接单", absent=[text])
    bot.expect("he", NUMBER, "已登记您不便处理", "转请李工")
    bot.nothing_more()
    assert await asked(bot) == [["li"]]
    assert (await bot.fault()).state == "open"
    await bot.say("li", "收到", group=SUPPORT[1:])
    assert (await bot.fault()).owner == "li"


async def test_the_one_on_duty_refuses_and_the_backup_is_called_at_once(bot: Scenario) -> None:
    await bot.say("li", "我在外地，去不了", group=SUPPORT[1:])
    bot.expect("zhao", "赵工您好", NUMBER, "李工反馈不便处理", "15:20前")
    bot.expect(SUPPORT, NUMBER, "请赵工在15:20前@会保 回“收到”接单")
    bot.nothing_more()
    assert await asked(bot) == [["zhao"]]


async def test_when_nobody_of_the_unit_is_left_its_supervisor_arranges_it(bot: Scenario) -> None:
    await bot.say("li", "没空")
    bot.forget_all()
    await bot.say("zhao", "不接")
    bot.expect("wang", "王主任您好", NUMBER, "赵工反馈不便处理", "尚无人接单", "请您安排", "转给")
    bot.expect(SUPPORT, NUMBER, "已请王主任协助安排")
    bot.expect("zhao", NUMBER, "已登记您不便处理")
    bot.nothing_more()
    await bot.say("wang", "转给何伟")
    bot.expect("wang", "已转给何工")
    await bot.say("he", "好吧 我来")
    bot.expect("wang", NUMBER, "何工", "接单")


@pytest.mark.parametrize("text", ["凭啥给我", "怎么又是我"])
async def test_mere_grumbling_is_asked_about_and_changes_nothing(bot: Scenario, text: str) -> None:
    await bot.say("li", text)
    bot.expect("li", NUMBER, "15:20前", "回“收到”", "回“不接”")
    bot.nothing_more()
    assert await asked(bot) == [["li"]]


async def test_whoever_has_taken_it_and_cannot_go_is_asked_whom_to_hand_it_to(bot: Scenario) -> None:
    await bot.say("li", "收到")
    bot.forget_all()
    await bot.say("li", "我这边走不开了，去不了")
    bot.expect("li", NUMBER, "请问转给谁", "1. 赵鹏")
    bot.nothing_more()


async def test_the_same_words_of_somebody_who_was_not_asked_change_nothing(bot: Scenario) -> None:
    await bot.say("zhao", "我没空", group=SUPPORT[1:])
    bot.nothing_more()
    assert await asked(bot) == [["li"]]


@pytest.mark.parametrize("text", ["转给", "转派", "转给李明", "转给赵工"])
async def test_the_word_of_the_button_hands_over_and_never_takes(bot: Scenario, text: str) -> None:
    await bot.say("li", text)
    assert (await bot.fault()).state == "open"


async def test_a_name_that_cannot_have_it_is_said_to_be_out_of_reach(bot: Scenario) -> None:
    await bot.say("li", "转给吴刚")
    bot.expect("li", NUMBER, "不能转给吴刚", "请问转给谁", "1. 赵鹏")


async def test_of_two_faults_it_is_asked_which_one_and_one_taken_meanwhile_is_left_alone(bot: Scenario) -> None:
    await bot.say("fang", "会议室投影仪黑屏了", group=CLIENT[1:])
    bot.forget_all()
    await bot.say("li", "不接")
    bot.expect("li", "哪一张故障单不便处理", f"1. {NUMBER}", "2. ")
    await bot.say("zhao", f"{NUMBER} 收到", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("li", "1")
    bot.expect("li", "没有等待您接的故障单")
    bot.nothing_more()
    assert await asked(bot) == [["li"]], "only the other one still waits"


async def test_a_number_does_not_make_it_the_matter_of_whoever_was_not_asked(bot: Scenario) -> None:
    await bot.say("fang", "会议室投影仪黑屏了", group=CLIENT[1:])
    await bot.say("zhao", f"{NUMBER} 收到", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("li", f"{NUMBER} 我不接")
    bot.expect("li", "没有等待您接的故障单")
    bot.nothing_more()


def test_whatever_is_done_to_a_fault_can_be_asked_about() -> None:
    assert [name for name in fault_pick.ACTS if not fault_pick.WORDS.has(f"which.{name}")] == []
