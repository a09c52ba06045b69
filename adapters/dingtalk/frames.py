"""Frames of the stream: reading the ones that come down, making the answers that go up."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ROBOT_TOPIC = "/v1.0/im/bot/messages/get"
CARD_TOPIC = "/v1.0/card/instances/callback"
SUBSCRIPTIONS = (
    {"type": "CALLBACK", "topic": ROBOT_TOPIC},
    {"type": "CALLBACK", "topic": CARD_TOPIC},
    {"type": "EVENT", "topic": "*"},
)
OK, BAD, UNKNOWN_TOPIC = 200, 400, 404
Json = dict[str, Any]


class BadPayload(ValueError):
    """A body that is none: refused, stored nowhere."""


@dataclass(frozen=True)
class Frame:
    """One frame. ``data`` is what its string held: an object, or None when it was no JSON object."""

    kind: str
    topic: str
    message_id: str
    raw_data: str
    data: Json | None
    event_type: str = ""
    at: datetime | None = None


def parse_frame(text: str) -> Frame | None:
    """The frame in a text message; None for anything else."""
    frame = parse_object(text)
    headers = frame.get("headers") if frame else None
    if not frame or not isinstance(headers, dict):
        return None
    raw = frame.get("data")
    return Frame(
        kind=str(frame.get("type", "")),
        topic=str(headers.get("topic", "")),
        message_id=str(headers.get("messageId", "")),
        raw_data=raw if isinstance(raw, str) else json.dumps(raw),
        data=parse_object(raw) if isinstance(raw, str) else raw if isinstance(raw, dict) else None,
        event_type=str(headers.get("eventType", "")),
        at=moment(headers.get("time")),
    )


def parse_object(text: str | bytes) -> Json | None:
    """The JSON object in ``text``; None when it is something else, or nested without end."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def moment(milliseconds: object) -> datetime | None:
    """A moment from milliseconds since the epoch, as number or text; None when it is none."""
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def ack(frame: Frame, data: str, code: int = OK) -> str:
    """The answer to a frame; ``data`` is a JSON text."""
    headers = {"contentType": "application/json", "messageId": frame.message_id}
    return json.dumps({"code": code, "headers": headers, "message": "OK" if code == OK else "error", "data": data})


def response(value: Json | None) -> str:
    """The data of a callback's answer."""
    return json.dumps({"response": value}, ensure_ascii=False)


STATUS_SUCCESS = json.dumps({"status": "SUCCESS", "message": "ok"})
