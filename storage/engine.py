"""The obligation engine: time escalates what nobody answered.

Firing is one transaction: claim the due row, see that it still holds, write audit, outgoing messages and the next
deadline. Never early. What is overdue after a restart fires at once, in due order, marked late. Answers already in the inbox are
handled first: the engine asks the bus to drain before it fires.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlmodel import col, select

from storage.models import Obligation, Timer
from storage.obligations import DUE, next_moment
from storage.work import Ground, Work

LATE = timedelta(seconds=5)
"""A rung that fires this long after its moment says so (downtime, not an ordinary scheduling delay)."""
SLICE = 50
"""Rows fired in one transaction: keeps the write lock short."""

log = structlog.get_logger(__name__)


class Escalate(Protocol):
    """Tells whoever a rung names; the workflows provide it."""

    async def __call__(self, work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
        """True when somebody was told, False when the rung has no people (the engine then climbs on at once)."""
        ...


OnTimer = Callable[[Work, Timer], Awaitable[None]]


class Engine:
    """Fires due rungs and timers. ``drain`` handles what already lies in the inbox."""

    def __init__(
        self,
        ground: Ground,
        escalate: Escalate,
        timers: Mapping[str, OnTimer],
        drain: Callable[[], Awaitable[object]],
    ) -> None:
        self._ground = ground
        self._escalate = escalate
        self._timers = timers
        self._drain = drain
        self._wake = asyncio.Event()
        ground.database.on_commit(self._wake.set)

    async def next_due(self) -> datetime | None:
        """The nearest moment at which something is to be done."""
        async with self._ground.database.read() as session:
            rungs = select(Obligation.next_at).where(col(Obligation.next_at).is_not(None))
            first = (await session.exec(rungs.order_by(col(Obligation.next_at)).limit(1))).first()
            timer = (await session.exec(select(Timer.due_at).order_by(col(Timer.due_at)).limit(1))).first()
        return min((moment for moment in (first, timer) if moment is not None), default=None)

    async def step(self) -> int:
        """Fire everything due now; returns how many rungs and timers fired."""
        fired = 0
        while (due := await self.next_due()) is not None and due <= self._ground.clock.now():
            await self._drain()
            count = await self._fire_slice()
            if not count:
                break
            fired += count
        return fired

    async def run(self) -> None:
        """Sleep until the nearest deadline or the next commit, fire, repeat; until cancelled."""
        while True:
            self._wake.clear()
            await self.step()
            await self._ground.clock.wait(self._wake, await self.next_due())

    async def _fire_slice(self) -> int:
        async with self._ground.work() as work:
            due = select(Timer).where(Timer.due_at <= work.now).order_by(col(Timer.due_at)).limit(1)
            timer = (await work.session.exec(due.with_for_update(skip_locked=True))).first()
            rows = await self._due_obligations(work)
            if timer is not None and (not rows or timer.due_at <= _moment(rows[0])):
                await self._fire_timer(work, timer)
                return 1
            for row in rows:
                await self._climb(work, row)
            return len(rows)

    async def _due_obligations(self, work: Work) -> list[Obligation]:
        query = (
            select(Obligation)
            .where(col(Obligation.next_at) <= work.now)
            .order_by(col(Obligation.next_at), col(Obligation.id))
            .limit(SLICE)
            .with_for_update(skip_locked=True)
        )
        return list((await work.session.exec(query)).all())

    async def _fire_timer(self, work: Work, timer: Timer) -> None:
        await work.session.delete(timer)
        await work.session.flush()
        await self._timers[timer.kind](work, timer)

    async def _climb(self, work: Work, obligation: Obligation) -> None:
        """Climb the due rung. From the due time on, a rung without people passes on at once."""
        passing_on = True
        while passing_on and obligation.step < len(obligation.ladder):
            before_due = float(obligation.ladder[obligation.step]["after_s"]) < 0
            passing_on = not await self._climb_one(work, obligation) and not before_due
        obligation.next_at = next_moment(obligation)
        obligation.fence += 1
        work.session.add(obligation)

    async def _climb_one(self, work: Work, obligation: Obligation) -> bool:
        rung = str(obligation.ladder[obligation.step]["rung"])
        moment = next_moment(obligation) or work.now
        late = work.now - moment > LATE
        obligation.step += 1
        if rung == DUE and obligation.state == "open":
            obligation.state = "breached"
        told = await self._escalate(work, obligation, rung, late)
        work.audit(
            "obligation.step" if told else "obligation.step_without_people",
            about=obligation.meeting or obligation.fault,
            kind=obligation.kind,
            unit=obligation.unit_id,
            obligation=obligation.id,
            rung=rung,
            late=late,
        )
        return told


def _moment(obligation: Obligation) -> datetime:
    return obligation.next_at or obligation.due_at
