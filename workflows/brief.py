"""The day's rhythm: 8:30 brief and 17:30 hand-over to the supervisors' groups (``domain.md``, manners).

Today's and tomorrow's meetings, open faults, who is on duty; a quiet day says nothing. Mail carries it too: to the
supervisors of a unit that has such a group, and to all where none serves them.
"""

from datetime import timedelta

from sqlmodel import col, select

from storage.calendar_jobs import CalendarJob
from storage.messages import Address, Outgoing
from storage.models import Fault, Meeting
from storage.outbox import post
from storage.work import Work
from workflows.phrases import call, day, full_clock, joined
from workflows.words import Words

WORDS = Words("brief")
MAIL = "email"
ENDED = ("closed", "cancelled", "observing")


async def morning(work: Work) -> None:
    """The 8:30 brief."""
    await _brief(work, "morning")


async def evening(work: Work) -> None:
    """The 17:30 hand-over."""
    await _brief(work, "evening")


JOBS = (CalendarJob("morning_brief", 8, 30, morning), CalendarJob("evening_handover", 17, 30, evening))


async def _brief(work: Work, key: str) -> None:
    said = f"{key}:{work.local(work.now):%Y%m%d}"
    groups = [g for g in work.org.groups.values() if g.purpose == "supervisors" and g.platform in work.platforms]
    texts = {unit_id: await _text(work, key, unit_id) for unit_id in {group.unit_id for group in groups}}
    for group in groups:
        if text := texts[group.unit_id]:
            address = Address(platform=group.platform, kind="group", id=group.conversation_id)
            await post(work, address, Outgoing(text=text), key=said, kind="brief")
    if MAIL in work.platforms:
        await _by_mail(work, key, said, texts)


async def _by_mail(work: Work, key: str, said: str, texts: dict[str, str]) -> None:
    for person in work.org.with_role("supervisor"):
        unit_id, mails = person.unit_id, work.org.accounts(person.person_id, MAIL)
        served = unit_id not in texts and work.org.groups_serving(unit_id, work.platforms, "supervisors")
        if not mails or served:
            continue
        if unit_id not in texts:
            texts[unit_id] = await _text(work, key, unit_id)
        for mail in mails if texts[unit_id] else ():
            address = Address(platform=MAIL, kind="direct", id=mail)
            message = Outgoing(text=texts[unit_id])
            await post(work, address, message, key=said, kind="brief", person_id=person.person_id)


async def _text(work: Work, key: str, unit_id: str) -> str:
    units = [unit.unit_id for unit in work.org.below(unit_id)]
    sites = {site.site_id for unit in units for site in work.org.sites_of(unit)}
    meetings = [row for row in await _meetings(work) if sites & set(row.site_ids)]
    faults = [row for row in await _faults(work) if row.unit_id in units]
    if not meetings and not faults:
        return ""
    return WORDS(
        key,
        day=day(work, work.now),
        meetings=_meeting_list(work, meetings),
        faults=_fault_list(work, faults),
        duty=_duty(work, unit_id),
    )


async def _meetings(work: Work) -> list[Meeting]:
    today = work.local(work.now).replace(hour=0, minute=0, second=0, microsecond=0)
    query = select(Meeting).where(
        col(Meeting.state).in_(("published", "running")),
        Meeting.starts_at >= today,
        Meeting.starts_at < today + timedelta(days=2),
    )
    return list((await work.session.exec(query.order_by(col(Meeting.starts_at)))).all())


async def _faults(work: Work) -> list[Fault]:
    query = select(Fault).where(col(Fault.state).not_in(ENDED)).order_by(col(Fault.number))
    return list((await work.session.exec(query)).all())


def _meeting_list(work: Work, rows: list[Meeting]) -> str:
    items = [
        WORDS("meeting", start=full_clock(work, row.starts_at), title=row.title, number=row.number) for row in rows
    ]
    if not items:
        return WORDS("no_meetings")
    return WORDS("meetings", count=len(items), list=WORDS("semicolon").join(items))


def _fault_list(work: Work, rows: list[Fault]) -> str:
    places = {row.number: work.org.sites.get(row.site_id or "") for row in rows}
    items = [WORDS("fault", number=number, place=site.name if site else "") for number, site in places.items()]
    return WORDS("faults", count=len(items), list=joined(items)) if items else WORDS("no_faults")


def _duty(work: Work, unit_id: str) -> str:
    """Who is on duty in the group's unit and the units directly below it."""
    units = [work.org.units[unit_id], *work.org.children(unit_id, "operations")]
    lines = []
    for unit in units:
        people = joined([call(person) for person in work.org.on_duty(unit.unit_id, work.now)])
        lines.append(WORDS("duty", unit=unit.name, people=people or WORDS("nobody")))
    return WORDS("semicolon").join(lines)
