"""What a formal notice says: title, number, times by what they are for, scope, contact. Pure; the present is passed in.

The text of a paper is nobody's word: these fields are read back to whoever sent it, and nothing else is done with it.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from intents.times import TimeSpan, find_duration_minutes, find_times
from workflows.words import Words

MATCH: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.MULTILINE | re.IGNORECASE) for name, pattern in Words("paper").get("match").items()
}
LOOKED_AT = 6000
"""Characters in which times are looked for: the notice itself, before its long lists."""
HEAD_LINES = 14
SCOPE_LINES = 60
CONTACTS = 2
LONGEST_LABEL = 14
"""Characters of a heading; a longer numbered line is a sentence of the part it stands in."""


@dataclass(frozen=True)
class Fields:
    """Moments are ISO text, a date alone where no hour stands; empty where the paper says nothing.

    ``title`` is the paper's, ``name`` the meeting's. ``changes``: it is about a meeting known before, which ``cancels``
    calls off, ``old_start`` dates and ``cites`` names: numbers of meetings and of other papers. ``scope`` holds the
    lines that say who takes part, ``greeted`` the addressees, ``listed`` the rows of tables and annexes. ``others``:
    ``[what for, moment]`` of times that are not the meeting's.
    """

    title: str = ""
    name: str = ""
    number: str = ""
    start: str = ""
    end: str = ""
    tested_at: str = ""
    arrive_before_minutes: int = 0
    scope: str = ""
    greeted: str = ""
    listed: str = ""
    contact: str = ""
    changes: bool = False
    cancels: bool = False
    old_start: str = ""
    cites: list[str] = field(default_factory=list)
    is_meeting: bool = False
    start_text: str = ""
    others: list[list[str]] = field(default_factory=list)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def read_fields(text: str, now: datetime) -> Fields:
    """The fields of a paper's text; ``now`` is the local moment at which it was sent."""
    lines = text.splitlines()
    title, about = _title(lines)
    named = MATCH["named"].search(text[:LOOKED_AT])
    times = _times(text[:LOOKED_AT], now)
    start = _start(times)
    return Fields(
        title=title,
        name=_name(about) or (named["name"].strip() if named else ""),
        number=_number(lines),
        start=_iso(start.span.start) if start else "",
        end=_iso(_end(times, start)),
        tested_at=_first(times, "joint_test"),
        arrive_before_minutes=_early(text, times, start),
        scope="\n".join(_scope(lines)) or "\n".join(_bare(found[0]) for found in MATCH["prose"].finditer(text)),
        greeted=next((_bare(line) for line in lines[:HEAD_LINES] if MATCH["salutation"].match(line)), ""),
        listed="\n".join(_listed(lines)),
        contact=_contact(text),
        changes=bool(MATCH["changing"].search(about)),
        cancels=bool(MATCH["cancelling"].search(about)),
        old_start=_first(times, "old"),
        cites=list(dict.fromkeys(re.sub(r"\s", "", found[0]) for found in MATCH["cited"].finditer(text[:LOOKED_AT]))),
        is_meeting=any(MATCH["meeting"].search(one) for one in (about, start.line if start else "", text[:200])),
        start_text=start.line if start else "",
        others=_others(times, start),
    )


# ---- title and name


def _title(lines: Sequence[str]) -> tuple[str, str]:
    """The paper's title, joined where it runs over several lines, and what it is about."""
    head = [line for line in lines[:HEAD_LINES] if "\t" not in line]
    for size in range(1, 4):
        for at in range(len(head)):
            whole = "".join(head[at : at + size])
            found = MATCH["title"].search(whole)
            if found is not None and not MATCH["title"].search("".join(head[at + 1 : at + size])):
                return whole[: found.end()], found["about"]
    plain = next((found for line in head if (found := MATCH["plain_title"].search(line))), None)
    return (plain[0], plain["about"]) if plain else ("", "")


def _name(about: str) -> str:
    """关于召开…的通知: the meeting's own name."""
    return MATCH["after_name"].sub("", MATCH["before_name"].sub("", about, count=1)).strip("《》 ")


def _number(lines: Sequence[str]) -> str:
    """The paper's own number: it stands above the greeting, and not in what the body refers to."""
    for line in lines[:HEAD_LINES]:
        found = MATCH["number"].search(line)
        if MATCH["salutation"].match(line) or "《" in line:
            break
        if found is not None:
            return re.sub(r"\s", "", found[0])
    return ""


# ---- times


@dataclass(frozen=True)
class _Time:
    """A time, what it is for, and the line in which it stands."""

    span: TimeSpan
    role: str
    line: str

    says_day: bool = True

    @property
    def has_clock(self) -> bool:
        return isinstance(self.span.start, datetime)


def _times(text: str, now: datetime) -> list[_Time]:
    found = []
    flat = text.replace("\t", "：")
    labels = _labels(flat)
    for span in find_times(flat, now):
        at = flat.rfind("\n", 0, span.span[0]) + 1
        end = flat.find("\n", span.span[1])
        line = flat[at : end if end >= 0 else len(flat)]
        label = max((one for one in labels if one[0] <= span.span[0]), default=(0, ""))[1]
        says_day = bool(MATCH["day"].search(flat[span.span[0] : span.span[1]]))
        found.append(_Time(span, _role(span.role, label, flat[at : span.span[0]]), line, says_day))
    return found


