"""Answering by one click: a signed link in the mail, and the page that asks once before anything happens.

Mail scanners open every link. So opening one (GET, HEAD) only shows a question; pressing its button (POST) is the
answer. A link stands for one button of one mail to one address, ends after a while, and counts once. The press is a
message like any other: who may do what is decided where it always is.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters.email.render import Link
from adapters.email.threads import partner_of
from storage.clock import Clock
from storage.messages import Action, Address

LIFETIME = timedelta(days=7)
MAC_BYTES = 16
LONGEST_TOKEN = 2000
PATH = "/mail/answer"


class BrokenLinkError(ValueError):
    """Not a link of ours, or altered."""


@dataclass(frozen=True)
class Press:
    """What a link stands for. ``key``: the delivery it came in; ``conversation``: where an answer goes."""

    key: str
    conversation: Address
    value: str
    label: str
    ends_at: datetime

    @property
    def account(self) -> str:
        """The mail address it was sent to."""
        return partner_of(self.conversation)

    @property
    def message_id(self) -> str:
        """The same for every press of this button: it counts once."""
        said = "\n".join((self.key, str(self.conversation), self.value))
        return f"link:{hashlib.sha256(said.encode()).hexdigest()[:32]}"


class Links:
    """Makes and reads links. ``public_url`` is where the pages are reached; empty: no links."""

    def __init__(self, secret: bytes, public_url: str, clock: Clock) -> None:
        self._secret, self._clock = secret, clock
        self._base = public_url.rstrip("/")

    @property
    def on(self) -> bool:
        """Whether mails carry links."""
        return self._base.startswith(("http://", "https://"))

    def of(self, actions: Sequence[Action], key: str, conversation: Address) -> list[Link]:
        """A link for each button of a message."""
        ends_at = self._clock.now() + LIFETIME
        presses = [Press(key, conversation, one.value, one.label, ends_at) for one in actions if one.value]
        return [Link(press.label, f"{self._base}{PATH}/{self.token(press)}") for press in presses if self.on]

    def token(self, press: Press) -> str:
        """The signed text that stands for a press."""
        ends = int(press.ends_at.timestamp())
        body = json.dumps([press.key, press.conversation.id, press.value, press.label, ends], ensure_ascii=False)
        packed = _pack(body.encode())
        return f"{packed}.{_pack(self._mac(packed))}"

    def read(self, token: str) -> Press:
        """What a token stands for, ended or not; BrokenLinkError when we did not sign it."""
        packed, _, mac = token.partition(".")
        if len(token) > LONGEST_TOKEN or not hmac.compare_digest(mac.encode(), _pack(self._mac(packed)).encode()):
            raise BrokenLinkError(token[:20])
        try:
            key, conversation, value, label, ends = json.loads(_unpack(packed))
        except (ValueError, binascii.Error) as error:
            raise BrokenLinkError(token[:20]) from error
        place = Address(platform="email", kind="thread", id=conversation)
        return Press(key, place, value, label, datetime.fromtimestamp(ends, UTC))

    def _mac(self, packed: str) -> bytes:
        return hmac.new(self._secret, f"link:{packed}".encode(), hashlib.sha256).digest()[:MAC_BYTES]


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
