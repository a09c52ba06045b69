"""Personal reminders carry the answer as a button; a supervisor's [已知悉] stops his step and not the debt."""

from datetime import datetime
from pathlib import Path

from tests.scenario import Scenario, scenario


def pressed(bot: Scenario, where: str, label: str, *parts: str) -> str:
    """The value of a button on the first message there that holds the parts."""
    seen = bot.expect(where, *parts)
    return next(action.value for action in seen.message.actions if action.label == label)


async def published(bot: Scenario) -> None:
    """A meeting of two counties, published."""
    await bot.say("chen", "明天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位", group="集客联络群")
    await bot.say("chen", "确认", group="集客联络群")
    bot.forget_all()


async def test_the_nudge_can_be_answered_by_a_press(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.advance("8m")
        await bot.say("li", click=pressed(bot, "li", "收到", "尚未收到临河县"))
        (debt,) = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert (debt.state, debt.met_by) == ("met", "li")


async def test_known_stops_the_supervisors_step_and_leaves_the_debt(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.advance("11m")
        await bot.say("tang", click=pressed(bot, "tang", "已知悉", "安川县技术维护部"))
        (debt,) = await bot.obligations(kind="notice_ack", unit_id="X2")
        assert (debt.state, debt.met_at, debt.detail["known"]) == ("breached", None, ["tang"])


async def test_arrival_can_be_pressed_on_the_reminder(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("li", "收到")
        bot.forget_all()
        await bot.until(datetime.fromisoformat("2026-11-25T08:29:00+08:00"))
        await bot.say("li", click=pressed(bot, "li", "已到位", "尚未收到到位消息"))
        (debt,) = await bot.obligations(kind="arrival", unit_id="X1")
        assert (debt.state, debt.met_by) == ("met", "li")
