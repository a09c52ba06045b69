"""The pieces of times: dates, clocks, instants counted from now; and how each becomes a value."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from intents.time_lengths import duration_minutes, number
from intents.words import load_toml, patterns

_WORDS = load_toml("times.toml")
_PATTERNS = patterns("times.toml")
_WEEK = {char: value for value, char in enumerate(_WORDS["week"])} | {str(day): day - 1 for day in range(1, 8)}
_WEEK |= {"天": 6, "末": 5}
_HALF = {word: half for half, words in _WORDS["half"].items() for word in words.split()}
_PERIOD = "|".join(sorted(_HALF, key=len, reverse=True))
_DAYS, _FOLLOWING, _YEARS = (
    {word: int(offset) for offset, words in _WORDS[table].items() for word in words.split()}
    for table in ("day", "following", "year")
)
_FEASTS = {word: day for day, words in _WORDS["feast"].items() for word in words.split()}
JOINS_CLOCK, IS_RANGE, IS_GLOSS = (_PATTERNS[name] for name in ("joins_clock", "is_range", "is_gloss"))
DENIED_DAY, PUT_OFF, BROUGHT_FORWARD = (_PATTERNS[name] for name in ("denied_day", "put_off", "brought_forward"))
_UNSURE = ("uncertain",)
SAID_AFTER, ENDS_THERE = _PATTERNS["said_after"], _PATTERNS["ends_there"]
_A_LITTLE = ("早一点", "晚一点")
_TWO_DAYS, _TWO_HOURS = _PATTERNS["two_days"], _PATTERNS["two_hours"]


@dataclass(frozen=True)
class Token:
    """One piece. A date carries parts to resolve later; a clock its hour, minute and half-day as said."""

    kind: Literal["date", "clock", "instant"]
    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    offset: int | None = None
    weekday: int | None = None
    week: int | None = None
    follows: bool = False
    until: date | None = None
    hour: int | None = None
    minute: int = 0
    half: str | None = None
    exact: bool = False
    moment: datetime | None = None
    flags: tuple[str, ...] = ()


_Maker = Callable[[re.Match[str], datetime], Token | None]


def _token(match: re.Match[str], **parts: object) -> Token:
    return Token("date", match.start(), match.end(), **parts)  # type: ignore[arg-type]  # parts are Token's fields


def _full(match: re.Match[str], now: datetime) -> Token | None:
    return _valid(match, _year(match["fy"], now), number(match["fm"]), number(match["fd"]))


def _year(said: str, now: datetime) -> int:
    """ "明年", "2026", "二六": two digits are of this century unless that is far ahead."""
    shift = _YEARS.get(said[0]) if said[-1] == "年" or said in _YEARS else None
    if shift is not None:
        return now.year + shift
    value = number(said)
    return value if len(said) > 2 else value + (2000 if value <= now.year % 100 + 20 else 1900)


def _compact(match: re.Match[str], _now: datetime) -> Token | None:
    return _valid(match, int(match["cy"]), int(match["co"]), int(match["cx"]))


def _valid(match: re.Match[str], year: int | None, month: int, day: int) -> Token | None:
    """A day of the calendar; the last of the month, in doubt, for one that no month or not this one has ("2月30日")."""
    if not 1 <= month <= 12 or not 1 <= day <= 31 or (year is not None and not 1900 <= year <= 2100):
        return None
    last = calendar.monthrange(year or 2024, month)[1]
    return _token(match, year=year, month=month, day=min(day, last), flags=_UNSURE if day > last else ())


def _month_day(match: re.Match[str], now: datetime) -> Token | None:
    month, day = number(match["mm"]), number(match["md"])
    found = _valid(match, None, month, day)
    leap = (month, day) != (2, 29) or calendar.isleap(now.year)
    return found if found is None or leap else replace(found, flags=_UNSURE)


def _days_apart(match: re.Match[str], _now: datetime) -> Token | None:
    """The first day of "25-27日"; "11-3日" is a month and a day, or two days."""
    first, last = number(match["da"]), number(match["db"])
    if not 1 <= first <= 31 or not 1 <= last <= 31:
        return None
    return _token(match, day=first, flags=() if first < last or first > 12 else _UNSURE)


def _four_digits(match: re.Match[str], _now: datetime) -> Token | None:
    return _valid(match, None, int(match["qm"]), int(match["qd"]))


def _slashed(match: re.Match[str], _now: datetime) -> Token | None:
    if 12 < int(match["sm"]) <= 31 and int(match["sd"]) <= 31 and match.group()[-1] in "日号":
        return _token(match, day=int(match["sm"]), flags=_UNSURE)  # "26/27号": one of two days
    return _valid(match, None, int(match["sm"]), int(match["sd"]))


def _shifted_month(now: datetime, word: str) -> tuple[int, int]:
    shift = word.count("下") - word.count("上")
    months = now.year * 12 + now.month - 1 + shift
    return months // 12, months % 12 + 1


def _own_month(match: re.Match[str], now: datetime) -> Token | None:
    year, month = _shifted_month(now, match["ow"])
    found = _valid(match, year, month, number(match["od"]))
    return replace(found, flags=_UNSURE) if found and match["ow"] == "同月" else found


def _bare_day(match: re.Match[str], _now: datetime) -> Token | None:
    day = number(match["bd"])
    return _token(match, day=day) if 1 <= day <= 31 else None


def _near_day(match: re.Match[str], _now: datetime) -> Token | None:
    word = match["nd"]
    if word in _FOLLOWING:
        return _token(match, offset=_FOLLOWING[word], follows=True, flags=_UNSURE if word[0] == "头" else ())
    return _token(match, offset=_DAYS[word], flags=_UNSURE if _TWO_DAYS.match(word) else ())


def _weekday(match: re.Match[str], _now: datetime) -> Token | None:
    prefix = match["ww"] or ""
    week = None
    if prefix:
        week = prefix.count("下") - prefix.count("上")
    vague = match["wd"] == "末" or match["wt"] or match["we"]
    flags = ("uncertain",) if vague else ()
    return _token(match, weekday=_WEEK[match["wd"]], week=week, flags=flags)


def _nth_weekday(match: re.Match[str], now: datetime) -> Token | None:
    """ "本月最后一个周五", "12月第二个周三"."""
    year, month = _shifted_month(now, match["nw"])
    if match["nw"][-1] != "月" or match["nw"][0] not in "本这下":
        month = number(match["nw"].rstrip("份").rstrip("月"))
        year = now.year + (month < now.month)
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    days = [day for day in range(1, last + 1) if date(year, month, day).weekday() == _WEEK[match["nv"]]]
    nth = number(match["nk"]) - 1 if match["nk"] else len(days) - 1
    return _token(match, year=year, month=month, day=days[nth]) if 0 <= nth < len(days) else None


def _whole_week(match: re.Match[str], now: datetime) -> Token | None:
    shift = match["hw"].count("下") - match["hw"].count("上")
    if match["hf"]:
        return _token(match, weekday=0, week=shift)
    monday = now.date() - timedelta(days=now.weekday()) + timedelta(weeks=shift)
    return _token(
        match,
        year=monday.year,
        month=monday.month,
        day=monday.day,
        until=monday + timedelta(days=6),
        flags=("uncertain",),
    )


def _month_end(match: re.Match[str], now: datetime) -> Token | None:
    word = match["me"]
    year, month = _shifted_month(now, word)
    flags: tuple[str, ...] = () if "最后" in word else ("uncertain",)
    if "年底" in word or "年末" in word:
        month = 12
    named = match["mn"] or match["mk"]
    if named:
        month = number(named)
        year = now.year + (month < now.month)
    if not 1 <= month <= 12:
        return None
    return _token(match, year=year, month=month, day=calendar.monthrange(year, month)[1], flags=flags)


def _every_day(match: re.Match[str], _now: datetime) -> Token | None:
    return _token(match, offset=0, follows=True, flags=("uncertain",))


def _every_month(match: re.Match[str], _now: datetime) -> Token | None:
    day = number(match["ed"])
    return _token(match, day=day, flags=("uncertain",)) if 1 <= day <= 31 else None


def _month_part(match: re.Match[str], now: datetime) -> Token | None:
    """ "月初", "12月中旬": ten days or so, never one day."""
    year, month = _shifted_month(now, match["mw"] or "")
    if match["mo"]:
        month = number(match["mo"])
        year = now.year + (month < now.month)
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    first, until = {"中旬": (11, 20), "下旬": (21, last)}.get(match["mp"], (1, 10))
    return _token(match, year=year, month=month, day=first, until=date(year, month, until), flags=("uncertain",))


def _days_later(match: re.Match[str], now: datetime) -> Token | None:
    """ "三天后", "两周后"; months are about so long, and "25日后" may be a date."""
    count, unit = number(match["ln"]), match["lu"]
    length = 30 if "月" in unit else 7 if unit[-1] in "周期拜" else 1
    if match["ln"] == "半":
        if length != 30:
            return None
        count, length = 1, 15
    if unit == "日" and match["ln"].isdigit() and count > 7:
        return _token(match, day=count, flags=_UNSURE) if count <= 31 else None
    day = now.date() + timedelta(days=count * length)
    unsure = length in (15, 30)
    return _token(match, year=day.year, month=day.month, day=day.day, flags=_UNSURE if unsure else ())


def _feast(match: re.Match[str], now: datetime) -> Token | None:
    """The feast to come, or the one that is just over."""
    said = match["hd"] or match["hn"]
    month, day = next(when for name, when in _FEASTS.items() if said.endswith(name)).split("-")
    if match.string[: match.start()].endswith("年"):
        return _token(match, month=int(month), day=int(day))
    over = date(now.year, int(month), int(day)) < now.date() - timedelta(days=60)
    return _token(match, year=now.year + over, month=int(month), day=int(day))


def _instant(match: re.Match[str], now: datetime, group: str = "in") -> Token | None:
    minutes = duration_minutes(match[group])
    if minutes is None:
        return None
    return Token("instant", match.start(), match.end(), moment=now + timedelta(minutes=minutes))


def _instant_in(match: re.Match[str], now: datetime) -> Token | None:
    return _instant(match, now, "ix")


def _instant_left(match: re.Match[str], now: datetime) -> Token | None:
    return _instant(match, now, "iy")


def _clock(match: re.Match[str], _now: datetime) -> Token | None:
    half = _HALF.get(match["cp"] or "") or _HALF.get(match["cs"] or "")
    flags: tuple[str, ...] = ()
    if match["ch"] is not None:
        hour, minute = int(match["ch"]), int(match["cm"])
        exact = match["ch"].startswith("0")
    elif match["ah"] is not None:
        hour, minute, exact = int(match["ah"]), 0, False
    elif match["dh"] is not None:
        before = 15 if "刻" in match["dm"] else number(match["dm"])
        hour, minute, exact = number(match["dh"]) - 1, 60 - before, False
    elif match["rh"] is not None:
        hour, minute, exact = number(match["rh"]), 0, False
        if half is None and ":" in match["re"]:
            return None
    else:
        hour, flags = _hour(match["ph"], match["pa"])
        hour, minute, exact = hour - (match["pd"] is not None), _minutes(match), False
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    return Token("clock", match.start(), match.end(), hour=hour, minute=minute, half=half, exact=exact, flags=flags)


def _hour(said: str, other: str | None) -> tuple[int, tuple[str, ...]]:
    """The hour; of "三四点" and "7、8点" the later one, in doubt."""
    if _TWO_HOURS.search(said):
        return number(said[:-2] + said[-1]), _UNSURE
    return number(said), () if other is None else _UNSURE


def _minutes(match: re.Match[str]) -> int:
    tail = match["pt"] or ""
    if match["pd"]:
        return 60 - (15 if "刻" in match["pd"] else number(match["pd"]))
    if "半" in tail:
        return 30
    if "刻" in tail:
        return 45 if "三" in tail or "3" in tail else 15
    return number(match["pm"]) if match["pm"] else 0


_MAKERS: dict[str, _Maker] = {
    "instant": _instant,
    "instant_in": _instant_in,
    "instant_left": _instant_left,
    "compact": _compact,
    "full": _full,
    "month_day": _month_day,
    "days_apart": _days_apart,
    "slashed": _slashed,
    "four_digits": _four_digits,
    "own_month": _own_month,
    "bare_day": _bare_day,
    "near_day": _near_day,
    "nth_weekday": _nth_weekday,
    "weekday": _weekday,
    "whole_week": _whole_week,
    "every_day": _every_day,
    "every_month": _every_month,
    "month_part": _month_part,
    "month_end": _month_end,
    "days_later": _days_later,
    "feast": _feast,
    "clock": _clock,
}


def _filled(pattern: str) -> str:
    for name, piece in {**_WORDS["piece"], "PERIOD": _PERIOD}.items():
        pattern = pattern.replace(f"%{name}%", piece)
    return pattern


_GRAMMAR = tuple((_filled(pattern), _MAKERS[name]) for name, pattern in _WORDS["grammar"].items())
_BEGINS = _PATTERNS["begins"].pattern  # most characters begin no time: one look instead of twenty
_ANY = "|".join(f"(?P<g{index}>{pattern})" for index, (pattern, _) in enumerate(_GRAMMAR))
_ALL = re.compile(f"(?={_BEGINS})(?:{_ANY})")
_GROUPS = tuple(maker for _, maker in _GRAMMAR)


def scan(text: str, now: datetime) -> list[Token]:
    """All tokens, in order, never overlapping."""
    if not _PATTERNS["likely"].search(text):
        return []
    found: list[Token] = []
    at = 0
    while (match := _ALL.search(text, at)) is not None:
        token = _GROUPS[_which(match)](match, now)
        if token is None or (token.kind == "clock" and _is_counting(text, match, token)):
            at = match.start() + 1
            continue
        if token.month is not None and text[token.start - 1 : token.start] in ("年", "的"):
            token = _in_year(token, text[max(0, token.start - 6) : token.start], now)
        found.append(token)
        at = match.end()
    return found


def _in_year(token: Token, before: str, now: datetime) -> Token:
    """The date in the year that is named before it ("明年元旦"); in doubt when that is not a year we can tell."""
    said = _PATTERNS["year_before"].search(before)
    if said is None:
        return token if before.endswith("的") else replace(token, flags=(*token.flags, *_UNSURE))
    year = _year(said["y"], now)
    if token.year is None:
        return replace(token, year=year)
    return token if token.year == year else replace(token, year=year, flags=(*token.flags, *_UNSURE))


def _which(match: re.Match[str]) -> int:
    return next(index for index in range(len(_GROUPS)) if match[f"g{index}"] is not None)


def _is_counting(text: str, match: re.Match[str], token: Token) -> bool:
    """ "三点要求", "快一点", "零点五": points, bits and fractions, not hours."""
    if match.group() in _A_LITTLE:
        return True
    said = match["ph"] or match["rh"]
    if said is None or token.half is not None or token.minute or match["pt"]:
        return False
    before, after = text[: match.start()], text[match.end() if match["ph"] else match.end("re") :]
    if _PATTERNS["decimal"].match(after) and text[match.end() - 1] == "点":
        return True
    if said == "一" and (_PATTERNS["idle_dot"].search(before) or not _PATTERNS["one_oclock"].match(after)):
        return True
    return bool(_PATTERNS["dot_noun"].match(after)) or bool(_PATTERNS["list_head"].search(before))
