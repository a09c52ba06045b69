"""The slots of a meeting: when it is, who takes part, where, and what it is called."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

from intents import times
from intents.facts import Facts
from intents.places import PlaceHit, PlaceIndex
from intents.spans import Spans
from intents.time_tokens import number
from intents.time_tokens import scan as scan_tokens
from intents.times import TimeSpan
from intents.words import load_toml, patterns

Slots = dict[str, object]
_WORDS = load_toml("scope.toml")
_TIERS = tuple((entry["tier"], re.compile("|".join(entry["words"]))) for entry in _WORDS["tier"])
_KINDS = tuple((unit, re.compile("|".join(words))) for unit, words in _WORDS["kinds"].items())
_PATTERNS = patterns("scope.toml")
_SIDE = ("sign_in", "joint_test", "deadline", "arrival", "old", "end")
_TITLES = tuple(
    re.compile(rf"[^,;.!?:\n\"()\[\]]{{0,30}}?(?:{_WORDS['title'][kind]}){_WORDS['pattern']['not_title']}")
    for kind in ("ends", "any")
)
_TITLE_HEAD = re.compile(rf"^(?:{_WORDS['title']['lead']})+")


def slots(facts: Facts, places: PlaceIndex) -> Slots:
    """Slots of a new or changed meeting."""
    spans = facts.spans
    start, end = _when(spans, facts.has("change_word") and not facts.has("notice_firm"))
    scope_all, listed = _scope(spans, places)
    found: Slots = {
        "start": _iso(start),
        "end": _iso(end),
        "scope": "all" if scope_all else listed,
        "site": _held_in(spans, places) if scope_all else _venue(spans, places, firm=bool(listed)),
        "room": _room(spans),
        "title": _title(spans),
        "start_date_said": _date_said(spans, start),
        "arrive_before_minutes": _arrive_before(spans),
    }
    return found


def cancelled(facts: Facts, places: PlaceIndex) -> Slots:
    """Slots of a meeting that is called off: whom it concerned, and which one it was."""
    spans = facts.spans
    scope_all, listed = _scope(spans, places)
    when = _first(spans)
    return {
        "scope": "all" if scope_all else None,
        "site": listed,
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


def _when(spans: Spans, changed: bool) -> tuple[date | datetime | None, date | datetime | None]:
    """Start and end: a new time before a told start before any other; a clock of the same day before the bare day."""
    usable = [span for span in spans.times if span.role not in _SIDE and not _vague(span)]
    if changed:
        usable = [span for span in usable if span.role == "new" or not _refers(spans, span)]
    best = next(
        (
            span
            for role in ("new", "start", None)
            for span in usable
            if span.role == role and isinstance(span.start, datetime)
        ),
        None,
    )
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
    moved = _PATTERNS["moved_by"].search(spans.text)
    if old is None or moved is None:
        return None
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
    moved = _PATTERNS["shifted"].search(spans.text)
    if moved is None or "new" in [span.role for span in spans.times if span is not best]:
        return best
    days = number(moved["n"] or moved["m"])
    return replace(best, start=best.start + timedelta(days=-days if moved["n"] is None else days))


def _vague(span: TimeSpan) -> bool:
    return span.grain == "range" and "uncertain" in span.flags and not isinstance(span.start, datetime)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _told_end(spans: Spans, start: date | datetime) -> date | datetime | None:
    told = next((span.start for span in spans.times if span.role == "end"), None)
    if told is not None or not isinstance(start, datetime):
        return told
    for clause in spans.clauses:
        match = _PATTERNS["length"].search(clause.text)
        if match is None or clause.text[match.end() : match.end() + 1] in ("后", "前"):
            continue
        before, after = clause.text[: match.start()], clause.text[match.end() :]
        if _PATTERNS["lasts"].search(before) or _PATTERNS["lasts_after"].match(after):
            minutes = times.find_duration_minutes(match.group())
            return start + timedelta(minutes=minutes) if minutes else None
    return None


def _scope(spans: Spans, places: PlaceIndex) -> tuple[bool, list[str]]:
    """(everybody, the named sites). A named list wins over "全省" in a title; one tier and kind is expanded."""
    venue = set(_venue_hits(spans))
    named = [hit for hit in spans.places if hit not in venue and not places.provincial(hit)]
    expanded = _expanded(spans.plain, places)
    if named:
        return False, list(dict.fromkeys([*places.names(named), *expanded]))
    if expanded and not _PATTERNS["many"].search(spans.plain):
        return False, expanded
    return spans.everybody, []


def _expanded(text: str, places: PlaceIndex) -> list[str]:
    for tier, pattern in _TIERS:
        match = pattern.search(text)
        if match is None:
            continue
        tail = text[match.end() : match.end() + 8]
        kind = next((unit for unit, words in _KINDS if words.match(tail)), None)
        if kind or tier == "township":
            return [place.name for place in places.places if place.tier == tier and (not kind or kind in place.unit)]
    return []


def _venue_hits(spans: Spans) -> list[PlaceHit]:
    at_room = {room[0] for room in spans.rooms}
    return [hit for hit in spans.places if hit.end in at_room or _signs(spans, hit) or _held_at(spans.text, hit)]


def _held_at(text: str, hit: PlaceHit) -> bool:
    """ "在省水利厅召开", "地点:安吉县局"; one of a list is no venue."""
    if not _PATTERNS["venue"].search(text[max(0, hit.start - 10) : hit.start]):
        return False
    return bool(_PATTERNS["venue_after"].match(text[hit.end :])) or text[hit.end : hit.end + 1] not in ("、", "和")


def _held_in(spans: Spans, places: PlaceIndex) -> list[str]:
    """The venue of a meeting for everybody: only where it is said to be held there ("在省水利厅召开")."""
    return places.names(
        hit
        for hit in spans.places
        if _PATTERNS["held_in"].search(spans.text[max(0, hit.start - 2) : hit.start])
        and _PATTERNS["venue_after"].match(spans.text[hit.end :])
    )


def _signs(spans: Spans, hit: PlaceHit) -> bool:
    """A client's own unit as the whole first or last clause ("…麻烦保障一下，安吉水利")."""
    if spans.context.role != "client" or len(spans.places) > 1:
        return False
    edges = [clause for clause in (spans.clauses[0], spans.clauses[-1]) if clause.start <= hit.start < clause.end]
    return any(clause.text == spans.text[hit.start : hit.end] for clause in edges)


def _venue(spans: Spans, places: PlaceIndex, firm: bool) -> list[str]:
    """Where it is held; `firm`, beside a list of sites: only where a room is named too."""
    at_room = {room[0] for room in spans.rooms}
    return places.names(hit for hit in _venue_hits(spans) if not firm or hit.end in at_room)


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
