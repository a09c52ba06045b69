"""Corners of the simulator that the bot meets seldom: who gets which push, foreign keys, groups that are no more."""

import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.dingtalk.conftest import CLIENT_ID, GROUP, until
from tests.dingtalk.wire import CARD_TOPIC, ROBOT_TOPIC, acknowledge, call, open_stream, post, receive, registration
from tests.dingtalk.wire import Json as Body
from tests.simulators.dingtalk import DingTalkSimulator, ManualClock

OPEN = "/v1.0/gateway/connections/open"
HELLO = {"msgKey": "sampleText", "msgParam": '{"content":"你好"}'}
TO_GROUP = {"openConversationId": GROUP, **HELLO}


async def subscribed(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, *topics: tuple[str, str]
) -> aiohttp.ClientWebSocketResponse:
    wanted = [{"type": kind, "topic": topic} for kind, topic in topics]
    answer = await post(http, simulator.base_url + OPEN, registration(subscriptions=wanted))
    socket = await http.ws_connect(answer["endpoint"], params={"ticket": answer["ticket"]})
    await until(simulator.gateway.live)
    return socket


async def test_a_connection_gets_what_it_subscribed_to_and_nothing_else(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    system = [("SYSTEM", "ping"), ("SYSTEM", "disconnect")]
    async with await subscribed(http, simulator, ("CALLBACK", CARD_TOPIC), *system):
        assert (await simulator.talk.say("liming", "在吗", GROUP)).push.lost
        async with await subscribed(http, simulator, ("CALLBACK", ROBOT_TOPIC), *system) as other:
            assert not (await simulator.talk.say("liming", "在吗", GROUP)).push.lost
            assert (await receive(other))["headers"]["topic"] == ROBOT_TOPIC


@pytest.mark.parametrize("topics", [[], [{"type": "EVENT", "topic": "robot_msg_read"}], [{"type": "X", "topic": "*"}]])
async def test_subscriptions_that_the_platform_does_not_know_are_refused(
    topics: list[Body], http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    answer = await post(http, simulator.base_url + OPEN, registration(subscriptions=topics))
    assert (answer["status"], answer["code"]) == (400, "invalidParameter.subscriptions")


@pytest.mark.parametrize("answered", [True, False])
async def test_an_event_that_failed_or_was_not_answered_comes_again(
    answered: bool, http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    async with await open_stream(http, simulator) as socket:
        await until(simulator.gateway.live)
        push = await simulator.event(simulator.world.apps[CLIENT_ID], "robot_msg_read", {"userId": "liming"})
        first = await receive(socket)
        if answered:
            await acknowledge(socket, first, {}, code=500)
            await until(lambda: push.acks)
        sim_clock.advance(3)
        again = await receive(socket)
        assert again["headers"]["eventId"] == first["headers"]["eventId"]
        assert again["headers"]["messageId"] != first["headers"]["messageId"]


async def test_the_token_endpoint_is_throttled_too(http: aiohttp.ClientSession, sim_clock: ManualClock) -> None:
    from tests.dingtalk.conftest import CLIENT_SECRET, populate
    from tests.simulators.dingtalk import Limits

    body = {"appKey": CLIENT_ID, "appSecret": CLIENT_SECRET}
    async with DingTalkSimulator(sim_clock, Limits(token_calls_per_minute=2)) as small:
        populate(small)
        answers = [await post(http, small.base_url + "/v1.0/oauth2/accessToken", body) for _ in range(3)]
        assert [answer["status"] for answer in answers] == [200, 200, 403]
        sim_clock.advance(60)
        assert (await post(http, small.base_url + "/v1.0/oauth2/accessToken", body))["status"] == 200


async def test_a_group_message_is_taken_back_by_its_own_robot_only(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    sent = await call(http, simulator, "robot/groupMessages/send", **TO_GROUP)
    mine = {"openConversationId": GROUP, "processQueryKeys": [sent["processQueryKey"]]}
    other = simulator.world.app("dingother", "s")
    body = {"appKey": "dingother", "appSecret": "s"}
    token = (await post(http, simulator.base_url + "/v1.0/oauth2/accessToken", body))["accessToken"]
    url = simulator.base_url + "/v1.0/robot/groupMessages/recall"
    foreign = await post(http, url, {"robotCode": other.robot_code, **mine}, token)
    assert foreign["failedResult"] == {sent["processQueryKey"]: "robotCode.notMatch"}
    assert simulator.group_messages(GROUP)
    many = {**mine, "processQueryKeys": ["k"] * 21}
    assert (await call(http, simulator, "robot/groupMessages/recall", **many))["status"] == 400
    assert (await call(http, simulator, "robot/groupMessages/recall", **mine))["failedResult"] == {}
    assert not simulator.group_messages(GROUP)


async def test_a_group_that_was_dissolved_takes_nothing(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    spoken = await simulator.talk.say("liming", "在吗", GROUP)
    simulator.world.custom_robot("tok", GROUP)
    simulator.world.groups[GROUP].disbanded = True
    assert (await call(http, simulator, "robot/groupMessages/send", **TO_GROUP))["code"] == "group.disbanded"
    text = {"msgtype": "text", "text": {"content": "在"}}
    for url in (f"{simulator.base_url}/robot/send?access_token=tok", spoken.payload["sessionWebhook"]):
        assert (await post(http, url, text))["errcode"] == 400013


async def test_a_robot_that_is_not_published_learns_nobodys_id(simulator: DingTalkSimulator) -> None:
    simulator.world.apps[CLIENT_ID].published = False
    assert "senderStaffId" not in (await simulator.talk.say("liming", "在吗", GROUP)).payload


@pytest.mark.parametrize(
    ("reply", "shown"),
    [({"msgtype": "text", "text": {"content": "收到"}}, ["收到"]), ({"msgtype": "empty"}, []), ({}, [])],
)
async def test_what_the_http_answer_says_is_said_in_the_group(
    reply: Body, shown: list[str], simulator: DingTalkSimulator
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(reply)

    ours = web.Application()
    ours.router.add_post("/robot", answer)
    async with TestServer(ours) as server:
        app = simulator.world.apps[CLIENT_ID]
        app.receive, app.robot_url = "http", str(server.make_url("/robot"))
        spoken = await simulator.talk.say("liming", "没声音", GROUP)
    assert json.loads(spoken.answers[0].body) == reply
    said = [seen.text for seen in simulator.group_messages(GROUP) if seen.via == "httpReply"]
    assert said == shown
