"""The app's address: what is fresh from the platform is committed once; everything else is refused, stored nowhere."""

import asyncio
import time
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.wecom.crypto import Crypto, Forged
from adapters.wecom.fields import BadPayload
from adapters.wecom.xml import parse_xml
from storage.clock import ManualClock
from storage.ports import Refused
from tests.playing import sent
from tests.simulators.wecom import App, Envelope, Seen, seal, signature
from tests.simulators.wecom.crypto import aes, key_of, pad
from tests.simulators.wecom.talk import xml
from tests.wecom.bench import START, Bench, bench, person, serving
from tests.wecom.conftest import AES_KEY, AGENT, TOKEN, until

CORP = "wwcorp123"
OFFICIAL_ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
OFFICIAL_POST = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
    "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
    "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
    "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
    "HBZZIs2pDBS8R07+qN+E7Q=="
)


def official(at: int) -> Crypto:
    clock = ManualClock(datetime.fromtimestamp(at, UTC))
    return Crypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7", clock)


def test_the_golden_vectors() -> None:
    sign = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    query = {"msg_signature": sign, "timestamp": "1409659589", "nonce": "263014780", "echostr": OFFICIAL_ECHO}
    assert official(0).echo(query) == "1616140317555161061"
    query = {"timestamp": "1409659813", "nonce": "1372623149"}
    query["msg_signature"] = "477715d11cdb4164915debcba66cb864d751f3e6"
    message = parse_xml(official(1409659813).open(query, OFFICIAL_POST))
    assert (message["FromUserName"], message["Content"]) == ("mycreate", "hello")
    with pytest.raises(Forged):
        official(1409659813 + 601).open(query, OFFICIAL_POST)


async def test_the_console_accepts_our_address() -> None:
    async with bench(robot="") as b, serving(b):
        app = b.simulator.world.apps[AGENT]
        assert await b.simulator.callbacks.verify(app)
        assert not await b.simulator.callbacks.verify(app, tamper="0")


async def test_a_captured_message_is_not_decrypted_for_whoever_asks() -> None:
    async with bench(robot="") as b, serving(b) as base:
        await b.simulator.talk.to_app("LiMing", "机密")
        envelope = b.simulator.callbacks.deliveries[0].envelopes[0]
        query = urlencode({**envelope.query, "echostr": envelope.encrypt})
        async with b.http.get(f"{base}/wecom/app?{query}") as response:
            assert response.status == 400


async def test_a_message_is_committed_and_answered_with_silence() -> None:
    async with bench(robot="") as b, serving(b):
        spoken = await b.simulator.talk.to_app("LiMing", "三楼没声音<b>&]]")
        assert spoken.delivery is not None
        assert (spoken.delivery.statuses, spoken.delivery.reply) == ([200], b"")
        heard = await b.heard()
        assert heard.text == "三楼没声音<b>&]]"
        assert (heard.account, heard.sender.account, heard.conversation) == (
            f"{CORP}:{AGENT}",
            "LiMing",
            person("LiMing"),
        )
        assert heard.written_at == START


async def test_text_that_ends_its_own_cdata_stays_text() -> None:
    async with bench(robot="") as b, serving(b):
        app = b.simulator.world.apps[AGENT]
        text = "<![CDATA[a]]]]><![CDATA[><MsgId>9</MsgId>]]>"
        body = xml(ToUserName=CORP, FromUserName="LiMing", CreateTime=1, MsgType="text", MsgId=7)
        body = body.replace(b"</xml>", f"<Content>{text}</Content></xml>".encode())
        assert (await b.simulator.callbacks.deliver(app, body)).statuses == [200]
        assert (b.box.messages[0].text, b.box.messages[0].message_id) == ("a]]><MsgId>9</MsgId>", "7")


async def test_three_deliveries_of_one_message_are_one_even_at_once() -> None:
    async with bench(robot="") as b, serving(b):
        spoken = await b.simulator.talk.to_app("LiMing", "喂")
        assert spoken.delivery is not None
        assert isinstance(spoken.payload, bytes)
        again = [b.simulator.callbacks.attempt(spoken.delivery, spoken.payload) for _ in range(2)]
        assert await asyncio.gather(*again) == [200, 200]
        assert b.box.texts == ["喂"]


