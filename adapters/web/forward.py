"""The console's time machine: pushes the clock forward and stops at every moment at which the bot wants to act.

So ten minutes are lived in a second, and nothing that would have happened in them is left out.
"""

import asyncio
from datetime import timedelta
from typing import Protocol, runtime_checkable

from sqlalchemy import func
from sqlmodel import col, or_, select

from adapters.web.changes import Changes
from storage.models import Delivery, InboxRow
from storage.runtime import Runtime

TICK = 0.5
"""Real seconds between two pushes of a running clock."""
QUIET_WITHIN = 5.0


@runtime_checkable
class Advancing(Protocol):
    """A clock that can be pushed."""

    def advance(self, by: timedelta) -> None: ...


class Forward:
    """Fast-forward for the demo. One push at a time."""

    def __init__(self, runtime: Runtime, clock: Advancing, changes: Changes) -> None:
        self._runtime = runtime
        self._clock = clock
        self._now = runtime.ground.clock.now
        self._changes = changes
        self._lock = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None
        self.speed = 1

    async def by(self, span: timedelta) -> None:
        """Go forward by ``span``, living through everything in between."""
        async with self._lock:
            target, last = self._now() + span, None
            while (due := await self._runtime.next_due()) is not None and due <= target and due != last:
                await self._jump(due - self._now())
                last = due
            await self._jump(target - self._now())

    async def to_next(self) -> None:
        """Go to the next moment at which the bot wants to act."""
        async with self._lock:
            due = await self._runtime.next_due()
            if due is not None:
                await self._jump(due - self._now())

    async def run_at(self, speed: int) -> None:
        """Let the clock run ``speed`` times as fast from now on (1: as clocks do)."""
        await self.stop()
        self.speed = speed
        if speed > 1:
            self._running = asyncio.create_task(self._run(speed))
        self._changes.announce()

    async def stop(self) -> None:
        """Let the clock run as clocks do."""
        self.speed = 1
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    async def _run(self, speed: int) -> None:
        while not self._changes.closed:
            await self._changes.pause(TICK)
            await self.by(timedelta(seconds=(speed - 1) * TICK))

    async def _jump(self, by: timedelta) -> None:
        if by > timedelta():
            self._clock.advance(by)
        await self._settle()
        self._changes.announce()

    async def _settle(self) -> None:
        """Do what is due now, and wait for what other parts have in hand: else a jump would outlive their leases."""
        for _ in range(int(QUIET_WITHIN / 0.05)):
            seen = self._changes.count
            await self._runtime.step()
            if not await self._in_hand():
                return
            await self._changes.wait(seen, 0.05)

    async def _in_hand(self) -> int:
        now = self._now()
        sending = select(func.count()).where(Delivery.state == "sending", col(Delivery.lease_until) > now)
        ready = or_(col(InboxRow.retry_at).is_(None), col(InboxRow.retry_at) <= now)
        waiting = select(func.count()).where(InboxRow.state == "new", ready)
        async with self._runtime.ground.database.read() as session:
            return (await session.exec(sending)).one() + (await session.exec(waiting)).one()
