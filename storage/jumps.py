"""What waits when the machine's clock is set back: messages must not wait until the clock has caught up again.

Deadlines are moments that people were told; they stay. Leases, retries, "at once" and timers that only wait a while are
distances from a moment that turns out to have been wrong: they are measured anew. A clock that was set right while
nothing ran shows in waits that are longer than any of ours.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlmodel import col, select, update

from storage.claims import LEASE
from storage.clock import Stopwatch
from storage.database import Database
from storage.fetches import Fetch
from storage.models import Delivery, InboxRow, Timer
from storage.work import Ground

TOLERANCE = timedelta(seconds=1)
"""Corrections below this are the ordinary business of a time server."""
EVERY = 1.0
"""Real seconds between looks at the clock."""
LONGEST_WAIT = timedelta(minutes=15)
"""Nothing of ours is put off for longer (platforms block for ten minutes)."""

log = structlog.get_logger(__name__)


class ClockWatch:
    """Notices when the clock jumps, wakes whoever waits on it, and measures anew what was to come soon."""

    def __init__(self, ground: Ground, waits: Collection[str] = ()) -> None:
        """``waits``: kinds of timers that are set to a while from now, not to a moment that somebody was told."""
        self._ground = ground
        self._waits = waits
        self._seen = ground.clock.now()
        self._since = Stopwatch()

    async def step(self) -> bool:
        """Look at the clock once; whether it has been set back since the last look."""
        now, passed = self._ground.clock.now(), timedelta(seconds=self._since.seconds())
        went_back = now < self._seen - TOLERANCE
        went_by = self._seen + passed - now
        jumped = abs(went_by) > TOLERANCE
        self._seen, self._since = now, Stopwatch()
        if went_back:
            log.warning("the clock was set back; what waits is measured anew", now=now.isoformat())
            await measure_anew(self._ground.database, now)
            await self._move_timers(went_by)
        if jumped:
            self._ground.clock.look_again()
        return went_back

    async def run(self, stop: asyncio.Event) -> None:
        """Look all the time, until ``stop``; first at what an earlier process has left."""
        self._seen, self._since = self._ground.clock.now(), Stopwatch()  # before it ran, nothing waited on the clock
        await measure_anew(self._ground.database, self._ground.clock.now(), beyond=LONGEST_WAIT)
        await self._move_timers(None)
        while not stop.is_set():
            await self.step()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY)

    async def _move_timers(self, by: timedelta | None) -> None:
        """Take timers back with the clock; None: by how much is not known, so those that wait too long come now."""
        now = self._ground.clock.now()
        late = col(Timer.due_at) > (now if by else now + LONGEST_WAIT)
        async with self._ground.database.write() as session:
            for timer in (await session.exec(select(Timer).where(col(Timer.kind).in_(self._waits), late))).all():
                timer.due_at = max(now, timer.due_at - by) if by else now
                session.add(timer)


async def measure_anew(database: Database, now: datetime, beyond: timedelta = timedelta()) -> None:
    """Let go at once what was put off to a moment later than ``now + beyond``; no lease is longer than a lease."""
    later, waiting = now + beyond, col(Delivery.state) == "pending"
    tried, at_once = col(Delivery.attempts) > 0, col(Delivery.not_before) == col(Delivery.created_at)
    sending = update(Delivery).where(col(Delivery.state) == "sending", col(Delivery.lease_until) > now + LEASE)
    changes = (
        update(Delivery).where(waiting, tried, col(Delivery.not_before) > later).values(not_before=now),
        update(Delivery).where(waiting, at_once, col(Delivery.not_before) > now).values(not_before=now),
        sending.values(lease_until=now + LEASE),
        update(InboxRow).where(col(InboxRow.state) == "new", col(InboxRow.retry_at) > later).values(retry_at=now),
        update(Fetch).where(col(Fetch.state) == "waiting", col(Fetch.not_before) > later).values(not_before=now),
    )
    async with database.write() as session:
        for change in changes:
            await session.exec(change)
