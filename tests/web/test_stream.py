"""Live pages: what changes arrives, once, and a stopping server lets go of its viewers at once."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import ClientResponse

from adapters.web.server import CHANGES
from tests.web.house import HX, House

CLIENTS = "/console/events?as=li&in=web:group:linhe-client"


@dataclass
class Viewer:
    """An open stream."""

    response: ClientResponse

    async def next(self, name: str) -> str:
        """The data of the next event of this name; others are passed over."""
        async with asyncio.timeout(5):
            while True:
                event = await self._event()
                if f"event: {name}" in event:
                    return "\n".join(line.removeprefix("data: ") for line in event if line.startswith("data: "))

    async def _event(self) -> list[str]:
        lines: list[str] = []
        while line := (await self.response.content.readline()).decode().rstrip("\n"):
            lines.append(line)
        return lines


@asynccontextmanager
async def watching(home: House, path: str) -> AsyncIterator[Viewer]:
    async with home.client.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Viewer(response)


async def test_a_message_arrives_where_it_is_looked_at(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.next("board")
        await home.say("fang", "linhe-client", "报障：没声音")
        assert "没声音" in await viewer.next("bubble")
        assert "听到" in await viewer.next("bubble")
        assert "接单" in await viewer.next("board")


async def test_badges_of_others_change_and_mine_stay_clear_while_i_look(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.next("people")
        await home.say("fang", "linhe-client", "没声音")
        people = await viewer.next("people")
        assert re.search(r'id="as-zhao".*?badge.*?</a>', people, re.DOTALL)
        mine = re.search(r'id="as-li".*?</a>', people, re.DOTALL)
        assert mine
        assert "badge" not in mine[0]


async def test_a_viewer_who_comes_back_gets_what_was_missed_and_no_more(home: House) -> None:
    await home.say("fang", "linhe-client", "第一句", mention=False)
    await home.say("fang", "linhe-client", "第二句", mention=False)
    async with watching(home, f"{CLIENTS}&after=1") as viewer:
        assert "第二句" in await viewer.next("bubble")


async def test_the_pages_clock_follows_a_jump(home: House) -> None:
    async with watching(home, "/events") as viewer:
        assert "15:10:00" in await viewer.next("clock")
        async with home.client.post("/console/forward", data={"by": "10m"}, headers=HX) as answer:
            assert answer.status == 204
        assert "15:20:00" in await viewer.next("clock")


async def test_a_stopping_server_ends_its_streams(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.next("board")
        assert home.client.app is not None
        home.client.app[CHANGES].close()
        async with asyncio.timeout(1):
            assert await viewer.response.content.read() is not None


async def test_a_viewer_who_left_is_forgotten(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.next("board")
    home.clock.advance(timedelta(minutes=1))
    await home.say("fang", "linhe-client", "没声音")
    assert len(home.parrot.heard) == 1
