"""Times not said exactly: one of two, about an hour, a day that is still open. They are flagged, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from intents.words import patterns

if TYPE_CHECKING:
    from intents.times import TimeSpan

_PATTERNS = patterns("times.toml")
_OR = _PATTERNS["one_of_two"]
_OPEN_DAY = _PATTERNS["open_day"]
_AND_MORE = _PATTERNS["and_more"]
_CALENDAR = _PATTERNS["other_calendar"]


def doubt(text: str, spans: Sequence[TimeSpan]) -> list[TimeSpan]:
    """The spans, those among them that were not said exactly with the flag ``uncertain``."""
    found = list(spans)
    for at in range(1, len(found)):
        first, second = found[at - 1], found[at]
        if _OR.fullmatch(text[first.span[1] : second.span[0]]):
            found[at - 1], found[at] = _flagged(first), _flagged(_not_before(first, second))
    return [_flagged(span) if _vague(text, *span.span) else span for span in found]


def _not_before(first: TimeSpan, second: TimeSpan) -> TimeSpan:
    """ "下周二或周三": the second weekday is of the same week."""
    if _day(second) >= _day(first):
        return second
    return replace(second, start=second.start + timedelta(days=7))


def _day(span: TimeSpan) -> date:
    return span.start.date() if isinstance(span.start, datetime) else span.start


def _vague(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 12) : start]
    if _AND_MORE.match(text[end - 1 : end + 3]) or _CALENDAR.search(before):
        return True
    return bool(_OPEN_DAY.search(before))


def _flagged(span: TimeSpan) -> TimeSpan:
    return span if "uncertain" in span.flags else replace(span, flags=(*span.flags, "uncertain"))
