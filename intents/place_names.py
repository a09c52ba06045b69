"""How each site may be spelled, by its own names and those derived from them, and how that sounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from intents.normal import simplified
from intents.reading import Place
from intents.sounds import sound
from intents.words import load_toml, patterns

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (unit, tuple(words)) for unit, words in load_toml("places.toml")["kind"].items()
)
_TAILS = ("主会场", "分会场", "会场")
_OFFICES = ("局", "中心")
_TOWNS = ("镇", "乡", "街道")
_MIN_SOUND, _MAX_SOUND = 3, 8
_BETWEEN, _AT_ONCE = "\0", 500
_PATTERNS = patterns("places.toml")


def spellings(places: Sequence[Place]) -> dict[str, tuple[int, ...]]:
    """Every spelling → sites. Names that were given win over spellings that are only derived."""
    given: dict[str, tuple[int, ...]] = {}
    derived: dict[str, tuple[int, ...]] = {}
    for at, own in enumerate(_spellings(places)):
        for word in own:
            if len(word) > 1:
                given[word] = (*given[word], at) if word in given else (at,)
        for word in _derived(own):
            if word not in own:
                derived[word] = (*derived[word], at) if word in derived else (at,)
    for word, sites in derived.items():
        given.setdefault(word, sites)
    return given


def _spellings(places: Sequence[Place]) -> Iterator[set[str]]:
    """The given names of each place as normalised texts spell them: lower case, simplified; many changed at once."""
    table = str.maketrans(simplified())
    for first in range(0, len(places), _AT_ONCE):
        rows = [(place.name, *place.aliases, *_unit_name(place.unit)) for place in places[first : first + _AT_ONCE]]
        joined = _BETWEEN.join(_BETWEEN.join(row) for row in rows)
        plain = iter(joined.lower().translate(table).split(_BETWEEN))
        for row in rows:
            yield set(islice(plain, len(row)))


def _unit_name(unit: str) -> tuple[str, ...]:
    return (unit,) if len(unit) > 2 and "\u4e00" <= unit[0] <= "\u9fff" else ()


def _derived(own: set[str]) -> set[str]:
    """Short spellings of long ones: without 分会场, and 安川县局 or 安川水利局 for 安川县水利局."""
    found: set[str] = set()
    for name in own:
        base = name
        if name.endswith(_TAILS[-1]):
            base = next(name[: -len(tail)] for tail in _TAILS if name.endswith(tail))
        if len(base) < 3:
            continue
        found.add(base)
        if (inner := _PATTERNS["inner_town"].fullmatch(base)) is not None:
            found.add(inner[1] + inner[2])
        if base.endswith(_OFFICES):
            split = _PATTERNS["office"].fullmatch(base)
            if split is not None:
                found |= _office_names(*split.groups())
        elif base.endswith(_TOWNS):
            found.add(base[:-2] if base.endswith("街道") else base[:-1])
    return {name for name in found if len(name) > 1}


def _office_names(region: str, suffix: str, office: str) -> set[str]:
    short = next((words[-1] for unit, words in _KINDS if office in (unit, *words)), office)
    names = {region + office, region + suffix + short, region + short}
    if office == "水利局":
        names |= {region, region + suffix, region + suffix + "局", region + "局"}
    return names


def by_sound(surfaces: dict[str, tuple[int, ...]], places: Sequence[Place]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Sound → the spelling and its sites; a sound of different sites is left out, and so are short bare names."""
    words = [
        word
        for word, sites in surfaces.items()
        if _MIN_SOUND <= len(word) <= _MAX_SOUND or (len(word) == 2 and places[sites[0]].tier in ("city", "county"))
    ]
    heard: dict[str, tuple[str, tuple[int, ...]] | None] = {}
    for word, key in zip(words, sound("\n".join(words)).splitlines(), strict=True):
        if key in heard:
            known = heard[key]
            heard[key] = known if known is not None and known[1] == surfaces[word] else None
        else:
            heard[key] = (word, surfaces[word])
    return {key: value for key, value in heard.items() if value is not None}
