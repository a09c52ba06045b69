"""Night and noon: the one place that decides when the bot may say something of itself (``domain.md``, manners).

Who has just written is awake and gets answers at once, where they wrote; what a coordinator publishes goes out at once.
Of the rest only what cannot wait is said at night and at noon: faults of levels I and II, running meetings, meetings
before 10:00 of the next day. At night even that goes to people and not into groups, except that the conversation of a
report hears when its fault's state changes. What waits is said at 7:30 (14:00), as it then stands: ``digest.py``.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlmodel import select

from storage.hours import span_at
from storage.messages import Address, Urgency
from storage.models import Delivery, Fault, Meeting, Timer
from storage.timers import set_timer
from storage.work import Work
from workflows import meeting_clock
from workflows.fault_book import AHEAD
from workflows.phrases import clock
from workflows.words import Words

WORDS = Words("manners")
RELEASE = "release"
"""The kind of the timer that says what has waited."""
GRACE = timedelta(minutes=5)
"""What waits goes by itself this long after its moment, should nothing have put it together by then."""
ASKED = "notice"
"""The kind of what a coordinator has just asked for."""
CARD = "card"
"""The kind of what only brings a card up to date: nobody hears it."""
ALARM = "channel"
"""The kind of an alarm to the operators."""
HUSH = "hush"
ANSWERED = timedelta(minutes=5)
"""An answer that is no older still goes where it was asked for, although night or noon has begun meanwhile."""
EMAIL = "email"
"""Mail wakes nobody."""


@dataclass(frozen=True)
class Hush:
    """A night or noon: when it began, when what waits is said, and whether even groups sleep."""

    starts: datetime
    ends: datetime
    groups_sleep: bool


def hush(work: Work) -> Hush | None:
    """The night or noon that it is now, if any. Everybody asks, so it is worked out once for a moment."""
    key = (HUSH, work.now)
    if key not in work.memo:
        work.memo[key] = _hush(work)
    now: Hush | None = work.memo[key]
    return now


def _hush(work: Work) -> Hush | None:
    calendar, local = work.settings.calendar, work.local(work.now)
    if span := span_at(local, calendar.noon):
        return Hush(span.starts, span.ends, groups_sleep=False)
    until = [(start, _later(start, end, calendar.morning)) for start, end in calendar.night]
    if span := span_at(local, until):
        return Hush(span.starts, span.ends, groups_sleep=span_at(local, calendar.night) is not None)
    return None


def _later(start: time, end: time, morning: time) -> time:
    """The end of the night, or the morning after it."""
    return morning if end < morning < start else end


def groups_sleep(work: Work) -> bool:
    """Whether it is night: groups are left alone."""
    now = hush(work)
    return now is not None and now.groups_sleep


async def instead_of_group(work: Work, meeting: Meeting, place: Address) -> list[Address]:
    """Where its coordinator hears of a meeting: in ``place``; at night, if it cannot wait, in private."""
    private = work.org.addresses(meeting.created_by, work.platforms)
    if place.kind == "group" and private and groups_sleep(work) and await cannot_wait(work, meeting.number):
        return private
    return [place]


async def starts(work: Work, about: str) -> datetime:
    """From when on people hear of a subject that has just come up: now, or when night or noon is over."""
    now = hush(work)
    return work.now if now is None or await cannot_wait(work, about) else now.ends


async def told(work: Work, words: Words, key: str, about: str, **values: object) -> str:
    """The sentence that says that somebody has been told of a subject. While they are let rest it is another one,
    ``<key>_later``, which says when they will be told (``at``)."""
    hear_at = await starts(work, about)
    return words(f"{key}_later" if hear_at > work.now else key, at=clock(work, hear_at), **values)


async def cannot_wait(work: Work, about: str) -> bool:
    """Whether a fault or a meeting (its number) is spoken of at night and at noon too."""
    if about.startswith(WORDS.get("fault_number")):
        fault = await work.session.get(Fault, about)
        if fault is None:
            return False
        pressing = fault.level in WORDS.get("levels") or _is_early(work, str(fault.extra.get(AHEAD) or ""))
        return pressing or await _meeting_cannot_wait(work, fault.meeting)
    return await _meeting_cannot_wait(work, about)


async def _meeting_cannot_wait(work: Work, number: str) -> bool:
    meeting = await work.session.get(Meeting, number) if number else None
    if meeting is None or meeting.state == "draft":
        return False
    if meeting.state == "running":
        return True
    shut_down_by = meeting_clock.ends_at(meeting) + timedelta(hours=WORDS.get("shutdown_hours"))
    return meeting.starts_at < _early(work) and work.now < shut_down_by


def _is_early(work: Work, moment: str) -> bool:
    """Whether a meeting at this moment (ISO 8601, empty for none) lies between now and 10:00 of the next day."""
    return bool(moment) and work.now < datetime.fromisoformat(moment) < _early(work)


def _early(work: Work) -> datetime:
    """10:00 of the next day; after midnight and in the morning that is today."""
    local, limit = work.local(work.now), time.fromisoformat(WORDS.get("early"))
    day = local.date() + timedelta(days=1 if local.time() >= limit else 0)
    return datetime.combine(day, limit, local.tzinfo)


async def earliest(work: Work, row: Delivery, after: timedelta = timedelta()) -> datetime:
    """When a message that is being queued may be sent. ``after``: how long after the end of the hush it should come."""
    now = hush(work)
    if now is None or row.platform == EMAIL or row.kind in (ASKED, CARD) or _is_answer(work, row):
        return work.now
    pressing = await _is_pressing(work, row)
    if pressing and not (now.groups_sleep and ":group:" in row.address and not await _is_news(work, row)):
        return work.now
    return await _wait(work, now.ends + (timedelta() if pressing else after))


async def still(work: Work, row: Delivery, after: timedelta = timedelta()) -> datetime:
    """When a message may be sent that was queued by day and is still here (an outage): as if it were queued now."""
    now = hush(work)
    if now is None or row.created_at >= now.starts:
        return work.now  # judged when it was queued
    is_answer = row.urgency == int(Urgency.ANSWER) and work.now - row.created_at < ANSWERED
    return work.now if is_answer else await earliest(work, row, after)


def _is_answer(work: Work, row: Delivery) -> bool:
    """Whether it goes to whoever has just written, or where they wrote."""
    heard = work.heard
    if heard is None:
        return False
    if row.address == str(heard.conversation):
        return True
    place = Address.parse(row.address)
    speaker = work.org.person_at(heard.platform, heard.sender.account)
    return speaker is not None and place.kind == "direct" and work.org.person_at(place.platform, place.id) == speaker


async def _is_pressing(work: Work, row: Delivery) -> bool:
    """Whether it may not wait: more than routine, and about something that cannot."""
    if row.urgency <= int(Urgency.ROUTINE) or any(row.kind.startswith(one) for one in WORDS.get("patient")):
        return False
    if not row.about:
        return row.kind == ALARM or row.urgency >= int(Urgency.ESCALATION)
    return await cannot_wait(work, row.about)


async def _is_news(work: Work, row: Delivery) -> bool:
    """Whether it tells those who reported a fault that its state has changed."""
    fault = await work.session.get(Fault, row.about) if row.kind.startswith("fault:") else None
    return fault is not None and row.address in fault.conversations


async def wake(work: Work, about: str) -> bool:
    """A subject that could wait can no more: what waits about it goes now (at night to people). Whether any waited."""
    waiting = select(Delivery).where(
        Delivery.about == about, Delivery.state == "pending", Delivery.attempts == 0, Delivery.not_before > work.now
    )
    rows = (await work.session.exec(waiting)).all()
    for row in rows:
        row.not_before = await earliest(work, row)
        work.session.add(row)
    return bool(rows)


async def _wait(work: Work, until: datetime) -> datetime:
    key = f"{RELEASE}:{until.timestamp():.0f}"
    if await work.session.get(Timer, key) is None:
        await set_timer(work, key, RELEASE, until)
    return until + GRACE
