"""The stream gateway of the simulator: tickets, pings, endings, losses and repetitions."""

import json

import aiohttp
import pytest
from yarl import URL

from tests.dingtalk.conftest import CLIENT_ID, GROUP, until
from tests.dingtalk.wire import acknowledge, open_stream, post, receive, registration
from tests.simulators.dingtalk import DingTalkSimulator, ManualClock
from tests.simulators.dingtalk.stream import State

OPEN = "/v1.0/gateway/connections/open"


async def test_a_wrong_secret_is_refused_in_the_platforms_words(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    answer = await post(http, simulator.base_url + OPEN, registration(clientSecret="wrong"))
    assert (answer["status"], answer["code"]) == (401, "authFailed")


async def test_without_a_json_accept_header_the_gateway_speaks_xml(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    async with http.post(simulator.base_url + OPEN, json=registration(), headers={"Accept": "*/*"}) as response:
        assert response.content_type == "application/xml"


async def test_a_ticket_serves_once_and_for_ninety_seconds(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    answer = await post(http, simulator.base_url + OPEN, registration())
    url = URL(answer["endpoint"]).with_query(ticket=answer["ticket"])
    async with http.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)
    late = await post(http, simulator.base_url + OPEN, registration())
    sim_clock.advance(91)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(URL(late["endpoint"]).with_query(ticket=late["ticket"]))


async def test_a_message_is_a_string_within_a_frame_and_its_ack_is_matched(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    async with await open_stream(http, simulator) as socket:
        spoken = await simulator.talk.say("liming", "没声音", GROUP)
        frame = await receive(socket)
        assert json.loads(frame["data"])["text"] == {"content": " 没声音 "}
        await acknowledge(socket, frame, {"response": None})
        await until(lambda: spoken.push.succeeded)


async def test_who_does_not_mention_the_robot_is_not_heard(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    async with await open_stream(http, simulator):
        spoken = await simulator.talk.say("liming", "吃了吗", GROUP, mention=False)
        assert not spoken.pushes
        assert simulator.seen_by("wangfang")[-1].text == "吃了吗"


async def test_with_nobody_connected_a_message_is_lost(simulator: DingTalkSimulator) -> None:
    assert (await simulator.talk.say("liming", "没声音", GROUP)).push.lost


async def test_one_connection_at_random_gets_each_push(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    async with await open_stream(http, simulator), await open_stream(http, simulator):
        pushes = [(await simulator.talk.say("liming", "在吗", GROUP)).push for _ in range(12)]
        assert all(len(push.connections) == 1 for push in pushes)
        assert len({push.connections[0] for push in pushes}) == 2


async def test_an_application_ping_wants_its_opaque_back(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    async with await open_stream(http, simulator) as socket:
        await until(simulator.gateway.live)
        sim_clock.advance(25)
        frame = await receive(socket)
        assert frame["headers"]["topic"] == "ping"
        await acknowledge(socket, frame, {"opaque": "something else"})
        await until(lambda: simulator.gateway.live()[0].wrong_pongs)


async def test_after_disconnect_nothing_is_delivered_and_ten_seconds_later_it_closes(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    async with await open_stream(http, simulator) as socket:
        await until(simulator.gateway.live)
        await simulator.gateway.live()[0].leave("connection is expired")
        assert (await receive(socket))["headers"]["topic"] == "disconnect"
        assert (await simulator.talk.say("liming", "在吗", GROUP)).push.lost
        sim_clock.advance(9)
        await simulator.tick()
        assert not socket.closed
        sim_clock.advance(1)
        assert (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSE


async def test_a_connection_expires_after_its_lifetime(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    simulator.limits.connection_lifetime = 20
    async with await open_stream(http, simulator) as socket:
        await until(simulator.gateway.live)
        sim_clock.advance(20)
        assert json.loads((await receive(socket))["data"]) == {"reason": "connection is expired"}


async def test_an_abort_leaves_without_a_close_frame(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> None:
    async with await open_stream(http, simulator) as socket:
        await until(simulator.gateway.live)
        await simulator.gateway.live()[0].abort()
        assert (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSED
        assert socket.close_code == 1006


@pytest.mark.parametrize("state", [State.ZOMBIE, State.HALF_OPEN])
async def test_a_zombie_or_half_open_peer_swallows_messages(
    state: State, http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    socket = await open_stream(http, simulator)
    await until(simulator.gateway.live)
    connection = simulator.gateway.live()[0]
    connection.state = state
    push = (await simulator.talk.say("liming", "在吗", GROUP)).push
    assert push.connections == [connection]
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=0.1)
    await connection.abort()
    await socket.close()


@pytest.mark.parametrize(("state", "answered"), [(State.ZOMBIE, True), (State.HALF_OPEN, False)])
async def test_only_a_zombie_still_answers_websocket_pings(
    state: State, answered: bool, http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    answer = await post(http, simulator.base_url + OPEN, registration())
    url = URL(answer["endpoint"]).with_query(ticket=answer["ticket"])
    socket = await http.ws_connect(url, autoping=False)
    await until(simulator.gateway.live)
    connection = simulator.gateway.live()[0]
    connection.state = state
    await socket.ping(b"x")
    if answered:
        assert (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.PONG
    else:
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.1)
    await connection.abort()
    await socket.close()


async def test_a_dead_connection_may_keep_its_share_for_a_while(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    simulator.limits.ghost_seconds = 30
    async with await open_stream(http, simulator):
        await until(simulator.gateway.live)
        await simulator.gateway.live()[0].abort()
    push = (await simulator.talk.say("liming", "在吗", GROUP)).push
    assert push.connections
    assert not push.succeeded
    sim_clock.advance(31)
    assert (await simulator.talk.say("liming", "在吗", GROUP)).push.lost


async def test_a_silent_client_gets_the_message_again_under_a_new_frame_id(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    simulator.limits.redeliver_callbacks_after = 60
    async with await open_stream(http, simulator) as socket:
        await until(simulator.gateway.live)
        await simulator.talk.say("liming", "没声音", GROUP)
        first = await receive(socket)
        simulator.limits.ping_every = 0
        sim_clock.advance(60)
        frames = [await receive(socket), await receive(socket)]
        second = next(frame for frame in frames if frame["type"] == "CALLBACK")
        assert first["headers"]["messageId"] != second["headers"]["messageId"]
        assert json.loads(first["data"])["msgId"] == json.loads(second["data"])["msgId"]


async def test_an_event_answered_with_later_comes_again_with_its_event_id(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    async with await open_stream(http, simulator) as socket:
        await until(simulator.gateway.live)
        push = await simulator.event(simulator.world.apps[CLIENT_ID], "robot_msg_recall", {"userId": "liming"})
        first = await receive(socket)
        await acknowledge(socket, first, {"status": "LATER"})
        await until(lambda: push.acks)
        sim_clock.advance(3)
        again = await receive(socket)
        assert again["headers"]["eventId"] == first["headers"]["eventId"]
        await acknowledge(socket, again, {"status": "SUCCESS"})
        await until(lambda: push.succeeded)


async def test_repeats_two_robots_and_disorder_can_be_had(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    other = simulator.world.app("dingother", "s")
    async with await open_stream(http, simulator) as socket:
        both = await simulator.talk.say("liming", "你们好", GROUP, apps=[*simulator.world.apps.values()])
        assert [payload["robotCode"] for payload in both.payloads] == [CLIENT_ID, other.robot_code]
        assert len({payload["msgId"] for payload in both.payloads}) == 1
        await receive(socket)
        simulator.pushes.hold()
        first = await simulator.talk.say("liming", "一", GROUP)
        second = await simulator.talk.say("liming", "二", GROUP)
        await simulator.pushes.release()
        await simulator.talk.repeat(first)
        order = [json.loads((await receive(socket))["data"])["msgId"] for _ in range(3)]
        assert order == [second.msg_id, first.msg_id, first.msg_id]
