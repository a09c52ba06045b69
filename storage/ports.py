"""The plug-in point for platforms: what an adapter must do, and how it tells what became of a message.

Error tree of sending::

    SendError
    ├── Retry        try again later (throttled, timeout, server error)
    │   └── Unsure   it may have arrived: the next attempt is marked 补发
    └── Refused      never try again here (unknown user, group gone, not permitted)
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from aiohttp import web

from storage.messages import Address, Attachment, Incoming, Outgoing


class SendError(Exception):
    """A message could not be sent. ``reason`` is for operators: no secrets, no stack."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(SendError):
    """Try again, not before ``not_before`` when the platform named a time."""

    def __init__(self, reason: str, not_before: datetime | None = None) -> None:
        super().__init__(reason)
        self.not_before = not_before


class Unsure(Retry):
    """The platform may have delivered it (time-out after the request was written)."""


class Refused(SendError):
    """Permanent for this address."""


@dataclass(frozen=True)
class Capabilities:
    """What a platform can do; workflows ask for these and never for a vendor."""

    mention: bool = False
    buttons: bool = False
    read_receipts: bool = False
    recall: bool = False
    files: bool = False
    urgent_call: bool = False
    batch: int = 1
    """How many direct addresses one network call may carry (without attachments)."""
    batch_buttons: bool = True
    """Whether it may carry buttons to all of them; False: messages with buttons go to one person at a time."""


def job_key(row_id: int) -> str:
    """The idempotency key of a delivery (of the first one in a call). A card that was sent alone and has no name of its
    own goes by it."""
    return f"hb-{row_id}"


@dataclass(frozen=True)
class SendJob:
    """One rendered message for one or more addresses (more than one only when all are direct)."""

    key: str
    """Idempotency key, the same on every retry."""
    addresses: tuple[Address, ...]
    message: Outgoing
    hints: Mapping[str, str] = field(default_factory=dict)
    """The ``hints`` of the incoming message that is answered, if any."""


@dataclass(frozen=True)
class Sent:
    """The platform took it. ``provider_id`` serves recall and read status.

    ``advice``: it did not go by the best way, and what an operator can do about that; said once.
    """

    provider_id: str = ""
    delivered: bool = False
    advice: str = ""


Outcome: TypeAlias = Sent | SendError
Accept: TypeAlias = Callable[[Incoming], Awaitable[bool]]
"""Commits the inbox row; True when the message is new. Raises when the commit failed: then do not acknowledge."""

LateFailure: TypeAlias = Callable[[str, str], Awaitable[None]]
"""Told the key of a send job that had been ``Sent`` and why it did not arrive after all."""


@dataclass(frozen=True)
class CheckLine:
    """One line of ``bot.py check``: ``ok`` or ``fail: why and how to mend`` (Chinese, an operator's words)."""

    what: str
    ok: bool
    detail: str = ""


class Adapter(Protocol):
    """A platform. Built by ``bot.py`` with its settings, the clock and the shared HTTP session."""

    platform: str
    capabilities: Capabilities

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        """HTTP routes this platform calls (empty when it has none)."""
        ...

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled; never raises for network trouble, it reconnects."""
        ...

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """Send now, an outcome for every address of the job. Never raises a SendError; it returns it."""
        ...

    def trouble(self) -> str:
        """Empty while healthy, else one sentence for operators (shown on /readyz and to admins)."""
        ...

    def ever_connected(self) -> bool:
        """True once the platform has been reached since start."""
        ...

    async def check(self) -> list[CheckLine]:
        """Credentials, callback address, permissions: one line each."""
        ...


@runtime_checkable
class Downloads(Protocol):
    """An adapter that can fetch what people attach."""

    async def download(self, attachment: Attachment) -> bytes:
        """The bytes behind ``attachment.ref``; raises SendError (Refused: gone for good)."""
        ...


@runtime_checkable
class Receipts(Protocol):
    """An adapter that can say who has read a message, where its capabilities say so."""

    async def readers(self, address: Address, provider_id: str) -> frozenset[str]:
        """Accounts that have read what ``Sent`` named so; raises SendError (Retry: not known yet)."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """An adapter that can take a message back."""

    async def recall(self, address: Address, provider_id: str) -> bool:
        """True when nobody sees any more what ``Sent`` named so; raises SendError."""
        ...


@runtime_checkable
class FailsLate(Protocol):
    """An adapter whose messages may come back after they were taken (mail)."""

    def on_late_failure(self, tell: LateFailure) -> None:
        """Call ``tell`` for every message that comes back."""
        ...
