"""The slots of a meeting: when it is, who takes part, where, and what it is called."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

from intents import scope, times
from intents.facts import Facts
from intents.places import PlaceIndex
from intents.spans import Spans
from intents.time_lengths import number
from intents.time_tokens import scan as scan_tokens
from intents.times import TimeSpan
from intents.words import load_toml, patterns

Slots = dict[str, object]
_WORDS = load_toml("scope.toml")
_PATTERNS = patterns("scope.toml")
_SIDE = ("sign_in", "joint_test", "deadline", "arrival", "old", "end")
_TITLES = tuple(
    re.compile(rf"[^,;.!?:\n\"()\[\]]{{0,30}}?(?:{_WORDS['title'][kind]}){_WORDS['pattern']['not_title']}")
    for kind in ("ends", "any")
)
_TITLE_HEAD = re.compile(rf"^(?:{_WORDS['title']['lead']})+")


def slots(facts: Facts, places: PlaceIndex, known: bool = False) -> Slots:
    """Slots of a new meeting, or of a `known` one that changes."""
    spans = facts.spans
    start, end = _when(spans, known)
    scope_all, listed = scope.who(spans, places, known=known)
    found: Slots = {
        "start": _iso(start),
        "end": _iso(end),
        "scope": "all" if scope_all else listed,
        "site": scope.held_in(spans, places) if scope_all else scope.venue(spans, places, firm=bool(listed)),
        "room": _room(spans),
        "title": _title(spans),
        "start_date_said": _date_said(spans, start),
        "arrive_before_minutes": _arrive_before(spans),
    }
    return found


def cancelled(facts: Facts, places: PlaceIndex) -> Slots:
    """Slots of a meeting that is called off: whom it concerned, and which one it was."""
    spans = facts.spans
    scope_all, listed = scope.who(spans, places, known=True)
    told = scope.expanded(spans, places)
    when = _first(spans)
    return {
        "scope": "all" if scope_all else told,
        "site": [name for name in listed if name not in told],
        "title": _title(spans),
        "about_start": _iso(when.start) if when else None,
    }


def _date_said(spans: Spans, start: date | datetime | None) -> bool | None:
    """Whether the day of the start stands in the text; a clock time alone leaves the day of the known meeting."""
    if not isinstance(start, datetime):
        return None if start is None else True
    return any(token.kind in ("date", "instant") for token in scan_tokens(spans.text, spans.context.now))


def _first(spans: Spans) -> TimeSpan | None:
    return spans.times[0] if spans.times else None


def _iso(value: date | datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _refers(spans: Spans, span: TimeSpan) -> bool:
    """True for a time that only says which meeting is meant ("明天的会改到…")."""
    return span.role in (None, "start") and bool(_PATTERNS["reference"].match(spans.text[span.span[1] :]))


def _aside(spans: Spans, span: TimeSpan) -> bool:
    """A new time of the joint test or the sign-in, which leaves the meeting where it was."""
    clause = next((one for one in spans.clauses if one.start <= span.span[0] < one.end), None)
    return clause is not None and bool(_PATTERNS["aside"].search(spans.text[clause.start : span.span[0]]))


def _when(spans: Spans, changed: bool) -> tuple[date | datetime | None, date | datetime | None]:
    """Start and end: a new time before a told start before any other; a clock of the same day before the bare day."""
    usable = [span for span in spans.times if span.role not in _SIDE and not _vague(span)]
    if changed:
        usable = [span for span in usable if span.role == "new" or not _refers(spans, span)]
        usable = [span for span in usable if not _aside(spans, span)]
    best = next(
        (
            span
            for role in ("new", "start", None)
            for span in usable
            if span.role == role and isinstance(span.start, datetime)
        ),
        None,
    )
    if best is None and not changed:  # a roll call that is all there is
        best = next((span for span in spans.times if span.role == "joint_test"), None)
    best = best or next((span for role in ("new", "start", None) for span in usable if span.role == role), None)
    if best is None and (moved := _moved_by(spans)) is not None:
        return moved, None
    if best is None:
        return None, next((span.start for span in spans.times if span.role == "end"), None)
    best = _completed(best, spans) if changed else best
    end: date | datetime | None = best.end
    ranged = next((span for span in usable if span.grain == "range" and not isinstance(span.start, datetime)), None)
    same = next((span for span in usable if span.end and span.start == best.start), None)
    if end is None and same is not None:
        end = same.end
    if end is None and ranged is not None and _day(ranged.start) == _day(best.start):
        end = ranged.end
    return best.start, end or _told_end(spans, best.start)


def _moved_by(spans: Spans) -> datetime | None:
    """ "三点的会延后半小时": the old time and how far it moves."""
    old = next((span.start for span in spans.times if isinstance(span.start, datetime)), None)
    if old is None:
        return None
    moved = _PATTERNS["moved_by"].search(spans.text)
    if moved is None:
        return _shifted(old, spans)
    minutes = times.find_duration_minutes(moved["n"] or moved["m"]) or 0
    return old + timedelta(minutes=-minutes if moved["n"] is None else minutes)


def _completed(best: TimeSpan, spans: Spans) -> TimeSpan:
    """A new day takes the clock that stays ("是1号不是2号，下午三点不变"); "顺延一天" moves the old day."""
    clocks = (span for span in spans.times if isinstance(span.start, datetime) and span.role not in _SIDE[:4])
    clock = next(clocks, None)
    if clock is None or not isinstance(clock.start, datetime):
        return best
    if not isinstance(best.start, datetime):
        stays = _PATTERNS["unchanged"].search(spans.text[clock.span[1] :][:6])
        return replace(best, start=datetime.combine(best.start, clock.start.timetz())) if stays else best
    if best.role == "new" and _has_date(best, spans):
        return best  # "推迟到下周三9点，请提前一天联调"
    days = [span.start for span in spans.times if span.role == "new" and not isinstance(span.start, datetime)]
    if best.role == "new" and len(days) == 1 and days[0] is not None:
        return replace(best, start=datetime.combine(days[0], best.start.timetz()))  # "从9点推到10点（还是12月3日）"
    if "new" in [span.role for span in spans.times if span is not best]:
        return best
    return replace(best, start=_shifted(best.start, spans) or best.start)


def _shifted(old: datetime, spans: Spans) -> datetime | None:
    """The old moment so many days earlier or later ("提前一天", "顺延两天")."""
    moved = _PATTERNS["shifted"].search(spans.text)
    if moved is None:
        return None
    days = number(moved["n"] or moved["m"])
    return old + timedelta(days=-days if moved["n"] is None else days)


def _has_date(span: TimeSpan, spans: Spans) -> bool:
    begin, stop = span.span
    return any(token.kind == "date" for token in scan_tokens(spans.text[begin:stop], spans.context.now))


def _vague(span: TimeSpan) -> bool:
    return span.grain == "range" and "uncertain" in span.flags and not isinstance(span.start, datetime)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _told_end(spans: Spans, start: date | datetime) -> date | datetime | None:
    told = next((span.start for span in spans.times if span.role == "end"), None)
    if told is not None or not isinstance(start, datetime):
        return told
    for span in spans.times:
        later = isinstance(span.start, datetime) and span.start > start and _day(span.start) == _day(start)
        if later and _PATTERNS["lasts_to"].search(spans.text[: span.span[0]][-4:]):
            return span.start
    for clause in spans.clauses:
        match = _PATTERNS["length"].search(clause.text)
        if match is None or clause.text[match.end() : match.end() + 1] in ("后", "前"):
            continue
        before, after = clause.text[: match.start()], clause.text[match.end() :]
        if _PATTERNS["lasts"].search(before) or _PATTERNS["lasts_after"].match(after):
            minutes = times.find_duration_minutes(match.group())
            return start + timedelta(minutes=minutes) if minutes else None
    return None


def _room(spans: Spans) -> str | None:
    if not spans.rooms:
        return None
    begin, stop = spans.normal.span(*spans.rooms[0])
    return spans.normal.original[begin:stop]


def _arrive_before(spans: Spans) -> int | None:
    match = _PATTERNS["before_start"].search(spans.text)
    return times.find_duration_minutes(match.group(1)) if match else None


def _title(spans: Spans) -> str | None:
    """What the meeting is called: the longest piece ending in a meeting word, without times and lead-in words."""
    text = spans.text
    for span in spans.times:
        text = text[: span.span[0]] + "," * (span.span[1] - span.span[0]) + text[span.span[1] :]
    for match in (match for pattern in _TITLES for match in pattern.finditer(text)):
        start = match.start() + len(_head(match.group()))
        if match.end() - start > 2:
            begin, stop = spans.normal.span(start, match.end())
            return spans.normal.original[begin:stop].strip()
    return None


def _head(text: str) -> str:
    match = _TITLE_HEAD.match(text)
    return match.group() if match else ""
