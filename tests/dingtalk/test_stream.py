"""Stream mode: what is said is heard once, through endings, losses and repetitions of every kind."""

import asyncio
import random
from datetime import timedelta

import pytest

from storage.messages import Attachment
from tests.dingtalk.bench import IN_GROUP, Bench, bench, person
from tests.dingtalk.conftest import CLIENT_ID, GROUP, until
from tests.simulators.dingtalk import Limits
from tests.simulators.dingtalk.stream import State


async def test_a_message_is_committed_and_then_acknowledged() -> None:
    async with bench() as b:
        await b.connect()
        b.box.open.clear()
        spoken = await b.simulator.talk.say("liming", "三楼没声音", GROUP)
        await asyncio.sleep(0.05)
        assert not spoken.push.acks, "nothing is promised before the row is committed"
        b.box.open.set()
        heard = await b.heard()
        await until(lambda: spoken.push.succeeded)
        assert (heard.text, heard.account, heard.conversation) == ("三楼没声音", CLIENT_ID, IN_GROUP)
        assert (heard.sender.account, heard.sender.verified) == ("liming", True)
        assert heard.written_at == b.clock.now()
        assert heard.conversation_name == "临河县支撑群"


async def test_what_cannot_be_committed_is_not_acknowledged_and_comes_again() -> None:
    async with bench(Limits(redeliver_callbacks_after=15)) as b:
        await b.connect()
        b.box.broken = True
        spoken = await b.simulator.talk.say("liming", "没声音", GROUP)
        await asyncio.sleep(0.05)
        assert not spoken.push.acks
        b.box.broken = False
        await b.pass_time(15)
        assert (await b.heard()).text == "没声音"
        await until(lambda: spoken.push.succeeded)


async def test_a_repeated_delivery_is_one_message_and_acknowledged_again() -> None:
    async with bench() as b:
        await b.connect()
        spoken = await b.simulator.talk.say("liming", "没声音", GROUP)
        await b.heard()
        await b.simulator.talk.repeat(spoken)
        await until(lambda: len(spoken.push.acks) == 2)
        assert b.box.texts == ["没声音"]


async def test_the_replacement_is_there_before_the_old_connection_goes() -> None:
    async with bench() as b:
        await b.connect()
        await b.pass_time(60, step=5)
        old = b.simulator.gateway.live()[0]
        await old.leave("connection is expired")
        await until(b.simulator.gateway.live)
        assert not old.socket.closed
        assert b.adapter.trouble() == ""
        await b.simulator.talk.say("liming", "还在吗", GROUP)
        assert (await b.heard()).text == "还在吗"
        await b.pass_time(16)
        await until(lambda: old.socket.closed)
        assert len(b.simulator.gateway.live()) == 1


async def test_an_aborted_connection_is_replaced_within_seconds_and_reported_meanwhile() -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.gateway.live()[0].abort()
        await until(b.adapter.trouble)
        await b.pass_time(1)
        await until(b.simulator.gateway.live)
        await until(lambda: not b.adapter.trouble())


@pytest.mark.parametrize("state", [State.ZOMBIE, State.HALF_OPEN])
async def test_a_connection_that_brings_nothing_is_replaced_within_two_minutes(state: State) -> None:
    async with bench() as b:
        await b.connect()
        b.simulator.gateway.live()[0].state = state
        await b.pass_time(120, step=5)
        await until(b.simulator.gateway.live)
        await b.simulator.talk.say("liming", "还在吗", GROUP)


async def test_pings_of_the_server_keep_a_connection_for_hours() -> None:
    async with bench() as b:
        await b.connect()
        await b.pass_time(3600, step=5)
        assert len(b.simulator.gateway.registrations) == 1
        connection = b.simulator.gateway.live()[0]
        assert not connection.wrong_pongs
        assert len(connection.unanswered_pings) <= 1


async def test_a_server_that_closes_at_once_does_not_make_a_storm() -> None:
    async with bench() as b:
        await b.connect()
        for _ in range(120):
            for connection in b.simulator.gateway.live():
                await connection.close()
            await b.pass_time(1)
        assert len(b.simulator.gateway.registrations) <= 12


async def test_an_hour_without_dingtalk_is_survived_with_few_calls() -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.stop()
        await b.pass_time(3600, step=5)
        assert "连接中断" in b.adapter.trouble()
        await b.simulator.start()
        await b.pass_time(65)
        await until(b.simulator.gateway.live)
        await b.simulator.talk.say("liming", "回来了", GROUP)
        assert (await b.heard()).text == "回来了"


async def test_a_wrong_secret_is_named_and_tried_once_a_minute() -> None:
    async with bench(client_secret="wrong") as b:
        b.running = asyncio.create_task(b.adapter.run(b.box.accept))
        await until(lambda: "client_secret" in b.adapter.trouble())
        before = len(b.simulator.calls_of("connections/open"))
        await b.pass_time(120, step=5)
        assert 1 <= len(b.simulator.calls_of("connections/open")) - before <= 2
        assert not b.adapter.ever_connected()


