"""A small IMAP client (RFC 3501, IDLE of RFC 2177, ID of RFC 2971): what reading one mailbox needs, and no more.

What servers answer is taken with care: answers about other mails than the one asked for are passed over, and what is
beyond bounds ends the connection. NetEase servers let nobody read who has not introduced himself (ID).
"""

import asyncio
import base64
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import structlog

from adapters.email.errors import Misconfigured, NotSecure, short
from adapters.email.wire import LARGEST_LITERAL, Answer, Gone, Wire
from storage.ports import Retry, SendError
from storage.settings import ImapSettings

LARGEST_MAIL = 30 * 1024 * 1024
"""Bytes; of a larger one only the headers are fetched."""
GOODBYE_SECONDS = 2.0
ANSWERS_PER_COMMAND = 200_000
"""Responses before the one that ends a command: more is a server that never ends."""
IDENTITY = b'ID ("name" "huibao" "version" "0.1" "vendor" "huibao")'
_LATER = re.compile(rb"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.IGNORECASE)
_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS", re.IGNORECASE)
_UID = re.compile(rb"[ (]UID (\d{1,10})", re.IGNORECASE)
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,12})", re.IGNORECASE)
_ARRIVED = re.compile(rb'INTERNALDATE "([^"]{1,40})"', re.IGNORECASE)
_BODY = re.compile(rb'BODY\[(?:HEADER)?\](?:<\d+>)? (?:\{(\d+)\}|("(?:[^"\\]|\\.)*")|NIL)', re.IGNORECASE)
_LARGEST_UID = 2**32 - 1

log = structlog.get_logger(__name__)


class Denied(Retry):
    """The server understood and said no."""


@dataclass(frozen=True)
class Envelope:
    """What is known of a mail before it is fetched. ``size`` in bytes; ``arrived`` as the server says."""

    uid: int
    size: int
    arrived: datetime | None


@dataclass
class Place:
    """The selected mailbox."""

    uidvalidity: int = 0
    exists: int = 0
    grown: bool = False
    """The server has said that something came, since this was last set to False."""