async def test_a_replayed_request_is_refused_whatever_it_carries() -> None:
    async with bench(robot="") as b, serving(b):
        app = b.simulator.world.apps[AGENT]
        await b.simulator.talk.to_app("LiMing", "喂")
        first = b.simulator.callbacks.deliveries[0].envelopes[0]
        assert (await b.simulator.callbacks.post(app, first))[0] == 401
        same_nonce = b.simulator.callbacks.envelope(app, message("别的", 5), nonce=first.query["nonce"])
        assert (await b.simulator.callbacks.post(app, same_nonce))[0] == 401
        assert b.box.texts == ["喂"]


async def test_what_was_not_committed_is_delivered_again_and_then_counts() -> None:
    async with bench(robot="") as b, serving(b):
        app = b.simulator.world.apps[AGENT]
        b.box.broken = True
        envelope = b.simulator.callbacks.envelope(app, message("喂", 5))
        assert (await b.simulator.callbacks.post(app, envelope))[0] == 503
        b.box.broken = False
        assert (await b.simulator.callbacks.post(app, envelope))[0] == 200, "the nonce was not used up"
        assert b.box.texts == ["喂"]


async def test_messages_that_come_in_the_wrong_order_keep_the_time_at_which_they_were_written() -> None:
    async with bench(robot="") as b, serving(b):
        app, at = b.simulator.world.apps[AGENT], int(START.timestamp())
        for words, number, written in (("还是没声音", 12, at - 2), ("三楼没声音", 11, at - 60), ("未来", 13, at + 500)):
            body = message(words, number, CreateTime=written)
            assert (await b.simulator.callbacks.deliver(app, body)).statuses == [200]
        told = sorted(b.box.messages, key=lambda one: one.written_at)
        assert [one.text for one in told] == ["三楼没声音", "还是没声音", "未来"]
        assert told[-1].written_at == START, "never later than it came"


async def test_a_slow_commit_is_answered_on_the_second_delivery() -> None:
    async with bench(robot="") as b, serving(b):
        b.box.open.clear()
        speaking = asyncio.create_task(b.simulator.talk.to_app("LiMing", "喂"))
        await until(lambda: b.simulator.callbacks.deliveries)
        await asyncio.sleep(0.05)
        b.clock.advance(timedelta(seconds=5))
        await until(lambda: len(b.simulator.callbacks.deliveries[0].envelopes) == 2)
        b.box.open.set()
        spoken = await speaking
        assert spoken.delivery is not None
        assert spoken.delivery.statuses == [0, 200]
        assert b.box.texts == ["喂"]


def message(words: str, number: int, **fields: object) -> bytes:
    head = {"ToUserName": CORP, "FromUserName": "LiMing", "CreateTime": 1, "MsgType": "text"}
    return xml(**{**head, "Content": words, "MsgId": number, "AgentID": AGENT, **fields})


def plain(body: bytes, receive_id: str = CORP, size: int | None = None) -> bytes:
    length = len(body) if size is None else size
    return b"r" * 16 + length.to_bytes(4, "big") + body + receive_id.encode()


def sealed(padded: bytes, key: str = AES_KEY) -> str:
    return b64encode(aes(key_of(key), padded, encrypt=True)).decode()


