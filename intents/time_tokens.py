"""The pieces of times: dates, clocks, instants counted from now; and how each becomes a value."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from intents.words import load_toml, patterns

_WORDS = load_toml("times.toml")
_PATTERNS = patterns("times.toml")
_DIGITS = {char: value for value, char in enumerate(_WORDS["digits"])} | {"〇": 0, "两": 2, "俩": 2, "元": 1}
_WEEK = {char: value for value, char in enumerate(_WORDS["week"])} | {str(day): day - 1 for day in range(1, 8)}
_WEEK |= {"天": 6, "末": 5}
_HALF = {word: half for half, words in _WORDS["half"].items() for word in words.split()}
_PERIOD = "|".join(sorted(_HALF, key=len, reverse=True))
_DAYS = {word: int(offset) for offset, words in _WORDS["day"].items() for word in words.split()}
JOINS_CLOCK, IS_RANGE, IS_GLOSS = (_PATTERNS[name] for name in ("joins_clock", "is_range", "is_gloss"))
DENIED_DAY, PUT_OFF = _PATTERNS["denied_day"], _PATTERNS["put_off"]


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


def number(text: str) -> int:
    """A Chinese or plain number below 100; 二〇二六 digit by digit."""
    if text.isdigit():
        return int(text)
    if "十" in text:
        tens, _, ones = text.partition("十")
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    value = 0
    for char in text:
        value = value * 10 + _DIGITS.get(char, 0)
    return value


_Maker = Callable[[re.Match[str], datetime], Token | None]


def _token(match: re.Match[str], **parts: object) -> Token:
    return Token("date", match.start(), match.end(), **parts)  # type: ignore[arg-type]  # parts are Token's fields


def _full(match: re.Match[str], now: datetime) -> Token | None:
    year = match["fy"]
    value = {"今年": now.year, "明年": now.year + 1, "去年": now.year - 1}.get(year)
    return _valid(match, value or number(year), number(match["fm"]), number(match["fd"]))


def _compact(match: re.Match[str], _now: datetime) -> Token | None:
    return _valid(match, int(match["cy"]), int(match["co"]), int(match["cx"]))


def _valid(match: re.Match[str], year: int | None, month: int, day: int) -> Token | None:
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year or 2024, month)[1]:
        return None
    return _token(match, year=year, month=month, day=day)


def _month_day(match: re.Match[str], _now: datetime) -> Token | None:
    return _valid(match, None, number(match["mm"]), number(match["md"]))


def _slashed(match: re.Match[str], _now: datetime) -> Token | None:
    return _valid(match, None, int(match["sm"]), int(match["sd"]))


def _shifted_month(now: datetime, word: str) -> tuple[int, int]:
    shift = 1 if "下" in word else -1 if "上" in word else 0
    months = now.year * 12 + now.month - 1 + shift
    return months // 12, months % 12 + 1


def _own_month(match: re.Match[str], now: datetime) -> Token | None:
    year, month = _shifted_month(now, match["ow"])
    return _valid(match, year, month, number(match["od"]))


def _bare_day(match: re.Match[str], _now: datetime) -> Token | None:
    day = number(match["bd"])
    return _token(match, day=day) if 1 <= day <= 31 else None


def _near_day(match: re.Match[str], _now: datetime) -> Token | None:
    word = match["nd"]
    if word in ("次日", "第二天", "翌日", "隔天"):
        return _token(match, offset=1, follows=True)
    if word in ("当天", "当日", "当晚"):
        return _token(match, offset=0, follows=True)
    return _token(match, offset=_DAYS[word])


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
    count = number(match["ln"]) * (7 if match["lu"] in ("周", "个星期", "个礼拜", "星期") else 1)
    day = now.date() + timedelta(days=count)
    return _token(match, year=day.year, month=day.month, day=day.day)


def _feast(match: re.Match[str], _now: datetime) -> Token | None:
    month, day = {"元旦": (1, 1), "劳动节": (5, 1), "国庆节": (10, 1)}[match["hd"]]
    return _token(match, month=month, day=day)


def _instant(match: re.Match[str], now: datetime, group: str = "in") -> Token | None:
    minutes = duration_minutes(match[group])
    if minutes is None:
        return None
    return Token("instant", match.start(), match.end(), moment=now + timedelta(minutes=minutes))


def _instant_in(match: re.Match[str], now: datetime) -> Token | None:
    return _instant(match, now, "ix")


def _clock(match: re.Match[str], _now: datetime) -> Token | None:
    half = _HALF.get(match["cp"] or "") or _HALF.get(match["cs"] or "")
    if match["ch"] is not None:
        hour, minute = int(match["ch"]), int(match["cm"])
        exact = match["ch"].startswith("0")
    elif match["ah"] is not None:
        hour, minute, exact = int(match["ah"]), 0, False
    elif match["dh"] is not None:
        before = 15 if "刻" in match["dm"] else number(match["dm"])
        hour, minute, exact = number(match["dh"]) - 1, 60 - before, False
    else:
        hour, minute, exact = number(match["ph"]) - (match["pd"] is not None), _minutes(match), False
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    return Token("clock", match.start(), match.end(), hour=hour, minute=minute, half=half, exact=exact)


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
    "compact": _compact,
    "full": _full,
    "month_day": _month_day,
    "slashed": _slashed,
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
_ALL = re.compile("|".join(f"(?P<g{index}>{pattern})" for index, (pattern, _) in enumerate(_GRAMMAR)))
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
        found.append(token)
        at = match.end()
    return found


def _which(match: re.Match[str]) -> int:
    return next(index for index in range(len(_GROUPS)) if match[f"g{index}"] is not None)


def _is_counting(text: str, match: re.Match[str], token: Token) -> bool:
    """ "三点要求", "快一点": points and bits, not hours."""
    if match["ph"] is None or token.half is not None or token.minute or match["pt"]:
        return False
    before, after = text[: match.start()], text[match.end() :]
    if match["ph"] == "一" and (_PATTERNS["idle_dot"].search(before) or not _PATTERNS["one_oclock"].match(after)):
        return True
    return bool(_PATTERNS["dot_noun"].match(after)) or bool(_PATTERNS["list_head"].search(before))


_MINUTES = re.compile(_WORDS["piece"]["LENGTH"])


def duration_minutes(text: str) -> int | None:
    """The first length of time, in minutes; None when there is none."""
    match = _MINUTES.search(text)
    return None if match is None else _length(match.group())


def _length(text: str) -> int:
    if "刻" in text:
        return 15 * number(text[0])
    if "分" in text and "小时" not in text and "钟头" not in text:
        return _big_number(re.sub(r"[来多]?分钟?$", "", text))
    head, _, tail = text.partition("小时") if "小时" in text else text.partition("钟头" if "钟头" in text else "钟")
    minutes = 30 if tail.startswith("半") else int(re.sub(r"\D", "", tail) or 0)
    if head in ("半个", "半"):
        return 30
    half = 30 if "半" in head else 0
    plain = head.replace("个", "").replace("半", "")
    hours = float(plain) if plain[:1].isdigit() else number(plain or "一")
    return int(hours * 60) + half + minutes


def _big_number(text: str) -> int:
    if "百" in text:
        head, _, tail = text.partition("百")
        return number(head or "一") * 100 + (number(tail) if tail else 0)
    return number(text)
