"""The adapter on one side, the simulator on the other, one clock between them."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from adapters.dingtalk.adapter import DingTalkAdapter
from adapters.dingtalk.limits import CountInMemory
from storage.clock import ManualClock
from storage.messages import Address, Incoming, Outgoing
from storage.ports import Outcome, SendJob, Sent
from storage.settings import DingTalkSettings
from tests.dingtalk.conftest import CLIENT_ID, CLIENT_SECRET, GROUP, populate, until
from tests.simulators.dingtalk import DingTalkSimulator, Limits

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
IN_GROUP = Address(platform="dingtalk", kind="group", id=GROUP)


def person(user_id: str) -> Address:
    return Address(platform="dingtalk", kind="direct", id=user_id)


class Box:
    """An inbox in memory: unique, and able to fail or to take its time."""

    def __init__(self) -> None:
        self.messages: list[Incoming] = []
        self.known: set[tuple[str, str]] = set()
        self.broken = False
        self.open = asyncio.Event()
        self.open.set()

    async def accept(self, incoming: Incoming) -> bool:
        await self.open.wait()
        if self.broken:
            raise OSError("disk full")
        key = (incoming.account, incoming.message_id)
        if key in self.known:
            return False
        self.known.add(key)
        self.messages.append(incoming)
        return True

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]


@dataclass
class Bench:
    """What a test works with."""

    clock: ManualClock
    simulator: DingTalkSimulator
    adapter: DingTalkAdapter
    http: aiohttp.ClientSession
    count: CountInMemory
    box: Box = field(default_factory=Box)
    running: asyncio.Task[None] | None = None
    jobs: int = 0

    async def connect(self) -> None:
        """Start receiving and wait for the first connection."""
        self.running = asyncio.create_task(self.adapter.run(self.box.accept))
        await until(self.adapter.ever_connected)

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


@asynccontextmanager
async def bench(limits: Limits | None = None, **settings: Any) -> AsyncIterator[Bench]:
    """Simulator and adapter with these settings changed; `robot` is the secret of a custom robot in the group."""
    clock = ManualClock(START)
    async with (
        DingTalkSimulator(lambda: clock.now().timestamp(), limits) as simulator,
        aiohttp.ClientSession() as http,
    ):
        populate(simulator)
        patience = settings.pop("patience", timedelta())
        load, public_url = settings.pop("load", None), settings.pop("public_url", "")
        if secret := settings.pop("robot", ""):
            simulator.world.custom_robot("tok", GROUP, secret)
            url = f"{simulator.base_url}/robot/send?access_token=tok"
            settings["webhooks"] = [{"conversation_id": GROUP, "url": url, "secret": secret}]
        values = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | settings
        values |= {"api_base": simulator.base_url, "oapi_base": simulator.base_url}
        count = CountInMemory()
        adapter = DingTalkAdapter(
            DingTalkSettings.model_validate(values), http, clock,
            count=count, patience=patience, load=load, public_url=public_url, rng=random.Random(1),
        )  # fmt: skip
        made = Bench(clock, simulator, adapter, http, count)
        try:
            yield made
        finally:
            await made.stop()


@asynccontextmanager
async def serving(made: Bench) -> AsyncIterator[str]:
    """Our web server with the adapter's routes; its address."""
    app = web.Application()
    app.add_routes(made.adapter.routes(made.box.accept))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    ours = made.simulator.world.apps[CLIENT_ID]
    ours.receive, ours.robot_url, ours.card_url = "http", f"{base}/dingtalk/robot", f"{base}/dingtalk/card"
    try:
        yield base
    finally:
        await runner.cleanup()


def sent(outcome: Outcome) -> Sent:
    assert isinstance(outcome, Sent), repr(outcome)
    return outcome


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
