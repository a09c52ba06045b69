"""Any bytes from a mail server end in an answer or in an error of the port, never in anything else."""

import asyncio
import time
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.email import wire
from adapters.email.imap import Imap
from adapters.email.wire import Gone, Wire
from storage.ports import SendError

PIECES = [
    b"h1 OK\r\n", b"h1 NO x\r\n", b"* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\n", b"* SEARCH 1 5", b"\r\n", b"+ \r\n",
    b"* BYE\r\n", b"* 1 EXISTS\r\n", b"{5}\r\n", b"{99999999999}\r\n", b"* OK [UIDVALIDITY 9]\r\n", b"h1", b" OK ",
    b'BODY[] "', b"UID 5 RFC822.SIZE 7 INTERNALDATE \"", b"24-Nov-2026 10:00:00 +0800\"", b"\x00\xff",
]  # fmt: skip


class Deaf:
    """A writer nobody listens to."""

    def write(self, data: bytes) -> None:
        """Nothing."""

    async def drain(self) -> None:
        """At once."""


async def hear(data: bytes, what: str) -> str:
    """The reason of the error that came of it, if any."""
    reader = asyncio.StreamReader(1 << 16)
    reader.feed_data(data)
    reader.feed_eof()
    imap = Imap(Wire(reader, cast("Any", Deaf())))
    try:
        match what:
            case "select":
                await imap.select()
            case "search":
                assert all(0 < uid < 2**32 for uid in await imap.search("ALL"))
            case "envelope":
                await imap.envelope(5)
            case "fetch":
                await imap.fetch(5)
            case "idle":
                await imap.idle(lambda: None)
            case "login":
                await imap._log_in("bot", "secret")
    except SendError as error:
        return error.reason
    return ""


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=12),
    st.sampled_from(["select", "search", "envelope", "fetch", "idle", "login"]),
)
def test_any_answer_is_borne(pieces: list[bytes], what: str) -> None:
    assert "secret" not in asyncio.run(hear(b"".join(pieces), what))


async def test_a_process_that_was_held_up_does_not_blame_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine under load stood still for longer than a server may: the answer that came meanwhile is read."""
    monkeypatch.setattr(wire, "LINE_SECONDS", 0.4)

    reader = asyncio.StreamReader()
    connection = Wire(reader, cast("Any", Deaf()))
    waiting = asyncio.create_task(connection.receive())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(reader.feed_data, b"* OK\r\n")
    time.sleep(0.6)  # noqa: ASYNC251  nothing in this process moves
    assert (await waiting).text == b"* OK"
    with pytest.raises(Gone):
        await connection.receive()
