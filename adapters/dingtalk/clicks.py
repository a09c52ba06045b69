"""Card callbacks: a finger on a button is an :class:`Incoming` with ``click`` set."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.dingtalk.frames import BadPayload, Json, parse_object
from adapters.dingtalk.receive import PLATFORM
from adapters.dingtalk.words import words
from storage.messages import Address, Incoming, Sender

VALUE = "value"
"""Name of the card parameter that carries the value of the pressed button."""
PLACES = {"IM_GROUP": "group", "IM_ROBOT": "direct"}


@dataclass(frozen=True)
class Click:
    """One press: who, on which card, what."""

    user: str
    card: str
    value: str
    place: Address

    @property
    def fingerprint(self) -> tuple[str, str, str]:
        return self.user, self.card, self.value

    def incoming(self, account: str, message_id: str, at: datetime) -> Incoming:
        """The message it amounts to. The user id is the platform's word, so the sender is verified."""
        return Incoming(
            platform=PLATFORM,
            account=account,
            message_id=f"click-{message_id}",
            conversation=self.place,
            sender=Sender(account=self.user),
            written_at=at,
            click=self.value,
        )


def read_click(body: Json, place_of: Callable[[str], Address | None]) -> Click:
    """The click in a callback; ``place_of`` knows where we delivered a card. BadPayload when it says nothing."""
    user, card = str(body.get("userId") or ""), str(body.get("outTrackId") or "")
    value = _value(body)
    if not user or not card or not value:
        raise BadPayload("userId, outTrackId or action missing")
    direct = Address(platform=PLATFORM, kind="direct", id=user)
    return Click(user, card, value, place_of(card) or _space(body) or direct)


def _space(body: Json) -> Address | None:
    kind, space_id = PLACES.get(str(body.get("spaceType"))), body.get("spaceId")
    if kind is None or not isinstance(space_id, str) or not space_id:
        return None
    return Address.model_validate({"platform": PLATFORM, "kind": kind, "id": space_id})


def _value(body: Json) -> str:
    """The pressed button. An older form of the callback calls the field ``value``."""
    raw = body.get("content") or body.get("value")
    content = parse_object(raw) if isinstance(raw, str) else raw
    private = content.get("cardPrivateData") if isinstance(content, dict) else None
    if not isinstance(private, dict):
        return ""
    params, actions = private.get("params"), private.get("actionIds")
    if isinstance(params, dict) and isinstance(params.get(VALUE), str) and params[VALUE]:
        return str(params[VALUE])
    return str(actions[0]) if isinstance(actions, list) and actions else ""


def answer() -> Json:
    """The callback's response: only the one who pressed sees it, and nothing else on the card changes."""
    return {
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        "userPrivateData": {"cardParamMap": {"receipt": words("message.click_received")}},
    }


def body_id(timestamp: str, raw: bytes) -> str:
    """An id for a callback that has none: the same bytes signed at the same time are the same callback."""
    return hashlib.sha256(json.dumps(timestamp).encode() + raw).hexdigest()
