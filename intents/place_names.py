"""How each site may be spelled, by its own names and those derived from them, and how that sounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from intents.normal import simplified
from intents.reading import Place
from intents.sounds import sound
from intents.words import load_toml, patterns

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (unit, tuple(words)) for unit, words in load_toml("places.toml")["kind"].items()
)
_TAIL, _LONG_TAILS = "会场", ("主会场", "分会场")
_OFFICES = ("局", "中心")
_TOWNS = ("镇", "乡", "街道")
_MIN_SOUND, _MAX_SOUND = 3, 8
_BETWEEN, _AT_ONCE = "\0", 500
_SIMPLIFIED = str.maketrans(simplified())
_TRADITIONAL = re.compile(f"[{''.join(simplified())}]")
_PATTERNS = patterns("places.toml")

Sites = tuple[int, ...]
"""Positions in the lexicon, ascending."""


def spellings(places: Sequence[Place]) -> dict[str, Sites]:
    """Every spelling → sites. Names that were given win over spellings that are only derived."""
    found = _given(places)
    derived: dict[str, Sites] = {}
    for name, sites in found.items():
        for word in _derived(name):
            if word in found or len(word) < 2:
                continue
            known = derived.setdefault(word, sites)
            if known is not sites:
                derived[word] = (*known, *sites)
    for word, sites in derived.items():
        found[word] = sites if len(sites) == 1 else tuple(sorted(set(sites)))
    return found


def _given(places: Sequence[Place]) -> dict[str, Sites]:
    """The spellings that the organisation's own lists give."""
    found: dict[str, Sites] = {}
    for at, own in enumerate(_spellings(places)):
        for word in own:
            known = found.get(word)
            if known is None:
                found[word] = (at,)
            elif known[-1] != at:
                found[word] = (*known, at)
    return found


def _spellings(places: Sequence[Place]) -> Iterator[list[str]]:
    """The given names of each place that are long enough; many made plain at once, since each call costs more."""
    for first in range(0, len(places), _AT_ONCE):
        rows = [(place.name, *place.aliases, *_unit_name(place.unit)) for place in places[first : first + _AT_ONCE]]
        plain = iter(_plain([word for row in rows for word in row]))
        for row in rows:
            yield [word for word in islice(plain, len(row)) if len(word) > 1]


def _plain(words: Sequence[str]) -> list[str]:
    """As normalised texts spell them: lower case, simplified."""
    joined = _BETWEEN.join(words).lower()
    return (joined.translate(_SIMPLIFIED) if _TRADITIONAL.search(joined) else joined).split(_BETWEEN)


def _unit_name(unit: str) -> tuple[str, ...]:
    return (unit,) if len(unit) > 2 and "\u4e00" <= unit[0] <= "\u9fff" else ()


def _derived(name: str) -> list[str]:
    """Short spellings of a long one: without 分会场, and 安川县局 or 安川水利局 for 安川县水利局."""
    base = name
    if name.endswith(_TAIL):
        base = name[: -len(_TAIL) - name.endswith(_LONG_TAILS)]
    if len(base) < 3:
        return []
    found = [base]
    if (inner := _PATTERNS["inner_town"].fullmatch(base)) is not None:
        found.append(inner[1] + inner[2])
    if base.endswith(_OFFICES):
        if (split := _PATTERNS["office"].fullmatch(base)) is not None:
            found += _office_names(*split.groups())
    elif base.endswith(_TOWNS):
        found.append(base[:-2] if base.endswith("街道") else base[:-1])
    return found


def _office_names(region: str, suffix: str, office: str) -> set[str]:
    short = next((words[-1] for unit, words in _KINDS if office in (unit, *words)), office)
    names = {region + office, region + suffix + short, region + short}
    if office == "水利局":
        names |= {region, region + suffix, region + suffix + "局", region + "局"}
    return names


def by_sound(surfaces: Mapping[str, Sites], places: Sequence[Place]) -> dict[str, str]:
    """Sound → the spelling; a sound of different sites is left out, and so are short bare names."""
    words = [
        word
        for word, sites in surfaces.items()
        if _MIN_SOUND <= len(word) <= _MAX_SOUND or (len(word) == 2 and places[sites[0]].tier in ("city", "county"))
    ]
    heard: dict[str, str] = {}
    shared: set[str] = set()
    for word, key in zip(words, sound("\n".join(words)).splitlines(), strict=True):
        known = heard.setdefault(key, word)
        if known is not word and surfaces[known] != surfaces[word]:
            shared.add(key)
    for key in shared:
        del heard[key]
    return heard
