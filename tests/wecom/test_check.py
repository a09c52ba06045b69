"""``check`` tells an operator what is wrong and how to mend it, and touches nobody."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from storage.database import Database
from storage.migrate import migrate
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from tests.wecom.bench import START, bench, failed
from tests.wecom.conftest import AGENT, BOT, GROUP, ROBOT_KEY, until

URL = "https://hb.example.org/"


async def test_all_is_well_and_nobody_noticed() -> None:
    async with bench(hook=True, public_url=URL) as b:
        lines = await b.adapter.check()
        assert not failed(lines)
        assert len(lines) == 4
        assert not b.simulator.ledger.entries
        assert any("https://hb.example.org/wecom/app" in line.detail for line in lines)
        await until(lambda: not b.simulator.gateway.live())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"agent_secret": ""}, "没有填全 corp_id"),
        ({"agent_secret": "wrong"}, "不认 agent_secret"),
        ({"corp_id": "wwother"}, "不认 corp_id"),
        ({"agent_id": 7}, "不是同一个应用"),
        ({"callback_token": ""}, "callback_token"),
        ({"callback_token": "有中文"}, "Token 只能是"),
        ({"callback_aes_key": "short"}, "43 位"),
        ({"public_url": ""}, "没有填写 [web] public_url"),
        ({"aibot": {"secret": ""}}, "bot_id 或 secret"),
        ({"aibot": {"secret": "wrong"}}, "不认 bot_id 或 secret"),
        ({"webhooks": [{"conversation_id": GROUP, "url": "https://example.org/x"}]}, "复制完整的 Webhook"),
    ],
)
async def test_each_mistake_has_its_sentence(settings: dict[str, Any], words: str) -> None:
    async with bench(**{"public_url": URL, **settings}) as b:
        problems = failed(await b.adapter.check())
        assert len(problems) == 1, problems
        assert words in problems[0]


async def test_a_stopped_app_is_told_as_that() -> None:
    async with bench(robot="", public_url=URL) as b:
        b.simulator.world.apps[AGENT].disabled = True
        (problem,) = failed(await b.adapter.check())
        assert "应用已停用" in problem


async def test_an_untrusted_address_is_named_with_the_place_to_enter_it() -> None:
    async with bench(robot="", public_url=URL) as b:
        b.simulator.world.apps[AGENT].trusted = set()
        (problem,) = failed(await b.adapter.check())
        assert "203.0.113.7" in problem
        assert "企业可信IP" in problem


async def test_a_robot_in_callback_mode_needs_group_robots_to_push() -> None:
    async with bench(robot="callback", public_url=URL) as b:
        (problem,) = failed(await b.adapter.check())
        assert "不能主动发消息" in problem
        assert "[[wecom.webhooks]]" in problem
    async with bench(robot="callback", hook=True, public_url=URL) as b:
        lines = await b.adapter.check()
        assert not failed(lines)
        assert any("/wecom/aibot" in line.detail for line in lines)


async def test_in_callback_mode_every_group_needs_a_robot_of_its_own(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/huibao.db")
    await migrate(database)
    await import_tables(database, read_tables(SAMPLE), START, dry_run=False)
    try:
        async with bench(robot="callback", hook=True, public_url=URL, database=database) as b:
            (problem,) = failed(await b.adapter.check())
            assert "主管群（企业微信）（wr-zhuguan）" in problem
            assert "[[wecom.webhooks]]" in problem
            assert "cid-" not in problem
    finally:
        await database.close()


async def test_a_group_robot_that_is_gone_is_noticed_without_saying_a_word() -> None:
    async with bench(robot="", hook=True, public_url=URL) as b:
        b.simulator.world.robots[ROBOT_KEY].removed = True
        (problem,) = failed(await b.adapter.check())
        assert "93008" in problem
        assert not b.simulator.ledger.entries


async def test_a_platform_out_of_reach_is_told_as_that() -> None:
    async with bench(public_url=URL) as b:
        await b.simulator.stop()
        problems = failed(await b.adapter.check())
        assert len(problems) == 2
        assert all("连不上" in problem for problem in problems)


@pytest.mark.parametrize(("degraded", "ok"), [({}, True), ({"wecom": "机器人被挤下线"}, False)])
async def test_a_running_bot_is_asked_instead_of_being_thrown_out(degraded: dict[str, str], ok: bool) -> None:
    async def ready(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "degraded": degraded})

    app = web.Application()
    app.add_routes([web.get("/readyz", ready)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        own = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with bench(public_url=URL, own_url=own) as b:
            problems = failed(await b.adapter.check())
            assert (not problems) is ok
            assert all("被挤下线" in problem for problem in problems)
            assert BOT not in b.simulator.gateway.subscriptions
    finally:
        await runner.cleanup()
