"""The board: who owes what until when, and the meetings and faults it is about."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from adapters.web.show import View, clock_of, day_of
from adapters.web.sightings import sightings_view
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
        unmet = col(Obligation.closed_at).is_(None)
        soonest = func.coalesce(Obligation.next_at, Obligation.due_at)
        still = await _obligations(work, unmet, soonest, OPEN_ROWS)
        done = await _obligations(work, ~unmet, col(Obligation.closed_at).desc(), DONE_ROWS)
        total, breached = await _count(work, unmet), await _count(work, unmet, Obligation.state == "breached")
        return {
            "open": [obligation_view(work.org, row, work.now, today) for row in still],
            "hidden": total - len(still),
            "total": total,
            "breached": breached,
            "done": [obligation_view(work.org, row, work.now, today) for row in done],
            "meetings": await _meetings(work),
            "faults": await _faults(work, today),
            "sightings": await sightings_view(work, today),
        }


async def _obligations(work: Work, condition: Any, order: Any, limit: int) -> list[Obligation]:
    query = select(Obligation).where(condition).order_by(order, col(Obligation.id)).limit(limit)
    return list((await work.session.exec(query)).all())


async def _count(work: Work, *conditions: Any) -> int:
    return (await work.session.exec(select(func.count()).select_from(Obligation).where(*conditions))).one()


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
    rung = rung_label(row.kind, str(row.ladder[row.step]["rung"]))
    return str(words()["board"]["next"]).format(clock=clock_of(row.next_at.astimezone(today.tzinfo), today), rung=rung)


def rung_label(kind: str, rung: str) -> str:
    """What happens on a rung, in words; a rung this version does not know is the next person's."""
    table = words()["rung"] | words()["rung_of"].get(kind, {})
    return str(table.get(rung, table["other"]))


def _met(org: Directory, row: Obligation, today: datetime) -> str:
    if row.met_at is None:
        return ""
    who = " ".join(_names(org, [row.met_by or ""]))
    return f"{clock_of(row.met_at.astimezone(today.tzinfo), today)} {who} {label('met_via', row.met_via or '')}".strip()


def _names(org: Directory, person_ids: Sequence[str]) -> list[str]:
    return [org.people[person_id].name for person_id in person_ids if person_id in org.people]


async def _meetings(work: Work) -> list[View]:
    query = select(Meeting).order_by(col(Meeting.created_at).desc()).limit(LIST_ROWS)
    meetings = (await work.session.exec(query)).all()
    answers = await _answers(work, [meeting.number for meeting in meetings])
    return [_meeting(work, meeting, *answers.get(meeting.number, (0, 0))) for meeting in meetings]


async def _answers(work: Work, numbers: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many units owe an answer to each meeting's notice, and how many have given it."""
    query = (
        select(Obligation.meeting, func.count(), func.count(col(Obligation.met_at)))
        .where(col(Obligation.meeting).in_(numbers), Obligation.kind == "notice_ack", Obligation.state != "cancelled")
        .group_by(Obligation.meeting)
    )
    return {number: (owed, met) for number, owed, met in (await work.session.exec(query)).all()}


def _meeting(work: Work, row: Meeting, owed: int, met: int) -> View:
    starts = work.local(row.starts_at)
    return {
        "number": row.number,
        "title": row.title,
        "starts": f"{day_of(starts)} {starts:%H:%M}",
        "state": row.state,
        "state_label": label("meeting_state", row.state),
        "sites": len(row.site_ids),
        "met": met,
        "owed": owed,
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