@pytest.mark.parametrize("fault", [{"status": 503, "html": "<html>busy</html>"}, {"drop": True}])
async def test_a_gateway_in_trouble_is_tried_again(fault: dict[str, object]) -> None:
    async with bench() as b:
        b.simulator.faults.next("connections/open", times=2, **fault)  # type: ignore[arg-type]
        b.running = asyncio.create_task(b.adapter.run(b.box.accept))
        await until(lambda: len(b.simulator.calls_of("connections/open")) == 1)
        await b.pass_time(5)
        await until(b.simulator.gateway.live)


async def test_stopping_acknowledges_what_is_in_hand_and_leaves_nothing_open() -> None:
    async with bench() as b:
        await b.connect()
        b.box.open.clear()
        spoken = await b.simulator.talk.say("liming", "没声音", GROUP)
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(b.stop())
        await asyncio.sleep(0.05)
        b.box.open.set()
        await asyncio.wait_for(stopping, 10)
        await until(lambda: spoken.push.succeeded)
        assert b.box.texts == ["没声音"]
        await until(lambda: not b.simulator.gateway.live())


async def test_a_half_open_peer_does_not_delay_the_stop() -> None:
    async with bench() as b:
        await b.connect()
        b.simulator.gateway.live()[0].state = State.HALF_OPEN
        await asyncio.wait_for(b.stop(), 10)


async def test_events_and_unknown_topics_get_an_answer() -> None:
    async with bench(Limits(greetings=("CONNECTED", "REGISTERED", "KEEPALIVE"))) as b:
        await b.connect()
        app = b.simulator.world.apps[CLIENT_ID]
        push = await b.simulator.event(app, "robot_msg_recall", {"userId": "liming"})
        await until(lambda: push.succeeded)


async def test_a_body_that_is_none_is_refused_and_stored_nowhere() -> None:
    async with bench() as b:
        await b.connect()
        spoken = await b.simulator.talk.say("liming", "x", GROUP, changes={"msgId": None})
        await until(lambda: spoken.push.acks)
        assert spoken.push.acks[0]["code"] == 400
        assert not b.box.messages


async def test_messages_keep_their_order_within_a_connection() -> None:
    async with bench() as b:
        await b.connect()
        for number in range(50):
            await b.simulator.talk.say("liming", str(number), GROUP)
        await b.heard(50)
        assert b.box.texts == [str(number) for number in range(50)]


async def test_a_picture_can_be_fetched_by_its_code() -> None:
    async with bench() as b:
        code = b.simulator.media.put(b"jpeg")
        assert await b.adapter.download(Attachment(kind="image", ref=code)) == b"jpeg"


async def test_a_direct_message_is_addressed_to_its_sender() -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.talk.say("liming", "在吗")
        assert (await b.heard()).conversation == person("liming")
        assert b.clock.now() - (await b.heard()).written_at < timedelta(seconds=1)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_nothing_is_acknowledged_that_is_not_committed_once(seed: int) -> None:
    """Ends of every kind, failing commits, repeats and a gateway in trouble, at random."""
    rng = random.Random(seed)
    async with bench(Limits(redeliver_callbacks_after=15, ghost_seconds=5)) as b:
        await b.connect()
        pushes = []
        for number in range(80):
            await one_bad_moment(b, rng)
            spoken = await b.simulator.talk.say("liming", str(number), GROUP)
            pushes.append(spoken.push)
            if rng.random() < 0.2:
                await b.simulator.talk.repeat(spoken)
            await b.pass_time(rng.choice([0, 1, 5, 20]), step=5)
        b.box.broken = False
        b.simulator.faults.clear()
        await b.pass_time(150, step=5)
        await until(b.simulator.gateway.live)
        for number, push in enumerate(pushes):
            if push.succeeded:
                assert b.box.texts.count(str(number)) == 1
        assert len(set(b.box.texts)) == len(b.box.texts)
        assert len(b.box.texts) > 15, "the test itself has to let something through"


async def one_bad_moment(b: Bench, rng: random.Random) -> None:
    """Perhaps something goes wrong now."""
    live = b.simulator.gateway.live()
    what = rng.choice(["abort", "close", "leave", "zombie", "half", "disk", "gateway", *["nothing"] * 40])
    b.box.broken = what == "disk"
    if what == "gateway":
        b.simulator.faults.next("connections/open", status=503, html="<html/>")
    for connection in live[:1]:
        if what == "abort":
            await connection.abort()
        elif what == "close":
            await connection.close()
        elif what == "leave":
            await connection.leave("connection is expired")
        elif what in {"zombie", "half"}:
            connection.state = State.ZOMBIE if what == "zombie" else State.HALF_OPEN
