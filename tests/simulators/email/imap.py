"""A real IMAP server (pymap) on loopback in the loop of the test: mails are put into its mailbox, faults to order.

A gate stands before it: ``drop_all`` closes connections, ``freeze`` keeps them open and lets nothing through any more.
"""

import asyncio
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import Flag
from pysasl.hashing import BuiltinHash

from tests.simulators.email.account import PASSWORD, USER

__all__ = ["PASSWORD", "USER", "ImapServer", "imap_server"]

ARRIVED = datetime.fromisoformat("2026-11-24T10:13:00+08:00")


@dataclass
class ImapServer:
    """``port`` is the gate's. ``logins`` counts connections since the start."""

    port: int = 0
    connections: int = 0
    said: list[bytes] = field(default_factory=list)
    _backend: DictBackend | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    idling: bool = False
    """The client listens (or cannot): what comes now is announced."""
    _frozen: bool = False

    async def deliver(self, raw: bytes, *, seen: bool = False, arrived: datetime = ARRIVED) -> int:
        """Put a mail into the INBOX; its UID.

        pymap announces nothing that comes between the last answer and IDLE: a client about to idle is waited for.
        """
        for _ in range(100):
            if self.idling or self._frozen or not self._open:
                break
            await asyncio.sleep(0.01)
        inbox = await self._inbox()
        flags = frozenset({Flag(b"\\Seen")} if seen else ())
        message = await inbox.append(AppendMessage(raw, arrived.astimezone(UTC), flags))
        return int(message.uid)

    async def flags(self) -> dict[int, set[str]]:
        """The flags of every mail by UID."""
        inbox = await self._inbox()
        return {message.uid: {str(flag) for flag in message.permanent_flags} async for message in inbox.messages()}

    async def seen(self) -> list[int]:
        """UIDs of mails marked as seen."""
        return sorted(uid for uid, flags in (await self.flags()).items() if any("seen" in one.lower() for one in flags))

    async def start_over(self) -> None:
        """Another UIDVALIDITY: the mailbox is new, its mails have to be delivered again."""
        assert self._backend is not None
        self._backend.config.set_cache.clear()

    def drop_all(self) -> None:
        """Close every connection without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    def freeze(self) -> None:
        """Connections stay open and say nothing any more."""
        self._frozen = True

    def thaw(self) -> None:
        """New connections work again."""
        self._frozen = False

    def hear(self, data: bytes) -> bytes:
        """Note what a client says."""
        self.said.append(data)
        self.idling = False
        return data

    async def _inbox(self) -> Any:
        assert self._backend is not None
        identity = self._backend.login.demo_user_identity
        async with identity.new_session() as session:
            return await session.mailbox_set.get_mailbox("INBOX")

    async def pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hear: Callable[[bytes], bytes]
    ) -> None:
        try:
            while data := await reader.read(65536):
                if self._frozen:
                    continue
                writer.write(hear(data))
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def imap_server(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, idle: bool = True
) -> AsyncIterator[ImapServer]:
    """Run the server. ``tls`` offers STARTTLS, or with ``implicit`` encrypts from the first byte."""
    args = Namespace(debug=False, host="127.0.0.1", port=0, cert=None, key=None, tls=tls is not None and not implicit,
                     demo_data=False, demo_user=USER, demo_password=PASSWORD, proxy_protocol=None,
                     passlib_cfg=None)  # fmt: skip
    backend, config = await DictBackend.init(
        args, ssl_context=tls, secure_auth=False, hash_context=BuiltinHash(rounds=1),
        reject_dnsbl=False, invalid_user_sleep=0.0, max_append_len=None,
    )  # fmt: skip
    server = ImapServer(_backend=backend)
    behind = await asyncio.start_server(
        ProxyProtocolReader(ProxyProtocolNoop()).get_callback(IMAPServer(backend.login, config)), "127.0.0.1", 0
    )
    inner = behind.sockets[0].getsockname()[1]

    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        tasks.add(asyncio.create_task(serve(reader, writer)))

    def without_idle(data: bytes) -> bytes:
        server.idling = b"+ Idling" in data or not idle
        return data if idle else data.replace(b" IDLE", b"")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", inner)
        server._open |= {writer, back_writer}
        try:
            await asyncio.gather(
                server.pipe(reader, back_writer, server.hear),
                server.pipe(back_reader, writer, without_idle),
            )
        finally:
            server._open -= {writer, back_writer}
            writer.close()
            back_writer.close()

    gate = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls if implicit else None)
    server.port = gate.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        gate.close()
        server.drop_all()
        await asyncio.gather(*tasks, return_exceptions=True)
        behind.close()
