"""Mail out: one connection that is kept and reused, and dropped after any error.

Encryption is what the configuration says, or nothing is sent: implicit TLS and STARTTLS verify the certificate of the
server, and a server without STARTTLS is an error, never a reason to go on in the clear.
"""

import asyncio
import ssl
from datetime import datetime, timedelta

import aiosmtplib
import structlog

from adapters.email.errors import Misconfigured, NotSecure, SenderRefused, Stage, command_error, connect_error
from storage.clock import Clock
from storage.ports import Retry, SendError, Unsure
from storage.settings import SmtpSettings

COMMAND_TIMEOUT = 30.0
"""Seconds for one command of the protocol."""
MAIL_TIMEOUT = 120.0
"""Seconds for one whole mail with its attachments."""
IDLE = timedelta(seconds=50)
"""A connection unused for longer is opened anew: servers drop idle ones without a word."""


_FOR_WHOM: Stage = "RCPT"

log = structlog.get_logger(__name__)


class Smtp:
    """Sends through ``settings``. ``context`` verifies certificates (tests bring their own authority)."""

    def __init__(
        self, settings: SmtpSettings, clock: Clock, hello: str = "", context: ssl.SSLContext | None = None
    ) -> None:
        self._settings, self._clock, self._hello, self._context = settings, clock, hello or "localhost", context
        self._client: aiosmtplib.SMTP | None = None
        self._used_at: datetime | None = None
        self._lock = asyncio.Lock()
        self.ever_connected = False
        self.problem: SendError | None = None
        """Why there is no connection; None while there is (or none was tried)."""

    async def send(self, sender: str, recipient: str, raw: bytes) -> None:
        """Hand one mail to the server; raises SendError. The connection is dropped after any error or cancellation."""
        async with self._lock:
            try:
                async with asyncio.timeout(MAIL_TIMEOUT):
                    await self._send(sender, recipient, raw)
            except BaseException as error:
                self._drop()
                if isinstance(error, TimeoutError):
                    raise Unsure("time-out") from error
                raise

    async def probe(self, sender: str) -> None:
        """Connect, log in, ask whether ``sender`` may send, and leave; raises SendError."""
        async with self._lock:
            self._drop()
            await self._connect()
            try:
                if sender:
                    await self._ask(sender)
            finally:
                await self._leave()

    async def _ask(self, sender: str) -> None:
        if self._client is None:
            raise Retry("not connected")
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                await self._client.mail(sender)
                await self._client.rset()
        except (aiosmtplib.SMTPException, OSError) as error:
            outcome = command_error(error, "MAIL")
            self._note(outcome)
            raise outcome from error
        self.problem = None

    async def close(self) -> None:
        """Say good-bye, unless a mail is in hand: stopping does not wait for a slow server."""
        if not self._lock.locked():
            async with self._lock:
                await self._leave()

    async def _send(self, sender: str, recipient: str, raw: bytes) -> None:
        reused = await self._ready()
        try:
            await self._hand_over(sender, recipient, raw)
        except _Stale as stale:
            if not reused:
                raise stale.error from stale.__cause__
            self._drop()
            await self._ready()
            try:
                await self._hand_over(sender, recipient, raw)
            except _Stale as again:
                raise again.error from again.__cause__
        self._used_at = self._clock.now()

    async def _hand_over(self, sender: str, recipient: str, raw: bytes) -> None:
        client, stage = self._client, _FOR_WHOM
        if client is None:
            raise Retry("not connected")
        try:
            await client.mail(sender)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPResponseException, OSError) as error:
            outcome = command_error(error, "MAIL")
            self._note(outcome)
            lost = not isinstance(error, aiosmtplib.SMTPResponseException) or error.code in (-1, 421)
            raise (_Stale(outcome) if lost else outcome) from error
        except aiosmtplib.SMTPException as error:
            raise command_error(error, "MAIL") from error
        try:
            await client.rcpt(recipient)
            stage = "DATA"
            await client.data(raw)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            outcome = command_error(error, stage)
            self._note(outcome)
            raise outcome from error
        self.problem = None

    def _note(self, outcome: SendError) -> None:
        """That our address may not send is no matter of one mail: it stays known until one goes."""
        if isinstance(outcome, SenderRefused):
            self.problem = outcome

    async def _ready(self) -> bool:
        """A connection to use; True when it has been used before."""
        fresh = self._used_at is not None and self._clock.now() - self._used_at < IDLE
        if self._client is not None and self._client.is_connected and fresh:
            return True
        await self._leave()
        await self._connect()
        return False

    async def _connect(self) -> None:
        settings = self._settings
        if not settings.host:
            self.problem = Misconfigured("no host")
            raise self.problem
        password = settings.password.get_secret_value()
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=password if settings.username else None,
            local_hostname=self._hello,
            timeout=COMMAND_TIMEOUT,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",
            tls_context=None if settings.tls == "none" else self._context or ssl.create_default_context(),
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
            self.problem = connect_error(error)
            raise self.problem from error
        if settings.tls != "none" and client.get_transport_info("ssl_object") is None:
            client.close()
            self.problem = NotSecure("no TLS")
            raise self.problem
        self._client, self._used_at = client, self._clock.now()
        self.ever_connected = True
        if not isinstance(self.problem, SenderRefused):
            self.problem = None

    async def _leave(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.is_connected:
                await client.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError) as error:
            log.debug("the server was gone before good-bye", error=type(error).__name__)
        finally:
            client.close()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


class _Stale(Exception):
    """The connection had ended before anything was said on it."""

    def __init__(self, error: SendError) -> None:
        super().__init__(error.reason)
        self.error = error
