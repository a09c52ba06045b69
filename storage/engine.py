"""The obligation engine: time escalates what nobody answered.

Firing is one transaction: claim the due row, see that it still holds, write audit, outgoing messages and the next
deadline. Never early. What is overdue after a restart fires at once, in due order, marked late. Answers already in the
inbox are handled first: the engine lets the bus drain, and looks again inside the transaction that fires.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import inspect
from sqlmodel import col, func, select

from storage.clock import Stopwatch
from storage.database import is_conflict
from storage.inbox import TRIES, fresh_rows
from storage.models import AuditEntry, InboxRow, Obligation, Timer
from storage.obligations import DUE, next_moment, write_together
from storage.work import Ground, Work

LATE = timedelta(seconds=5)
"""A rung that fires this long after its moment says so (downtime, not an ordinary scheduling delay)."""
SLICE = 100
"""Rungs fired in one transaction, and …"""
SLICE_SECONDS = 0.05
"""… how long that may take: keeps the write lock short."""
SLICE_MORE = 25
"""How many more rungs a transaction reads than the one before fired (reading in vain costs as well)."""
AGAIN_AFTER = timedelta(minutes=1)
"""A rung or timer whose workflow failed is tried again after this."""
TELL_AFTER = 3
"""Failures of one rung or timer after which a person hears of it."""
BREATH = timedelta(milliseconds=100)
"""Between looks at a due row that another process has in hand."""

FAILED = "engine.failed"

log = structlog.get_logger(__name__)


class Escalate(Protocol):
    """Tells whoever a rung names; the workflows provide it."""

    async def __call__(self, work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
        """True when somebody was told, False when the rung has no people (the engine then climbs on at once)."""
        ...


OnTimer = Callable[[Work, Timer], Awaitable[None]]
OnStuck = Callable[[Work, Obligation | Timer, int], Awaitable[None]]
"""A rung or timer keeps failing (so many times by now): tell a person. Called at each further try."""


async def nobody_to_tell(_work: Work, _row: Obligation | Timer, _tries: int) -> None:
    """What fails is on record and in the logs."""


class AnswersWaitError(Exception):
    """A message written before the deadline was accepted while the engine was about to fire."""


class Engine:
    """Fires due rungs and timers. ``drain`` handles what already lies in the inbox."""

    def __init__(
        self,
        ground: Ground,
        escalate: Escalate,
        timers: Mapping[str, OnTimer],
        drain: Callable[[], Awaitable[object]],
        on_stuck: OnStuck = nobody_to_tell,
    ) -> None:
        self._ground = ground
        self._escalate = escalate
        self._timers = timers
        self._drain = drain
        self._on_stuck = on_stuck
        self._wake = asyncio.Event()
        self._stopping = False
        self._singly = self._conflicts = 0
        self._slice = SLICE
        """How many rungs the next transaction reads: no more than the last one had time for, and some."""
        ground.database.on_commit(self._wake.set, "obligation", "timer")

    async def next_due(self) -> datetime | None:
        """The nearest moment at which something is to be done."""
        rungs = select(Obligation.next_at).where(col(Obligation.next_at).is_not(None))
        timers = select(Timer.due_at).order_by(col(Timer.due_at)).limit(1)
        looks = rungs.order_by(col(Obligation.next_at)).limit(1), timers
        return min((rows[0][0] for rows in await self._ground.database.peek(*looks) if rows), default=None)

    async def step(self) -> int:
        """Fire everything due now; returns how many rungs and timers fired."""
        fired = 0
        while not self._stopping and (due := await self.next_due()) is not None and due <= self._ground.clock.now():
            await self._drain()
            try:
                count = await self._fire_some()
            except AnswersWaitError:
                continue
            if not count:
                break
            fired += count
        return fired

    async def run(self) -> None:
        """Sleep until the nearest deadline or the next commit, fire, repeat; until cancelled or stopped."""
        while not self._stopping:
            self._wake.clear()
            await self.step()
            due, now = await self.next_due(), self._ground.clock.now()
            if due is not None and due <= now:
                due = now + BREATH
            if not self._stopping:
                await self._ground.clock.wait(self._wake, due)

    def stop(self) -> None:
        """Finish what is firing and let :meth:`run` return."""
        self._stopping = True
        self._wake.set()

    # ---- one transaction

    async def _fire_some(self) -> int:
        """Fire a slice; returns how many tries were made (also failed ones: they are put off)."""
        tried: list[Obligation | Timer] = []
        limit = 1 if self._singly else self._slice
        try:
            async with self._ground.work() as work:
                await self._fire_slice(work, limit, tried)
        except AnswersWaitError:
            raise
        except Exception as error:
            if not tried:
                raise
            await self._recover(tried, error)
            return 1
        self._singly, self._conflicts = max(self._singly - 1, 0), 0
        self._slice = min(len(tried) + SLICE_MORE, SLICE)
        return len(tried)

    async def _fire_slice(self, work: Work, limit: int, tried: list[Obligation | Timer]) -> None:
        due = select(Timer).where(Timer.due_at <= work.now).order_by(col(Timer.due_at)).limit(1)
        timer = (await work.session.exec(due.with_for_update(skip_locked=True))).first()
        rows = await self._due_obligations(work, timer.due_at if timer else work.now, limit)
        if rows:
            await self._answers_first(work, _moment(rows[0]))
            await self._climb_all(work, rows, limit, tried)
        elif timer is not None:
            await self._answers_first(work, timer.due_at)
            tried.append(timer)
            await self._fire_timer(work, timer)

    async def _due_obligations(self, work: Work, until: datetime, limit: int) -> list[Obligation]:
        query = (
            select(Obligation)
            .where(col(Obligation.next_at) <= until)
            .order_by(col(Obligation.next_at), col(Obligation.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return list((await work.session.exec(query)).all())

    async def _answers_first(self, work: Work, moment: datetime) -> None:
        """Leave the transaction when a message written by ``moment`` has been accepted and could be handled."""
        waiting = fresh_rows(self._ground.database.is_sqlite).where(col(InboxRow.written_at) <= moment).limit(1)
        if (await work.session.exec(waiting.with_for_update())).first() is not None:
            raise AnswersWaitError

    async def _fire_timer(self, work: Work, timer: Timer) -> None:
        await work.session.delete(timer)
        await work.session.flush()
        await self._timers[timer.kind](work, timer)

    async def _climb_all(
        self, work: Work, rows: Sequence[Obligation], limit: int, tried: list[Obligation | Timer]
    ) -> None:
        """Climb in due order; a row whose following rung is due as well takes its place in the order again."""
        watch = Stopwatch()
        until = _moment(rows[-1])
        queue = [(_moment(row), row.id or 0, row) for row in rows]
        while queue and len(tried) < limit and watch.seconds() < SLICE_SECONDS:
            moment, row_id, row = heapq.heappop(queue)
            if row.next_at != moment:
                continue  # settled or moved by what fired just before
            tried.append(row)
            await self._climb(work, row)
            if row.next_at is not None and row.next_at <= until:
                heapq.heappush(queue, (row.next_at, row_id, row))
        await write_together(work.session, rows)

    # ---- one rung

    async def _climb(self, work: Work, obligation: Obligation) -> None:
        """Climb the due rung, and on at once while a rung has no people; rungs before the due time wait for theirs."""
        told = await self._climb_one(work, obligation)
        while not told and self._passes_on(work, obligation):
            told = await self._climb_one(work, obligation)
        obligation.next_at = next_moment(obligation) if obligation.closed_at is None else None
        obligation.fence += 1

    @staticmethod
    def _passes_on(work: Work, obligation: Obligation) -> bool:
        more = obligation.step < len(obligation.ladder) and obligation.closed_at is None
        return more and obligation.due_at <= work.now and obligation.state != "open"

    async def _climb_one(self, work: Work, obligation: Obligation) -> bool:
        rung = str(obligation.ladder[obligation.step]["rung"])
        late = work.now - (next_moment(obligation) or work.now) > LATE
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

    # ---- when a workflow fails

    async def _recover(self, tried: Sequence[Obligation | Timer], error: Exception) -> None:
        """Several failed together: fire them one by one. One failed alone: put it off, so that it holds up nobody.

        Another transaction that got in between is no failure: the next round looks again.
        """
        if len(tried) > 1:
            log.info("rungs failed together, trying one by one", count=len(tried), error=type(error).__name__)
            self._singly = len(tried)
            return
        if is_conflict(error) and self._conflicts < TRIES:
            self._conflicts += 1
            return
        failed = tried[0]
        # The rollback expired the row: only its identity can still be read.
        key = inspect(failed).identity[0]
        log.error("firing failed", what=type(failed).__name__, key=key, exc_info=error)
        async with self._ground.work() as work:
            row = await work.session.get(type(failed), key, with_for_update=True)
            if isinstance(row, Obligation) and row.next_at is not None and row.next_at <= work.now:
                row.next_at = work.now + AGAIN_AFTER
                work.session.add(row)
            elif isinstance(row, Timer) and row.due_at <= work.now:
                row.due_at = work.now + AGAIN_AFTER
                work.session.add(row)
            work.audit(FAILED, about=str(key), error=type(error).__name__)
            if isinstance(row, Obligation | Timer):
                await self._tell_if_stuck(work, row, str(key))

    async def _tell_if_stuck(self, work: Work, row: Obligation | Timer, key: str) -> None:
        """Counted on record, so that a restart does not begin anew; an alarm that fails is no reason to try at once."""
        query = select(func.count()).where(AuditEntry.what == FAILED, AuditEntry.about == key)
        tries = 1 + (await work.session.exec(query)).one()
        if tries >= TELL_AFTER:
            try:
                async with work.attempt():
                    await self._on_stuck(work, row, tries)
            except Exception:  # the row stays put off
                log.exception("cannot tell about what keeps failing", key=key)


def _moment(obligation: Obligation) -> datetime:
    return obligation.next_at or obligation.due_at
