"""Looking faults up, and the small facts kept with them.

``Fault.extra`` holds: ``near`` (soon · running: a meeting hangs on it), ``leaders``, ``by`` (conversation → reporters
there), ``people`` and ``groups`` (who was told and hears how it ends), ``round`` (how often it was sent out),
``assigned`` (to whom it was handed), ``handed_by`` (by whom), ``helpers``, ``word`` (the last news in the reporter's
words), ``cure`` (what mended it), ``until`` (end of the week of watching), ``debts`` (how many were opened),
``files`` (SHA-256 of what was attached; what the file is fetched by until it is there), ``unproven`` (reported by a
mail that does not prove its sender).
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, or_, select

from storage.directory import Directory
from storage.models import Fault, Meeting, Obligation, Site
from storage.obligations import unmet
from storage.work import Work

ENDED: list[Callable[[Work, Fault], Awaitable[None]]] = []
"""Who wants to know that a fault is confirmed mended or withdrawn; workflows append theirs when they are imported."""

ACTIVE = ("open", "accepted", "resolved", "observing")
WORKING = ("open", "accepted")
IMMINENT = timedelta(hours=1)
LONGEST_MEETING = timedelta(hours=4)
SEPARATOR = "|"
OTHER = "other"
UNPROVEN = "unproven"
TAKEN = "taken_at"
"""When whoever has it took it (ISO 8601), in ``Fault.extra``; ``Fault.acked_at`` is when anybody first did."""
RAISED = "raised"
"""How many of the rounds of sending out only said that it is worse, in ``Fault.extra``."""
AHEAD = "meeting_ahead"
"""When the meeting begins that the reporter fears for, as the report said (ISO 8601), in ``Fault.extra``."""
_SPACE = re.compile(r"[\s，。！!,.？?~～]+")


async def load(work: Work, number: str) -> Fault | None:
    """The fault of a number, locked for change."""
    query = select(Fault).where(Fault.number == number).with_for_update()
    return (await work.session.exec(query)).one_or_none()


async def find(work: Work, *conditions: Any, states: Sequence[str] = ACTIVE) -> list[Fault]:
    """Faults in these states, newest first."""
    query = select(Fault).where(col(Fault.state).in_(states)).where(*conditions)
    return list((await work.session.exec(query.order_by(col(Fault.created_at).desc(), col(Fault.number).desc()))).all())


async def reported_by(work: Work, person_id: str, states: Sequence[str] = ACTIVE) -> list[Fault]:
    """Faults this person reported, alone or as one of several."""
    return [fault for fault in await find(work, states=states) if person_id in fault.reporters]


def note(work: Work, fault: Fault, **facts: Any) -> None:
    """Keep facts with the fault."""
    fault.extra = {**fault.extra, **facts}
    work.session.add(fault)


def codes(text: str) -> list[str]:
    """The device or symptom codes of a column."""
    return [code for code in text.split(SEPARATOR) if code]


def stored(found: Iterable[str]) -> str:
    """Codes as a column."""
    return SEPARATOR.join(dict.fromkeys(found))


def same_matter(fault: Fault, devices: Sequence[str], symptoms: Sequence[str], text: str) -> bool:
    """Whether a new report speaks of this fault: device or symptom agree; without either, the words themselves."""
    known = {*codes(fault.device), *codes(fault.symptom)} - {OTHER}
    said = {*devices, *symptoms} - {OTHER}
    if known or said:
        return bool(known & said)
    return _SPACE.sub("", fault.text) == _SPACE.sub("", text)


def unit_of(org: Directory, site: Site) -> str:
    """The operations unit that answers for a site."""
    unit = org.operations_unit(site.unit_id)
    return unit.unit_id if unit else site.unit_id


def city_above(org: Directory, unit_id: str) -> str | None:
    """The city network department above a unit; None when the unit is of the city itself, or above."""
    for unit in org.upward(unit_id)[1:]:
        if unit.tier == "city" and unit.track == "operations":
            return unit.unit_id
    return None


async def meeting_near(work: Work, site_id: str) -> tuple[Meeting, str] | None:
    """A meeting with this site that runs or starts within the hour, and which of the two (``running`` · ``soon``)."""
    query = select(Meeting).where(
        col(Meeting.state).in_(("published", "running")),
        Meeting.starts_at <= work.now + IMMINENT,
        or_(Meeting.state == "running", Meeting.starts_at > work.now - timedelta(days=1)),
    )
    for meeting in (await work.session.exec(query.order_by(col(Meeting.starts_at).desc()))).all():
        if site_id in meeting.site_ids and not _over(meeting, work.now):
            return meeting, "running" if meeting.starts_at <= work.now else "soon"
    return None


def _over(meeting: Meeting, now: datetime) -> bool:
    if meeting.state == "running":
        return False
    return now >= (meeting.ends_at or meeting.starts_at + LONGEST_MEETING)


async def owed(work: Work, fault: Fault, *kinds: str) -> list[Obligation]:
    """What is still owed about a fault."""
    return await unmet(work, Obligation.fault == fault.number, kinds=kinds, lock=True)


async def settled(work: Work, fault: Fault, kind: str) -> list[Obligation]:
    """The newest debt of a kind about a fault, if it was met."""
    query = select(Obligation).where(Obligation.fault == fault.number, Obligation.kind == kind)
    rows = (await work.session.exec(query.order_by(col(Obligation.id).desc()).limit(1))).all()
    return [row for row in rows if row.met_at is not None]


async def alarmed(work: Work, fault: Fault) -> list[str]:
    """Everyone who was told of a silence about this fault: person ids and group addresses."""
    rows = (await work.session.exec(select(Obligation).where(Obligation.fault == fault.number))).all()
    return list(dict.fromkeys(name for row in rows for name in row.alarmed))
