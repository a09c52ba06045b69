"""Devices, symptoms (and whether they are there, gone, denied or only asked about) and systems in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from intents.common import words
from intents.lexicon import WordIndex
from intents.phrases import spelled_out
from intents.sieve import Sieve
from intents.words import compiled, load_toml, patterns

State = Literal["present", "gone", "absent", "denied", "asked", "supposed"]
_WORDS = load_toml("things.toml")
_POLARITY = load_toml("polarity.toml")
_DEVICES: WordIndex[str] = WordIndex(
    {word: code for code, words in _WORDS["device"].items() for word in words}
    | dict.fromkeys(_WORDS["device_not"]["words"], "")
)
_SUBJECTS: WordIndex[str] = WordIndex(
    {word: "device" for words in _WORDS["device"].values() for word in words}
    | dict.fromkeys(_WORDS["device_not"]["words"], "")
    | dict.fromkeys(_WORDS["subject"]["words"], "subject")
)
_SENTENCE_ENDS = (".", "!", "?", "\n")
_SYMPTOMS = tuple(
    (code, compiled("|".join(spelled_out(one, _WORDS["list"], code) for one in ways), f"things.toml: {code}"))
    for code, ways in _WORDS["symptom"].items()
)
_SIEVE = Sieve(_SYMPTOMS)
_IS: dict[str, str] = _WORDS["symptom_is"]
_CLOSE, _FAR = 2, 12
_MANY = 100
"""Of one trouble in a piece of text; nobody tells it more often, and every one is weighed against the others."""
_CONSEQUENCES = frozenset(_WORDS["consequence"]["codes"])
_OVER = {code: frozenset(stronger) for code, stronger in _WORDS["symptom_over"].items()}
_SYSTEMS = tuple((code, re.compile("|".join(patterns))) for code, patterns in _WORDS["system"].items())
_OWN_CABLE = patterns("things.toml")["own_cable"]
_REPORTS = patterns("things.toml")["reports"]
_DEGREE = patterns("things.toml")["degree"]
_BREAK = patterns("things.toml")["turn"]
_NEGATES = re.compile(_POLARITY["negates_before"])
_NONE_THAT = re.compile(_POLARITY["none_that"])
_NO_MORE = re.compile(_POLARITY["no_more_before"])
_STRONG_NEGATES = re.compile(_POLARITY["denies_before"])
_ASKS_BEFORE = re.compile(_POLARITY["asks_before"])
_ASKS_AFTER = re.compile(_POLARITY["asks_after"])
_IF_AFTER = re.compile(_POLARITY["supposed_after"])
_IF = re.compile(_POLARITY["supposed"])
_GONE_AFTER = re.compile(_POLARITY["gone_after"])
_GONE_CLAUSE = re.compile("|".join(_POLARITY["gone_clause"]))
_RESTORED = tuple((code, re.compile(pattern)) for code, pattern in _POLARITY["restored"].items())
_OFFICE = re.compile(_WORDS["office"]["pattern"])
PLACE_MARK = "⌂"
_WELL = re.compile(_POLARITY["well_after"])
_CLEARED_BEFORE = re.compile(_POLARITY["cleared_before"])
_DENIES, _DENIED_AFTER = re.compile(_POLARITY["not_it_before"]), re.compile(_POLARITY["not_it_after"])
_NOT_BROKEN = re.compile(_POLARITY["not_broken"])
_CLEARED_AFTER = re.compile(_POLARITY["cleared_after"])


@dataclass(frozen=True)
class Thing:
    """A device code and where it stands."""

    code: str
    start: int
    end: int


@dataclass(frozen=True)
class Symptom:
    """A symptom code, where it stands, and in what state it is said to be."""

    code: str
    start: int
    end: int
    state: State


def devices(text: str) -> list[Thing]:
    """Devices in order of mention. A single character is none where an everyday word ends in it ("滤网")."""
    found = [
        Thing(code, start, end)
        for start, end, code in _DEVICES.find(text)
        if code and (end - start > 1 or text[max(0, start - 1) : end] not in words())
    ]
    cables = [Thing("cable", one.end, one.end + 1) for one in found if _OWN_CABLE.match(text, one.end)]
    return sorted([*found, *cables], key=lambda thing: thing.start) if cables else found


def begins(text: str, at: int) -> bool:
    """Whether a device or a trouble is named right at `at`."""
    thing = _DEVICES.longest_at(text, at) if at < len(text) else None
    return bool(thing and thing[1]) or any(pattern.match(text, at) for _, pattern in _SYMPTOMS)


def systems(text: str) -> list[Thing]:
    """Systems by their topic, in order of mention; an office's own name is no topic."""
    text = _OFFICE.sub(lambda match: PLACE_MARK * len(match.group()), text)
    found = [
        Thing(code, match.start(), match.end())
        for code, pattern in _SYSTEMS
        if (match := pattern.search(text)) is not None
    ]
    return sorted(found, key=lambda thing: thing.start)


def symptoms(text: str) -> list[Symptom]:
    """Symptoms with their state; a general one gives way to a precise one said of the same."""
    found: list[Symptom] = []
    subject = ""
    for start, end in _segments(text):
        segment = text[start:end]
        hits = _hits(segment, start)
        if subject and text[start - 1 : start] not in _SENTENCE_ENDS and all(hit.code == "other" for hit in hits):
            hits += _of_subject(subject, segment, start)
        found += _without_degrees(segment, start, hits)
        subject = _subject(segment, hits) or ("" if hits else subject)
    told = [replace(hit, code=_IS.get(hit.code, hit.code)) for hit in _precise(_first_hand(text, _apart(found)))]
    return sorted(told, key=lambda symptom: symptom.start)