@dataclass
class Imap:
    """A connection that is logged in. Every method raises SendError; after one other than Denied, close it."""

    wire: Wire
    capabilities: frozenset[str] = frozenset()
    place: Place = field(default_factory=Place)
    _count: int = 0

    @classmethod
    async def open(cls, settings: ImapSettings, context: ssl.SSLContext | None = None) -> "Imap":
        """Connect as configured, never less securely, and log in. Raises Misconfigured, NotSecure, Retry."""
        if not settings.host:
            raise Misconfigured("no host")
        context = None if settings.tls == "none" else context or ssl.create_default_context()
        wire = await Wire.open(settings.host, settings.port, context if settings.tls == "implicit" else None)
        imap, password = cls(wire), settings.password.get_secret_value()
        try:
            await imap._greet()
            if settings.tls == "starttls" and context is not None:
                await imap._encrypt(settings.host, context)
            await imap._log_in(settings.username, password)
        except BaseException as error:
            imap.wire.close()
            if isinstance(error, SendError) and password and password in error.reason:
                raise type(error)(error.reason.replace(password, "***")) from None  # some servers repeat what they hear
            raise
        return imap

    # ---- the mailbox

    async def select(self, name: str = "INBOX") -> Place:
        """Open a mailbox."""
        self.place = Place()
        answers = await self._command(b"SELECT " + _quoted(name))
        for answer in answers:
            match = re.search(rb"\[UIDVALIDITY (\d{1,10})\]", answer.text, re.IGNORECASE)
            if match:
                self.place.uidvalidity = int(match[1])
        return self.place

    async def search(self, criteria: str) -> list[int]:
        """UIDs, ascending; ``criteria`` as of UID SEARCH, ASCII."""
        answers = await self._command(b"UID SEARCH " + criteria.encode("ascii"))
        found: set[int] = set()
        for answer in answers:
            if answer.text.upper().startswith(b"* SEARCH"):
                found.update(int(one) for one in re.findall(rb"\b\d{1,10}\b", answer.text[8:]))
        return sorted(uid for uid in found if 0 < uid <= _LARGEST_UID)

    async def envelope(self, uid: int) -> Envelope | None:
        """Size and arrival of a mail; None when it is gone."""
        for answer in await self._command(b"UID FETCH %d (UID RFC822.SIZE INTERNALDATE)" % uid):
            size = _SIZE.search(answer.text)
            if _is_about(answer, uid) and size:
                arrived = _ARRIVED.search(answer.text)
                return Envelope(uid, int(size[1]), _moment(arrived[1]) if arrived else None)
        return None

    async def fetch(self, uid: int, *, headers_only: bool = False) -> bytes | None:
        """The raw mail, without marking it; None when it is gone."""
        part = b"HEADER" if headers_only else b""
        for answer in await self._command(b"UID FETCH %d (UID BODY.PEEK[%s])" % (uid, part)):
            match = _BODY.search(answer.text) if _is_about(answer, uid) else None
            if match is None:
                continue
            if match[1] is not None:
                place = len(re.findall(rb"\{\d+\}", answer.text[: match.start(1)]))
                return answer.literals[place] if place < len(answer.literals) else None
            return re.sub(rb"\\(.)", rb"\1", match[2][1:-1]) if match[2] else b""
        return None

    async def mark_seen(self, uid: int) -> None:
        """Other readers of the mailbox see that it has been read."""
        await self._command(b"UID STORE %d +FLAGS.SILENT (\\Seen)" % uid)

    async def noop(self) -> None:
        """Ask for a sign of life."""
        await self._command(b"NOOP")

    # ---- waiting

    @property
    def can_idle(self) -> bool:
        return "IDLE" in self.capabilities

    async def idle(self, changed: Callable[[], None]) -> None:
        """Be told of new mail (``changed`` is called) until cancelled or the connection ends.

        Call :meth:`done` afterwards, before any other command.
        """
        self._count += 1
        await self.wire.send(self._tag() + b" IDLE")
        answer = await self.wire.receive()
        while not answer.text.startswith(b"+"):
            self._untagged(answer)
            if _EXISTS.match(answer.text):  # it came while nobody listened
                changed()
            if answer.text.startswith(self._tag() + b" "):
                raise Denied("IDLE refused")
            answer = await self.wire.receive()
        while True:
            answer = await self.wire.receive(patient=True)
            if answer.text.startswith(self._tag() + b" "):
                raise Gone("IDLE ended by the server")
            self._untagged(answer)
            if _EXISTS.match(answer.text):
                changed()

    async def done(self) -> None:
        """End IDLE; a server that does not answer is gone."""
        await self.wire.send(b"DONE")
        await self._until_tagged()

    async def close(self) -> None:
        """Say good-bye, briefly, and close."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._command(b"LOGOUT")
        except (SendError, OSError):  # it is closed anyway
            pass
        finally:
            self.wire.close()

    # ---- getting in

    async def _greet(self) -> None:
        greeting = (await self.wire.receive()).text
        if greeting.upper().startswith(b"* BYE"):
            raise Gone(_words(greeting))
        if not greeting.upper().startswith((b"* OK", b"* PREAUTH")):
            raise Gone("no IMAP server")
        if greeting.upper().startswith(b"* PREAUTH"):
            raise NotSecure("PREAUTH")

    async def _encrypt(self, host: str, context: ssl.SSLContext) -> None:
        try:
            await self._command(b"STARTTLS")
        except Denied as error:
            raise NotSecure(error.reason) from error
        self.wire = await self.wire.encrypt(host, context)

    async def _log_in(self, username: str, password: str) -> None:
        await self._learn()
        both = username + password
        simple = both.isascii() and both.isprintable() and "LOGINDISABLED" not in self.capabilities
        try:
            if simple:
                await self._command(b"LOGIN " + _quoted(username) + b" " + _quoted(password))
            else:
                await self._plain(username, password)
        except Denied as error:
            later = _LATER.search(error.reason.encode())
            raise Retry(error.reason) if later else Misconfigured(error.reason) from error
        await self._learn()
        if "ID" in self.capabilities:
            try:
                await self._command(IDENTITY)
            except Denied as error:
                log.debug("the server did not want to know us", reason=error.reason)

    async def _plain(self, username: str, password: str) -> None:
        """AUTHENTICATE PLAIN: for names and passwords that LOGIN cannot carry, and servers that refuse LOGIN."""
        if "AUTH=PLAIN" not in self.capabilities:
            closed = "LOGINDISABLED" in self.capabilities
            raise NotSecure("LOGINDISABLED") if closed else Misconfigured("no AUTH=PLAIN for this password")
        self._count += 1
        await self.wire.send(self._tag() + b" AUTHENTICATE PLAIN")
        answer = await self.wire.receive()
        if not answer.text.startswith(b"+"):
            raise Denied(_words(answer.text))
        await self.wire.send(base64.b64encode(f"\0{username}\0{password}".encode()))
        await self._until_tagged()

    async def _learn(self) -> None:
        for answer in await self._command(b"CAPABILITY"):
            if answer.text.upper().startswith(b"* CAPABILITY"):
                self.capabilities = frozenset(answer.text.decode("ascii", "replace").upper().split()[2:])

    # ---- commands

    def _tag(self) -> bytes:
        return b"h%d" % self._count

    async def _command(self, line: bytes) -> list[Answer]:
        """Say something and hear the answer: the untagged responses. Denied when it is NO or BAD."""
        self._count += 1
        await self.wire.send(self._tag() + b" " + line)
        return await self._until_tagged()

    async def _until_tagged(self) -> list[Answer]:
        answers: list[Answer] = []
        size = 0
        for _ in range(ANSWERS_PER_COMMAND):
            answer = await self.wire.receive()
            if answer.text.startswith(self._tag() + b" "):
                status = answer.text.split(b" ", 2)[1].upper()
                if status == b"OK":
                    return answers
                raise Denied(_words(answer.text)) if status in (b"NO", b"BAD") else Gone("an answer without sense")
            self._untagged(answer)
            size += len(answer.text) + sum(map(len, answer.literals))
            if size > LARGEST_LITERAL:
                break
            answers.append(answer)
        raise Gone("an answer without end")

    def _untagged(self, answer: Answer) -> None:
        exists = _EXISTS.match(answer.text)
        if exists:
            self.place.grown |= int(exists[1]) > self.place.exists
            self.place.exists = int(exists[1])
        elif answer.text.upper().startswith(b"* BYE"):
            raise Gone(_words(answer.text) or "BYE")


def _is_about(answer: Answer, uid: int) -> bool:
    match = _UID.search(answer.text)
    return match is not None and int(match[1]) == uid


def _quoted(text: str) -> bytes:
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode("ascii") + b'"'


def _words(line: bytes) -> str:
    """What the server says, for an operator: without tag and status."""
    return short(line.decode("utf-8", "replace").split(" ", 2)[-1])


def _moment(value: bytes) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value.decode("ascii").strip().replace("-", " ", 2))
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
