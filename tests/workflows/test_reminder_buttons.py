"""Personal reminders carry the answer as a button, which is gone once it is settled; a supervisor's [已知悉] stops his
step and settles nothing."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.fakes import Seen
from tests.scenario import WECOM, Scenario, scenario
from tests.workflows.opening import published

OWN = "临河县保障群"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        await published(running)
        yield running


def press(seen: Seen, label: str) -> str:
    """The value of a button."""
    return next(action.value for action in seen.message.actions if action.label == label)


def gone(bot: Scenario, seen: Seen, *parts: str, platform: str = "dingtalk") -> bool:
    """Whether the card of a message shows something with these parts by now, and nothing to press."""
    updates = [
        one.message
        for one in bot.platforms[platform].updates
        if (one.address, one.message.card) == (seen.address, seen.message.card) and seen.message.card
    ]
    return bool(updates) and not updates[-1].actions and all(part in updates[-1].text for part in parts)


async def test_a_nudge_is_answered_by_a_press_and_its_buttons_go(bot: Scenario) -> None:
    await bot.advance("8m")
    nudge = bot.expect("li", "尚未收到临河县", "回“收到”")
    assert [action.label for action in nudge.message.actions] == ["收到", "有困难"]
    await bot.say("li", click=press(nudge, "收到"))
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X1")
    assert (debt.state, debt.met_by) == ("met", "li")
    assert gone(bot, nudge, "HY-20261125-001", "李工")


async def test_an_answer_elsewhere_takes_the_buttons_away_too(bot: Scenario) -> None:
    await bot.advance("8m")
    nudge = bot.expect("li", "尚未收到临河县")
    await bot.say("zhao", "收到", group=OWN)
    assert gone(bot, nudge, "赵工")
    bot.forget_all()
    await bot.say("li", click=press(nudge, "收到"))
    bot.expect("li", "已由赵工于", "不用再回")


async def test_a_difficulty_is_pressed_on_the_nudge(bot: Scenario) -> None:
    await bot.advance("8m")
    await bot.say("li", click=press(bot.expect("li", "尚未收到临河县"), "有困难"))
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X1")
    assert (debt.state, debt.detail["trouble"]) == ("met", True)


async def test_known_stops_the_supervisors_step_and_leaves_the_debt(bot: Scenario) -> None:
    await bot.advance("11m")
    alarm = bot.expect("tang", "安川县", "回“已知悉”")
    assert [action.label for action in alarm.message.actions] == ["已知悉"]
    bot.forget_all()
    await bot.say("tang", click=press(alarm, "已知悉"))
    bot.expect("tang", "一有回复")
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X2")
    assert (debt.state, debt.met_at, debt.closed_at, debt.detail["known"]) == ("breached", None, None, ["tang"])
    assert gone(bot, alarm, "已知悉")
    await bot.say("wu", "收到", group="安川县保障群")
    bot.expect("tang", "安川县", "已由吴工")


async def test_a_second_press_of_known_changes_nothing(bot: Scenario) -> None:
    await bot.advance("11m")
    known = press(bot.expect("tang", "安川县"), "已知悉")
    await bot.say("tang", click=known)
    await bot.say("tang", click=known)
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X2")
    assert (debt.met_at, debt.detail["known"]) == (None, ["tang"])


@pytest.mark.parametrize("who", ["li", "wu", "zhou", "chen"])
async def test_known_pressed_by_somebody_it_was_not_told_to_changes_nothing(bot: Scenario, who: str) -> None:
    await bot.advance("11m")
    known = press(bot.expect("tang", "安川县"), "已知悉")
    bot.forget_all()
    await bot.say(who, click=known)
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X2")
    assert (debt.met_at, debt.detail.get("known", [])) == (None, [])
    bot.expect(who, "不用再回")


@pytest.mark.parametrize("value", ["known:", "known:x", "known:0", "known:1,", f"known:{'9' * 30}", "known:-1"])
async def test_a_press_of_nothing_known_settles_nothing(bot: Scenario, value: str) -> None:
    await bot.say("wang", click=value)
    assert {row.state for row in await bot.obligations(kind="notice_ack")} == {"open"}
    bot.expect("wang", "不用再回")


async def test_a_group_gets_words_alone(bot: Scenario) -> None:
    await bot.advance("21m")
    assert bot.expect("#主管群", "尚未收到回复").message.actions == ()


async def test_arrival_is_pressed_on_the_reminder_before_it_is_due(bot: Scenario) -> None:
    await bot.say("li", "收到")
    bot.forget_all()
    await bot.until(datetime.fromisoformat("2026-11-25T08:21:00+08:00"))
    reminder = bot.expect("li", "应于8:30前到位", "回“已到位”")
    bot.forget_all()
    await bot.say("li", click=press(reminder, "已到位"))
    (debt,) = await bot.obligations(kind="arrival", unit_id="X1")
    assert (debt.state, debt.met_by) == ("met", "li")
    assert gone(bot, reminder, "李工")
    bot.expect("li", "检查1/")


async def test_a_fault_is_taken_on_the_nudge(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了，会马上开始", group="临河县水利局客户群")
        bot.forget_all()
        await bot.advance("8m")
        nudge = bot.expect("li", "尚未有人接单")
        assert [action.label for action in nudge.message.actions] == ["接单", "转派"]
        await bot.say("li", click=press(nudge, "接单"))
        fault = await bot.fault()
        assert (fault.state, fault.owner) == ("accepted", "li")
        assert gone(bot, nudge, fault.number, "李工")


async def test_a_cancelled_meeting_leaves_nothing_to_press(bot: Scenario) -> None:
    await bot.advance("8m")
    nudge = bot.expect("li", "尚未收到临河县")
    await bot.say("chen", "取消 HY-20261125-001")
    await bot.say("chen", "确认")
    assert gone(bot, nudge, "已有变化")


async def test_every_copy_on_every_platform_is_settled(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        await published(bot)
        await bot.advance("8m")
        here = bot.expect("dingtalk:direct:dt-li", "尚未收到临河县")
        there = bot.expect("wecom:direct:wc-li", "尚未收到临河县")
        await bot.say("li", click=press(there, "收到"), platform="wecom")
        assert gone(bot, here, "李工")
        assert gone(bot, there, "李工", platform="wecom")