BOMB = b"<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><xml><Content>&b;</Content></xml>"
GOOD = message("x", 1)
TRICKS = {
    "another corp": seal(AES_KEY, GOOD, "wwother"),
    "no corp": seal(AES_KEY, GOOD, ""),
    "a longer corp": seal(AES_KEY, GOOD, CORP + "4"),
    "another key": seal("b" + AES_KEY[1:], GOOD, CORP),
    "padding of 33": seal(AES_KEY, GOOD, CORP, padding=33),
    "padding of 0": seal(AES_KEY, GOOD, CORP, padding=0),
    "padding of two values": sealed(pad(plain(GOOD))[:-2] + b"\x01\x02"),
    "padding over everything": sealed(b"\x20" * 32),
    "a length beyond the end": seal(AES_KEY, GOOD, CORP, length=4000),
    "a huge length": seal(AES_KEY, GOOD, CORP, length=2**32 - 1),
    "a length too short": seal(AES_KEY, GOOD, CORP, length=3),
    "nothing inside": seal(AES_KEY, b"", CORP),
    "only padding": sealed(pad(b"")),
    "half a block": b64encode(b64decode(seal(AES_KEY, GOOD, CORP))[:-7]).decode(),
    "an AES block too few": b64encode(b64decode(seal(AES_KEY, GOOD, CORP))[:-16]).decode(),
    "stray characters": "!" + seal(AES_KEY, GOOD, CORP),
    "cut base64": seal(AES_KEY, GOOD, CORP)[:-3],
    "not UTF-8": seal(AES_KEY, b"<xml>\xff\xfe</xml>", CORP),
    "no XML": seal(AES_KEY, b"hello", CORP),
    "JSON": seal(AES_KEY, b'{"MsgType":"text"}', CORP),
    "another root": seal(AES_KEY, b"<html><MsgId>1</MsgId></html>", CORP),
    "an empty root": seal(AES_KEY, b"<xml/>", CORP),
    "a bomb": seal(AES_KEY, BOMB, CORP),
    "an outside entity": seal(AES_KEY, b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><xml><MsgId>1</MsgId></xml>", CORP),
    "depth": seal(AES_KEY, b"<xml>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</xml>", CORP),
    "for another corp": seal(AES_KEY, message("x", 1, ToUserName="wwother"), CORP),
    "for another agent": seal(AES_KEY, message("x", 1, AgentID=5), CORP),
    "without an id": seal(AES_KEY, message("x", 1, MsgId=""), CORP),
    "from nobody": seal(AES_KEY, message("x", 1, FromUserName=""), CORP),
    "an event from elsewhere": seal(AES_KEY, message("x", 1, ToUserName="no", MsgType="event"), CORP),
    "a click of nothing": seal(AES_KEY, message("x", 1, MsgType="event", Event="template_card_event"), CORP),
}


@pytest.mark.parametrize("trick", TRICKS)
async def test_tricks_inside_a_right_signature_are_refused_and_logged_once(trick: str) -> None:
    async with bench(robot="") as b, serving(b):
        app = b.simulator.world.apps[AGENT]
        envelope = b.simulator.callbacks.envelope(app, b"", encrypt=TRICKS[trick])
        with structlog.testing.capture_logs() as logs:
            status, body = await b.simulator.callbacks.post(app, envelope)
        assert status == 400
        assert not b.box.messages
        assert [entry["event"] for entry in logs] == ["wecom callback refused"]
        assert not any(word in str(logs) + body.decode() for word in ("LiMing", "Content", envelope.encrypt))


def broken(app: App, b: Bench) -> dict[str, tuple[Envelope, int]]:
    good = b.simulator.callbacks.envelope(app, GOOD)
    old, early = (b.simulator.callbacks.envelope(app, GOOD, age=age) for age in (601, -601))
    unsigned = Envelope({}, "", good.body)
    wrong = Envelope({**good.query, "msg_signature": signature("x", "1", "2", "3")}, "", good.body)
    swapped = Envelope(good.query, "", good.body.replace(good.encrypt[:40].encode(), good.encrypt[40:80].encode()))
    foreign = Envelope({**good.query, "msg_signature": "签名"}, "", good.body)
    return {
        "old": (old, 401),
        "early": (early, 401),
        "unsigned": (unsigned, 401),
        "wrong": (wrong, 401),
        "swapped": (swapped, 401),
        "foreign": (foreign, 401),
        "empty": (Envelope(good.query, "", b""), 400),
        "garbage": (Envelope(good.query, "", b"\xff\xfe"), 400),
        "json": (Envelope(good.query, "", b'{"encrypt":"x"}'), 400),
        "nothing sealed": (Envelope(good.query, "", b"<xml><Encrypt/></xml>"), 400),
        "nested": (Envelope(good.query, "", b"<xml><Encrypt><a>1</a></Encrypt></xml>"), 400),
        "bomb": (Envelope(good.query, "", BOMB), 400),
        "two roots": (Envelope(good.query, "", b"<xml></xml><xml></xml>"), 400),
        "large": (Envelope(good.query, "", b"<xml>" + b" " * 300_000 + b"</xml>"), 413),
    }


async def test_broken_envelopes_are_refused() -> None:
    async with bench(robot="") as b, serving(b):
        app = b.simulator.world.apps[AGENT]
        for name, (envelope, expected) in broken(app, b).items():
            status, _ = await b.simulator.callbacks.post(app, envelope)
            assert status == expected, name
        assert not b.box.messages


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=120), st.text(max_size=10), st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_whatever_is_sealed_it_opens_or_is_refused(body: bytes, receive_id: str, length: int, padding: int) -> None:
    crypto = Crypto(TOKEN, AES_KEY, CORP, ManualClock(START))
    encrypt = seal(AES_KEY, body, receive_id, length=length, padding=padding)
    query = {"timestamp": str(int(START.timestamp())), "nonce": "n"}
    query["msg_signature"] = signature(TOKEN, query["timestamp"], "n", encrypt)
    try:
        crypto.open(query, encrypt)
    except BadPayload:
        return


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.text("<>/xml![CDATA]ab& ;", max_size=80))
def test_whatever_is_written_it_is_xml_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_xml(text), dict)
    except BadPayload:
        return


