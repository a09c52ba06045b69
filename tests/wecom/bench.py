"""The adapter on one side, the simulator on the other, one clock between them."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from adapters.wecom.adapter import WeComAdapter
from storage.clock import ManualClock
from storage.messages import Address, Incoming, Outgoing
from storage.ports import CheckLine, Outcome, SendJob, Sent
from storage.settings import WeComSettings
from tests.dingtalk.bench import Box
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
class Bench:
    """What a test works with."""

    clock: ManualClock
    simulator: WeComSimulator
    adapter: WeComAdapter
    http: aiohttp.ClientSession
    box: Box = field(default_factory=Box)
    running: asyncio.Task[None] | None = None
    jobs: int = 0

    async def connect(self) -> None:
        """Start receiving and wait until the robot is subscribed."""
        self.running = asyncio.create_task(self.adapter.run(self.box.accept))
        await until(lambda: self.simulator.gateway.live() and not self.adapter.trouble())

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None

    async def pass_time(self, seconds: float, step: float = 1) -> None:
        """Let the clock run in steps, so that everybody acts in order."""
        left = seconds
        while left > 0:
            self.clock.advance(timedelta(seconds=min(step, left)))
            left -= step
            await self.simulator.tick()
            await asyncio.sleep(0.002)

    async def heard(self, number: int = 1) -> Incoming:
        """The latest message once there are that many."""
        await until(lambda: len(self.box.messages) >= number)
        return self.box.messages[-1]

    async def asked(self, words: str = "三楼没声音", group: str = GROUP) -> dict[str, str]:
        """Somebody asks the robot something; the hints that answer it."""
        before = len(self.box.messages)
        await self.simulator.talk.say("LiMing", words, group)
        return (await self.heard(before + 1)).hints

    async def send(
        self, *addresses: Address, key: str = "", hints: dict[str, str] | None = None, **message: Any
    ) -> Any:
        """Send one message; the outcome for the only address, or all of them."""
        self.jobs += 1
        outgoing = Outgoing(**{"text": "你好", **message})
        job = SendJob(key or f"job-{self.jobs}", addresses, outgoing, hints or {})
        outcomes = await self.adapter.send(job)
        assert set(outcomes) == set(addresses)
        return outcomes[addresses[0]] if len(addresses) == 1 else outcomes

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
        made = Bench(clock, simulator, adapter, http)
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


def sent(outcome: Outcome) -> Sent:
    assert isinstance(outcome, Sent), repr(outcome)
    return outcome


def failed(lines: list[CheckLine]) -> list[str]:
    return [f"{line.what}：{line.detail}" for line in lines if not line.ok]
