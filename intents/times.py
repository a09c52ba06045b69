"""The times people write about meetings: an own grammar, pure, with the present passed in.

`find_times` gives spans in the original text. A week starts on Monday; a date without a year is the nearest one; a
bare afternoon-like hour is the afternoon, flagged `pm_assumed`. Doubt is flagged, never hidden: `uncertain` and
`weekday_mismatch` mean that somebody should ask.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from intents import time_tokens as tokens
from intents import time_values as values
from intents.normal import normalise, simplified
from intents.time_doubt import doubt
from intents.time_lengths import duration_minutes
from intents.time_roles import assign_roles
from intents.time_tokens import Token

_NOON, _EVENING, _SMALL_HOURS = 12, 18, 6

Grain = Literal["day", "minute", "range"]


@dataclass(frozen=True)
class TimeSpan:
    """`start` is a date when no clock time was said. `span` are offsets in the text that was given."""

    start: datetime | date
    end: datetime | date | None
    span: tuple[int, int]
    grain: Grain
    flags: tuple[str, ...] = ()
    role: str | None = None


def find_times(text: str, now: datetime) -> list[TimeSpan]:
    """All dates and clock times of `text`, in order."""
    normal = normalise(text, simplified())
    return [replace(found, span=normal.span(*found.span)) for found in scan(normal.text, now)]


def scan(text: str, now: datetime) -> list[TimeSpan]:
    """As `find_times`, on text that is normalised already; spans count in that text."""
    assembler = _Assembler(text, now)
    found = assign_roles(text, _on_the_day_said_after(text, assembler.run(), assembler.tokens, now.date()))
    return doubt(text, _after_the_old(text, _ends_on_the_day(found, assembler.tokens), assembler.tokens))


def find_duration_minutes(text: str) -> int | None:
    """The first length of time in `text` ("20分钟", "一个半小时", "半个钟头"), in minutes."""
    return duration_minutes(normalise(text, simplified()).text)


def _ends_on_the_day(found: list[TimeSpan], read: list[Token]) -> list[TimeSpan]:
    """An end told by the clock alone is on the day of the beginning, whatever other days were named between."""
    starts = (span.start for span in found if span.role in ("start", "new"))
    first = next((start for start in starts if isinstance(start, datetime)), None)
    if first is None:
        return found
    days = [token for token in read if token.kind != "clock"]
    return [span if _has_day(span, days) else _moved(span, first) for span in found]


def _on_the_day_said_after(text: str, found: list[TimeSpan], read: list[Token], today: date) -> list[TimeSpan]:
    """ "9点联调，10点开会，都是周四": a day that stands alone is that of the clocks before it, when they had none."""
    at = next((index for index, token in enumerate(read) if token.kind != "clock"), 0)
    if at == 0 or read[at].kind != "date":
        return found
    day = next((span for span in found if span.span[0] == read[at].start), None)
    if day is None or day.grain != "day" or not tokens.SAID_AFTER.search(text[: day.span[0]]):
        return found
    if not tokens.ENDS_THERE.match(text, day.span[1]):
        return found
    ahead = timedelta(days=(_day(day.start) - today).days)
    return [_later(span, ahead) if span.span[0] < day.span[0] else span for span in found]


def _later(span: TimeSpan, ahead: timedelta) -> TimeSpan:
    return replace(span, start=span.start + ahead, end=None if span.end is None else span.end + ahead)


def _after_the_old(text: str, found: list[TimeSpan], read: list[Token]) -> list[TimeSpan]:
    """ "下周二的会顺延到周四": a bare weekday that something is put off to comes after the old day, or before it."""
    kept: list[TimeSpan] = []
    bare = _bare_weekdays(read)
    for span in found:
        alone = bare.get(span.span[0], 0) >= span.span[1]
        late = (_day(kept[-1].start) - _day(span.start)).days if kept and alone else 0
        before = text[: span.span[0]][-6:]
        if late > 0 and tokens.PUT_OFF.search(before):
            weeks = late // 7 + 1
        elif late < 0 and tokens.BROUGHT_FORWARD.search(before):
            weeks = -(-late // 7 + 1)
        else:
            weeks = 0
        kept.append(replace(span, start=span.start + timedelta(weeks=weeks)) if weeks else span)
    return kept


def _bare_weekdays(read: list[Token]) -> dict[int, int]:
    """Where the weekdays without a week begin, and where the next date does: inside the span it is their gloss."""
    days = [token for token in read if token.kind == "date"]
    ends = [*(token.start for token in days[1:]), sys.maxsize][: len(days)]
    return {
        token.start: end
        for token, end in zip(days, ends, strict=True)
        if token.weekday is not None and token.week is None
    }


def _day(value: datetime | date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _has_day(span: TimeSpan, days: list[Token]) -> bool:
    return span.role != "end" or any(span.span[0] <= token.start < span.span[1] for token in days)


def _moved(span: TimeSpan, first: datetime) -> TimeSpan:
    if not isinstance(span.start, datetime):
        return span
    end = datetime.combine(first.date(), span.start.timetz())
    return replace(span, start=end) if end > first else span


class _Assembler:
    """Joins date, weekday and clock tokens that stand together into spans; remembers the last date and half-day."""

    def __init__(self, text: str, now: datetime) -> None:
        self.text = text
        self.now = now
        self.tokens = tokens.scan(text, now)
        self.at = 0
        self.anchor: date | None = None
        self.near: date | None = None
        """The last day that was told in full: with its month, its week or its distance from today."""
        self.half: str | None = None
        self.follows = False
        """Whether the last date was told by the one before ("次日")."""
        self.found: list[TimeSpan] = []

    def run(self) -> list[TimeSpan]:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "instant" and token.moment is not None:
                self.at += 1
                self.found.append(TimeSpan(token.moment, None, (token.start, token.end), "minute", token.flags))
            elif token.kind == "clock":
                self._clock(None, token.start, ())
            else:
                self._date()
        return self.found

    def _gap(self) -> str:
        """Text between the token before the current one and the current one; a bar when there is none."""
        if self.at >= len(self.tokens):
            return "|"
        return self.text[self.tokens[self.at - 1].end : self.tokens[self.at].start]

    def _peek(self, *kinds: str) -> Token | None:
        if self.at < len(self.tokens) and self.tokens[self.at].kind in kinds:
            return self.tokens[self.at]
        return None

    def _date(self) -> None:
        first = self.tokens[self.at]
        self.at += 1
        self.follows = first.follows
        day, last, flags, end = self._day(first)
        if last is not None:
            self._finish_range(day, last, first.start, flags, end)
            clock = self._peek("clock")
            if clock is not None and tokens.JOINS_CLOCK.fullmatch(self._gap()):
                self._clock(day, clock.start, flags)  # "下周上午9点": the hour is told, the day is not
            return
        if self.anchor is None or not tokens.DENIED_DAY.search(self.text[: first.start]):
            self._keep(first, day)
        token = self._peek("clock")
        if token is not None and tokens.JOINS_CLOCK.fullmatch(self._gap()):
            self._clock(day, first.start, flags)
            return
        token = self._peek("date")
        if token is not None and tokens.IS_RANGE.fullmatch(self._gap()):
            self.at += 1
            until, _, more, end = self._day(token, after=day)
            self._finish_range(day, until, first.start, flags + more, end)
            return
        self.found.append(TimeSpan(day, None, (first.start, end), "day", flags))

    def _keep(self, token: Token, day: date) -> None:
        self.anchor = day
        if token.month is not None or token.week is not None or token.offset is not None:
            self.near = day

    def _finish_range(self, day: date, until: date, start: int, flags: tuple[str, ...], end: int) -> None:
        if until < day:
            flags += ("uncertain",)
        self.anchor = self.near = day
        self.found.append(TimeSpan(day, until, (start, end), "range", _unique(flags)))

    def _day(self, token: Token, after: date | None = None) -> tuple[date, date | None, tuple[str, ...], int]:
        """The day of a date token with what stands in brackets behind it."""
        day = values.resolve_day(token, self.now.date(), after or self.anchor, after, self.near)
        flags, end, last = token.flags, token.end, token.until
        if token.follows and (token.offset or 0) < 0 and self.anchor is None:
            flags += ("uncertain",)
        follower = self._peek("date")
        while follower is not None and not follower.follows and tokens.IS_GLOSS.fullmatch(self._gap()):
            one_weekday = (follower.weekday is None) != (token.weekday is None)
            if not (one_weekday or "(" in self._gap()):
                break  # "周四周五": two days
            day, mismatch = values.gloss(day, token, follower, self.now.date())
            flags += mismatch
            token, end, last = follower, follower.end, None
            self.at += 1
            follower = self._peek("date")
        if self.text[end : end + 1] == ")" and "(" in self.text[max(0, token.start - 2) : end]:
            end += 1
        return day, last, _unique(flags), end

    def _clock(self, day: date | None, start: int, flags: tuple[str, ...]) -> None:
        first = self.tokens[self.at]
        self.at += 1
        base = day or self.anchor or self.now.date()
        moment, more = self._moment(base, first, half="am" if self._after_a_night(base, first) else None)
        flags = flags + first.flags + more
        other = self._peek("clock", "date")
        if other is not None and tokens.IS_RANGE.fullmatch(self._gap()):
            finish = self._range_end(base, first, moment, other)
            if finish is not None:
                until, end, late = finish
                self.found.append(TimeSpan(moment, until, (start, end), "range", _unique(flags + late)))
                return
        self.found.append(TimeSpan(moment, None, (start, first.end), "minute", _unique(flags)))

    def _after_a_night(self, base: date, clock: Token) -> bool:
        """ "22:00开始，至次日1:00结束": small hours of the day after an evening are the night's."""
        last = self.found[-1].start if self.found else None
        if not isinstance(last, datetime) or last.hour < _EVENING or clock.half is not None:
            return False
        return base == last.date() + timedelta(days=1) and (clock.hour or 12) <= _SMALL_HOURS and self.follows

    def _range_end(
        self, base: date, first: Token, moment: datetime, other: Token
    ) -> tuple[datetime, int, tuple[str, ...]] | None:
        if other.kind == "date":
            return self._dated_end(base, other, moment.hour >= _EVENING)
        self.at += 1
        until, flags = self._moment(base, other, half=first.half)
        if until <= moment and other.half is None and other.hour is not None and other.hour < 12:
            later = until + timedelta(hours=12)
            until, flags = (later, ()) if later > moment else (until, flags)
        if until <= moment:
            until += timedelta(days=1)
        return until, other.end, tuple(flag for flag in flags if flag != "pm_assumed" or first.half is None)

    def _dated_end(self, base: date, other: Token, evening: bool) -> tuple[datetime, int, tuple[str, ...]] | None:
        kept = self.at
        self.at += 1
        day, _, flags, _ = self._day(other, after=base)
        clock = self._peek("clock")
        if clock is None or not tokens.JOINS_CLOCK.fullmatch(self._gap()):
            self.at = kept
            return None
        self.at += 1
        small_hours = day > base and evening and (clock.hour or 12) < _NOON
        until, more = self._moment(day, clock, half="am" if small_hours else None)
        return until, clock.end, flags + more

    def _moment(self, base: date, token: Token, half: str | None = None) -> tuple[datetime, tuple[str, ...]]:
        hour, days, flags = values.true_hour(token, token.half or half, self.half)
        if token.half is not None:
            self.half = token.half
        whole = datetime(base.year, base.month, base.day, tzinfo=self.now.tzinfo)
        return whole + timedelta(days=days, hours=hour, minutes=token.minute), flags


def _unique(flags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))