HEAPS = {
    "unclosed CDATA": "<xml>" + "<![CDATA[" * 28_000,
    "tags that never end": "<a " * 80_000,
    "depth": "<xml>" + "<a>" * 80_000,
    "breadth": "<xml>" + "<a/>" * 60_000 + "</xml>",
    "attributes": "<xml " + " ".join(f"a{n}='1'" for n in range(18_000)) + "/>",
    "declarations": "<! " * 80_000,
}


@pytest.mark.parametrize("heap", HEAPS)
async def test_what_anybody_may_send_is_refused_before_it_costs_anything(heap: str) -> None:
    """It comes before any signature is looked at, so it must be cheap."""
    async with bench(robot="") as b, serving(b):
        app = b.simulator.world.apps[AGENT]
        started = time.process_time()
        status, _ = await b.simulator.callbacks.post(app, Envelope({}, "", HEAPS[heap].encode()))
        assert status == 400
        assert time.process_time() - started < 2, "quadratic work would take minutes"


@pytest.mark.parametrize(
    ("kind", "fields", "text", "attached"),
    [
        ("image", {"PicUrl": "http://x", "MediaId": "M1"}, "", [("image", "app:M1")]),
        ("voice", {"MediaId": "M2", "Format": "amr", "Recognition": "三楼没声音"}, "三楼没声音", [("audio", "app:M2")]),
        ("file", {"MediaId": "M3", "FileName": "a.docx"}, "", [("file", "app:M3")]),
        ("video", {"MediaId": "M4", "ThumbMediaId": "T"}, "", [("video", "app:M4")]),
        ("location", {"Location_X": "40.1", "Location_Y": "107.2", "Label": "临河县政府"}, "位置：临河县政府", []),
        ("link", {"Title": "说明", "Url": "https://example.org"}, "说明 https://example.org", []),
        ("hologram", {"Depth": "3"}, "", []),
    ],
)
async def test_every_kind_of_message_is_taken(
    kind: str, fields: dict[str, str], text: str, attached: list[tuple[str, str]]
) -> None:
    async with bench(robot="") as b, serving(b):
        await b.simulator.talk.to_app("LiMing", "", kind=kind, fields=fields)
        heard = await b.heard()
        assert heard.text == text
        assert [(a.kind, a.ref) for a in heard.attachments] == attached


async def test_entering_the_app_is_answered_with_silence_and_stored_nowhere() -> None:
    async with bench(robot="") as b, serving(b):
        for event in ("enter_agent", "subscribe", "LOCATION", "something_new"):
            spoken = await b.simulator.talk.app_event("LiMing", event)
            assert spoken.delivery is not None
            assert (spoken.delivery.statuses, spoken.delivery.reply) == ([200], b"")
        assert not b.box.messages


async def test_a_file_that_was_sent_can_be_fetched() -> None:
    async with bench(robot="") as b, serving(b):
        media = b.simulator.media.put(b"the photo of it", "a.jpg", str(AGENT), "image")
        await b.simulator.talk.to_app("LiMing", "", kind="image", fields={"MediaId": media, "PicUrl": ""})
        attachment = (await b.heard()).attachments[0]
        assert await b.adapter.download(attachment) == b"the photo of it"
        with pytest.raises(Refused):
            await b.adapter.download(attachment.model_copy(update={"ref": "app:gone"}))


async def press(b: Bench, label: str, on: Seen, user: str = "LiMing") -> None:
    spoken = await b.simulator.talk.press(user, label, on)
    assert spoken.delivery is not None
    assert spoken.delivery.statuses == [200]


CHOICES = (("正常", "ok"), ("异常", "bad"))
BUTTONS = [
    {"label": "接单", "value": "take:GZ-1", "say": "接单"},
    {"label": "转派", "value": "hand:GZ-1", "say": "转派"},
]


