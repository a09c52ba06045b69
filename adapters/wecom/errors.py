"""What WeCom's refusals mean for a message: try again, ask for a new token, take another way, or give up.

The tree adds to the port's::

    Retry
    ├── TokenDead       a new token, then once more
    ├── Throttled       too fast; carries the moment from which it is worth trying
    ├── NotSubscribed   the robot's connection has lost its subscription: open another
    └── Misconfigured   nothing goes until somebody mends it
        └── Untrusted   our address is not among the app's trusted ones
    Refused
    ├── NotPermitted    the app may not do this
    ├── CardRefused     the card is not accepted here: words instead
    └── ReplyGone       this message can be answered no more: take another way

Codes are from the protocol notes, sections 4 and 4B. Texts are never matched, save for the address in a 60020.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.common.errors import Misconfigured, NotPermitted, Throttled, TokenDead
from storage.ports import Refused, Retry, SendError, Unsure

PENALTY = timedelta(seconds=61)
"""A minute rule that was broken blocks for sixty seconds."""

BUSY = {-1, 45033}
TOKEN = {40014, 41001, 42001}
THROTTLED = {45009}
CREDENTIALS = {40001, 40013, 40091, 50003, 60031, 853000}
UNTRUSTED = {60020}
PERMISSION = {40056, 41011, 48002, 60011, 301002}
CARD = {43012, 93050, *range(42014, 42052)}
NOT_SUBSCRIBED = {846609}
REPLY_GONE = {846605, 846608, 60140}
_ADDRESS = re.compile(r"from ip: ([0-9A-Fa-f.:]+)")


class NotSubscribed(Retry):
    """The long connection is up, but the platform no longer counts it as the robot's."""


class Untrusted(Misconfigured):
    """``address`` is where our calls come from, as the platform sees it."""

    def __init__(self, reason: str, address: str) -> None:
        super().__init__(reason)
        self.address = address


class CardRefused(Refused):
    """Words instead."""


class ReplyGone(Refused):
    """The message that would be answered is too old, or its answer was given."""


def api_error(answer: Mapping[str, Any], now: datetime) -> SendError | None:
    """What the errcode of an answer or an ack means; None: it succeeded."""
    try:
        errcode = int(answer.get("errcode", 0))
    except (TypeError, ValueError):
        return Retry("errcode unreadable")
    if errcode == 0:
        return None
    reason = f"errcode {errcode}"
    if errcode in UNTRUSTED:
        found = _ADDRESS.search(str(answer.get("errmsg", "")))
        return Untrusted(reason, found[1] if found else "")
    if errcode in THROTTLED:
        return Throttled(reason, now + PENALTY)
    kinds: list[tuple[set[int], type[SendError]]] = [
        (BUSY, Retry),
        (TOKEN, TokenDead),
        (CREDENTIALS, Misconfigured),
        (PERMISSION, NotPermitted),
        (CARD, CardRefused),
        (NOT_SUBSCRIBED, NotSubscribed),
        (REPLY_GONE, ReplyGone),
    ]
    return next((kind(reason) for codes, kind in kinds if errcode in codes), Refused(reason))


def http_error(status: int) -> SendError:
    """An HTTP status above 399: the platform itself never sends one, what stands in front of it does."""
    return Unsure(f"http {status}") if status in {502, 504} else Retry(f"http {status}")
