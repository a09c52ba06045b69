"""Session webhooks: reply addresses that live ninety minutes, and can mention people where the OpenAPI cannot."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from adapters.dingtalk.frames import moment
from storage.clock import Clock
from storage.messages import Address

MARGIN = timedelta(minutes=2)
REMEMBERED = 2000
URL, UNTIL, FOR = "session_webhook", "session_until", "session_for"


@dataclass(frozen=True)
class Session:
    """Where to post, and until when."""

    url: str
    until: datetime


class Sessions:
    """The freshest session of each conversation, and the one that came with the message being answered.

    Only addresses on the configured host are believed: in HTTP mode the signature does not cover the body.
    """

    def __init__(self, oapi_base: str, clock: Clock) -> None:
        self._host, self._clock = urlsplit(oapi_base)[:2], clock
        self._fresh: OrderedDict[Address, Session] = OrderedDict()

    def take(self, url: object, until_ms: object, address: Address) -> dict[str, str]:
        """Remember a session from a payload; the hints that let a later reply use it."""
        until = moment(until_ms)
        if not isinstance(url, str) or until is None or urlsplit(url)[:2] != self._host:
            return {}
        self._fresh[address] = Session(url, until)
        self._fresh.move_to_end(address)
        while len(self._fresh) > REMEMBERED:
            self._fresh.popitem(last=False)
        return {URL: url, UNTIL: str(until_ms), FOR: str(address)}

    def answering(self, hints: dict[str, str], address: Address) -> Session | None:
        """The session in the hints, when it is for this address and has time left."""
        until = moment(hints.get(UNTIL))
        if hints.get(FOR) != str(address) or until is None:
            return None
        return self._alive(Session(hints.get(URL, ""), until))

    def freshest(self, address: Address) -> Session | None:
        session = self._fresh.get(address)
        return self._alive(session) if session else None

    def forget(self, address: Address) -> None:
        """The platform says it has ended."""
        self._fresh.pop(address, None)

    def _alive(self, session: Session) -> Session | None:
        on_host = urlsplit(session.url)[:2] == self._host
        return session if on_host and self._clock.now() < session.until - MARGIN else None
