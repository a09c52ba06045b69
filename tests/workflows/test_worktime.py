"""Two hours of working time: over noon, over night, over the weekend, over holidays and make-up days."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.settings import parse_hours
from workflows.worktime import after_working, is_working_day

HOURS = parse_hours("09:00-12:00,13:30-17:30")
DAY = timedelta(hours=7)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+08:00")


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-11-24T09:10", 2, "2026-11-24T11:10"),
        ("2026-11-24T11:00", 2, "2026-11-24T14:30"),
        ("2026-11-24T12:30", 2, "2026-11-24T15:30"),
        ("2026-11-24T16:30", 2, "2026-11-25T10:00"),
        ("2026-11-24T20:00", 2, "2026-11-25T11:00"),
        ("2026-11-27T17:00", 2, "2026-11-30T10:30"),
        ("2026-09-30T17:00", 2, "2026-10-08T10:30"),
        ("2026-10-09T16:30", 2, "2026-10-10T10:00"),
        ("2026-11-24T15:30", 2, "2026-11-24T17:30"),
    ],
)
def test_working_hours_pass_only_while_people_work(start: str, hours: int, expected: str) -> None:
    assert after_working(at(start), timedelta(hours=hours), HOURS) == at(expected)


def test_without_office_hours_plain_time_counts() -> None:
    assert after_working(at("2026-11-28T09:00"), timedelta(hours=2), ()) == at("2026-11-28T11:00")
    never = after_working(at("2026-11-28T09:00"), timedelta(hours=2), HOURS, working=lambda _: False)
    assert never == at("2026-11-28T11:00")


def test_years_without_a_published_calendar_count_weekdays() -> None:
    assert is_working_day(date(2044, 1, 4))
    assert not is_working_day(date(2044, 1, 2))


MOMENTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 20)).map(  # noqa: DTZ001 - given a zone below
    lambda one: one.replace(tzinfo=at("2026-01-01T00:00").tzinfo)
)
LENGTHS = st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(hours=30))


@given(MOMENTS, LENGTHS, LENGTHS)
def test_two_stretches_are_as_long_as_both(start: datetime, one: timedelta, other: timedelta) -> None:
    def weekday(day: date) -> bool:
        return day.weekday() < 5

    joined = after_working(start, one + other, HOURS, weekday)
    assert after_working(after_working(start, one, HOURS, weekday), other, HOURS, weekday) == joined
    assert joined >= start + one + other
    assert weekday(joined.date())
