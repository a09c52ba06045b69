"""The bytes of an IMAP connection: lines with literals in, commands out (RFC 3501), every wait and size limited.

A literal (``{123}`` and then 123 bytes) is read in pieces, each of which must come in time: a large mail over a slow
line is no trouble, a silent server is.
"""

import asyncio
import re
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from adapters.email.errors import NotSecure, connect_error
from storage.ports import Retry, SendError

CONNECT_SECONDS = 15.0
LINE_SECONDS = 30.0
"""For the next line of an answer, and for the next piece of a literal."""
SLICES = 10
LONGEST_LINE = 4 * 1024 * 1024
"""Bytes: the ids of half a million mails."""
LARGEST_LITERAL = 40 * 1024 * 1024
PIECE = 64 * 1024
_LITERAL = re.compile(rb"\{(\d{1,12})\}$")


class Gone(Retry):
    """The connection has ended: closed, silent, or saying what makes no sense."""


@dataclass(frozen=True)
class Answer:
    """One response: its text with ``{n}`` where literals stood, and the literals."""

    text: bytes
    literals: tuple[bytes, ...] = ()


class Wire:
    """An open connection. Cancelling or an error in the middle leaves it useless: close it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, below: asyncio.StreamWriter | None = None
    ) -> None:
        self._reader, self._writer = reader, writer
        self._below = below  # the writer under the encryption: once nobody holds it, it closes the connection

    @classmethod
    async def open(cls, host: str, port: int, context: ssl.SSLContext | None) -> "Wire":
        """Connect; with a context, encrypted from the first byte. Raises NotSecure or Retry."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=LONGEST_LINE)
        except (OSError, ValueError) as error:
            raise trouble(error) from error
        return cls(reader, writer)

    async def encrypt(self, host: str, context: ssl.SSLContext) -> "Wire":
        """The same connection, encrypted. Whatever the server has sent in the clear ahead of it is thrown away."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(LONGEST_LINE, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport = await loop.start_tls(self._writer.transport, protocol, context, server_hostname=host)
        except (OSError, ValueError) as error:
            raise trouble(error) from error
        if transport is None:
            raise Gone("closed during TLS")
        protocol.connection_made(transport)
        return Wire(reader, asyncio.StreamWriter(transport, protocol, reader, loop), self._writer)

    async def send(self, line: bytes) -> None:
        """One line, without its end."""
        try:
            async with asyncio.timeout(LINE_SECONDS):
                self._writer.write(line + b"\r\n")
                await self._writer.drain()
        except OSError as error:
            raise Gone(type(error).__name__) from error

    async def receive(self, *, patient: bool = False) -> Answer:
        """The next response. ``patient``: its first line may take as long as it likes (IDLE)."""
        text, literals, total = b"", list[bytes](), 0
        while True:
            line = await self._line(None if patient and not text else LINE_SECONDS)
            text += line
            match = _LITERAL.search(line)
            if match is None:
                return Answer(text, tuple(literals))
            total += int(match[1])
            if total > LARGEST_LITERAL or len(text) > LONGEST_LINE:
                raise Gone("an answer beyond all bounds")
            literals.append(await self._exactly(int(match[1])))

    async def _line(self, seconds: float | None) -> bytes:
        try:
            line = await _in_time(self._reader.readuntil(b"\n"), seconds)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Gone(type(error).__name__) from error
        return line.rstrip(b"\r\n")

    async def _exactly(self, size: int) -> bytes:
        pieces = []
        while size:
            try:
                piece = await _in_time(self._reader.read(min(size, PIECE)), LINE_SECONDS)
            except OSError as error:
                raise Gone(type(error).__name__) from error
            if not piece:
                raise Gone("closed in the middle of a mail")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """At once, without a word."""
        self._writer.transport.abort()


async def _in_time(reading: Coroutine[Any, Any, bytes], seconds: float | None) -> bytes:
    """What is read; TimeoutError after ``seconds``.

    They are counted in slices: a process that is itself held up (a busy machine, one that slept) loses one slice
    however long that takes, and then sees what has come meanwhile instead of blaming the server.
    """
    if seconds is None:
        return await reading
    task = asyncio.ensure_future(reading)
    try:
        for _ in range(SLICES):
            await asyncio.wait((task,), timeout=seconds / SLICES)
            if task.done():
                return task.result()
        raise TimeoutError
    finally:
        if not task.done():  # only one may read at a time: it has to be gone before the next
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def trouble(error: Exception) -> SendError:
    """Why there is no connection."""
    known = connect_error(error)
    return known if isinstance(known, NotSecure) else Gone(known.reason)
