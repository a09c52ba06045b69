"""The adapter on one side, the simulator on the other, one clock between them."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from adapters.dingtalk.adapter import DingTalkAdapter
from adapters.dingtalk.limits import CountInMemory
from storage.clock import ManualClock
from storage.messages import Address
from storage.settings import DingTalkSettings
from tests import playing
from tests.dingtalk.conftest import CLIENT_ID, CLIENT_SECRET, GROUP, populate, until
from tests.simulators.dingtalk import DingTalkSimulator, Limits

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
IN_GROUP = Address(platform="dingtalk", kind="group", id=GROUP)


def person(user_id: str) -> Address:
    return Address(platform="dingtalk", kind="direct", id=user_id)


@dataclass
class Bench(playing.Bench[DingTalkAdapter, DingTalkSimulator]):
    """What a test works with."""

    http: aiohttp.ClientSession
    count: CountInMemory

    async def connect(self) -> None:
        """Start receiving and wait for the first connection."""
        self.start()
        await until(self.adapter.ever_connected)


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
        made = Bench(http, count, clock=clock, simulator=simulator, adapter=adapter)
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


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
