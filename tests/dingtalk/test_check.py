"""``check`` tells an operator what is wrong and how to mend it, and touches nobody."""

from typing import Any

import pytest

from storage.ports import CheckLine
from tests.dingtalk.bench import bench
from tests.dingtalk.conftest import CLIENT_ID, GROUP


def failed(lines: list[CheckLine]) -> list[str]:
    return [f"{line.what}：{line.detail}" for line in lines if not line.ok]


async def test_all_is_well_and_nobody_noticed() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        lines = await b.adapter.check()
        assert not failed(lines)
        assert len(lines) == 5
        assert not b.simulator.ledger.entries
        assert not b.simulator.gateway.connections


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"client_id": ""}, "没有填写 client_id"),
        ({"client_secret": "wrong"}, "client_id 或 client_secret 不对"),
        ({"robot_code": "other"}, "robot_code 与应用不符"),
        ({"receive": "http"}, "没有填写 [web] public_url"),
        ({"receive": "http", "public_url": "http://1.2.3.4"}, "不是 https"),
        ({"receive": "http", "public_url": "https://x", "card_template_id": "t"}, "card_callback_secret"),
        ({"webhooks": [{"conversation_id": GROUP, "url": "https://example.org/x"}]}, "复制完整的 Webhook"),
    ],
)
async def test_each_mistake_has_its_sentence(settings: dict[str, Any], words: str) -> None:
    async with bench(**settings) as b:
        problems = failed(await b.adapter.check())
        assert len(problems) == 1, problems
        assert words in problems[0]


async def test_a_missing_permission_is_named() -> None:
    async with bench() as b:
        b.simulator.world.apps[CLIENT_ID].missing_scopes.add("Robot.Message.Read")
        (problem,) = failed(await b.adapter.check())
        assert "Robot.Message.Read" in problem
        assert "权限管理" in problem


async def test_a_platform_out_of_reach_is_told_as_that() -> None:
    async with bench() as b:
        await b.simulator.stop()
        (problem,) = failed(await b.adapter.check())
        assert "连不上 http://127.0.0.1" in problem


async def test_a_gateway_that_refuses_is_named() -> None:
    async with bench() as b:
        b.simulator.faults.next("connections/open", status=400, code="invalidParameter")
        (problem,) = failed(await b.adapter.check())
        assert "Stream 模式" in problem


async def test_http_mode_says_which_address_to_enter() -> None:
    async with bench(receive="http", public_url="https://hb.example.org/") as b:
        lines = await b.adapter.check()
        assert any("https://hb.example.org/dingtalk/robot" in line.detail for line in lines if line.ok)
