"""Reading fields of JSON and XML bodies that somebody else wrote: lenient in shape, strict in type."""

import json
import re
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class BadPayload(ValueError):
    """A body that is none: refused, stored nowhere."""


def parse_object(text: str | bytes) -> Json | None:
    """The JSON object in ``text``; None when it is something else. Control characters are dropped: they occur."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(_CONTROL.sub("", decoded), strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def text(body: Json, key: str) -> str:
    """The text or number under ``key``, without what no database stores: NUL and halves of surrogate pairs."""
    value = body.get(key)
    if isinstance(value, dict):
        value = value.get("#text")
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def part(body: Json, key: str) -> Json:
    """The object under ``key``; empty when it is none."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def items(body: Json, key: str) -> list[Json]:
    """The objects of the list under ``key``; a single one counts as a list, as XML has it."""
    value = body.get(key)
    listed = value if isinstance(value, list) else [value]
    return [item for item in listed if isinstance(item, dict)]


def moment(seconds: object) -> datetime | None:
    """A moment from seconds since the epoch, as number or text; None when it is none."""
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
