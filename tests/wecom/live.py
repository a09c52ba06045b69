"""The whole bot on WeCom's wire: real database, real adapter, the simulator as the platform, the clock in hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from adapters.wecom.adapter import WeComAdapter
from bot import compose
from storage.clock import ManualClock
from storage.database import Database
from storage.messages import Incoming
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.runtime import Runtime
from storage.settings import Settings, build_settings
from storage.work import Ground
from tests import playing
from tests.simulators.wecom import Limits, Seen, Spoken, WeComSimulator
from tests.wecom.conftest import AES_KEY, AGENT, BOT, BOT_SECRET, SECRET, TOKEN, until

START = datetime.fromisoformat("2026-11-24T15:10:00+08:00")
GROUPS = {
    "wr-sheng": "zhou gao chen",
    "wr-jiangzhou": "sun he",
    "wr-linhe": "wang li",
    "wr-anchuan": "tang wu",
    "wr-linhe-client": "fang li",
    "wr-jike": "chen luo",
    "wr-zhuguan": "zhou sun wang tang",
}
"""Who is in which WeCom group of the sample organisation."""
PEOPLE = "admin he luo tang wu xu ding ma"


class Live(playing.Live[WeComSimulator, Seen]):
    """People speak on the simulator, and what they see is read from it."""

    def __init__(self, simulator: WeComSimulator, runtime: Runtime, clock: ManualClock) -> None:
        super().__init__(simulator, runtime, clock)
        self.stored: set[str] = set()
        """Message ids that the bot has committed."""

    async def accept(self, incoming: Incoming) -> bool:
        new = await self.runtime.inbox.accept(incoming)
        self.stored.add(incoming.message_id)
        return new

    async def say(self, who: str, words: str, group: str = "", **how: Any) -> Spoken:
        """A person (without the "wc-") writes: in a group mentioning the robot, else to the app."""
        if not group:
            spoken = await self.simulator.talk.to_app(f"wc-{who}", words)
            assert spoken.delivery is not None
            assert spoken.delivery.statuses == [200]
        else:
            await until(self.simulator.gateway.live)
            spoken = await self.simulator.talk.say(f"wc-{who}", words, group, **how)
            assert isinstance(spoken.payload, dict)
            message_id = spoken.payload["msgid"]
            await until(lambda: message_id in self.stored)
        if spoken.seen:
            self._read.add(spoken.seen)
        await self.runtime.step()
        return spoken

    async def press(self, who: str, label: str, on: Seen) -> None:
        """A person presses the button with this label on a card."""
        spoken = await self.simulator.talk.press(f"wc-{who}", label, on)
        assert spoken.delivery is not None
        assert spoken.delivery.statuses == [200]
        await self.runtime.step()

    def shown(self, where: str = "") -> Sequence[Seen]:
        if not where:
            return self.simulator.ledger.entries
        group = where.startswith("wr-")
        return self.simulator.group_messages(where) if group else self.simulator.direct_messages(f"wc-{where}")


def _populate(simulator: WeComSimulator) -> None:
    simulator.world.app(AGENT, SECRET, TOKEN, AES_KEY)
    simulator.world.aibot(BOT, BOT_SECRET)
    for chat, members in GROUPS.items():
        simulator.world.group(chat, chat, *(f"wc-{member}" for member in members.split()))
        simulator.world.robot(f"key-{chat}", chat)
    for person in PEOPLE.split():
        simulator.world.person(f"wc-{person}")


def section(simulator: WeComSimulator) -> dict[str, Any]:
    """The configuration: app, robot, and a group robot in every group."""
    hooks = [
        {"conversation_id": chat, "url": f"{simulator.base_url}/cgi-bin/webhook/send?key=key-{chat}"} for chat in GROUPS
    ]
    return {
        "corp_id": "wwcorp123", "agent_id": AGENT, "agent_secret": SECRET, "callback_token": TOKEN,
        "callback_aes_key": AES_KEY, "api_base": simulator.base_url, "webhooks": hooks,
        "aibot": {"bot_id": BOT, "secret": BOT_SECRET, "ws_url": simulator.ws_url},
    }  # fmt: skip


@dataclass
class Stage:
    """What outlives the bot's process: the platform, the database, the time."""

    simulator: WeComSimulator
    clock: ManualClock
    database: Database
    settings: Settings
    http: aiohttp.ClientSession

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Live]:
        """One process of the bot from start to end."""
        assert self.settings.wecom is not None
        adapter = WeComAdapter(self.settings.wecom, self.http, self.clock, database=self.database, patience=timedelta())
        runtime = await compose(Ground(self.database, self.clock, self.settings), [adapter])
        await import_tables(self.database, read_tables(SAMPLE), self.clock.now(), dry_run=False)
        bot = Live(self.simulator, runtime, self.clock)
        receiving = asyncio.create_task(adapter.run(bot.accept))
        try:
            async with _web(adapter, bot):
                await until(lambda: self.simulator.gateway.live() and not adapter.trouble())
                yield bot
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)


@asynccontextmanager
async def stage(folder: Path, limits: Limits | None = None) -> AsyncIterator[Stage]:
    """The platform with the sample organisation's people and groups, and an empty database."""
    clock = ManualClock(START)
    async with (
        WeComSimulator(lambda: clock.now().timestamp(), limits) as simulator,
        aiohttp.ClientSession() as http,
    ):
        _populate(simulator)
        settings = build_settings({"wecom": section(simulator)}, {}, folder, "test")
        database = Database(settings.database_url)
        try:
            yield Stage(simulator, clock, database, settings, http)
        finally:
            await database.close()


@asynccontextmanager
async def live(folder: Path, limits: Limits | None = None) -> AsyncIterator[Live]:
    """A running bot with the sample organisation."""
    async with stage(folder, limits) as made, made.life() as bot:
        yield bot


@asynccontextmanager
async def _web(adapter: WeComAdapter, bot: Live) -> AsyncIterator[None]:
    app = web.Application()
    app.add_routes(adapter.routes(bot.accept))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot.simulator.world.apps[AGENT].url = f"http://127.0.0.1:{runner.addresses[0][1]}/wecom/app"
    try:
        yield
    finally:
        await runner.cleanup()
