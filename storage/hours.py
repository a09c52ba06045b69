"""Spans of the day such as ``22:00-07:00``: whether a moment lies in one, and when that one began and ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True)
class Span:
    """One span of hours on the calendar, in local time; the end does not belong to it."""

    starts: datetime
    ends: datetime


def span_at(local: datetime, hours: Iterable[tuple[time, time]]) -> Span | None:
    """The span that ``local`` lies in; one that ends no later than it starts goes past midnight."""
    for start, end in hours:
        for day in (local.date() - timedelta(days=1), local.date()):
            begins = datetime.combine(day, start, local.tzinfo)
            ends = datetime.combine(day + timedelta(days=1 if start >= end else 0), end, local.tzinfo)
            if begins <= local < ends:
                return Span(begins, ends)
    return None
