"""The official client is satisfied by the simulator: it registers, hears, acknowledges and answers."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.dingtalk.conftest import CLIENT_ID, CLIENT_SECRET, GROUP, until
from tests.simulators.dingtalk import DingTalkSimulator
from tests.simulators.dingtalk.cards import Card

PROGRAM = Path(__file__).with_name("sdk_echo.py")


@pytest.fixture
async def sdk(simulator: DingTalkSimulator) -> AsyncIterator[None]:
    environment = {**os.environ, "DINGTALK_OPENAPI_ENDPOINT": simulator.base_url, "NO_PROXY": "127.0.0.1"}
    quiet = asyncio.subprocess.DEVNULL
    command = (sys.executable, "-W", "ignore", str(PROGRAM), CLIENT_ID, CLIENT_SECRET)
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=quiet, stderr=quiet)
    try:
        await until(simulator.gateway.live, 15)
        yield
    finally:
        process.kill()
        await process.wait()


async def test_the_official_client_hears_and_answers_through_the_session(
    sdk: None, simulator: DingTalkSimulator
) -> None:
    spoken = await simulator.talk.say("liming", "三楼没声音", GROUP)
    await until(lambda: spoken.push.succeeded)
    await until(lambda: len(simulator.group_messages(GROUP)) == 2)
    answer = simulator.group_messages(GROUP)[-1]
    assert answer.text == "echo: 三楼没声音 @liming"
    assert answer.mentions == ("liming",)


async def test_the_official_client_answers_system_pings_and_moves_on_disconnect(
    sdk: None, simulator: DingTalkSimulator
) -> None:
    connection = simulator.gateway.live()[0]
    await connection._ping()
    await until(lambda: not connection.unanswered_pings)
    assert not connection.wrong_pongs
    await connection.leave("connection is expired")
    await until(lambda: simulator.gateway.live() and simulator.gateway.live()[0] is not connection, 15)
    assert len(simulator.gateway.registrations) == 2


async def test_the_official_client_answers_a_card_click_in_time(sdk: None, simulator: DingTalkSimulator) -> None:
    app = simulator.world.apps[CLIENT_ID]
    card = Card("track-1", app, "tpl.schema", "STREAM", {"status": "open"}, {}, spaces=[("IM_GROUP", GROUP)])
    simulator.cards.cards["track-1"] = card
    click = await simulator.clicks.click("liming", "track-1", "take")
    await until(lambda: click.push is not None and click.push.succeeded)
    await simulator.clicks.settle(click)
    assert click.succeeded
    assert card.view("liming") == {"status": "open", "pressed": "take"}
    assert card.view("wangfang") == {"status": "open"}
