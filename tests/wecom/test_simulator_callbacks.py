"""The simulator's callbacks: golden vectors, an independent decoder, five seconds and three tries."""

import asyncio
import json
from base64 import b64encode
from functools import partial
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.enterprise.exceptions import InvalidCorpIdException
from wechatpy.exceptions import InvalidSignatureException

from tests.simulators.common.schedule import ManualClock
from tests.simulators.wecom import Aibot, App, Envelope, WeComSimulator, seal, signature
from tests.simulators.wecom.callbacks import BadReply
from tests.simulators.wecom.crypto import open_sealed
from tests.simulators.wecom.talk import xml
from tests.wecom.conftest import AES_KEY, AGENT, BOT, BOT_KEY, BOT_TOKEN, TOKEN, until
from tests.wecom.wire import Json, post, receiver

OFFICIAL_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
OFFICIAL_ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="


@pytest.fixture
def app(simulator: WeComSimulator) -> App:
    return simulator.world.apps[AGENT]


@pytest.fixture
def bot(simulator: WeComSimulator) -> Aibot:
    found = simulator.world.bots[BOT]
    found.receive = "callback"
    return found


def reached(came: list[web.Request], number: int) -> bool:
    return len(came) == number


async def silence(_request: web.Request, _body: bytes) -> web.Response:
    return web.Response()


def test_the_golden_vectors() -> None:
    sign = signature("QDG6eK", "1409659589", "263014780", OFFICIAL_ECHO)
    assert sign == "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert open_sealed(OFFICIAL_KEY, OFFICIAL_ECHO) == (b"1616140317555161061", "wx5823bf96d3bd56c7")
    random = b"0123456789abcdef"
    echo = seal(AES_KEY, b"echo-ok-1", "wwcorp123", random=random)
    assert echo == "Q3stYC6hdFzMh9T8HCvyDK/RhiOixnPwEAlkJA1jwgneyS5wQoENCdT+Q6jaFv6PheeVSBpGXaEqGT2szzqFwg=="
    assert signature(TOKEN, "1700000000", "nonce123", echo) == "daf1154e2907552419ba2c537158b5cfb7270d5d"
    full = seal(AES_KEY, b"x" * 12, "", random=random)
    assert full == "Q3stYC6hdFzMh9T8HCvyDL/REUy6XoCe3sU4HvxrUh7Kcl/rt/AR422qmJnDgwvf9NNo3s2z/BJTFH23ClXu3A=="


async def test_an_independent_decoder_reads_what_is_posted(app: App, simulator: WeComSimulator) -> None:
    crypto = WeChatCrypto(TOKEN, AES_KEY, simulator.world.corp_id)
    read: list[str] = []

    async def decode(request: web.Request, body: bytes) -> web.Response:
        query = request.query
        plain = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        read.append(plain)
        reply = xml(ToUserName="LiMing", MsgType="text", Content="好").decode()
        return web.Response(text=crypto.encrypt_message(reply, "n1", "1700000000"))

    async with receiver(app, decode):
        spoken = await simulator.talk.to_app("LiMing", "三楼没声音")
        assert spoken.delivery is not None
        assert "<![CDATA[三楼没声音]]>" in read[0]
        assert (simulator.callbacks.passive(spoken.delivery) or {})["Content"] == "好"


async def test_deliberate_lies_are_caught_by_the_independent_decoder(app: App, simulator: WeComSimulator) -> None:
    crypto = WeChatCrypto(TOKEN, AES_KEY, simulator.world.corp_id)
    plain = xml(Content="x")

    def decode(envelope: Envelope) -> str:
        query = envelope.query
        return str(crypto.decrypt_message(envelope.body, query["msg_signature"], query["timestamp"], query["nonce"]))

    assert decode(simulator.callbacks.envelope(app, plain)) == plain.decode()
    with pytest.raises(InvalidCorpIdException):
        decode(simulator.callbacks.envelope(app, b"", encrypt=seal(AES_KEY, plain, "wwother")))
    app.token = "other"
    with pytest.raises(InvalidSignatureException):
        decode(simulator.callbacks.envelope(app, plain))


