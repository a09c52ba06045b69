"""HTTP mode: what is signed and whole is committed once; everything else is refused and stored nowhere."""

import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.dingtalk.signature import card_sign, robot_sign
from tests.dingtalk.bench import Bench, bench, dump, serving
from tests.dingtalk.conftest import CLIENT_ID, GROUP, until

GOOD = {
    "msgId": "m1", "conversationId": GROUP, "conversationType": "2", "senderStaffId": "liming", "senderId": "$:x",
    "msgtype": "text", "text": {"content": " 没声音 "}, "createAt": 1795482000000, "robotCode": CLIENT_ID,
}  # fmt: skip


def test_signatures_match_the_known_vectors() -> None:
    assert robot_sign("this is a secret", "1577262236757") == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="
    assert card_sign("mySecret", "1577262236757") == "YPRwOACkIyAfSkOByibnXwmticUhkII0vLSQrdNiEPE="


async def test_a_signed_message_is_committed_and_answered_with_silence() -> None:
    async with bench(receive="http") as b, serving(b):
        spoken = await b.simulator.talk.say("liming", "没声音", GROUP)
        assert spoken.answers[0].status == 200
        assert spoken.answers[0].json == {"msgtype": "empty"}
        assert b.box.texts == ["没声音"]
        assert len(b.simulator.group_messages(GROUP)) == 1


async def test_a_replay_is_answered_and_does_nothing() -> None:
    async with bench(receive="http") as b, serving(b):
        await b.simulator.talk.say("liming", "没声音", GROUP)
        assert (await b.simulator.callbacks.replay()).status == 200
        assert len(b.box.messages) == 1


async def test_two_messages_signed_in_the_same_millisecond_are_two() -> None:
    async with bench(receive="http") as b, serving(b):
        await b.simulator.talk.say("liming", "没声音", GROUP)
        await b.simulator.talk.say("wangfang", "没图像", GROUP)
        assert b.box.texts == ["没声音", "没图像"]


async def post(b: Bench, body: bytes, **how: Any) -> int:
    answer = await b.simulator.callbacks.robot_message(b.simulator.world.apps[CLIENT_ID], body, **how)
    return answer.status


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "wrong"},
        {"signature": ""},
        {"signature": "签名".encode().decode("latin-1")},
        {"age": 3601},
        {"age": -3601},
    ],
)
async def test_forged_and_stale_signatures_are_refused(how: dict[str, Any]) -> None:
    async with bench(receive="http") as b, serving(b):
        assert await post(b, dump(GOOD), **how) == 401
        assert (await b.simulator.callbacks.unsigned(b.simulator.world.apps[CLIENT_ID], dump(GOOD))).status == 401
        assert not b.box.messages


async def test_an_hour_is_the_window() -> None:
    async with bench(receive="http") as b, serving(b):
        assert await post(b, dump(GOOD), age=3599) == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[1]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"\xff\xfe\x00", 400),
        (dump(GOOD).decode().encode("gb18030"), 400),
        (b'{"a":' * 50_000, 400),
        (dump({}), 400),
        (dump({**GOOD, "msgId": ""}), 400),
        (dump({**GOOD, "msgId": None}), 400),
        (dump({**GOOD, "conversationId": {}}), 400),
        (dump({**GOOD, "senderStaffId": "", "senderId": ""}), 400),
        (dump({**GOOD, "text": {"content": "长" * 100_000}}), 413),
    ],
)
async def test_broken_bodies_are_refused_and_stored_nowhere(body: bytes, status: int) -> None:
    async with bench(receive="http") as b, serving(b):
        assert await post(b, body) == status
        assert not b.box.messages


@pytest.mark.parametrize(
    "changes",
    [
        {"text": None},
        {"text": "bare"},
        {"text": {"content": 5}},
        {"msgtype": ["x"]},
        {"createAt": "soon"},
        {"createAt": 10**30},
        {"text": {"content": "a\u0000b\ud800c"}},
        {"atUsers": "x", "sessionWebhook": 5, "sessionWebhookExpiredTime": None},
        {"msgtype": "richText", "content": {"richText": [1, None, {"text": 3}]}},
    ],
)
async def test_oddities_inside_a_placed_message_are_lived_with(changes: dict[str, object]) -> None:
    async with bench(receive="http") as b, serving(b):
        assert await post(b, json.dumps({**GOOD, **changes}).encode()) == 200
        assert len(b.box.messages) == 1
        b.box.messages[0].model_dump_json().encode()


async def test_what_was_not_committed_is_not_answered_with_success() -> None:
    async with bench(receive="http") as b, serving(b):
        b.box.broken = True
        assert await post(b, dump(GOOD)) == 503
        b.box.broken = False
        assert await post(b, dump(GOOD)) == 200
        assert len(b.box.messages) == 1


async def test_in_stream_mode_there_is_no_address_to_post_to() -> None:
    async with bench() as b:
        assert b.adapter.routes(b.box.accept) == []


async def test_http_mode_says_when_it_has_reached_dingtalk_and_when_not() -> None:
    async with bench(receive="http") as b:
        await b.connect()
        assert not b.adapter.trouble()
        b.clock.advance(timedelta(hours=3))
        b.simulator.faults.next("oauth2/accessToken", status=503)
        b.clock.advance(timedelta(minutes=10))
        await until(b.adapter.trouble)
        await b.pass_time(5)
        await until(lambda: not b.adapter.trouble())
