"""The machine's clock is set back by an hour: the tally and the echo still come within half a minute."""

from datetime import timedelta
from pathlib import Path

from storage.models import Timer
from tests.scenario import Scenario, scenario

HOUR = timedelta(hours=1)
NOTICE = "明天上午9点半防汛视频会商，临河县水利局，各单位提前一小时到位"


async def soon(bot: Scenario) -> dict[str, float]:
    """Timers of a while, and in how many seconds they are due."""
    now, waiting = bot.clock.now(), [one for one in await bot.rows(Timer) if one.kind in ("tally", "echo")]
    return {one.kind: (one.due_at - now).total_seconds() for one in waiting}


async def test_a_tally_does_not_wait_for_the_clock_to_catch_up(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        await bot.say("li", "收到")
        assert all(0 < wait <= 30 for wait in (await soon(bot)).values())
        bot.clock.set(bot.clock.now() - HOUR)
        await bot.settle()
        assert all(0 <= wait <= 30 for wait in (await soon(bot)).values())
        bot.forget_all()
        await bot.advance("31s")
        bot.expect("chen", "1")


async def test_after_the_clock_was_set_back_answers_are_still_counted_every_half_minute(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        bot.clock.set(bot.clock.now() - HOUR)
        await bot.settle()
        await bot.say("li", "收到")
        assert all(wait <= 30 for wait in (await soon(bot)).values())
