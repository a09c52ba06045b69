"""Who takes part in a meeting and where it is held: named sites, whole tiers, everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable

from intents.places import PlaceHit, PlaceIndex
from intents.spans import Spans
from intents.words import load_toml, patterns

_WORDS = load_toml("scope.toml")
_TIERS = tuple((entry["tier"], re.compile("|".join(entry["words"]))) for entry in _WORDS["tier"])
_KINDS = tuple((unit, re.compile("|".join(words))) for unit, words in _WORDS["kinds"].items())
_PATTERNS = patterns("scope.toml")


def who(spans: Spans, places: PlaceIndex, known: bool = False) -> tuple[bool, list[str]]:
    """(everybody, the named sites). A named list wins over "全省" in a title; one tier and kind is expanded.

    `known`: of a meeting that was told before, whose readers are addressed without being its participants."""
    told = expanded(spans, places)
    named = places.names(_named(spans, places, bool(told)))
    if named:
        return False, list(dict.fromkeys([*named, *(told if _beside_the_address(spans) else ())]))
    if told and not _PATTERNS["many"].search(spans.plain):
        return False, told
    return spans.everybody and not (known and not spans.all_of(_PATTERNS["addressed"].sub("", spans.plain))), []


def _beside_the_address(spans: Spans) -> bool:
    """Not so in "各乡镇：…请紧水滩镇、石塘镇参加": who is written to is told who of them takes part."""
    rest = _PATTERNS["written_to"].sub("", spans.plain)
    return any(pattern.search(rest) for _, pattern in _TIERS)


def _named(spans: Spans, places: PlaceIndex, beside_a_tier: bool) -> Iterable[PlaceHit]:
    venue = set(_venue_hits(spans))
    for hit in spans.places:
        if hit in venue or _left_out(spans, hit) or (beside_a_tier and _whose(spans) == hit):
            continue
        if not places.provincial(hit) or (beside_a_tier and _PATTERNS["joined"].match(spans.plain[hit.end :])):
            yield hit


def _left_out(spans: Spans, hit: PlaceHit) -> bool:
    """ "除舟山外"."""
    before, after = spans.text[max(0, hit.start - 2) : hit.start], spans.text[hit.end :]
    return bool(_PATTERNS["except_before"].search(before) and _PATTERNS["except_after"].match(after))


def _tier(spans: Spans) -> tuple[str, re.Match[str]] | None:
    for tier, pattern in _TIERS:
        match = pattern.search(spans.plain)
        if match is not None:
            return tier, match
    return None


def _whose(spans: Spans) -> PlaceHit | None:
    """ "湖州各区县": the place whose tier is meant."""
    found = _tier(spans)
    return next((hit for hit in spans.places if found is not None and hit.end == found[1].start()), None)


def expanded(spans: Spans, places: PlaceIndex) -> list[str]:
    """The sites of a tier and kind that are named together ("各市水利局", "岱山各镇"), without those left out."""
    found = _tier(spans)
    if found is None:
        return []
    tier, match = found
    tail = spans.plain[match.end() : match.end() + 8]
    kind = next((unit for unit, words in _KINDS if words.match(tail)), None)
    parent = _whose(spans)
    if not kind and tier != "township" and parent is None:
        return []
    out = places.names(hit for hit in spans.places if _left_out(spans, hit))
    below = None if parent is None else places.below(parent)
    return [
        places.places[at].name
        for at in places.of_tier(tier, kind or "")
        if (below is None or at in below) and places.places[at].name not in out
    ]


def _venue_hits(spans: Spans) -> list[PlaceHit]:
    at_room = {room[0] for room in spans.rooms}
    return [hit for hit in spans.places if hit.end in at_room or _signs(spans, hit) or _held_at(spans.text, hit)]


def _held_at(text: str, hit: PlaceHit) -> bool:
    """ "在省水利厅召开", "地点:安吉县局"; one of a list is no venue."""
    if not _PATTERNS["venue"].search(text[max(0, hit.start - 10) : hit.start]):
        return False
    return bool(_PATTERNS["venue_after"].match(text[hit.end :])) or text[hit.end : hit.end + 1] not in ("、", "和")


def held_in(spans: Spans, places: PlaceIndex) -> list[str]:
    """The venue of a meeting for everybody: only where it is said to be held there ("在省水利厅召开")."""
    return places.names(
        hit
        for hit in spans.places
        if _PATTERNS["held_firm"].search(before := spans.text[max(0, hit.start - 6) : hit.start])
        or (_PATTERNS["held_in"].search(before) and _PATTERNS["venue_after"].match(spans.text[hit.end :]))
    )


def _signs(spans: Spans, hit: PlaceHit) -> bool:
    """A client's own unit as the whole first or last clause ("…麻烦保障一下，安吉水利")."""
    own = [clause for clause in spans.clauses if clause.start < len(spans.core)]
    if spans.context.role != "client" or not own:
        return False
    whole = {(place.start, place.end) for place in spans.places}
    if len(whole) > 1:  # beside others only as the signature, and not as the last of a list
        listed = len(own) > 1 and (own[-2].start, own[-2].end) in whole
        return not listed and (own[-1].start, own[-1].end) == (hit.start, hit.end)
    return any(edge.start == hit.start and edge.end == hit.end for edge in (own[0], own[-1]))


def venue(spans: Spans, places: PlaceIndex, firm: bool) -> list[str]:
    """Where it is held; `firm`, beside a list of sites: only where a room is named too, or the sender signs."""
    at_room = {room[0] for room in spans.rooms}
    return places.names(hit for hit in _venue_hits(spans) if not firm or hit.end in at_room or _signs(spans, hit))
