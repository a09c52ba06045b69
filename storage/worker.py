"""A part of the running bot that does what has come due, round by round, and sleeps in between."""

import asyncio
from abc import ABC, abstractmethod
from datetime import datetime

from storage.work import Ground


class Worker(ABC):
    """Woken by the clock and by commits that change ``tables``. What one round is, the parts themselves say."""

    def __init__(self, ground: Ground, *tables: str) -> None:
        self._ground = ground
        self._busy = asyncio.Lock()
        self._stopping = False
        self._wake = asyncio.Event()
        ground.database.on_commit(self._wake.set, *tables)

    async def step(self) -> int:
        """Do everything that is due now; returns how much was done."""
        total = 0
        async with self._busy:
            while (done := await self._round()) is not None:
                total += done
        return total

    async def run(self) -> None:
        """Do what comes due, until cancelled or stopped."""
        while not self._stopping:
            self._wake.clear()
            await self.step()
            if not self._stopping:
                await self._ground.clock.wait(self._wake, await self._later())

    def stop(self) -> None:
        """Begin no more; :meth:`run` returns when what is in hand is through."""
        self._stopping = True
        self._wake.set()

    async def next_due(self) -> datetime | None:
        """When something is to be done; None: only a commit brings something."""
        return None

    @abstractmethod
    async def _round(self) -> int | None:
        """Do some of what is due now: how much it was, or None when there is nothing (or :attr:`_stopping`)."""

    async def _later(self) -> datetime | None:
        """Till when to sleep, now that what could be done is done."""
        return await self.next_due()