async def test_a_press_is_a_message_and_its_answer_shows_on_the_card() -> None:
    async with bench(robot="", public_url="https://huibao.example.org") as b, serving(b):
        both = person("LiMing"), person("wangfang")
        await b.send(*both, text="三楼没声音", title="报障 GZ-1", about="GZ-1", card="GZ-1", actions=BUTTONS)
        mine, other = b.simulator.direct_messages("LiMing")[0], b.simulator.direct_messages("wangfang")[0]
        assert list(mine.buttons) == [("接单", "take:GZ-1"), ("转派", "hand:GZ-1")]
        await press(b, "接单", mine)
        heard = await b.heard()
        assert (heard.click, heard.sender.account, heard.text) == ("take:GZ-1", "LiMing", "")
        sent(await b.send(person("LiMing"), text="GZ-1 由李工接单", about="GZ-1", hints=heard.hints))
        await until(lambda: "由李工接单" in mine.text)
        assert len(mine.buttons) == 0
        assert other.buttons, "that was the answer to one person"
        sent(await b.send(person("wangfang"), text="GZ-1 已由李工接单", about="GZ-1", card="GZ-1"))
        assert "已由李工接单" in other.text
        assert not other.buttons
        assert {seen.card["card_type"] for seen in (mine, other)} == {"text_notice"}
        assert mine.card["main_title"]["title"] == other.card["main_title"]["title"] == "报障 GZ-1"
        assert other.card["card_action"]["url"] == "https://huibao.example.org", "it must lead somewhere"


async def test_one_update_shows_everybody_of_a_call_who_took_it() -> None:
    async with bench(robot="") as b, serving(b):
        users = ("LiMing", "wangfang", "zhaowei")
        await b.send(*(person(user) for user in users), text="三楼没声音", about="GZ-1", card="GZ-1", actions=BUTTONS)
        cards = [b.simulator.direct_messages(user)[0] for user in users]
        assert cards[0].text == "GZ-1\n三楼没声音\n接单\n转派", "the number stands on top, not the text twice"
        await press(b, "接单", cards[0])
        hints = (await b.heard()).hints
        with structlog.testing.capture_logs() as logs:
            sent(await b.send(person("LiMing"), text="GZ-1 由您处理", about="GZ-1", hints=hints))
            await until(lambda: "由您处理" in cards[0].text)
            sent(await b.send(person("wangfang"), text="GZ-1 已由李工接单", about="GZ-1", card="GZ-1"))
        assert [card.text for card in cards] == ["GZ-1\n由您处理"] + ["GZ-1\n已由李工接单"] * 2
        assert len(b.simulator.calls_of("message/update_template_card")) == 2
        assert not [entry for entry in logs if entry["log_level"] == "warning"]


async def test_a_newer_card_that_asks_for_the_same_takes_the_place_of_the_older_one() -> None:
    ack = [{"label": "收到", "value": "ack:HY-1", "say": "收到"}]
    async with bench(robot="") as b, serving(b):
        both = person("LiMing"), person("wangfang")
        await b.send(*both, text="9:30开始", title="会商", about="HY-1", actions=ack)
        await b.send(person("zhaowei"), text="9:30开始", title="会商", about="HY-1", actions=ack)
        await b.send(person("LiMing"), text="另一件事", about="HY-1", actions=[{"label": "是", "value": "pick:1"}])
        assert not b.simulator.calls_of("message/update_template_card")
        await press(b, "收到", b.simulator.direct_messages("wangfang")[0], "wangfang")
        sent(await b.send(person("wangfang"), text="HY-1 已登记", about="HY-1", hints=(await b.heard()).hints))
        await until(lambda: "已登记" in b.simulator.direct_messages("wangfang")[0].text)
        await b.send(*both, text="改到10:00", title="会商", about="HY-1", actions=ack)
        old, other, new = b.simulator.direct_messages("LiMing")
        assert (old.text, old.buttons) == ("会商\n已有新的一条，请以最新的为准。", ())
        assert other.buttons
        assert new.buttons
        assert "已登记" in b.simulator.direct_messages("wangfang")[0].text, "what was answered stays answered"
        assert b.simulator.direct_messages("zhaowei")[0].buttons, "who got no newer one keeps the old one"


async def test_a_stale_card_says_so_after_a_restart_too() -> None:
    async with bench(robot="") as b, serving(b):
        await b.send(person("LiMing"), text="三楼没声音", card="GZ-1", actions=BUTTONS)
        shown = b.simulator.direct_messages("LiMing")[0]
        b.adapter._cards._shown.clear()
        await press(b, "接单", shown)
        hints = (await b.heard()).hints
        sent(await b.send(person("LiMing"), text="GZ-1 已经关闭，不用再处理", hints=hints))
        await until(lambda: "已经关闭" in shown.text)
        assert not shown.buttons


