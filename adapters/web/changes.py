"""Tells open pages that something may have changed: a commit of this process, or a step of the clock."""

import asyncio

from storage.database import Database


class Changes:
    """``wait`` returns at the next change; a short limit also notices what another process wrote."""

    def __init__(self, database: Database) -> None:
        self._count = 0
        self._event = asyncio.Event()
        self._closed = asyncio.Event()
        database.on_commit(self.announce)

    @property
    def count(self) -> int:
        """How many changes there were: read it before looking at the tables, then wait for the next."""
        return self._count

    @property
    def closed(self) -> bool:
        """The server stops."""
        return self._closed.is_set()

    def announce(self) -> None:
        """Something may have changed."""
        self._count += 1
        self._event.set()
        self._event = asyncio.Event()

    def close(self) -> None:
        """The server stops: every open stream ends."""
        self._closed.set()
        self.announce()

    async def wait(self, after: int, seconds: float) -> None:
        """Return when there were more changes than ``after``, or after real ``seconds``."""
        if self._count > after or self.closed:
            return
        await _for(self._event, seconds)

    async def pause(self, seconds: float) -> None:
        """Let real ``seconds`` pass; shorter when the server stops."""
        await _for(self._closed, seconds)


async def _for(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
