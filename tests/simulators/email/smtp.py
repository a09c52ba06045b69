"""A real SMTP server (aiosmtpd) on loopback in the loop of the test. It keeps what it gets, and fails to order."""

import asyncio
import email
import email.policy
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

STAGES = ("MAIL", "RCPT", "DATA")


@dataclass(frozen=True)
class Mail:
    """One mail as the server took it."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        """Parsed by the standard library."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def text(self) -> str:
        """Its plain text."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part is not None else ""

    @property
    def html(self) -> str:
        """Its HTML."""
        part = self.message.get_body(("html",))
        return str(part.get_content()) if part is not None else ""


@dataclass
class SmtpServer:
    """``refuse`` maps recipients to replies; ``script`` holds replies for coming commands, by stage, each used once
    (an empty one drops the connection). ``connections`` counts them."""

    mails: list[Mail] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    script: dict[str, list[str]] = field(default_factory=lambda: {stage: [] for stage in STAGES})
    connections: int = 0
    port: int = 0
    username: str = ""
    password: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set["_Session"] = field(default_factory=set)

    def to(self, address: str) -> list[Mail]:
        """Mails one address got."""
        return [mail for mail in self.mails if address in mail.recipients]

    async def wait_for(self, address: str, count: int = 1, within: float = 10.0) -> list[Mail]:
        """Mails of one address, once there are ``count``."""
        async with asyncio.timeout(within):
            while len(self.to(address)) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.to(address)

    def drop_all(self) -> None:
        """Close every connection without a word, as a server does with idle ones."""
        for session in list(self._open):
            if session.transport is not None:
                session.transport.close()

    # ---- what aiosmtpd asks of a handler

    async def handle_MAIL(self, server: "_Session", session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if reply := self._next("MAIL", server):
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: "_Session", session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if reply := self._next("RCPT", server) or self.refuse.get(address, ""):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: "_Session", session: Any, envelope: Any) -> str:  # noqa: N802
        if reply := self._next("DATA", server):
            return reply
        encrypted = session.ssl is not None or server.wire().get_extra_info("sslcontext") is not None
        self.mails.append(Mail(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content, encrypted))
        self.arrived.set()
        return "250 taken"

    def _next(self, stage: str, server: "_Session") -> str:
        if not self.script[stage]:
            return ""
        reply = self.script[stage].pop(0)
        if not reply:
            server.wire().abort()
        return reply or "421 gone"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            self.username.encode(),
            self.password.encode(),
        )
        return AuthResult(success=known, handled=known)


class _Session(SMTP):
    """One connection."""

    def wire(self) -> asyncio.Transport:
        """What it speaks through."""
        assert isinstance(self.transport, asyncio.Transport)
        return self.transport

    def connection_made(self, transport: Any) -> None:
        self.event_handler.connections += 1
        self.event_handler._open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler._open.discard(self)
        super().connection_lost(error)


@asynccontextmanager
async def smtp_server(
    *,
    username: str = "",
    password: str = "",
    context: ssl.SSLContext | None = None,
    starttls: bool = False,
    port: int = 0,
) -> AsyncIterator[SmtpServer]:
    """A running server. ``context`` alone: TLS from the start; with ``starttls``: on request."""
    server = SmtpServer(username=username, password=password)

    def session() -> _Session:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it warns of logins in the clear, which is what is tested
            return _Session(
                server,
                hostname="mx.test",
                loop=asyncio.get_running_loop(),
                tls_context=context if starttls else None,
                authenticator=server.authenticate if username else None,
                auth_require_tls=False,
                auth_required=bool(username),
            )

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(session, "127.0.0.1", port, ssl=None if starttls else context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        server.drop_all()
        await asyncio.sleep(0)
        await listening.wait_closed()