async def test_one_press_delivered_three_times_and_an_impatient_thumb_are_one() -> None:
    async with bench(robot="") as b, serving(b):
        await b.send(person("LiMing"), text="三楼没声音", card="GZ-1", actions=BUTTONS)
        shown = b.simulator.direct_messages("LiMing")[0]
        spoken = await b.simulator.talk.press("LiMing", "接单", shown)
        await b.simulator.talk.repeat(spoken)
        await b.simulator.talk.press_key("LiMing", "take:GZ-1", shown)
        assert len(b.box.messages) == 1
        await b.simulator.talk.press_key("LiMing", "hand:GZ-1", shown)
        assert len(b.box.messages) == 2, "another button in the same second is another press"
        await b.pass_time(11)
        await b.simulator.talk.press_key("LiMing", "take:GZ-1", shown)
        assert len(b.box.messages) == 3


async def test_a_press_that_is_not_answered_is_confirmed_on_the_card() -> None:
    async with bench(robot="") as b, serving(b):
        await b.send(person("LiMing"), text="三楼没声音", card="GZ-1", actions=BUTTONS)
        shown = b.simulator.direct_messages("LiMing")[0]
        await press(b, "接单", shown)
        await asyncio.sleep(0.02)
        await b.pass_time(3.5, step=0.5)
        await until(lambda: "已收到" in shown.text)
        assert not shown.buttons
        sent(await b.send(person("LiMing"), text="GZ-1 已由李工接单", card="GZ-1"))
        assert "已由李工接单" in shown.text, "the answer that came late shows all the same"


async def test_a_choice_among_many_comes_back_as_its_value() -> None:
    async with bench(robot="") as b, serving(b):
        actions = [{"label": f"第{n}项正常", "value": f"step:{n}:ok"} for n in range(8)]
        await b.send(person("LiMing"), text="请选择", actions=actions)
        shown = b.simulator.direct_messages("LiMing")[0]
        assert shown.card["card_type"] == "vote_interaction"
        await b.simulator.talk.press_key("LiMing", "submit", shown, chosen={"choice": ["step:3:ok"]})
        assert (await b.heard()).click == "step:3:ok"


async def test_long_choices_are_a_list_and_not_buttons_that_nobody_can_read() -> None:
    async with bench(robot="") as b:
        actions = [{"label": f"HY-20261125-00{n} 临河县政府 9:30", "value": f"pick:7:{n}"} for n in (1, 2)]
        await b.send(person("LiMing"), text="您到位的是哪一场？", actions=actions)
        (shown,) = b.simulator.direct_messages("LiMing")
        assert shown.card["card_type"] == "vote_interaction"
        assert "临河县政府" in shown.text


STEPS = [
    {"label": name, "options": [{"label": say, "value": f"step:HY-1:S2:{step}:{ok}"} for say, ok in CHOICES]}
    for name, step in (("电源", "power"), ("终端", "terminal"))
]


async def test_several_questions_are_one_card_and_one_press_answers_them_all() -> None:
    async with bench(robot="") as b, serving(b):
        await b.send(person("LiMing"), text="还差：电源、终端。", title="检查", card="HY-1", questions=STEPS)
        (shown,) = b.simulator.direct_messages("LiMing")
        assert shown.card["card_type"] == "multiple_interaction"
        assert "还差" in shown.text
        chosen = {"q1": ["step:HY-1:S2:power:ok"], "q2": ["step:HY-1:S2:terminal:bad"]}
        await b.simulator.talk.press_key("LiMing", "submit", shown, chosen=chosen)
        heard = await b.heard()
        assert heard.click == "step:HY-1:S2:power:ok\nstep:HY-1:S2:terminal:bad"
        sent(await b.send(person("LiMing"), text="电源已记，终端请写明现象", hints=heard.hints))
        await until(lambda: "请写明现象" in shown.text)
        assert not shown.buttons


async def test_submitting_nothing_is_no_message_and_the_card_stays() -> None:
    async with bench(robot="") as b, serving(b):
        await b.send(person("LiMing"), text="还差：电源、终端。", title="检查", questions=STEPS)
        (shown,) = b.simulator.direct_messages("LiMing")
        spoken = await b.simulator.talk.press_key("LiMing", "submit", shown)
        assert spoken.delivery is not None
        assert spoken.delivery.statuses == [200]
        assert not b.box.messages
        assert shown.card["card_type"] == "multiple_interaction"