def _labels(text: str) -> list[tuple[int, str]]:
    """Where headings and labels stand, and their words: what follows belongs to them."""
    found, at = [], 0
    for line in text.splitlines(keepends=True):
        bare = MATCH["heading"].sub("", line.strip())
        label = re.split(r"[：:。，,；;]", bare)[0].strip()
        if len(label) <= LONGEST_LABEL and (bare != line.strip() or len(label) < len(bare)):
            found.append((at, label))
        at += len(line)
    return found


def _role(role: str | None, label: str, before: str) -> str:
    """What a time is for: as its own clause says, else as the label above it does."""
    if role in ("joint_test", "sign_in", "deadline", "arrival", "end"):
        return role
    nearest = re.split(r"[。；;]", before)[-1]
    if role == "old":
        return role
    for name, words in (("joint_test", "test"), ("deadline", "answer"), ("sign_in", "sign_in")):
        if MATCH[words].search(label) or MATCH[words].search(nearest):
            return name
    if role == "new":
        return role
    if role == "start" or MATCH["meeting_time"].search(label):
        return "start"
    return ""


def _start(times: Sequence[_Time]) -> _Time | None:
    """The meeting's own time: said to be it before others, with its hour before a mere date."""
    ranked = [one for role in ("new", "start", "") for one in times if one.role == role]
    with_clock = next((one for one in ranked if one.has_clock), None)
    days = [one for one in times if one.role == "start" and one.span.end is None]
    return with_clock or next(iter(days), None)


def _end(times: Sequence[_Time], start: _Time | None) -> Any:
    if start is None:
        return None
    said = next((one.span.start for one in times if one.role == "end" and one.has_clock), None)
    return start.span.end or said


def _first(times: Sequence[_Time], role: str) -> str:
    return next((_iso(one.span.start) for one in times if one.role == role), "")


def _others(times: Sequence[_Time], start: _Time | None) -> list[list[str]]:
    """Sign-in, deadlines and further joint tests, each once."""
    tests = [one for one in times if one.role == "joint_test"][1:]
    wanted = [one for one in times if one.role in ("sign_in", "deadline")] + tests
    told = [[one.role, _iso(_on_the_day(one, start))] for one in wanted if one is not start]
    return [one for at, one in enumerate(told) if one not in told[:at]]


def _on_the_day(time: _Time, start: _Time | None) -> Any:
    """People sign in on the day of the meeting, whichever day was spoken of last."""
    moment, begin = time.span.start, start.span.start if start else None
    if time.role != "sign_in" or time.says_day or not isinstance(moment, datetime) or not isinstance(begin, datetime):
        return moment
    return datetime.combine(begin.date(), moment.timetz())


def _early(text: str, times: Sequence[_Time], start: _Time | None) -> int:
    """Minutes before the start at which the technical people are to be there; 0 when nothing is said."""
    early = [found for one in re.split(r"[。；\n]", text) if (found := MATCH["early"].search(one))]
    told = next((found for found in early if not MATCH["test"].search(found.string[: found.start()])), None)
    minutes = find_duration_minutes(told["span"]) if told else None
    if minutes:
        return minutes
    arrival = next((one.span.start for one in times if one.role == "arrival" and one.has_clock), None)
    begin = start.span.start if start else None
    if not isinstance(arrival, datetime) or not isinstance(begin, datetime) or arrival.date() != begin.date():
        return 0
    return max(0, round((begin - arrival).total_seconds() / 60))


def _iso(value: Any) -> str:
    return value.isoformat() if value is not None else ""


# ---- who takes part, and whom to ask


def _scope(lines: Sequence[str]) -> list[str]:
    """Lines under headings about places and people."""
    found: list[str] = []
    inside = False
    for line in lines:
        if label := _heading(line):
            inside = bool(MATCH["place"].search(label)) and not MATCH["not_place"].search(label)
        if MATCH["annex"].match(line):
            break
        if inside:
            found.append(line)
    return [bare for line in found[:SCOPE_LINES] if (bare := _bare(line)) and not MATCH["salutation"].match(line)]


def _heading(line: str) -> str:
    """The words of a heading or label at the beginning of a line; empty for sentences, numbered or not."""
    bare = MATCH["heading"].sub("", line)
    label = re.split(r"[\t：:。，,]", bare)[0]
    is_one = bare != line or re.match(r"^[^\t：:]{2,10}[\t：:]", line) is not None
    return label if is_one and MATCH["label"].fullmatch(label) else ""


def _bare(line: str) -> str:
    """Without what stands in brackets inside 市（州）、县（市、区）, and without the main venue."""
    clauses = re.split(r"(?<=[，。；,;])", MATCH["bracket"].sub("", line))
    return "".join(clause for clause in clauses if not MATCH["main_place"].search(clause))


def _listed(lines: Sequence[str]) -> list[str]:
    """Rows of tables, and lines of annexes, from which sites may be picked by name."""
    annex = next((at for at, line in enumerate(lines) if MATCH["annex"].match(line)), len(lines))
    rows = [line for at, line in enumerate(lines) if "\t" in line or at > annex]
    return [line for line in rows if not re.match(r"^[^\t]{2,10}\t[^\t]*$", line) or MATCH["place"].search(line)]


def _contact(text: str) -> str:
    """``刘洋 0571-88880000``: the first contacts named, with the number that stands behind each."""
    told: list[str] = []
    for found in MATCH["contact"].finditer(text):
        phone = MATCH["phone"].search(text, found.end("name"), found.end("name") + 40)
        told.append(f"{found['name']} {phone[0]}" if phone else found["name"])
    return "；".join(dict.fromkeys(told[:CONTACTS]))
