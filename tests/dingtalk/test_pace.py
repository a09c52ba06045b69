"""Limits hold when the machine's clock is set back, and end when they would have ended."""

from datetime import timedelta

import pytest

from adapters.common.errors import Throttled
from adapters.common.pace import Pace
from storage.clock import ManualClock
from tests.scenario import START

MINUTE = timedelta(minutes=1)


async def test_a_full_minute_is_over_a_minute_after_the_clock_was_set_back() -> None:
    clock = ManualClock(START)
    pace = Pace(clock, (2, MINUTE))
    for _ in range(2):
        await pace.admit("robot")
    clock.advance(-60 * MINUTE)
    with pytest.raises(Throttled):
        await pace.admit("robot")
    clock.advance(MINUTE)
    await pace.admit("robot")


async def test_a_block_lasts_as_long_as_the_platform_said() -> None:
    clock = ManualClock(START)
    pace = Pace(clock, (20, MINUTE))
    pace.block("robot", START + 10 * MINUTE)
    clock.advance(-60 * MINUTE)
    assert pace.free_at("robot") == clock.now() + 10 * MINUTE
    clock.advance(10 * MINUTE)
    await pace.admit("robot")
