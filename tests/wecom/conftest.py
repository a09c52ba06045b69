"""A simulator with one app, one intelligent robot, a group of three and a clock in the test's hand."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.playing import until
from tests.simulators.common.schedule import ManualClock
from tests.simulators.wecom import WeComSimulator

AGENT, SECRET = 1000002, "agent-secret"
TOKEN, AES_KEY = "testtoken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
BOT, BOT_SECRET = "AIB1", "bot-secret"
BOT_TOKEN, BOT_KEY = "bottoken", "0123456789ABCDEFGabcdefghijklmnopqrstuvwxyz"
GROUP, APP_GROUP, ROBOT_KEY = "wrSupport01", "OPS01", "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"

__all__ = ["until"]


@pytest.fixture
def sim_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def simulator(sim_clock: ManualClock) -> AsyncIterator[WeComSimulator]:
    async with WeComSimulator(sim_clock) as running:
        populate(running)
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


def populate(simulator: WeComSimulator) -> None:
    world = simulator.world
    world.app(AGENT, SECRET, TOKEN, AES_KEY)
    world.aibot(BOT, BOT_SECRET, BOT_TOKEN, BOT_KEY)
    world.group(GROUP, "临河县支撑群", "LiMing", "wangfang", "zhaowei")
    world.group(APP_GROUP, "应用群", "LiMing", "wangfang").made_by = AGENT
    world.robot(ROBOT_KEY, GROUP)
