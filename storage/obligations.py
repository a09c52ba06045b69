"""Opening, meeting and cancelling obligations. What people write meets them; time escalates them (``engine.py``).

The ladder is copied into the row when it is opened: a policy edited later does not move what already runs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, inspect, update
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import AuditEntry, Obligation
from storage.settings import AckPolicy
from storage.work import Work

DUE = "due"
"""The rung that falls on ``due_at``: from here on an open obligation is breached."""
UNCOUNTED = -1
"""What a driver says that does not count rows (asyncpg): there the rows are locked since they were read."""


@dataclass(frozen=True)
class Rung:
    """One step of a ladder: ``name`` says who is told, ``after`` when, from ``due_at`` (negative: before)."""

    name: str
    after: timedelta

    def stored(self) -> dict[str, Any]:
        return {"rung": self.name, "after_s": self.after.total_seconds()}


def ack_ladder(policy: AckPolicy, within: timedelta | None = None) -> list[Rung]:
    """The contract's ladder: backups, private nudge, own supervisors when due, upper tier, group, repeats, nobody."""
    total = within or policy.within
    remind = policy.remind_before
    if remind >= total:
        remind = total * 0.3
    rungs = [
        Rung("backup", -total / 2),
        Rung("nudge", -remind),
        Rung(DUE, timedelta()),
        Rung("upper", policy.upper_after),
        Rung("group", policy.group_after),
    ]
    last = policy.group_after
    for _ in range(policy.repeat_times):
        last += policy.repeat_every
        rungs.append(Rung("repeat", last))
    rungs.append(Rung("nobody", last + policy.repeat_every))
    return sorted(rungs, key=lambda rung: rung.after)


def due_ladder(policy: AckPolicy, remind: timedelta | None = None) -> list[Rung]:
    """A ladder without backups for debts that hang on a meeting: nudge, own supervisors, upper tier, group."""
    rungs = [Rung("nudge", -remind)] if remind else []
    return [
        *rungs,
        Rung(DUE, timedelta()),
        Rung("upper", policy.upper_after),
        Rung("group", policy.group_after),
    ]


def next_moment(obligation: Obligation) -> datetime | None:
    """When the next rung of the row's own ladder is due; None after the last."""
    if obligation.step >= len(obligation.ladder):
        return None
    return obligation.due_at + timedelta(seconds=float(obligation.ladder[obligation.step]["after_s"]))


def open_obligation(work: Work, obligation: Obligation, ladder: Sequence[Rung]) -> Obligation:
    """Add a row with its ladder, less the rungs before ``due_at`` whose moment has passed: no instant nagging."""
    work.session.add_all([obligation, _opened(work, obligation, ladder)])
    return obligation


async def open_many(work: Work, debts: Iterable[tuple[Obligation, Sequence[Rung]]]) -> None:
    """The same for many at once, in few statements; the rows handed in do not become part of the session."""
    opened = [(debt, _opened(work, debt, ladder)) for debt, ladder in debts]
    await work.add_many([row for pair in opened for row in pair])


def _opened(work: Work, obligation: Obligation, ladder: Sequence[Rung]) -> AuditEntry:
    """Give the row its ladder and first moment; returns the audit entry of its opening."""
    obligation.ladder = [
        rung.stored() for rung in ladder if rung.after >= timedelta() or obligation.due_at + rung.after > work.now
    ]
    obligation.next_at = next_moment(obligation)
    detail = {"kind": obligation.kind, "unit": obligation.unit_id, "due_at": obligation.due_at.isoformat()}
    about = obligation.meeting or obligation.fault
    return AuditEntry(at=work.now, who="huibao", what="obligation.opened", about=about, detail=detail)


