"""The adapter on one side, the simulator on the other, one clock between them."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from adapters.wecom.adapter import WeComAdapter
from storage.clock import ManualClock
from storage.messages import Address
from storage.ports import CheckLine
from storage.settings import WeComSettings
from tests import playing
from tests.simulators.wecom import Limits, WeComSimulator
from tests.wecom.conftest import (
    AES_KEY,
    AGENT,
    APP_GROUP,
    BOT,
    BOT_KEY,
    BOT_SECRET,
    BOT_TOKEN,
    GROUP,
    ROBOT_KEY,
    SECRET,
    TOKEN,
    populate,
    until,
)

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
IN_GROUP = Address(platform="wecom", kind="group", id=GROUP)
IN_APP_GROUP = Address(platform="wecom", kind="group", id=APP_GROUP)
APP = {
    "corp_id": "wwcorp123", "agent_id": AGENT, "agent_secret": SECRET,
    "callback_token": TOKEN, "callback_aes_key": AES_KEY,
}  # fmt: skip


def person(user_id: str) -> Address:
    return Address(platform="wecom", kind="direct", id=user_id)


@dataclass
class Bench(playing.Bench[WeComAdapter, WeComSimulator]):
    """What a test works with."""

    http: aiohttp.ClientSession

    async def connect(self) -> None:
        """Start receiving and wait until the robot is subscribed."""
        self.start()
        await until(lambda: self.simulator.gateway.live() and not self.adapter.trouble())

    async def asked(self, words: str = "三楼没声音", group: str = GROUP) -> dict[str, str]:
        """Somebody asks the robot something; the hints that answer it."""
        before = len(self.box.messages)
        await self.simulator.talk.say("LiMing", words, group)
        return (await self.heard(before + 1)).hints

    def in_group(self, group: str = GROUP) -> list[tuple[str, str]]:
        """Way and text of what the bot said there."""
        return [(seen.via, seen.text) for seen in self.simulator.group_messages(group) if seen.via != "person"]

    def to(self, user: str) -> list[tuple[str, str]]:
        """Way and text of what the bot said to one person."""
        return [(seen.via, seen.text) for seen in self.simulator.direct_messages(user) if seen.via != "person"]


@asynccontextmanager
async def bench(
    limits: Limits | None = None, *, app: bool = True, robot: str = "websocket", hook: bool = False, **settings: Any
) -> AsyncIterator[Bench]:
    """Simulator and adapter. `app`, `robot` (or ""), `hook`: which of the three there are; the rest are settings."""
    clock = ManualClock(START)
    async with (
        WeComSimulator(lambda: clock.now().timestamp(), limits) as simulator,
        aiohttp.ClientSession() as http,
    ):
        populate(simulator)
        simulator.world.apps[AGENT].url = "http://127.0.0.1:9/"
        given = [name for name in ("load", "database", "public_url", "own_url") if name in settings]
        options: dict[str, Any] = {name: settings.pop(name) for name in given}
        options["patience"] = settings.pop("patience", timedelta())
        values: dict[str, Any] = {**(APP if app else {}), "api_base": simulator.base_url}
        if robot:
            simulator.world.bots[BOT].receive = robot
            values["aibot"] = {
                "receive": robot, "bot_id": BOT, "secret": BOT_SECRET, "token": BOT_TOKEN, "aes_key": BOT_KEY,
                "ws_url": simulator.ws_url, **settings.pop("aibot", {}),
            }  # fmt: skip
        if hook:
            url = f"{simulator.base_url}/cgi-bin/webhook/send?key={ROBOT_KEY}"
            values["webhooks"] = [{"conversation_id": GROUP, "url": url}]
        made_settings = WeComSettings.model_validate(values | settings)
        adapter = WeComAdapter(made_settings, http, clock, rng=random.Random(1), **options)
        made = Bench(http, clock=clock, simulator=simulator, adapter=adapter)
        try:
            yield made
        finally:
            await made.stop()


@asynccontextmanager
async def serving(made: Bench) -> AsyncIterator[str]:
    """Our web server with the adapter's routes; its address, which the platform's console is told."""
    app = web.Application()
    app.add_routes(made.adapter.routes(made.box.accept))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    made.simulator.world.apps[AGENT].url = f"{base}/wecom/app"
    made.simulator.world.bots[BOT].url = f"{base}/wecom/aibot"
    try:
        yield base
    finally:
        await runner.cleanup()


def failed(lines: list[CheckLine]) -> list[str]:
    return [f"{line.what}：{line.detail}" for line in lines if not line.ok]
