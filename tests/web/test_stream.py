"""Live pages: what changes arrives, once, and a stopping server lets go of its viewers at once."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import ClientResponse

from adapters.web.server import CHANGES
from tests.web.house import HX, House

CLIENTS = "/console/events?as=li&in=web:group:linhe-client"


@dataclass
class Viewer:
    """An open stream."""

    response: ClientResponse
    events: list[tuple[str, str]] = field(default_factory=list)
    """Name and data of everything received, in order."""

    async def until(self, name: str, *parts: str, without: str = "$^") -> None:
        """Read on until an event of this name has come with all these parts, and without this pattern."""

        def fits(kind: str, data: str) -> bool:
            return kind == name and all(part in data for part in parts) and not re.search(without, data, re.DOTALL)

        async with asyncio.timeout(10):
            while not any(fits(kind, data) for kind, data in self.events):
                lines = await self._event()
                kind = next((line.removeprefix("event: ") for line in lines if line.startswith("event: ")), "")
                data = "\n".join(line.removeprefix("data: ") for line in lines if line.startswith("data: "))
                self.events.append((kind, data))

    def count(self, name: str) -> int:
        """How many events of this name have come."""
        return sum(kind == name for kind, _ in self.events)

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
        await viewer.until("board")
        await home.say("fang", "linhe-client", "报障：没声音")
        await viewer.until("bubble", "方芳", "没声音")
        await viewer.until("bubble", "听到")
        await viewer.until("board", "接单")
        assert viewer.count("bubble") == 2


async def test_badges_of_others_change_and_mine_stay_clear_while_i_look(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.until("people")
        await home.say("fang", "linhe-client", "没声音")
        await viewer.until("people", "badge", without=r'id="as-li"((?!</a>).)*badge')


async def test_a_viewer_who_comes_back_gets_what_was_missed_and_no_more(home: House) -> None:
    await home.say("fang", "linhe-client", "第一句", mention=False)
    await home.say("fang", "linhe-client", "第二句", mention=False)
    async with watching(home, f"{CLIENTS}&after=1") as viewer:
        await viewer.until("board")
        assert ["第二句" in data for kind, data in viewer.events if kind == "bubble"] == [True]


async def test_the_pages_clock_follows_a_jump(home: House) -> None:
    async with watching(home, "/events") as viewer:
        await viewer.until("clock", "15:10:00")
        async with home.client.post("/console/forward", data={"by": "10m"}, headers=HX) as answer:
            assert answer.status == 204
        await viewer.until("clock", "15:20:00")


async def test_what_did_not_change_is_not_sent_again(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.until("board")
        assert home.client.app is not None
        for _ in range(3):
            home.client.app[CHANGES].announce()
            await asyncio.sleep(0.2)
        await home.say("fang", "linhe-client", "没声音", mention=False)
        await viewer.until("bubble", "没声音")
        assert viewer.count("board") == 1


async def test_a_stopping_server_ends_its_streams(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.until("clock")
        assert home.client.app is not None
        home.client.app[CHANGES].close()
        async with asyncio.timeout(2):
            await viewer.response.content.read()


async def test_a_viewer_who_left_holds_up_nobody(home: House) -> None:
    async with watching(home, CLIENTS) as viewer:
        await viewer.until("board")
    home.clock.advance(timedelta(minutes=1))
    await home.say("fang", "linhe-client", "没声音")
    assert len(home.parrot.heard) == 1
