"""Which meeting a message means: a number wins, then the day, the system and the words it names. Who may see which."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlmodel import col, select

from intents.times import find_times
from storage.directory import Directory
from storage.models import Meeting, Person
from storage.work import Work
from workflows import choices
from workflows.authority import may
from workflows.meeting_edit import old_day
from workflows.phrases import full_clock
from workflows.reader import NUMBER
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("meeting")
ALIVE = ("published", "running")
RECENT = timedelta(hours=12)
HALVES = {
    "forenoon": (re.compile(WORDS.get("match.forenoon")), range(12)),
    "afternoon": (re.compile(WORDS.get("match.afternoon")), range(12, 18)),
    "evening": (re.compile(WORDS.get("match.evening")), range(18, 24)),
}


async def alive(work: Work) -> list[Meeting]:
    """Published and running meetings that are not long past, the nearest first."""
    query = select(Meeting).where(col(Meeting.state).in_(ALIVE), Meeting.starts_at > work.now - RECENT)
    return list((await work.session.exec(query.order_by(col(Meeting.starts_at)))).all())


async def just_ended(work: Work) -> list[Meeting]:
    """Meetings that have ended and may still be spoken of."""
    query = select(Meeting).where(Meeting.state == "ended", Meeting.starts_at > work.now - RECENT)
    return list((await work.session.exec(query)).all())


def number_in(turn: Turn) -> str:
    """The meeting number the message points at, or nothing."""
    return next((number for number in turn.numbers if number.startswith("HY-")), "")


def visible(org: Directory, person: Person, meeting: Meeting) -> bool:
    """People see meetings of their own area and those called from an area above that reach into it."""
    home = org.operations_unit(person.unit_id)
    if home is None:
        return False
    if any(unit.unit_id == home.unit_id for unit in org.upward(meeting.host_unit_id)):
        return True
    area = {unit.unit_id for unit in org.below(home.unit_id)}
    return any(org.sites[site].unit_id in area for site in meeting.site_ids if site in org.sites)


def changeable(turn: Turn, meeting: Meeting) -> bool:
    """Whether the speaker may change or cancel it."""
    return may(turn.work.org, turn.person, "meeting.change", meeting.host_unit_id)


def narrowed(turn: Turn, meetings: Sequence[Meeting], day: date | None) -> list[Meeting]:
    """Those that fit what the message says; a hint that fits none is left aside."""
    text, system = turn.incoming.text, turn.slot("system")
    hints: list[Callable[[Meeting], bool]] = [
        lambda one: day is None or turn.work.local(one.starts_at).date() == day,
        lambda one: system is None or system in one.systems,
        lambda one: _in_half(turn.work, text, one),
        lambda one: _shares_words(text, one.title),
    ]
    left = list(meetings)
    for hint in hints:
        left = [one for one in left if hint(one)] or left
    return left


def fits_day(work: Work, meeting: Meeting, day: date) -> bool:
    """Whether it begins on this local day."""
    return work.local(meeting.starts_at).date() == day


def _in_half(work: Work, text: str, meeting: Meeting) -> bool:
    hour = work.local(meeting.starts_at).hour
    return all(hour in hours for pattern, hours in HALVES.values() if pattern.search(text))


def _shares_words(text: str, title: str, size: int = 2) -> bool:
    pieces = {title[at : at + size] for at in range(len(title) - size + 1)} - set(WORDS.get("match.plain_words"))
    return any(piece in text for piece in pieces)


def day_asked(turn: Turn) -> date | None:
    """The day a question names."""
    spans = find_times(NUMBER.sub(" ", turn.incoming.text), turn.work.local(turn.incoming.written_at))
    starts = [span.start for span in spans]
    return next((one.date() if isinstance(one, datetime) else one for one in starts), None)


def day_pointed_at(turn: Turn) -> date | None:
    """The day by which a change or cancellation names its meeting."""
    told = turn.slot("about_start")
    if told:
        return date.fromisoformat(str(told)[:10])
    return old_day(turn.incoming.text, turn.work.local(turn.incoming.written_at))


async def one_to_change(turn: Turn, act: str) -> Meeting | None:
    """The published meeting to change or cancel; None after a refusal, a question or “not found” has been said."""
    number = number_in(turn)
    if number:
        return await _numbered(turn, number)
    mine = [one for one in await alive(turn.work) if changeable(turn, one)]
    day = day_pointed_at(turn)
    if day is not None:
        mine = [one for one in mine if fits_day(turn.work, one, day)]
    left = narrowed(turn, mine, day)
    if len(left) > 1:
        await ask_which(turn, act, left)
        return None
    if not left:
        await turn.reply(WORDS("say.nothing_found"))
        return None
    return left[0]


async def _numbered(turn: Turn, number: str) -> Meeting | None:
    meeting = await turn.work.session.get(Meeting, number)
    if meeting is None or not visible(turn.work.org, turn.person, meeting):
        await turn.reply(WORDS("say.no_number", number=number))
        return None
    if not changeable(turn, meeting):
        await turn.reply(WORDS("say.no_change_right", number=number, who=_owner(turn, meeting)), about=number)
        return None
    if meeting.state not in (*ALIVE, "draft"):
        state = WORDS(f"state.{meeting.state}")
        await turn.reply(WORDS("say.already", number=number, state=state), about=number)
        return None
    return meeting


def _owner(turn: Turn, meeting: Meeting) -> str:
    person = turn.work.org.people.get(meeting.created_by)
    unit = turn.work.org.units.get(person.unit_id) if person else None
    return f"{unit.name if unit else ''}{person.name}" if person else WORDS("say.somebody_above")


async def ask_which(turn: Turn, act: str, meetings: Iterable[Meeting]) -> None:
    """Two fit: never guess."""
    options = [
        (
            WORDS("ask.option", number=one.number, title=one.title, start=full_clock(turn.work, one.starts_at)),
            one.number,
        )
        for one in meetings
    ]
    pending = {"act": act, "text": turn.incoming.text, "slots": turn.reading.slots}
    await choices.ask(turn, "meeting.which", WORDS("ask.which"), options[:9], pending=pending)
