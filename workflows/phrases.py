"""How moments, people and lists are said: clock times instead of spans, titles, unit first (``domain.md``, manners)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from storage.models import Person
from storage.work import Work
from workflows.words import Words

WORDS = Words("phrases")


def clock(work: Work, moment: datetime) -> str:
    """``15:20`` today, ``11月25日（周三）9:30`` on another day."""
    local, today = work.local(moment), work.local(work.now)
    time = f"{local.hour}:{local.minute:02d}"
    return time if local.date() == today.date() else f"{day(work, moment)}{time}"


def full_clock(work: Work, moment: datetime) -> str:
    """Always with date and weekday: ``11月25日（周三）9:30``."""
    local = work.local(moment)
    return f"{day(work, moment)}{local.hour}:{local.minute:02d}"


def day(work: Work, moment: datetime) -> str:
    """``11月25日（周三）``."""
    local = work.local(moment)
    return WORDS("day", month=local.month, day=local.day, weekday=WORDS.get("weekdays")[local.weekday()])


def call(person: Person) -> str:
    """How to address someone: family name and title (``李工``, ``王主任``), the full name when no title is known."""
    return f"{person.name[:1]}{person.title}" if person.title else person.name


def greeting(person: Person, text: str) -> str:
    """The same words to one person: ``王主任您好：…``."""
    return WORDS("greeting", call=call(person), text=text)


def calls(people: Iterable[Person]) -> str:
    """Several people in one breath: ``李工、王工``."""
    return str(WORDS.get("comma")).join(call(person) for person in people)


def joined(names: Sequence[str], most: int = 8) -> str:
    """A list of names, cut with 等N个 when it is long."""
    head = str(WORDS.get("comma")).join(names[:most])
    return head if len(names) <= most else WORDS("and_more", head=head, count=len(names))


def fit(text: str, most: int = 60) -> str:
    """A user's own words, on one line and not longer than ``most`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"