def settle_met(work: Work, obligation: Obligation, *, by: str, via: str, at: datetime) -> None:
    """Meet a row. ``at``: when the answer was written; in time is ``met`` (also if read late), else ``breached``."""
    if obligation.state in ("open", "breached"):
        obligation.state = "met" if at <= obligation.due_at else "breached"
    obligation.met_at, obligation.met_by, obligation.met_via = at, by, via
    _close(work, obligation)
    work.audit(
        "obligation.met",
        about=obligation.meeting or obligation.fault,
        who=by,
        via=via,
        kind=obligation.kind,
        unit=obligation.unit_id,
        obligation=obligation.id,
        state=obligation.state,
    )


def settle_cancelled(work: Work, obligation: Obligation, why: str, who: str = "huibao") -> None:
    """Nobody owes this any more. A breached row stays breached (it happened); its ladder stops."""
    if obligation.state == "open":
        obligation.state = "cancelled"
    _close(work, obligation)
    work.audit(
        "obligation.cancelled",
        about=obligation.meeting or obligation.fault,
        who=who,
        kind=obligation.kind,
        unit=obligation.unit_id,
        obligation=obligation.id,
        why=why,
    )


def reopen(work: Work, obligation: Obligation, who: str, why: str) -> None:
    """Undo an answer: the debt stands again with its old clock; rungs whose time has passed fire at once."""
    obligation.state = "open" if obligation.due_at > work.now else "breached"
    obligation.met_at = obligation.met_by = obligation.met_via = obligation.closed_at = None
    obligation.next_at = next_moment(obligation)
    obligation.fence += 1
    work.session.add(obligation)
    work.audit("obligation.reopened", about=obligation.meeting or obligation.fault, who=who, why=why)


def move_due(work: Work, obligation: Obligation, due_at: datetime) -> None:
    """A meeting moved and carries its debts along: same row, new time, ladder from the start if it now lies ahead."""
    obligation.due_at = due_at
    if due_at > work.now and obligation.state == "breached":
        obligation.state = "open"
    if due_at > work.now:
        obligation.step = 0
        while (moment := next_moment(obligation)) is not None and moment <= work.now:
            obligation.step += 1
    obligation.next_at = next_moment(obligation)
    obligation.fence += 1
    work.session.add(obligation)


def _close(work: Work, obligation: Obligation) -> None:
    obligation.closed_at = work.now
    obligation.next_at = None
    obligation.fence += 1
    work.session.add(obligation)


async def write_together(session: AsyncSession, rows: Iterable[Obligation]) -> None:
    """Write what has changed of many rows in one statement, and let go of them.

    The ORM would write them one by one, to check the fence of each; here they are counted together. StaleDataError when
    one has moved on meanwhile.
    """
    states = [inspect(row) for row in rows]
    changed = [state for state in states if state.modified]
    names = sorted({name for state in changed for name in state.committed_state})
    if names:
        table: Table = Obligation.__table__  # type: ignore[attr-defined]
        mine = table.c.id == bindparam("its_id"), table.c.fence == bindparam("its_fence")
        query = update(table).where(*mine).values({name: bindparam(f"new_{name}") for name in names})
        result = await (await session.connection()).execute(query, [_written(state, names) for state in changed])
        if result.rowcount not in (len(changed), UNCOUNTED):
            raise StaleDataError(f"{len(changed) - result.rowcount} obligations have changed")
    for state in states:
        session.expunge(state.object)


def _written(state: Any, names: Sequence[str]) -> dict[str, Any]:
    row = state.object
    fence = state.committed_state.get("fence", row.fence)
    return {"its_id": row.id, "its_fence": fence, **{f"new_{name}": getattr(row, name) for name in names}}


async def unmet(
    work: Work, *conditions: ColumnElement[bool] | bool, kinds: Iterable[str] = (), lock: bool = False
) -> list[Obligation]:
    """Rows that are still owed (open, or breached and unanswered), oldest first."""
    query = (
        select(Obligation)
        .where(col(Obligation.closed_at).is_(None))
        .where(*[condition for condition in conditions if condition is not True])
        .order_by(col(Obligation.id))
    )
    wanted = tuple(kinds)
    if wanted:
        query = query.where(col(Obligation.kind).in_(wanted))
    if lock:
        query = query.with_for_update()
    return list((await work.session.exec(query)).all())
