"""What the pieces of times become: the day a date means, the hour a clock means, and what is uncertain in it."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from intents.time_tokens import Token


def resolve_day(
    token: Token, today: date, anchor: date | None, after: date | None = None, near: date | None = None
) -> date:
    """The day a date token means. `anchor` is the last day named before, `near` the last one that was told in full;
    `after`: this one ends a range that begins there."""
    if token.offset is not None:
        return (anchor if token.follows and anchor else today) + timedelta(days=token.offset)
    near = near if near is not None and near > today and after is None else None
    if token.weekday is not None:
        return _resolve_weekday(token, today, after, near)
    if token.month is not None and token.day is not None:
        return _resolve_month(token, near or today, after)
    if near is not None:
        return _resolve_near(token.day or 1, today, near)
    return _resolve_bare(token.day or 1, today, after)


def _resolve_near(day: int, today: date, near: date) -> date:
    """ "1月15日开会，14日联调": the day of that number nearest to the one named before, not past."""
    first = near.replace(day=1)
    months = ((first - timedelta(days=1)).replace(day=1), first, (first + timedelta(days=31)).replace(day=1))
    options = [
        month.replace(day=day)
        for month in months
        if day <= calendar.monthrange(month.year, month.month)[1] and month.replace(day=day) >= today
    ]
    return min(options, key=lambda option: abs((option - near).days), default=near)


def _resolve_weekday(token: Token, today: date, after: date | None, near: date | None) -> date:
    """A bare weekday is the next one, or of the week of the day named before ("下周三开会，周二联调")."""
    base = after if after is not None and token.week is None else today
    if near is not None and token.week is None:
        day = near + timedelta(days=(token.weekday or 0) - near.weekday())
        return day if day >= today else day + timedelta(weeks=1)
    monday = base - timedelta(days=base.weekday())
    day = monday + timedelta(weeks=token.week or 0, days=token.weekday or 0)
    if token.week is None and day < base:
        day += timedelta(weeks=1)
    return day


def _resolve_month(token: Token, today: date, after: date | None) -> date:
    month, day = token.month or 1, token.day or 1
    if token.year is not None:
        return date(token.year, month, day)
    base = after or today
    options = [
        date(year, month, day)
        for year in range(base.year - 4, base.year + 5)
        if day <= calendar.monthrange(year, month)[1]
    ]
    if after is not None:
        options = [option for option in options if option >= after] or options
    return min(options, key=lambda option: abs((option - base).days))


def _resolve_bare(day: int, today: date, after: date | None) -> date:
    """The next such day from today, or from the start of a range."""
    base = after or today
    year, month = base.year, base.month
    for _ in range(12):
        if day <= calendar.monthrange(year, month)[1] and date(year, month, day) >= base:
            return date(year, month, day)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return base


def gloss(day: date, token: Token, follower: Token, today: date) -> tuple[date, tuple[str, ...]]:
    """ "下周四（12月3日）", "12月3日（周四）": the calendar date wins, a weekday that disagrees is flagged."""
    if follower.weekday is not None and follower.month is None:
        return day, () if day.weekday() == follower.weekday else ("weekday_mismatch",)
    other = resolve_day(follower, today, None)
    if token.weekday is not None:
        return other, () if other.weekday() == token.weekday else ("weekday_mismatch",)
    return other, () if other == day else ("weekday_mismatch",)


def true_hour(token: Token, half: str | None, carried: str | None) -> tuple[int, int, tuple[str, ...]]:
    """Hour of the day, days to add, and flags; `carried` is the half-day last said in the message."""
    hour = token.hour or 0
    if hour == 24:
        return 0, 1, ()
    if half is not None:
        return _by_half(hour, half)
    if token.exact or hour == 0 or hour > 12:
        return hour, 0, ()
    if carried == "night" and 5 <= hour <= 11:
        return hour + 12, 0, ("pm_assumed",)
    if hour <= 5 or (hour == 6 and carried != "am"):
        return hour + 12, 0, ("pm_assumed",)
    return hour, 0, ()


def _by_half(hour: int, half: str) -> tuple[int, int, tuple[str, ...]]:
    if half == "night":
        if hour == 12:
            return 0, 1, ()
        if hour < 5:
            return hour, 1, ("uncertain",)
        return (hour + 12 if hour < 12 else hour), 0, ()
    if half == "pm":
        return (hour + 12 if hour < 12 else hour), 0, ()
    if half == "noon":
        return (hour + 12 if hour < 5 else hour), 0, ()
    if half == "dawn" and hour == 12:
        return 0, 0, ()
    return hour, 0, () if hour < 13 else ("uncertain",)
