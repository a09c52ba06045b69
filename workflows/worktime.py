"""Working time: office hours on working days (public holidays off, make-up days on)."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

import chinese_calendar
import structlog

from storage.work import Work

log = structlog.get_logger(__name__)

Hours = Sequence[tuple[time, time]]
LONGEST = 366
"""Days looked ahead before giving up: a calendar without any working day is a mistake, not a long holiday."""


def hours_of(work: Work, unit_id: str) -> Hours:
    """The office hours of a unit: its own, else those of the nearest unit above that has some, else everybody's."""
    calendar = work.settings.calendar
    own = (calendar.unit_hours.get(unit.unit_id) for unit in work.org.upward(unit_id))
    return next((hours for hours in own if hours), calendar.office_hours)


def after(work: Work, unit_id: str, start: datetime, duration: timedelta) -> datetime:
    """The moment at which ``duration`` of a unit's working time has passed since ``start``, in local time."""
    calendar = work.settings.calendar

    def working(day: date) -> bool:
        return day in calendar.working_days or (day not in calendar.days_off and is_working_day(day))

    return after_working(work.local(start), duration, hours_of(work, unit_id), working)


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
