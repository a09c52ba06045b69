"""The board: who owes what until when, and the meetings and faults it is about."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from adapters.web.show import View, clock_of, day_of
from adapters.web.words import label, words
from storage.directory import Directory
from storage.models import Fault, Meeting, Obligation
from storage.work import Ground, Work

OPEN_ROWS = 60
DONE_ROWS = 8
LIST_ROWS = 12
SOON = timedelta(minutes=3)
ENDED = ("closed", "cancelled", "ended")


async def board_view(ground: Ground) -> View:
    """Everything the board shows, at this moment of the clock."""
    async with ground.look() as work:
        today = work.local(work.now)
        unmet = await _obligations(work, col(Obligation.closed_at).is_(None), order=Obligation.due_at, limit=None)
        done = await _obligations(
            work, col(Obligation.closed_at).is_not(None), order=col(Obligation.closed_at).desc(), limit=DONE_ROWS
        )
        unmet.sort(key=lambda row: (row.next_at or row.due_at, row.id or 0))
        return {
            "open": [obligation_view(work.org, row, work.now, today) for row in unmet[:OPEN_ROWS]],
            "hidden": max(len(unmet) - OPEN_ROWS, 0),
            "total": len(unmet),
            "breached": sum(row.state == "breached" for row in unmet),
            "done": [obligation_view(work.org, row, work.now, today) for row in done],
            "meetings": await _meetings(work),
            "faults": await _faults(work, today),
        }


async def _obligations(work: Work, condition: Any, order: Any, limit: int | None) -> list[Obligation]:
    query = select(Obligation).where(condition).order_by(order, col(Obligation.id)).limit(limit)
    return list((await work.session.exec(query)).all())


def obligation_view(org: Directory, row: Obligation, now: datetime, today: datetime) -> View:
    """One debt: who, what, until when, and whom silence reaches next."""
    due = row.due_at.astimezone(today.tzinfo)
    site = org.sites.get(row.site_id or "")
    unit = org.units.get(row.unit_id)
    return {
        "id": row.id,
        "about": row.meeting or row.fault,
        "kind": label("kind", row.kind),
        "state": row.state,
        "state_label": label("state", row.state),
        "tone": tone(row, now),
        "unit": unit.name if unit else row.unit_id,
        "site": site.name if site else "",
        "people": _names(org, row.person_ids),
        "due": clock_of(due, today),
        "due_ms": int(row.due_at.timestamp() * 1000),
        "live": row.closed_at is None,
        "step": row.step,
        "steps": len(row.ladder),
        "next": _next(row, today),
        "met": _met(org, row, today),
    }


def tone(row: Obligation, now: datetime) -> str:
    """The colour of a row: open · soon · breached · met · late · cancelled."""
    if row.closed_at is None:
        return "soon" if row.state == "open" and row.due_at - now <= SOON else row.state
    return "late" if row.state == "breached" and row.met_at else row.state


def _next(row: Obligation, today: datetime) -> str:
    if row.next_at is None or row.step >= len(row.ladder):
        return ""
    rung = label("rung", str(row.ladder[row.step]["rung"]))
    return str(words()["board"]["next"]).format(clock=clock_of(row.next_at.astimezone(today.tzinfo), today), rung=rung)


def _met(org: Directory, row: Obligation, today: datetime) -> str:
    if row.met_at is None:
        return ""
    who = " ".join(_names(org, [row.met_by or ""]))
    return f"{clock_of(row.met_at.astimezone(today.tzinfo), today)} {who} {label('met_via', row.met_via or '')}".strip()


def _names(org: Directory, person_ids: Sequence[str]) -> list[str]:
    return [org.people[person_id].name for person_id in person_ids if person_id in org.people]


async def _meetings(work: Work) -> list[View]:
    query = select(Meeting).order_by(col(Meeting.created_at).desc()).limit(LIST_ROWS)
    return [await _meeting(work, row) for row in (await work.session.exec(query)).all()]


async def _meeting(work: Work, row: Meeting) -> View:
    owed = await _obligations(
        work,
        (col(Obligation.meeting) == row.number)
        & (col(Obligation.kind) == "notice_ack")
        & (col(Obligation.state) != "cancelled"),
        order=Obligation.due_at,
        limit=None,
    )
    starts = work.local(row.starts_at)
    return {
        "number": row.number,
        "title": row.title,
        "starts": f"{day_of(starts)} {starts:%H:%M}",
        "state": row.state,
        "state_label": label("meeting_state", row.state),
        "sites": len(row.site_ids),
        "met": sum(debt.met_at is not None for debt in owed),
        "owed": len(owed),
        "ended": row.state in ENDED,
    }


async def _faults(work: Work, today: datetime) -> list[View]:
    query = select(Fault).order_by(col(Fault.state).in_(ENDED), col(Fault.created_at).desc()).limit(LIST_ROWS)
    return [_fault(work.org, row, today) for row in (await work.session.exec(query)).all()]


def _fault(org: Directory, row: Fault, today: datetime) -> View:
    site = org.sites.get(row.site_id or "")
    return {
        "number": row.number,
        "level": row.level,
        "state": row.state,
        "state_label": label("fault_state", row.state),
        "site": site.name if site else "",
        "what": row.text or row.symptom,
        "owner": " ".join(_names(org, [row.owner or ""])),
        "created": clock_of(row.created_at.astimezone(today.tzinfo), today),
        "ended": row.state in ENDED,
    }
