"""The slots of a reading: which of the typed spans belong to an intent, in the conventions of the labels page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from intents import checks, meeting, things, times
from intents.facts import Facts
from intents.levels import level, meeting_ahead
from intents.phrases import signal
from intents.places import PlaceHit, PlaceIndex
from intents.spans import Spans
from intents.words import load_toml, patterns

Slots = dict[str, object]
_PATTERNS = patterns("slots.toml")
_SCORE_WORDS = tuple((re.compile(entry["words"]), entry["value"]) for entry in load_toml("slots.toml")["score"])
_IN_ORDER = {code: signal(words, f"slots.toml: {code}") for code, words in load_toml("slots.toml")["in_order"].items()}
_NEAR = 3
_ASIDE = ("aside", "thanks_for")
_CHINESE = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}


def fill(intent: str, facts: Facts, places: PlaceIndex) -> Slots:
    """The slots of `intent`; those without a value are left out."""
    spans = facts.spans
    maker = _MAKERS.get(intent)
    slots = maker(facts, places) if maker else {}
    if intent not in ("none", "help", "score"):
        _common(intent, spans, places, slots)
    return {key: value for key, value in slots.items() if value not in (None, [], "")}


def _common(intent: str, spans: Spans, places: PlaceIndex, slots: Slots) -> None:
    if not intent.startswith("meeting."):
        told = [hit for hit in spans.places if not (places.provincial(hit) and _speaks(spans, hit))]
        local = [hit for hit in told if not places.provincial(hit)]
        slots["site"] = places.names(local or told)
        slots["site_unsure"] = places.names(hit for hit in local or told if len(hit.sites) > 1)
        if intent not in ("ack", "consult"):
            slots["room"] = _room(spans)
    if spans.tickets:
        slots["ticket"] = _original(spans, *spans.tickets[0])
    if intent == "meeting.notice":
        slots["person"] = [
            name for name in _people(intent, spans) if _PATTERNS["contact"].search(spans.text[: spans.text.find(name)])
        ]
    if not intent.startswith("meeting.") and intent not in ("fault.confirm", "fault.reject", "consult"):
        slots["person"] = _people(intent, spans)
    held_there = intent == "meeting.change" and slots.get("site")
    systems = spans.organised_by if intent.startswith("meeting.") and not held_there else spans.systems
    if systems and intent not in ("ack", "arrive", "checklist.report", "assign"):
        slots["system"] = systems[0].code


def _speaks(spans: Spans, hit: PlaceHit) -> bool:
    return _PATTERNS["speaks"].match(spans.plain, hit.end) is not None


def _original(spans: Spans, start: int, end: int) -> str:
    begin, stop = spans.normal.span(start, end)
    return spans.normal.original[begin:stop]


def _room(spans: Spans) -> str | None:
    return _original(spans, *spans.rooms[0]) if spans.rooms else None


def _people(intent: str, spans: Spans) -> list[str]:
    names = []
    denied = [one for one in spans.people if _PATTERNS["not_who"].search(spans.text[: one.start][-4:])]
    for person in spans.people:
        if person in denied and len(denied) < len(spans.people):
            continue
        before, after = spans.text[max(0, person.start - 5) : person.start], spans.text[person.end : person.end + 4]
        if _PATTERNS["thanked"].search(before):
            continue
        if person.start == 0 and _PATTERNS["addressed"].match(after) and intent not in ("assign", "arrive"):
            continue
        names.append(_original(spans, person.start, person.end))
    if intent == "assign":
        names += [name for name in spans.normal.mentions if name not in names]
    return list(dict.fromkeys(names))


def _fault(facts: Facts, _places: PlaceIndex) -> Slots:
    spans = facts.spans
    aside = [match.span() for name in _ASIDE for match in _PATTERNS[name].finditer(spans.plain)]
    told = [symptom for symptom in spans.symptoms if not _inside(symptom, aside)]
    named = [thing for thing in spans.devices if not _inside(thing, aside)]
    return {
        "device": _devices(spans, named or spans.devices),
        "symptom": _codes(told or spans.symptoms, "present", "gone"),
    }


def _inside(one: things.Thing | things.Symptom, stretches: Sequence[tuple[int, int]]) -> bool:
    return any(start <= one.start < end for start, end in stretches)


def _report(facts: Facts, _places: PlaceIndex) -> Slots:
    slots = _fault(facts, _places)
    slots["symptom"] = slots["symptom"] or ["other"]
    slots["level"] = level(facts.spans)
    ahead = meeting_ahead(facts.spans)
    slots["meeting_ahead"] = ahead.isoformat() if ahead else None
    return slots


def _devices(spans: Spans, named: Sequence[things.Thing] | None = None) -> list[str]:
    """Devices that are not said to be in order, of those `named` or all; `other` only when nothing better is named."""
    named = spans.devices if named is None else named
    named = [thing for thing in named if not _only_means(spans, thing)]
    cleared = {thing.code for thing in named if things.denied(spans.plain, thing)}
    named = [thing for thing in named if thing.code not in cleared]
    bad = [thing for thing in named if not _well(spans, thing)]
    kept = bad if _seen(spans) else bad or named
    kept = [thing for thing in kept if not _PATTERNS["part"].match(spans.plain, thing.end)] or kept
    if any(thing.code == "control" for thing in kept):
        kept = [thing for thing in kept if thing.code == "control" or not _controlled(spans, thing)]
    codes = list(dict.fromkeys(thing.code for thing in kept))
    return [code for code in codes if code != "other"] or codes


def _only_means(spans: Spans, thing: things.Thing) -> bool:
    """A plug that was only tried ("换插座也不亮"), and the supply in "MCU断电", are not the device in trouble."""
    if thing.code != "power":
        return False
    before, text = spans.plain[: thing.start], spans.plain
    if _PATTERNS["plug"].match(text, thing.start) is None:
        cut = _PATTERNS["supply_cut"].match(text, thing.start)
        return cut is not None and any(one.end == thing.start for one in spans.devices)
    if _PATTERNS["plug_pulled"].search(before[-8:]):
        return True
    moved = _PATTERNS["plug_moved_after"].match(text, thing.end)
    return moved is not None and _PATTERNS["plug_moved_before"].search(before[-8:]) is not None


def _seen(spans: Spans) -> list[things.Symptom]:
    """The troubles that are there; not what a thing is told apart by ("坏的那台拉回来修")."""
    present = [symptom for symptom in spans.symptoms if symptom.state == "present"]
    return [
        one for one in present if one.code != "damaged" or not _PATTERNS["told_apart"].match(spans.plain, one.end - 1)
    ]


def _well(spans: Spans, thing: things.Thing) -> bool:
    """In order, or only what was done to it is told ("线缆已重新插拔"), and nothing wrong is said of it before that."""
    if any(s.state in ("denied", "absent") and s.start <= thing.start < s.end for s in spans.symptoms):
        return True
    if things.cleared(spans.plain, thing) or _PATTERNS["done_to"].match(spans.plain, thing.end):
        return True
    wrong = any(s.state == "present" and thing.end <= s.start <= thing.end + _NEAR for s in spans.symptoms)
    return not wrong and things.well(spans.plain, thing)


def _controlled(spans: Spans, thing: things.Thing) -> bool:
    """What the control cannot move is not what is broken ("触摸屏没反应，幕布控不了")."""
    return thing.code != "camera" and _PATTERNS["controlled"].match(spans.plain, thing.end) is not None


def _symptoms(spans: Spans, *states: str) -> list[str]:
    """Codes in the first of `states` that occurs; those there before those gone when nothing is asked for."""
    return _codes(spans.symptoms, *(states or ("present", "gone")))


def _codes(symptoms: Sequence[things.Symptom], *states: str) -> list[str]:
    for state in states:
        told = [symptom.code for symptom in symptoms if symptom.state == state]
        if told:
            return [code for code in dict.fromkeys(told) if code != "other"]
    return []


def _mended(facts: Facts, _places: PlaceIndex) -> Slots:
    """What works again; a symptom that only tells the cause ("是插头松了") is left out."""
    spans = facts.spans
    states = ("gone", "absent") if facts.has("cause") else ("gone", "absent", "present")
    named = [
        thing.code for thing in spans.devices if not (things.cleared(spans.plain, thing) or _only_means(spans, thing))
    ]
    seen = [one for one in spans.symptoms if one.code != "damaged" or one.state != "present"]
    seen = [one for one in seen if not _PATTERNS["muted"].match(spans.plain, one.start)]
    gone = _codes(seen, *states)
    gone = [code for code in gone if code != "damaged"] or gone or _explained(spans)
    codes = list(dict.fromkeys(named))
    return {"device": [code for code in codes if code != "other"] or codes, "symptom": gone}


def _resolved(facts: Facts, places: PlaceIndex) -> Slots:
    """What is said to be in order was not; a device that was only set wrongly is left out ("是调音台静音了")."""
    slots, spans = _mended(facts, places), facts.spans
    named = [(thing.code, _PATTERNS["only_set"].match(spans.plain, thing.end) is None) for thing in spans.devices]
    only_set = {code for code, _ in named} - {code for code, told in named if told}
    codes = slots["device"]
    if not slots["symptom"] and not _PATTERNS["tested"].search(spans.plain):
        fine = [code for code, words in _IN_ORDER.items() if words.search(spans.plain)]
        slots["symptom"] = fine if len(fine) == 1 else []  # sound and picture both: a test of the whole
    return {**slots, "device": [code for code in codes if code not in only_set] if isinstance(codes, list) else codes}


def _explained(spans: Spans) -> list[str]:
    """What was wrong, where a report of the repair goes on to its cause."""
    told = [symptom for symptom in spans.symptoms if _PATTERNS["explained"].match(spans.plain, symptom.end)]
    return _codes(told, "present")


def _update(facts: Facts, _places: PlaceIndex) -> Slots:
    """What is being worked on; what is only suspected or found in a log is no symptom anybody saw."""
    spans = facts.spans
    there = _seen(spans)
    seen = [
        symptom
        for symptom in spans.symptoms
        if (symptom.state != "present" or symptom in there)
        and not any(
            clause.start <= symptom.start < clause.end and _PATTERNS["found_inside"].search(clause.text)
            for clause in spans.clauses
        )
    ]
    return {"device": _at_work(_devices(spans), seen), "symptom": _codes(seen, "present", "gone"), **_promise(facts)}


def _at_work(codes: list[str], seen: Sequence[things.Symptom]) -> list[str]:
    """Software and the like that is only worked with is not what is out of order."""
    return codes if seen or codes != ["other"] else []


def _promise(facts: Facts) -> Slots:
    """`eta_minutes` of a length of time that lies ahead; `eta_at` of a clock time that does."""
    spans = facts.spans
    for clause in spans.clauses:
        found = _PATTERNS["eta"].search(clause.text)
        if found is None or _PATTERNS["soon_ago"].search(clause.text[: found.start()]):
            continue
        minutes = times.find_duration_minutes(clause.text)
        if minutes:
            return {"eta_minutes": minutes, "eta_at": (spans.context.now + timedelta(minutes=minutes)).isoformat()}
    ahead = [span.start for span in spans.times if isinstance(span.start, datetime) and span.start > spans.context.now]
    return {"eta_at": ahead[0].isoformat()} if ahead else {}


def _ack(facts: Facts, _places: PlaceIndex) -> Slots:
    return _promise(facts) if facts.has("on_the_way") or facts.has("exp_arrival") else {}


def _assist(facts: Facts, _places: PlaceIndex) -> Slots:
    return {"device": _devices(facts.spans), "symptom": _symptoms(facts.spans)}


def _consult(facts: Facts, _places: PlaceIndex) -> Slots:
    return {"device": _devices(facts.spans), "symptom": _symptoms(facts.spans, "asked", "present")}


def _checklist(facts: Facts, _places: PlaceIndex) -> Slots:
    spans = facts.spans
    found: Sequence[checks.Check] = spans.checks
    if not found:
        asked = spans.context.step
        status = checks.bare_status(spans.core, spans.symptoms, asked)
        found = [checks.Check(asked, status, 0, len(spans.text))] if asked else []
        status_all: str | None = status
    else:
        status_all = "abnormal" if any(check.status == "abnormal" for check in found) else "ok"
    slots: Slots = {"step": [check.step for check in found], "status": status_all}
    if status_all == "abnormal":
        symptoms = _symptoms(spans)
        unfed = ["power"] if symptoms == ["no_power"] and slots["step"] == ["power"] else []
        slots |= {"device": _bad_devices(spans) or unfed, "symptom": symptoms}
    slots["results"] = [
        {"step": check.step, "status": check.status, "text": _original(spans, check.start, check.end).strip()}
        for check in found
    ]
    return slots


def _bad_devices(spans: Spans) -> list[str]:
    """Devices named in the pieces of text that hold a symptom."""
    bad = [symptom for symptom in spans.symptoms if symptom.state == "present"]
    if not bad:
        return []
    kept = [thing.code for thing in spans.devices if not things.well(spans.plain, thing)]
    return list(dict.fromkeys(kept))


def _score(facts: Facts, _places: PlaceIndex) -> Slots:
    text = facts.spans.core
    given = [
        number
        for number in _PATTERNS["score_number"].finditer(text)
        if not _PATTERNS["not_the_score"].search(text[: number.start()])
    ]
    if given:
        number = given[-1]
        return {"score": _CHINESE.get(number.group(1)) or int(number.group(1))}
    return {"score": next((value for pattern, value in _SCORE_WORDS if pattern.search(text)), None)}


def _meeting(facts: Facts, places: PlaceIndex) -> Slots:
    return meeting.slots(facts, places)


def _changed(facts: Facts, places: PlaceIndex) -> Slots:
    return meeting.slots(facts, places, known=True)


def _meeting_asked(facts: Facts, places: PlaceIndex) -> Slots:
    return {"site": places.names(facts.spans.places)}


_MAKERS: dict[str, Callable[[Facts, PlaceIndex], Slots]] = {
    "fault.report": _report,
    "fault.reject": _fault,
    "fault.confirm": _mended,
    "fault.cancel": _mended,
    "fault.resolve": _resolved,
    "fault.update": _update,
    "fault.query": _fault,
    "fault.urge": _fault,
    "assist.request": _assist,
    "consult": _consult,
    "checklist.report": _checklist,
    "score": _score,
    "ack": _ack,
    "meeting.notice": _meeting,
    "meeting.change": _changed,
    "meeting.cancel": meeting.cancelled,
    "meeting.query": _meeting_asked,
}
