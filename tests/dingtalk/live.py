"""The whole bot on DingTalk's wire: real database, real adapter, the simulator as the platform, the clock in hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from adapters.dingtalk.adapter import DingTalkAdapter
from bot import compose
from storage.clock import ManualClock
from storage.database import Database
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.settings import build_settings
from storage.work import Ground
from tests import playing
from tests.dingtalk.conftest import CLIENT_ID, CLIENT_SECRET, until
from tests.simulators.dingtalk import DingTalkSimulator, Limits, Seen
from tests.simulators.dingtalk.talk import Spoken

START = datetime.fromisoformat("2026-11-24T15:10:00+08:00")
GROUPS = {
    "cid-sheng": ("省级保障群", "zhou gao chen"),
    "cid-jiangzhou": ("江州市保障群", "sun he luo"),
    "cid-linhe": ("临河县保障群", "wang li zhao qian"),
    "cid-anchuan": ("安川县保障群", "tang wu"),
    "cid-linhe-client": ("临河县水利局客户群", "fang li zhao"),
    "cid-zhuguan": ("主管群", "zhou sun wang tang"),
    "cid-jike": ("集客联络群", "chen luo qian"),
}


class Live(playing.Live[DingTalkSimulator, Seen]):
    """People speak on the simulator, and what they see is read from it."""

    async def say(self, who: str, words: str, group: str = "", **how: Any) -> None:
        """A person (without the "dt-") writes, mentioning the bot where it is a group; the bot does what follows."""
        await until(self.simulator.gateway.live)
        spoken = await self.simulator.talk.say(f"dt-{who}", words, group, **how)
        self._read.add(spoken.seen)
        await self.settle(spoken)

    async def settle(self, spoken: Spoken, acks: int = 1) -> None:
        """Wait until the bot has acknowledged a message that often, and let it do what follows."""
        await until(lambda: len(spoken.push.acks) >= acks)
        await self.runtime.step()

    async def press(self, who: str, label: str, on: Seen) -> None:
        """A person presses the button with this label on a card."""
        await until(self.simulator.gateway.live)
        card = self.simulator.cards.cards[on.card]
        (button,) = [button for button in buttons(card.public["buttons"]) if button["text"] == label]
        click = await self.simulator.clicks.click(f"dt-{who}", on.card, button["id"], {"value": button["value"]})
        await until(lambda: click.push and click.push.succeeded)
        await self.runtime.step()

    def shown(self, where: str = "") -> Sequence[Seen]:
        if not where:
            return self.simulator.ledger.entries
        group = where.startswith("cid-")
        return self.simulator.group_messages(where) if group else self.simulator.direct_messages(f"dt-{where}")


def buttons(text: str) -> list[dict[str, str]]:
    value: list[dict[str, str]] = json.loads(text)
    return value


def _populate(simulator: DingTalkSimulator) -> None:
    simulator.world.app(CLIENT_ID, CLIENT_SECRET)
    simulator.world.template("tpl.schema")
    for conversation, (title, members) in GROUPS.items():
        simulator.world.group(conversation, title, *(f"dt-{member}" for member in members.split()))
    for person in ("admin", "xu", "ding", "song", "ma", "bai", "lin", "jiang"):
        simulator.world.person(f"dt-{person}")


@asynccontextmanager
async def live(folder: Path, limits: Limits | None = None, **dingtalk: Any) -> AsyncIterator[Live]:
    """A running bot with the sample organisation."""
    clock = ManualClock(START)
    async with (
        DingTalkSimulator(lambda: clock.now().timestamp(), limits) as simulator,
        aiohttp.ClientSession() as http,
    ):
        tables = read_tables(SAMPLE)
        _populate(simulator)
        section = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **dingtalk}
        section |= {"api_base": simulator.base_url, "oapi_base": simulator.base_url}
        settings = build_settings({"dingtalk": section}, {}, folder, "test")
        assert settings.dingtalk is not None
        database = Database(settings.database_url)
        adapter = DingTalkAdapter(settings.dingtalk, http, clock, patience=timedelta())
        runtime = await compose(Ground(database, clock, settings), [adapter])
        await import_tables(database, tables, clock.now(), dry_run=False)
        receiving = asyncio.create_task(adapter.run(runtime.inbox.accept))
        try:
            await until(adapter.ever_connected)
            yield Live(simulator, runtime, clock)
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            await database.close()
