"""Two hours of working time: over noon, over night, over the weekend, over holidays and make-up days."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.settings import parse_hours
from tests.scenario import scenario
from workflows.worktime import after, after_working, hours_of, is_working_day

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


MINUTE = timedelta(minutes=1)
ZONE = at("2026-01-01T00:00").tzinfo
FIRST, LAST = date(2023, 12, 1), date(2027, 1, 31)


def counted(hours: Sequence[tuple[time, time]]) -> list[datetime]:
    """Every minute in which people work, over three years, one by one."""
    day_of_minutes = [number * MINUTE for number in range(24 * 60)]
    worked = [span for span in day_of_minutes if any(o <= (at("2026-01-01T00:00") + span).time() < c for o, c in hours)]
    minutes = []
    for ahead in range((LAST - FIRST).days):
        day = FIRST + timedelta(days=ahead)
        if is_working_day(day):
            midnight = datetime.combine(day, time(), ZONE)
            minutes += [midnight + span for span in worked]
    return minutes


@pytest.mark.parametrize("text", ["09:00-12:00,13:30-17:30", "00:00-23:59"])
def test_the_sums_agree_with_counting_minute_by_minute_over_years(text: str) -> None:
    hours = parse_hours(text)
    minutes = counted(hours)
    start, stop = at("2024-01-01T00:00"), at("2026-12-20T00:00")
    steps = 0
    while start < stop:
        for length in (1, 120, 421, 1500):
            first = bisect_left(minutes, start)
            assert after_working(start, length * MINUTE, hours) == minutes[first + length - 1] + MINUTE, (start, length)
        start += 397 * MINUTE
        steps += 1
    assert steps > 3900


def test_the_days_counted_are_the_published_ones() -> None:
    """2026: some holidays on weekdays, some weekends worked instead (notice of the State Council)."""
    off = [
        date(2026, 1, 1),
        date(2026, 2, 16),
        date(2026, 2, 17),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 10, 1),
    ]
    made_up = [date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 10, 10)]
    assert not any(is_working_day(day) for day in off)
    assert all(day.weekday() >= 5 and is_working_day(day) for day in made_up)


async def test_a_unit_has_its_own_hours_and_those_below_have_them_too(tmp_path: Path) -> None:
    calendar = {
        "unit_hours": {"X1": "08:00-11:30,15:00-18:30"},
        "days_off": ["2026-11-25"],
        "working_days": ["2026-11-28"],
    }
    async with scenario(tmp_path, calendar=calendar) as bot, bot.ground.look() as work:
        assert hours_of(work, "X1") == hours_of(work, "T1") == parse_hours("08:00-11:30,15:00-18:30")
        assert hours_of(work, "X2") == HOURS
        two = timedelta(hours=2)
        assert after(work, "T1", at("2026-11-24T11:00"), two) == at("2026-11-24T16:30")
        assert after(work, "X2", at("2026-11-24T17:00"), two) == at("2026-11-26T10:30"), "the 25th is off here"
        assert after(work, "X2", at("2026-11-27T17:00"), two) == at("2026-11-28T10:30"), "a Saturday worked"