def _hits(segment: str, start: int) -> list[Symptom]:
    hits = [
        Symptom(code, start + match.start(), start + match.end(), _state(segment, match))
        for code, pattern in _SIEVE.candidates(segment)
        for match in islice(pattern.finditer(segment), _MANY)
    ]
    return hits + [
        Symptom(code, start + match.start(), start + match.end(), "gone")
        for code, pattern in _RESTORED
        if (match := pattern.search(segment)) is not None
    ]


def _without_degrees(segment: str, start: int, hits: list[Symptom]) -> list[Symptom]:
    """Without what only tells how bad another one is ("卡得看不清")."""
    first = min((hit.start for hit in hits if hit.state == "present" and hit.code != "other"), default=None)
    return [hit for hit in hits if hit.start == first or not _DEGREE.search(segment[: hit.start - start][-_FAR:])]


def _subject(segment: str, hits: list[Symptom]) -> str:
    """The last word of a segment that what follows may be about; none where something was said of it already."""
    if any(hit.code != "other" and hit.state != "denied" for hit in hits):
        return ""
    words = [segment[start:end] for start, end, code in _SUBJECTS.find(segment) if code]
    return words[-1] if words else ""


def _of_subject(subject: str, segment: str, start: int) -> list[Symptom]:
    """What a segment says of a thing named in the one before ("投影仪灯泡换了，不亮")."""
    size = len(subject)
    said = subject + segment
    return [
        Symptom(code, start, start + match.end() - size, "present")
        for code, pattern in _SIEVE.candidates(said)
        if code != "other"
        and (match := pattern.search(said)) is not None
        and match.start() < size < match.end()
        and _state(said, match) == "present"
    ]


def _first_hand(text: str, hits: list[Symptom]) -> list[Symptom]:
    """Without what a device only reports ("提示网络异常") where something was seen before it."""
    seen = min((hit.start for hit in hits if hit.state == "present" and hit.code != "other"), default=None)
    return [
        hit
        for hit in hits
        if seen is None or hit.start <= seen or not _REPORTS.search(text[max(0, hit.start - 4) : hit.start])
    ]


def _apart(hits: list[Symptom]) -> list[Symptom]:
    """Of two readings of the same characters the longer stays, the first of two that overlap, and what is gone."""
    return [
        hit
        for hit in hits
        if hit.state != "present"
        or not any(
            (one.state == "present" and _outdone(hit, one))
            or (one.state == "gone" and one.start < hit.start < one.end < hit.end)
            for one in hits
        )
    ]


def _outdone(hit: Symptom, one: Symptom) -> bool:
    inside = one.start <= hit.start and hit.end <= one.end and hit.end - hit.start < one.end - one.start
    return hit.code not in _OVER.get(one.code, ()) and (inside or one.start < hit.start < one.end < hit.end)


def _segments(text: str) -> list[tuple[int, int]]:
    found, at = [], 0
    for cut in _BREAK.finditer(text):
        if cut.start() > at:
            found.append((at, cut.start()))
        at = cut.end()
    return [*found, (at, len(text))] if at < len(text) else found


def _precise(hits: list[Symptom]) -> list[Symptom]:
    codes = {hit.code for hit in hits if hit.state not in ("denied", "absent")}
    firm = [hit for hit in hits if hit.code in codes and not _OVER.get(hit.code, frozenset()) & codes]
    return [
        hit
        for hit in hits
        if not any(one.code in _OVER.get(hit.code, ()) and not _over(one, hit) and _near(hit, one) for one in firm)
    ]


def _over(one: Symptom, hit: Symptom) -> bool:
    """What went away, or is only asked about, says nothing against what is there ("连上了，就是卡")."""
    return hit.state == "present" and (one.state == "asked" or (one.state == "gone" and hit.code != "other"))


def _near(hit: Symptom, one: Symptom) -> bool:
    """A consequence told further on counts beside its cause ("光缆挖断，导致三个乡镇网络中断")."""
    return hit.code not in _CONSEQUENCES or hit.start - one.end <= _CLOSE


def _state(segment: str, match: re.Match[str]) -> State:
    before, after = segment[: match.start()], segment[match.end() :]
    if _ASKS_AFTER.match(after):
        return "asked"
    if _IF.search(before) or _IF_AFTER.match(after):
        return "supposed"
    if _ASKS_BEFORE.search(before):
        return "asked"
    if _NO_MORE.search(before):
        return "gone"
    if _STRONG_NEGATES.search(before):
        return "denied"
    if match.group()[:1] == "不" and _NONE_THAT.search(before):
        return "absent"
    negative = match.group()[:1] in "没无不未断"
    if _NEGATES.search(before) and not negative:
        return "gone" if _GONE_AFTER.match(after) or match.group().endswith("了") else "absent"
    if _GONE_CLAUSE.search(after) or _GONE_CLAUSE.search(before):
        return "gone"
    return "present"


def well(text: str, thing: Thing) -> bool:
    """True when the device is said to be in order."""
    after = text[thing.end : thing.end + 14]
    return bool(cleared(text, thing) or _WELL.match(after))


def denied(text: str, thing: Thing) -> bool:
    """True when it is said that the device has nothing to do with it ("不是终端的问题")."""
    if _NOT_BROKEN.match(text, thing.end):
        return True
    return bool(_DENIES.search(text[: thing.start][-3:]) and _DENIED_AFTER.match(text[thing.end :][:14]))


def cleared(text: str, thing: Thing) -> bool:
    """True when the device is said not to be the trouble."""
    after = text[thing.end : thing.end + 14]
    return bool(_CLEARED_BEFORE.search(text[max(0, thing.start - 3) : thing.start]) and _CLEARED_AFTER.match(after))
