"""The time machine of the demo: ten minutes in a second, and nothing in between is left out."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.web.server import FORWARD
from tests.web.house import HX, START, House, house


async def push(home: House, **form: str) -> int:
    async with home.client.post("/console/forward", data=form, headers=HX) as answer:
        return answer.status


async def test_it_stops_at_every_moment_at_which_the_bot_acts(home: House) -> None:
    await home.say("fang", "linhe-client", "报障：没声音")
    assert await push(home, by="1h") == 204
    assert home.parrot.fired == [START + timedelta(minutes=minutes) for minutes in (7, 10, 15)]
    assert home.clock.now() == START + timedelta(hours=1)


async def test_to_the_next_moment(home: House) -> None:
    await home.say("fang", "linhe-client", "报障：没声音")
    for minutes in (7, 10, 15):
        assert await push(home, by="next") == 204
        assert home.clock.now() == START + timedelta(minutes=minutes)
    assert await push(home, by="next") == 204
    assert home.clock.now() == START + timedelta(minutes=15)


async def test_what_is_sent_on_the_way_arrives_on_the_way(home: House) -> None:
    """A message that left at 15:17 must not be stamped with the end of the jump."""
    await home.say("fang", "linhe-client", "报障：没声音")
    await push(home, by="10m")
    page = await home.page("/console?as=fang&in=web:group:linhe-client")
    assert page.count("15:10:00") >= 2


@pytest.mark.parametrize("by", ["", "0s", "-1m", "25h", "x", "1e9h", "99999999999999999999d"])
async def test_a_push_that_makes_no_sense_is_refused(home: House, by: str) -> None:
    assert await push(home, by=by) == 400
    assert home.clock.now() == START


async def test_where_it_is_not_offered_the_clock_cannot_be_pushed(tmp_path: Path) -> None:
    """A drill on the real system must never move the real deadlines."""
    async with house(tmp_path, push=False) as home:
        assert "/console/forward" not in await home.page("/")
        assert await push(home, by="10m") == 403
        async with home.client.post("/console/speed", data={"x": "60"}, headers=HX) as answer:
            assert answer.status == 403
        assert home.clock.now() == START


async def test_a_fast_clock_runs_and_stops(home: House) -> None:
    assert home.client.app is not None
    forward = home.client.app[FORWARD]
    async with home.client.post("/console/speed", data={"x": "60"}, headers=HX) as answer:
        assert answer.status == 204
    assert forward.speed == 60
    assert 'id="speed-60"' in await home.page("/")
    async with home.client.post("/console/speed", data={"x": "7"}, headers=HX) as answer:
        assert answer.status == 400
    async with home.client.post("/console/speed", data={"x": "1"}, headers=HX) as answer:
        assert answer.status == 204
    assert forward.speed == 1
