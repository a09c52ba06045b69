"""A numbered question can be answered by pressing: only by the one who was asked, once, and while it is open."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.messages import Action
from tests.scenario import Scenario, scenario

CLIENTS, GROUP = "临河县水利局客户群", "临河县保障群"
NOTICE = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def asked(bot: Scenario) -> tuple[Action, ...]:
    """A notice and a fault wait for the same word of the same person: which of them is meant?"""
    await bot.say("chen", NOTICE)
    await bot.say("chen", "确认")
    await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
    bot.forget_all()
    await bot.say("li", "收到")
    return bot.expect("li", "请回编号").message.actions


async def test_a_press_is_the_number(bot: Scenario) -> None:
    actions = await asked(bot)
    assert [action.say for action in actions] == ["1", "2", "3"]
    fault = next(action for action in actions if action.label.startswith("GZ-"))
    await bot.say("li", click=fault.value)
    bot.expect(f"#{CLIENTS}", "李工已接单")
    assert [row.state for row in await bot.obligations(kind="notice_ack", unit_id="X1")] == ["open"]


async def test_a_second_press_says_that_it_is_stale(bot: Scenario) -> None:
    actions = await asked(bot)
    await bot.say("li", click=actions[0].value)
    bot.forget_all()
    await bot.say("li", click=actions[1].value)
    bot.expect("li", "已经有了答案")
    bot.nothing_more()


async def test_a_press_of_somebody_else_decides_nothing(bot: Scenario) -> None:
    actions = await asked(bot)
    await bot.say("zhao", click=actions[0].value)
    bot.expect("zhao", "问的不是您")
    bot.nothing_more()
    await bot.say("li", click=actions[0].value)
    bot.forget_all()


async def test_an_old_question_is_over(bot: Scenario) -> None:
    actions = await asked(bot)
    await bot.advance("13h")
    bot.forget_all()
    await bot.say("li", click=actions[0].value)
    bot.expect("li", "已过期")


@pytest.mark.parametrize(
    "value", ["pick:", "pick:1", "pick:x:1", "pick:1:0", "pick:1:99", f"pick:{'9' * 30}:1", "pick:-1:1"]
)
async def test_a_press_of_nothing_is_told_so(bot: Scenario, value: str) -> None:
    await asked(bot)
    await bot.say("li", click=value)
    bot.expect("li", "没有计入")
    bot.nothing_more()
