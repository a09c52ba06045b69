"""A simulator with one app, a group of three and a clock in the test's hand."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.playing import until
from tests.simulators.dingtalk import DingTalkSimulator, ManualClock

CLIENT_ID, CLIENT_SECRET = "dingfakeappkey01", "fake-secret"
GROUP = "cidSupport01=="


__all__ = ["until"]


@pytest.fixture
def sim_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def simulator(sim_clock: ManualClock) -> AsyncIterator[DingTalkSimulator]:
    async with DingTalkSimulator(sim_clock) as running:
        populate(running)
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


def populate(simulator: DingTalkSimulator) -> None:
    world = simulator.world
    world.app(CLIENT_ID, CLIENT_SECRET)
    world.person("liming", "李明", "13800000001")
    world.person("wangfang", "王芳", "13800000002")
    world.person("zhaowei", "赵伟", "13800000003")
    world.person("keren", "客人", outsider=True)
    world.group(GROUP, "临河县支撑群", "liming", "wangfang", "zhaowei", "keren")
    world.template("tpl.schema")
