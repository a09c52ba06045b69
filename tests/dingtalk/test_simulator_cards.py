"""Interactive cards and HTTP callbacks of the simulator."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from tests.dingtalk.conftest import CLIENT_ID, GROUP, until
from tests.dingtalk.wire import Json, acknowledge, call, open_stream, post, receive, token
from tests.simulators.dingtalk import DingTalkSimulator, ManualClock
from tests.simulators.dingtalk.clicks import card_sign


def card(**changes: object) -> Json:
    return {
        "cardTemplateId": "tpl.schema", "outTrackId": "track-1", "callbackType": "STREAM",
        "cardData": {"cardParamMap": {"title": "GZ-1", "status": "open"}},
        "openSpaceId": f"dtv1.card//IM_GROUP.{GROUP}",
        "imGroupOpenDeliverModel": {"robotCode": CLIENT_ID}, **changes,
    }  # fmt: skip


async def create(http: aiohttp.ClientSession, simulator: DingTalkSimulator, **changes: object) -> Json:
    return await call(http, simulator, "card/instances/createAndDeliver", **card(**changes))


async def update(http: aiohttp.ClientSession, simulator: DingTalkSimulator, body: Json) -> Json:
    headers = {"x-acs-dingtalk-access-token": await token(http, simulator)}
    async with http.put(simulator.base_url + "/v1.0/card/instances", json=body, headers=headers) as response:
        answer: Json = await response.json()
        return answer


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outTrackId": ""}, "param.outTrackIdEmpty"),
        ({"cardTemplateId": "other"}, "param.templateNotExist"),
        ({"openSpaceId": "IM_GROUP.x"}, "param.openSpaceIdInvalid"),
        ({"cardData": {"cardParamMap": {"count": 1}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"text": "长" * 400}}}, "param.invalid"),
        ({"imGroupOpenDeliverModel": None}, "param.openDeliverModelEmpty"),
    ],
)
async def test_cards_are_checked(
    changes: Json, code: str, http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    assert (await create(http, simulator, **changes))["code"] == code


async def test_a_delivery_may_fail_inside_http_200_and_an_id_serves_once(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    simulator.cards.failing_spaces[GROUP] = "robot is not in the group"
    failed = await create(http, simulator)
    assert failed["status"] == 200
    assert failed["result"]["deliverResults"][0]["success"] is False
    assert (await create(http, simulator))["code"] == "param.cardAlreadyExist"


async def test_an_update_replaces_everything_unless_it_asks_for_keys(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    await create(http, simulator)
    shown = simulator.cards.cards["track-1"]
    new = {"outTrackId": "track-1", "cardData": {"cardParamMap": {"status": "taken"}}}
    await update(http, simulator, {**new, "cardUpdateOptions": {"updateCardDataByKey": True}})
    assert shown.public == {"title": "GZ-1", "status": "taken"}
    await update(http, simulator, new)
    assert shown.public == {"status": "taken"}
    assert (await update(http, simulator, {**new, "outTrackId": "none"}))["code"] == "param.cardNotExist"


async def test_a_click_answered_in_time_refreshes_the_clicker_alone(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    async with await open_stream(http, simulator) as socket:
        await create(http, simulator)
        click = await simulator.clicks.click("liming", "track-1", "take", {"fault": "1"})
        frame = await receive(socket)
        content = json.loads(json.loads(frame["data"])["content"])
        assert content == {"cardPrivateData": {"actionIds": ["take"], "params": {"fault": "1"}}}
        await acknowledge(socket, frame, {"response": {"cardData": {"cardParamMap": {"status": "taken"}}}})
        await until(lambda: click.push and click.push.succeeded)
        assert (await simulator.clicks.settle(click)).succeeded
    views = [simulator.cards.cards["track-1"].view(user)["status"] for user in ("liming", "wangfang")]
    assert views == ["taken", "open"]


async def test_an_answer_after_two_seconds_is_too_late(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    async with await open_stream(http, simulator) as socket:
        await create(http, simulator)
        click = await simulator.clicks.click("liming", "track-1", "take")
        frame = await receive(socket)
        sim_clock.advance(2.1)
        await acknowledge(socket, frame, {"response": {"cardData": {"cardParamMap": {"status": "taken"}}}})
        await until(lambda: click.push and click.push.succeeded)
        assert (await simulator.clicks.settle(click)).failed
    assert simulator.cards.cards["track-1"].view("liming")["status"] == "open"


async def test_a_card_without_callback_type_calls_nobody_and_a_thumb_may_press_twice(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    async with await open_stream(http, simulator) as socket:
        await create(http, simulator)
        await simulator.clicks.click("liming", "track-1", "take", times=2, legacy=True)
        frames = [await receive(socket), await receive(socket)]
        assert all("value" in json.loads(frame["data"]) for frame in frames)
        await create(http, simulator, outTrackId="track-2", callbackType=None)
        assert (await simulator.clicks.click("liming", "track-2", "take")).failed


class OurSide:
    """Where the callbacks of HTTP mode arrive in these tests."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: Json = {"msgtype": "empty"}
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        return web.json_response(self.answer)


@pytest.fixture
async def our_side() -> AsyncIterator[OurSide]:
    side = OurSide()
    app = web.Application()
    app.add_routes([web.post("/hook", side.take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    side.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield side
    await runner.cleanup()


async def test_http_mode_signs_posts_and_shows_the_answer(our_side: OurSide, simulator: DingTalkSimulator) -> None:
    app = simulator.world.apps[CLIENT_ID]
    app.receive, app.robot_url = "http", our_side.url
    await simulator.talk.say("liming", "在吗", GROUP)
    headers, body = our_side.requests[0]
    assert headers["timestamp"].isdigit()
    assert headers["sign"]
    assert json.loads(body)["robotCode"] == CLIENT_ID
    assert len(simulator.group_messages(GROUP)) == 1, "an empty answer says nothing"
    our_side.answer = {"msgtype": "text", "text": {"content": "在"}}
    await simulator.talk.say("liming", "在吗", GROUP)
    assert simulator.group_messages(GROUP)[-1].via == "httpReply"
    await simulator.callbacks.replay()
    assert our_side.requests[-1][1] == our_side.requests[-2][1]


async def test_card_callbacks_of_http_mode_are_signed_over_the_timestamp_alone(
    our_side: OurSide, http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    assert card_sign("mySecret", "1577262236757") == "YPRwOACkIyAfSkOByibnXwmticUhkII0vLSQrdNiEPE="
    app = simulator.world.apps[CLIENT_ID]
    app.card_url, app.card_secret = our_side.url, "mySecret"
    our_side.answer = {"cardData": {"cardParamMap": {"status": "taken"}}}
    await create(http, simulator, callbackType="HTTP")
    assert (await simulator.clicks.click("liming", "track-1", "take")).succeeded
    headers, _ = our_side.requests[0]
    assert headers["x-ddpaas-signature"] == card_sign("mySecret", headers["x-ddpaas-signature-timestamp"])


async def test_create_and_deliver_may_be_two_steps(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> None:
    created = await call(http, simulator, "card/instances", **card())
    assert created["result"] == "track-1"
    delivered = await post(
        http, simulator.base_url + "/v1.0/card/instances/deliver", card(), await token(http, simulator)
    )
    assert delivered["result"][0]["success"] is True
