"""Reading payloads: every message type, tidy or untidy, becomes what a person meant."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dingtalk.frames import BadPayload, parse_frame
from adapters.dingtalk.receive import read_message
from storage.messages import Incoming
from tests.simulators.dingtalk import App, Group, Person, payloads
from tests.simulators.dingtalk.context import Json

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
APP, LI = App("dingapp", "s"), Person("liming", "李明")
GROUP = Group("cid1", "临河县支撑群")


def read(content: Json, group: Group | None = GROUP, sender: Person = LI, **changes: Any) -> Incoming:
    body = payloads.message(APP, sender, group, content, msg_id="m1", now_ms=NOW_MS, mentioned=[])
    return read_message({**body, **changes}, "dingapp", NOW)


@pytest.mark.parametrize(
    ("content", "text", "attached"),
    [
        (payloads.text(" 三楼\u00a0没声音\u200b \n 请看 "), "三楼 没声音\n请看", []),
        (payloads.text(" ＠李工 请处理"), "@李工 请处理", []),
        (payloads.picture("c1"), "", [("image", "c1")]),
        (payloads.audio("c1", "会议室没有声音", "4"), "会议室没有声音", [("audio", "c1")]),
        (payloads.video("c1"), "", [("video", "c1")]),
        (payloads.file("c1", "日志.zip"), "", [("file", "c1")]),
        (payloads.unknown(), "", []),
        (
            payloads.rich_text(
                {"text": "光路红灯 "},
                payloads.rich_picture("c1"),
                payloads.rich_mention("李工", "u1"),
                {"text": "请看", "code": "x"},
                payloads.rich_picture("c2"),
            ),
            "光路红灯 @李工 请看",
            [("image", "c1"), ("image", "c2")],
        ),
    ],
)
def test_every_type_has_its_words_and_attachments(content: Json, text: str, attached: list[tuple[str, str]]) -> None:
    incoming = read(content)
    assert incoming.text == text
    assert [(a.kind, a.ref) for a in incoming.attachments] == attached


def test_a_file_keeps_its_name() -> None:
    assert read(payloads.file("c1", "日志.zip")).attachments[0].name == "日志.zip"


def test_someone_from_outside_proves_nothing() -> None:
    sender = read(payloads.text("我来"), sender=Person("keren", "李明", outsider=True)).sender
    assert not sender.verified
    assert sender.account != "liming"


def test_numbers_may_be_strings_and_unknown_keys_are_fine() -> None:
    incoming = read(payloads.text("好"), createAt=str(NOW_MS - 5000), conversationType=2, hostingContext={"a": 1})
    assert (NOW - incoming.written_at).total_seconds() == 5
    assert incoming.conversation.kind == "group"


def test_a_message_is_never_from_the_future() -> None:
    assert read(payloads.text("好"), createAt=NOW_MS + 60_000).written_at == NOW


@pytest.mark.parametrize("key", ["originalProcessQueryKey", "originalMsgId"])
def test_a_quote_is_kept_with_the_key_of_our_own_message_first(key: str) -> None:
    quoting = payloads.quoting(
        payloads.text(" 收到 "), msg_id="q1", said="请回复收到", sender_id="robot", created_ms=NOW_MS
    )
    changes: dict[str, Any] = {key: "ours"}
    incoming = read(quoting, **changes)
    assert incoming.quote is not None
    assert (incoming.quote.message_id, incoming.quote.text) == ("ours", "请回复收到")
    assert incoming.text == "收到"


def test_a_month_that_is_over_leaves_a_message_without_words() -> None:
    incoming = read(payloads.quota_used_up())
    assert incoming.text == ""
    assert incoming.hints == {"quota_used_up": "1"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "msgId", "conversationId", "conversationType", "senderStaffId", "senderId", "senderNick", "createAt", "msgtype",
    "text", "content", "originalMsgId", "quoteMessage", "robotCode", "errorCode", "conversationTitle",
]  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.sampled_from(["text", "richText", "picture", "audio", "file"]))
def test_no_payload_makes_reading_fail_in_another_way(changes: Json, kind: str) -> None:
    body = payloads.message(APP, LI, GROUP, payloads.text("好"), msg_id="m1", now_ms=NOW_MS, mentioned=[])
    try:
        incoming = read_message({**body, "msgtype": kind, **changes}, "dingapp", NOW)
    except BadPayload:
        return
    assert incoming.message_id
    assert incoming.written_at <= NOW
    incoming.model_dump_json().encode()


@settings(deadline=None)
@given(st.text() | JSON.map(str))
def test_no_frame_makes_parsing_fail(text: str) -> None:
    parse_frame(text)
