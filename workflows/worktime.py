"""Working time: office hours on working days (public holidays off, make-up days on)."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

import chinese_calendar
import structlog

log = structlog.get_logger(__name__)

Hours = Sequence[tuple[time, time]]
LONGEST = 366
"""Days looked ahead before giving up: a calendar without any working day is a mistake, not a long holiday."""


def is_working_day(day: date) -> bool:
    """Whether people work on ``day`` (调休 included). Beyond the known calendar: Mon–Fri, with a warning."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        log.warning("no public holiday calendar for this year: counting Monday to Friday", year=day.year)
        return day.weekday() < 5


def after_working(
    start: datetime, duration: timedelta, hours: Hours, working: Callable[[date], bool] = is_working_day
) -> datetime:
    """The moment at which ``duration`` of working time has passed since ``start`` (in the zone of ``start``).

    Without office hours, or without a working day within a year, plain time counts.
    """
    left = duration
    for ahead in range(LONGEST if hours else 0):
        day = start.date() + timedelta(days=ahead)
        if not working(day):
            continue
        for opens, closes in sorted(hours):
            begin = max(start, datetime.combine(day, opens, start.tzinfo))
            end = datetime.combine(day, closes, start.tzinfo)
            if begin >= end:
                continue
            if begin + left <= end:
                return begin + left
            left -= end - begin
    return start + duration
