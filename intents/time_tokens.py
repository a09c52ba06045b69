"""The pieces of times: dates, clocks, instants counted from now; and how each becomes a value."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_N = r"(?:\d{1,2}|[零〇一二两三四五六七八九十]{1,3})"
_WEEK = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5,
         "1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "6": 5, "7": 6}
_SAID = {"dawn": "凌晨", "am": "清晨 早晨 早上 清早 一早 早 上午 晨 am", "noon": "中午 正午 午间",
         "pm": "午后 下午 傍晚 pm", "night": "晚上 晚间 夜里 夜间 深夜 半夜 夜晚 晚 夜"}
_HALF = {word: half for half, words in _SAID.items() for word in words.split()}
_PERIOD = "|".join(sorted(_HALF, key=len, reverse=True))
_COUNTED = {-3: "大前天", -2: "前天 前日", -1: "昨天 昨日 昨", 0: "今天 今日 今儿 今", 1: "明天 明日 明儿 名天 明",
            2: "后天 后日", 3: "大后天 大后日"}
_DAYS = {word: offset for offset, words in _COUNTED.items() for word in words.split()}
_NOT_A_DAY = (r"(?!楼|会议室|会议厅|会场|厅|机|线|门|桌|麦|话筒|摄|位|文|令|单|故障|工单|点位|屏|台风|主机|终端|设备|"
              r"投影|库|泵|闸|院|馆|窗|间|电|公告|通知|文件|路|码|称|口|召|井|房|仓|柜|球|通道|室|台)")
JOINS_CLOCK = re.compile(r"[ t,、的:)\]]{0,2}(?:当天|那天)?")
IS_RANGE = re.compile(r"(?:\))?(?:到|至|-{1,2}|~)(?:当天|当日)?")
IS_GLOSS = re.compile(r"[,]?[(\[即]?")


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
    flags = ("uncertain",) if match["wd"] == "末" else ()
    return _token(match, weekday=_WEEK[match["wd"]], week=week, flags=flags)


def _whole_week(match: re.Match[str], now: datetime) -> Token | None:
    shift = match["hw"].count("下") - match["hw"].count("上")
    monday = now.date() - timedelta(days=now.weekday()) + timedelta(weeks=shift)
    return _token(match, year=monday.year, month=monday.month, day=monday.day, until=monday + timedelta(days=6),
                  flags=("uncertain",))


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


def _days_later(match: re.Match[str], now: datetime) -> Token | None:
    count = number(match["ln"]) * (7 if match["lu"] in ("周", "个星期", "个礼拜", "星期") else 1)
    day = now.date() + timedelta(days=count)
    return _token(match, year=day.year, month=day.month, day=day.day)


def _feast(match: re.Match[str], _now: datetime) -> Token | None:
    month, day = {"元旦": (1, 1), "劳动节": (5, 1), "国庆节": (10, 1)}[match["hd"]]
    return _token(match, month=month, day=day)


def _instant(match: re.Match[str], now: datetime) -> Token | None:
    minutes = duration_minutes(match["in"])
    if minutes is None:
        return None
    return Token("instant", match.start(), match.end(), moment=now + timedelta(minutes=minutes))


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
        hour, minute, exact = number(match["ph"]), _minutes(match), False
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


_LENGTH = (r"(?:半个?(?:小时|钟头|钟)|(?:\d{1,3}(?:\.5)?|[一二两三四五六七八九十几]{1,3})个?半?(?:个半)?(?:小时|钟头)"
           r"(?:半|\d{1,2}分钟?)?|"
           r"(?:\d{1,3}|[一二两三四五六七八九十百]{1,4})(?:来|多)?分钟?(?!之|公司|部|局)|[一两三123]刻钟)")
_GRAMMAR: tuple[tuple[str, _Maker], ...] = (
    (rf"(?P<in>{_LENGTH})(?:之后|以后|过后|后)", _instant),
    ((rf"(?P<fy>\d{{4}}|[一二][零〇一二三四五六七八九]{{3}}|今年|明年|去年)(?:年|(?<=年)|[-/.])(?P<fm>{_N})(?:月|[-/.])"
      rf"(?P<fd>{_N})[日号]?"), _full),
    (rf"(?<!\d)(?P<mm>{_N})月(?:份)?(?P<md>{_N})(?:[日号]|(?![\d点时:个]))", _month_day),
    ((r"(?<![\d/.\-:])(?P<sm>\d{1,2})(?:/(?=\d{1,2}(?![\d/%]))|[-.](?=\d{1,2}"
      r"(?:\(|\[|周|星期|[上下中]午|早|晚|日|号| ?\d{1,2}[:点时])))"
      r"(?P<sd>\d{1,2})[日号]?"), _slashed),
    (rf"(?P<ow>本月|这个月|当月|下个?月|上个?月)(?P<od>{_N})[日号]{_NOT_A_DAY}", _own_month),
    (rf"(?<![第\d\]点a-z月])(?<![^日号]-)(?P<bd>{_N})(?:[日号]{_NOT_A_DAY}|(?=、{_N}[日号]{_NOT_A_DAY}))", _bare_day),
    ((r"(?P<nd>大前天|大后天|大后日|前天(?!线)|前日|昨天|昨日|今天|今日|今儿|明天|明日|明儿|名天|后天|后日|"
      rf"次日|第二天|翌日|隔天|当天|当日|当晚|[昨今明](?=(?:{_PERIOD})))"), _near_day),
    ((r"(?<![每一二两三四几\d])(?P<ww>(?:下下|上上|下|上|本|这)(?:个)?)?(?:周|星期|礼拜)"
      r"(?P<wd>[一二三四五六日天末]|[1-7](?!\d))(?!年|个月)"), _weekday),
    (r"(?P<hw>(?:下下|上上|下|上|本|这)个?)(?:周|星期|礼拜)(?![边围])", _whole_week),
    ((rf"(?P<me>(?:本|这个?|下个?|上个?)?(?:(?P<mn>{_N}))?月(?:底|末)?(?:的)?最后一天|"
      rf"(?<!\d)(?P<mk>{_N})月(?:底|末)|(?:本|这个|下个?)?(?<!\d)月(?:底|末)|年[底末])"), _month_end),
    (rf"(?P<ln>{_N})(?P<lu>天|日|周|个星期|个礼拜|星期)(?:之后|以后|后)", _days_later),
    (r"(?P<hd>元旦|劳动节|国庆节)(?:当天)?", _feast),
    ((rf"(?P<cp>{_PERIOD})?(?:的)?(?:"
      r"(?<!\d)(?P<ch>\d{1,2})(?:[:;]|(?<=[午上晨]\d)\.|(?<=[午上晨]\d\d)\.)(?P<cm>\d{2})(?::\d{2})?(?![\d:])"
      r"|(?<![\d:])(?P<ah>\d{1,2})(?=[ap]m)"
      rf"|差(?P<dm>{_N}|一刻)分?(?:钟)?(?:到)?(?P<dh>{_N})点"
      rf"|(?<![.\d第每])(?P<ph>{_N})(?:点钟|点|时(?!间|候|刻|长|段|限|期|代|效|许|不))"
      rf"(?:差(?P<pd>{_N}|一刻)分?|(?P<pt>半|[一三13]刻|零?(?P<pm>{_N})"
      r"(?:分(?!钟[内后]|会)|(?![\d点时:个名台位家次遍月日号楼人/.%]))|整)?)"
      r")(?P<cs>am|pm)?"), _clock),
)
_ALL = re.compile("|".join(f"(?P<g{index}>{pattern})" for index, (pattern, _) in enumerate(_GRAMMAR)))
_GROUPS = tuple(maker for _, maker in _GRAMMAR)
_LIKELY = re.compile(r"[\d零〇一二两三四五六七八九十]|[今明昨后前当次翌隔]|[周月年]|星期|礼拜|半|元旦|节|第二天")
_IDLE_DOT = re.compile(r"[早晚快慢大小多少有差好亮高低近远轻重这那哪缺重]$")
_ONE_OCLOCK = re.compile(r"开|钟|到|前|联|集|准|有|的会|半|左右|签|-")
_DOT_NOUN = re.compile(r"[,:]?(?:要求|意见|建议|问题|说明|注意|希望|想法|事项|体会|补充|原因|共识|工作|需要|"
                       r"[^\d]{0,2}要求|都没|点|也|儿|吧|没)")


def scan(text: str, now: datetime) -> list[Token]:
    """All tokens, in order, never overlapping."""
    if not _LIKELY.search(text):
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
    """"三点要求", "快一点": points and bits, not hours."""
    if match["ph"] is None or token.half is not None or token.minute or match["pt"]:
        return False
    before, after = text[:match.start()], text[match.end():]
    if match["ph"] == "一" and (_IDLE_DOT.search(before) or not _ONE_OCLOCK.match(after)):
        return True
    return bool(_DOT_NOUN.match(after)) or bool(re.search(r"(?:以下|如下|提|有|讲|说|强调)$", before))


def resolve_day(token: Token, today: date, anchor: date | None, bound: bool = False) -> date:
    """The day a date token means. `anchor` is the last day named before; `bound`: this one ends a range from it."""
    if token.offset is not None:
        return (anchor if token.follows and anchor else today) + timedelta(days=token.offset)
    if token.weekday is not None:
        return _resolve_weekday(token, today, anchor if bound else None)
    if token.month is not None and token.day is not None:
        return _resolve_month(token, today, anchor if bound else None)
    return _resolve_bare(token.day or 1, today, anchor if bound else None)


def _resolve_weekday(token: Token, today: date, after: date | None) -> date:
    base = after or today
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
    options = [date(year, month, day) for year in range(base.year - 4, base.year + 5)
               if day <= calendar.monthrange(year, month)[1]]
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
    """"下周四（12月3日）", "12月3日（周四）": the calendar date wins, a weekday that disagrees is flagged."""
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


_MINUTES = re.compile(_LENGTH)


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
