"""A mail server that says what a test tells it to: for answers no honest server gives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answers = Callable[[str, str], bytes | None]
"""(tag, the rest of the command) → what is sent back; None: the usual, empty: nothing at all."""
CAPABILITY = b"* CAPABILITY IMAP4rev1 IDLE\r\n"


def usual(tag: str, command: str) -> bytes:
    """What a server with an empty mailbox says."""
    verb = command.split(" ", maxsplit=1)[0].upper()
    extra = {
        "CAPABILITY": CAPABILITY,
        "SELECT": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n",
        "UID": b"* SEARCH\r\n" if "SEARCH" in command.upper() else b"",
    }.get(verb, b"")
    return b"+ idling\r\n" if verb == "IDLE" else extra + f"{tag} OK done\r\n".encode()


@dataclass
class Liar:
    """``heard`` is everything the clients said, line by line."""

    port: int = 0
    connections: int = 0
    heard: list[str] = field(default_factory=list)


@asynccontextmanager
async def liar(answers: Answers, greeting: bytes = b"* OK hello\r\n") -> AsyncIterator[Liar]:
    """Run the server."""
    server = Liar()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        idling = ""
        try:
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                server.heard.append(line)
                tag, _, command = line.partition(" ")
                if line == "DONE":
                    writer.write(f"{idling} OK done\r\n".encode())
                    continue
                idling = tag if command == "IDLE" else idling
                said = answers(tag, command)
                writer.write(usual(tag, command) if said is None else said)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        tasks.add(asyncio.create_task(serve(reader, writer)))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
