"""Webhooks of the simulator: sessions that expire, custom robots with their security and their twenty a minute."""

import aiohttp
import pytest
from yarl import URL

from tests.dingtalk.conftest import GROUP
from tests.dingtalk.wire import Json, post
from tests.simulators.dingtalk import DingTalkSimulator, ManualClock
from tests.simulators.dingtalk.webhooks import sign


def text(words: str, **more: object) -> Json:
    return {"msgtype": "text", "text": {"content": words}, **more}


async def test_a_reply_goes_where_the_message_came_from(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    spoken = await simulator.talk.say("liming", "在吗", GROUP)
    at = {"atUserIds": ["liming", "wangfang", "stranger"]}
    answer = await post(http, spoken.payload["sessionWebhook"], text("在 @liming @stranger", at=at))
    assert answer["errcode"] == 0
    shown = simulator.seen_by("wangfang")[-1]
    assert shown.text == "在 @liming @stranger"
    assert shown.mentions == ("liming",), "only members who are named in the text as well"


async def test_a_session_ends_after_ninety_minutes_with_http_200(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    spoken = await simulator.talk.say("liming", "在吗")
    assert spoken.payload["sessionWebhookExpiredTime"] == spoken.payload["createAt"] + 5_400_000
    sim_clock.advance(5400)
    assert await post(http, spoken.payload["sessionWebhook"], text("在")) == {
        "status": 200, "errcode": 300001, "errmsg": "session 不存在",
    }  # fmt: skip


async def test_twenty_thousand_bytes_are_the_limit(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> None:
    spoken = await simulator.talk.say("liming", "在吗")
    assert (await post(http, spoken.payload["sessionWebhook"], text("长" * 7000)))["errcode"] == 460101


def test_the_signature_matches_the_known_vector() -> None:
    assert sign("this is a secret", "1577262236757") == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="


async def send(http: aiohttp.ClientSession, simulator: DingTalkSimulator, query: Json, body: Json) -> Json:
    url = URL(simulator.base_url + "/robot/send").with_query({"access_token": "tok", **query})
    return await post(http, str(url), body)


async def test_a_custom_robot_checks_words_signature_and_address(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    robot = simulator.world.custom_robot("tok", GROUP, "SECx")
    robot.keywords, robot.networks = ("会保",), ("203.0.113.0/24",)
    now = str(int(sim_clock() * 1000))
    good = {"timestamp": now, "sign": sign("SECx", now)}
    assert (await send(http, simulator, good, text("会保：你好")))["errcode"] == 0
    assert (await send(http, simulator, good, text("你好")))["errmsg"] == "keywords not in content"
    assert (await send(http, simulator, {**good, "sign": "x"}, text("会保")))["errmsg"] == "sign not match"
    sim_clock.advance(3601)
    assert (await send(http, simulator, good, text("会保")))["errmsg"] == "invalid timestamp"
    simulator.limits.localized = True
    simulator.webhooks.caller_address = "198.51.100.1"
    fresh = str(int(sim_clock() * 1000))
    refused = await send(http, simulator, {"timestamp": fresh, "sign": sign("SECx", fresh)}, text("会保"))
    assert refused["errcode"] == 310000
    assert refused["errmsg"].startswith("description:")


@pytest.mark.parametrize(("legacy", "code"), [(False, 410100), (True, 130101)])
async def test_the_twenty_first_in_a_minute_blocks_for_ten(
    legacy: bool, code: int, http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    simulator.limits.legacy_codes = legacy
    simulator.world.custom_robot("tok", GROUP)
    for number in range(20):
        assert (await send(http, simulator, {}, text(str(number))))["errcode"] == 0
    assert (await send(http, simulator, {}, text("20")))["errcode"] == code
    sim_clock.advance(599)
    assert (await send(http, simulator, {}, text("21")))["errcode"] == code
    sim_clock.advance(1)
    assert (await send(http, simulator, {}, text("22")))["errcode"] == 0


async def test_the_same_msg_uuid_is_shown_once_even_when_the_first_answer_got_lost(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    simulator.world.custom_robot("tok", GROUP)
    simulator.faults.next("robot/send", status=504, after_delivery=True)
    assert (await send(http, simulator, {}, text("你好", msgUuid="u1")))["status"] == 504
    assert (await send(http, simulator, {}, text("你好", msgUuid="u1")))["errcode"] == 0
    assert len(simulator.group_messages(GROUP)) == 1


async def test_the_month_runs_out(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> None:
    simulator.limits.monthly_push = 2
    simulator.world.custom_robot("tok", GROUP)
    assert (await send(http, simulator, {}, text("1")))["errcode"] == 0
    assert (await send(http, simulator, {}, text("2")))["errcode"] == 0
    assert (await send(http, simulator, {}, text("3")))["errcode"] == 90030
    spoken = await simulator.talk.say("liming", "没声音", GROUP)
    assert spoken.payload["errorCode"] == 20001
    assert "text" not in spoken.payload


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 40035),
        ({"msgtype": "voice", "voice": {}}, 400105),
        ({"msgtype": "markdown", "markdown": {"text": "x"}}, 40035),
        ({"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x"}}, 40035),
        ({"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "btns": [{"title": "a"}]}}, 40035),
        ({"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "singleTitle": "a", "singleURL": "u"}}, 0),
        ({"msgtype": "link", "link": {"title": "t", "text": "x", "messageUrl": "u"}}, 0),
        ({"msgtype": "feedCard", "feedCard": {"links": [{"title": "a", "messageURL": "u", "picURL": "p"}]}}, 0),
    ],
)
async def test_bodies_are_checked(
    body: Json, code: int, http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    simulator.world.custom_robot("tok", GROUP)
    assert (await send(http, simulator, {}, body))["errcode"] == code