async def test_saving_the_address_wants_the_exact_text_within_a_second(app: App, simulator: WeComSimulator) -> None:
    crypto = WeChatCrypto(TOKEN, AES_KEY, simulator.world.corp_id)

    def echo(wrap: str = "{}") -> Any:
        async def handle(request: web.Request, _body: bytes) -> web.Response:
            query = request.query
            signed = (query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"])
            return web.Response(text=wrap.format(crypto.check_signature(*signed)))

        return handle

    async with receiver(app, echo()):
        assert await simulator.callbacks.verify(app)
    async with receiver(app, echo('"{}"')):
        assert not await simulator.callbacks.verify(app)


async def test_a_silent_receiver_gets_three_tries_of_the_same_message(
    app: App, simulator: WeComSimulator, sim_clock: ManualClock
) -> None:
    async def hang(_request: web.Request, _body: bytes) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with receiver(app, hang) as came:
        speaking = asyncio.create_task(simulator.talk.to_app("LiMing", "喂"))
        for number in (1, 2, 3):
            await until(partial(reached, came, number))
            await asyncio.sleep(0.01)
            sim_clock.advance(5)
        spoken = await asyncio.wait_for(speaking, 5)
    assert spoken.delivery is not None
    assert spoken.delivery.statuses == [0, 0, 0]
    assert len({envelope.query["nonce"] for envelope in spoken.delivery.envelopes}) == 3
    assert len({open_sealed(AES_KEY, envelope.encrypt)[0] for envelope in spoken.delivery.envelopes}) == 1


async def test_the_same_message_can_arrive_twice_at_once(app: App, simulator: WeComSimulator) -> None:
    async with receiver(app, silence) as came:
        spoken = await simulator.talk.to_app("LiMing", "喂")
        assert spoken.delivery is not None
        assert isinstance(spoken.payload, bytes)
        await asyncio.gather(*(simulator.callbacks.attempt(spoken.delivery, spoken.payload) for _ in range(2)))
        assert len(came) == 3


async def test_a_refusal_is_retried_or_not_and_hopeless_receivers_are_given_up(
    app: App, simulator: WeComSimulator
) -> None:
    async def refuse(_request: web.Request, _body: bytes) -> web.Response:
        return web.Response(status=500)

    async with receiver(app, refuse) as came:
        await simulator.talk.to_app("LiMing", "x")
        assert len(came) == 3
        simulator.limits.retry_non_200 = False
        await simulator.talk.to_app("LiMing", "x")
        assert len(came) == 4
        simulator.limits.discard_after = 3
        await simulator.talk.to_app("LiMing", "x")
        spoken = await simulator.talk.to_app("LiMing", "x")
        assert spoken.delivery is not None
        assert spoken.delivery.discarded


def reply_with(body: Json, **change: str) -> Any:
    """A robot's passive reply, built here by hand; `change` breaks the envelope."""

    async def handle(request: web.Request, _body: bytes) -> web.Response:
        sealed, nonce = seal(BOT_KEY, json.dumps(body).encode(), ""), change.get("nonce") or request.query["nonce"]
        sign = signature(change.get("token", BOT_TOKEN), "1700000000", nonce, sealed)
        return web.json_response({"encrypt": sealed, "msgsignature": sign, "timestamp": 1700000000, "nonce": nonce})

    return handle


async def test_a_robots_stream_is_polled_until_it_is_finished(
    bot: Aibot, simulator: WeComSimulator, sim_clock: ManualClock
) -> None:
    said = {"content": "查", "finish": False}

    async def handle(request: web.Request, body: bytes) -> web.Response:
        answer: web.Response = await reply_with({"msgtype": "stream", "stream": {"id": "s1", **said}})(request, body)
        return answer

    async with receiver(bot, handle) as came:
        spoken = await simulator.talk.say("LiMing", "状态")
        (shown,) = [seen for seen in simulator.direct_messages("LiMing") if seen.via == "passive"]
        assert not shown.finished
        said.update(content="查到了", finish=True)
        sim_clock.advance(1)
        await until(lambda: shown.finished)
        assert shown.text == "查到了"
        sim_clock.advance(5)
        await asyncio.sleep(0.02)
        assert len(came) == 2
        assert spoken.response_url


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"msgtype": "text", "text": {"content": "x"}}, {}),
        ({"msgtype": "stream", "stream": {"id": "s", "content": "x"}}, {"nonce": "my own"}),
        ({"msgtype": "stream", "stream": {"id": "s", "content": "x"}}, {"token": "wrong"}),
    ],
)
async def test_a_robots_passive_reply_must_be_of_the_right_kind_and_signed_with_the_callbacks_nonce(
    bot: Aibot, simulator: WeComSimulator, body: Json, change: dict[str, str]
) -> None:
    async with receiver(bot, reply_with(body, **change)):
        with pytest.raises(BadReply):
            await simulator.talk.say("LiMing", "状态")


async def test_the_response_address_works_once_within_the_hour(
    bot: Aibot, simulator: WeComSimulator, sim_clock: ManualClock, http: aiohttp.ClientSession
) -> None:
    text = {"msgtype": "markdown", "markdown": {"content": "好了"}}
    async with receiver(bot, silence):
        first, second = await simulator.talk.say("LiMing", "a"), await simulator.talk.say("LiMing", "b")
        assert (await post(http, first.response_url, text))["errcode"] == 0
        assert (await post(http, first.response_url, text))["errcode"] == 60140
        sim_clock.advance(3601)
        assert (await post(http, second.response_url, text))["errcode"] == 60140
        assert [seen.text for seen in simulator.direct_messages("LiMing") if seen.via == "response_url"] == ["好了"]


async def test_three_conversations_at_a_time_and_a_click_once_only(bot: Aibot, simulator: WeComSimulator) -> None:
    hold = asyncio.Event()

    async def slow(_request: web.Request, _body: bytes) -> web.Response:
        await hold.wait()
        return web.Response(status=500)

    async with receiver(bot, slow) as came:
        speaking = [asyncio.create_task(simulator.talk.say("LiMing", str(n))) for n in range(3)]
        await until(lambda: len(came) == 3)
        assert (await simulator.talk.say("LiMing", "4")).delivery is None
        hold.set()
        await asyncio.gather(*speaking)
        card: Json = {"card_type": "button_interaction", "task_id": "t", "main_title": {"title": "x"}}
        card["button_list"] = [{"text": "a", "key": "k"}]
        simulator.robot._show(bot, "direct:LiMing", "push", "template_card", {"template_card": card})
        clicked = await simulator.talk.press("LiMing", "a", simulator.direct_messages("LiMing")[-1])
        assert clicked.delivery is not None
        assert clicked.delivery.statuses == [500]


def test_a_lie_about_padding_and_length_is_a_lie() -> None:
    for sealed in (seal(AES_KEY, b"x", "", padding=33), seal(AES_KEY, b"x", "", length=4000)):
        with pytest.raises(ValueError, match=r"padding|length"):
            open_sealed(AES_KEY, sealed)
    with pytest.raises(ValueError, match="block"):
        open_sealed(AES_KEY, b64encode(b"short").decode())
