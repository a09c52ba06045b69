"""Sites in a text: full and short names, slips of the ear, names that several sites share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from intents import things
from intents.common import stands_free, words
from intents.lexicon import WordIndex
from intents.place_names import by_sound, spellings
from intents.reading import Context, Place
from intents.sounds import sound
from intents.words import compiled, load_toml, patterns

_WORDS = load_toml("places.toml")
_EVERYDAY = frozenset(_WORDS["everyday"])


def _any_of(name: str) -> re.Pattern[str]:
    """What may stand right after a name, any entry of a list."""
    return compiled("|".join(_WORDS[name]), f"places.toml: {name}")


_NOT_AFTER = _any_of("not_after")
_NOT_BEFORE = re.compile(_WORDS["not_before"])
_SITE_AFTER = _any_of("site_after")
_OFFICE_AFTER = _any_of("office_after")
_FOREIGN = re.compile(f"(?:县|市|区)?(?:{'|'.join(_WORDS['foreign'])})")
_JOINER = re.compile(_WORDS["joiner"])
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = tuple((unit, tuple(words)) for unit, words in _WORDS["kind"].items())
_LOWEST = "township"
_MIN_SOUND = 3
_ROW = 3
_PATTERNS = patterns("places.toml")


@dataclass(frozen=True)
class PlaceHit:
    """Where a place is named, and every site it may be (positions in the lexicon)."""

    start: int
    end: int
    sites: tuple[int, ...]
    sounded: bool = False


class PlaceIndex:
    """The lexicon of sites. `find` does the reading; nothing that it finds changes after building."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self._surfaces = spellings(self.places)
        self._index = WordIndex(self._surfaces)
        self._sounds = WordIndex(by_sound(self._surfaces, self.places))
        self._tiers: dict[tuple[str, str], tuple[int, ...]] = {}
        self._units = {place.unit: at for at, place in enumerate(self.places)}

    def find(self, text: str, context: Context, blanks: frozenset[int] = frozenset()) -> list[PlaceHit]:
        """Hits in order, parents merged into their children, namesakes decided where the context can.

        `blanks`: where a space was taken out of the text; three places with spaces between them are a list.
        """
        read, apart = self._by_blanks(self._read(text), text, blanks)
        hits = self._heard(text, [hit for hit in read if hit.start in apart or self._is_meant(text, hit, context)])
        hits = self._merge(text, self._share_kind(text, _not_taken_back(text, hits)), apart)
        hits = self._same_offices(text, hits)
        decided = [self._decide(hit, hits, context) for hit in hits]
        return [hit for hit in decided if not self._only_says_which(text, hit, decided)]

    def _only_says_which(self, text: str, hit: PlaceHit, hits: list[PlaceHit]) -> bool:
        """ "我是江山的，大陈没声音": the sender comes from there, the trouble is in a place below."""
        if text[hit.end : hit.end + 1] != "的" or not _PATTERNS["from_there"].search(text[: hit.start][-5:]):
            return False
        return any(other is not hit and set(self._children(other, hit)) == set(other.sites) for other in hits)

    def provincial(self, hit: PlaceHit) -> bool:
        """True when only sites of the province can be meant."""
        return all(self.places[at].tier == "province" for at in hit.sites)

    def of_tier(self, tier: str, kind: str) -> tuple[int, ...]:
        """The sites of a tier whose unit is of a kind (any for ""); found once, there are few of either."""
        if (tier, kind) not in self._tiers:
            self._tiers[tier, kind] = tuple(
                at for at, place in enumerate(self.places) if place.tier == tier and kind in place.unit
            )
        return self._tiers[tier, kind]

    def below(self, hit: PlaceHit) -> frozenset[int]:
        """The sites that lie below those of a hit, at any depth."""
        units = {self.places[at].unit for at in hit.sites}
        regions = {_region_of(unit) for unit in units} - {""}
        units |= {unit for unit in self._units if _region_of(unit) in regions}
        found: set[int] = set()
        while new := {at for at, place in enumerate(self.places) if place.parent in units} - found:
            found |= new
            units |= {self.places[at].unit for at in new}
        return frozenset(found)

    def names(self, hits: Iterable[PlaceHit]) -> list[str]:
        """Canonical names, each once, in order of mention."""
        return list(dict.fromkeys(self.places[at].name for hit in hits for at in hit.sites))

    def spelled(self, text: str) -> list[tuple[int, int]]:
        """Where a name stands letter by letter."""
        return [(start, end) for start, end, _ in self._index.find(text)]

    def _read(self, text: str) -> list[PlaceHit]:
        return [self._longer_child(text, PlaceHit(*found)) for found in self._index.find(text)]

    def _longer_child(self, text: str, hit: PlaceHit) -> PlaceHit:
        """ "德清武康街道便民中心": a name that begins inside another and reaches further is the one that is meant."""
        for start in range(hit.start + 1, hit.end):
            found = self._index.longest_at(text, start)
            if found is not None and found[0] > hit.end and self._index.get(text[hit.start : start]) is not None:
                return PlaceHit(hit.start, found[0], found[1])
        return hit

    def _by_blanks(
        self, hits: list[PlaceHit], text: str, blanks: frozenset[int]
    ) -> tuple[list[PlaceHit], frozenset[int]]:
        """Hits cut where spaces stood, if that gives a row of three or more; and where those after the first begin."""
        pieces = [piece for hit in hits for piece in self._pieces(hit, text, blanks)]
        rows: list[list[PlaceHit]] = []
        for piece in pieces:
            if rows and rows[-1][-1].end == piece.start and piece.start in blanks:
                rows[-1].append(piece)
            else:
                rows.append([piece])
        apart = frozenset(piece.start for row in rows if len(row) >= _ROW for piece in row[1:])
        return (pieces if apart else hits), apart

    def _pieces(self, hit: PlaceHit, text: str, blanks: frozenset[int]) -> list[PlaceHit]:
        edges = [hit.start, *sorted(at for at in blanks if hit.start < at < hit.end), hit.end]
        parts = [(start, end, self._index.get(text[start:end])) for start, end in pairwise(edges)]
        known = [PlaceHit(start, end, sites) for start, end, sites in parts if sites is not None]
        return known if len(known) == len(parts) else [hit]

    def _is_meant(self, text: str, hit: PlaceHit, context: Context) -> bool:
        word, after = text[hit.start : hit.end], text[hit.end : hit.end + 12]
        if _FOREIGN.match(after) or self._office_not_here(hit, after):
            return False
        if _PATTERNS["region"].search(word) and len(word) > 2:
            return True
        if any(text[hit.start : stop] in words() for stop in (hit.end + 1, hit.end + 2) if stop <= len(text)):
            return False
        if len(word) <= 3 and _NOT_AFTER.match(after):
            return False
        if word not in _EVERYDAY:
            return True
        if any(self.places[at].name in context.own_sites for at in hit.sites):
            return True
        if self._child_of_neighbour(text, hit):
            return True
        if self._beside_another(text, hit):
            return True
        if _PATTERNS["came_to"].search(text[max(0, hit.start - 4) : hit.start]):
            return True
        of = _PATTERNS["of"].match(text, hit.end)
        about_it = _SITE_AFTER.match(after) or things.begins(text, of.end() if of else hit.end)
        return bool(about_it) and not _NOT_BEFORE.search(text[max(0, hit.start - 4) : hit.start])

    def _office_not_here(self, hit: PlaceHit, after: str) -> bool:
        """ "桐庐县应急局" where the organisation has no such office: not the office of another kind there."""
        full = _PATTERNS["office_name"].match(after)
        kind = _kind_at(full.group()) if full else None
        regions = {_region_of(self.places[at].unit) for at in hit.sites} - {""}
        return kind is not None and bool(regions) and not any(region + kind in self._units for region in regions)

    def _beside_another(self, text: str, hit: PlaceHit) -> bool:
        """ "黄宅、新市", "平水和店口": one of a list is a place where its neighbour can be nothing else."""
        before = _PATTERNS["joined_before"].search(text[: hit.start][-2:])
        if before is not None and self._ends_in_place(text[: hit.start - len(before.group())]):
            return True
        after = _PATTERNS["joined_after"].match(text, hit.end)
        found = self._index.longest_at(text, after.end()) if after else None
        return found is not None and after is not None and text[after.end() : found[0]] not in _EVERYDAY

    def _ends_in_place(self, text: str) -> bool:
        return any(self._index.get(text[start:]) is not None for start in range(max(0, len(text) - 8), len(text) - 1))

    def _child_of_neighbour(self, text: str, hit: PlaceHit) -> bool:
        parents = {self.places[at].parent for at in hit.sites}
        for start in range(max(0, hit.start - 6), hit.start):
            found = self._index.longest_at(text[: hit.start], start)
            if found is not None and any(self.places[at].unit in parents for at in found[1]):
                return True
        return False

    def _heard(self, text: str, hits: list[PlaceHit]) -> list[PlaceHit]:
        """Adds names that only sound right where no everyday word stands, longer than what was read there."""
        found = list(hits)
        for start, end, name in self._sounds.find(sound(text)):
            sites = self._surfaces[name]
            met = [hit for hit in found if hit.start < end and hit.end > start]
            inside = all(
                (start <= hit.start and hit.end < end) or (start < hit.start and hit.end <= end) for hit in met
            )
            if not inside or text[start:end] == name or not self._sounds_meant(text, start, end, name, sites):
                continue
            if met and sum(one != other for one, other in zip(text[start:end], name, strict=True)) > 1:
                continue
            found = [hit for hit in found if hit not in met]
            found.append(PlaceHit(start, end, sites, sounded=True))
        return sorted(found, key=lambda hit: hit.start)

    def _sounds_meant(self, text: str, start: int, end: int, name: str, sites: tuple[int, ...]) -> bool:
        same = sum(one == other for one, other in zip(text[start:end], name, strict=True))
        if same == 0 or not stands_free(text, start, end):
            return False
        if end - start >= _MIN_SOUND:
            return True
        if self.places[sites[0]].tier not in ("city", "county") or name in _EVERYDAY:
            return False
        opens = start == 0 or text[start - 1] in ",.;!?、\n"
        return opens or bool(_OFFICE_AFTER.match(text[end:]))

    def _share_kind(self, text: str, hits: list[PlaceHit]) -> list[PlaceHit]:
        """ "温州、台州两市政务中心": the kind after the last name holds for the whole list."""
        shared = [self._office_first(text, hit) for hit in hits]
        for last in range(len(hits) - 1, -1, -1):
            tail = text[hits[last].end : hits[last].end + 14]
            after = _kind_at(tail)
            unit = after or _kind_in(text[hits[last].start : hits[last].end])
            at = last if after else last - 1
            if unit is None or (not after and not self._listed(text, hits, last)):
                continue
            while at == last or _kind_in(text[hits[at].start : hits[at].end]) is None:
                shared[at] = self._with_kind(shared[at], unit)
                if at == 0 or not _JOINER.match(text[hits[at - 1].end : hits[at].start]):
                    break
                at -= 1
        return shared

    def _office_first(self, text: str, hit: PlaceHit) -> PlaceHit:
        """ "政务中心温州的，没声音": the office is told before the region."""
        before = _PATTERNS["office_first"].search(text[: hit.start][-12:])
        unit = _kind_at(before.group(1)) if before and _PATTERNS["of_office_first"].match(text, hit.end) else None
        return self._with_kind(hit, unit) if unit else hit

    def _same_offices(self, text: str, hits: list[PlaceHit]) -> list[PlaceHit]:
        """ "临安应急、淳安应急: ... 临安、淳安依次汇报": the bare region is the office that was named before."""
        told: dict[str, tuple[int, ...]] = {}
        found = []
        for hit in hits:
            regions = {_region_of(self.places[at].unit) for at in hit.sites}
            region = regions.pop() if len(regions) == 1 else ""
            if region and text[hit.start : hit.end] in (region, region[:-1]):
                found.append(replace(hit, sites=told.get(region, hit.sites)))
                continue
            if region:
                told.setdefault(region, hit.sites)
            found.append(hit)
        return found

    @staticmethod
    def _listed(text: str, hits: list[PlaceHit], at: int) -> bool:
        """Whether another place stands right before this one in a list."""
        return at > 0 and _JOINER.match(text[hits[at - 1].end : hits[at].start]) is not None

    def _with_kind(self, hit: PlaceHit, kind: str) -> PlaceHit:
        found = []
        for at in hit.sites:
            region = _region_of(self.places[at].unit)
            other = self._units.get(region + kind) if region else None
            found.append(at if other is None else other)
        return replace(hit, sites=tuple(dict.fromkeys(found)))

    def _merge(self, text: str, hits: list[PlaceHit], apart: frozenset[int]) -> list[PlaceHit]:
        """ "义乌市大陈镇", "大陈(义乌)": the parent only says which namesake is meant."""
        merged: list[PlaceHit] = []
        for hit in hits:
            between = text[merged[-1].end : hit.start] if merged and hit.start not in apart else None
            if between is not None and _PATTERNS["parent_gap"].fullmatch(between):
                children = self._children(hit, merged[-1])
                if children:
                    self._each_has_one(text, merged, hit)
                    merged[-1] = PlaceHit(merged[-1].start, hit.end, children)
                    continue
            if between == "(" and text[hit.end : hit.end + 1] == ")" and (own := self._children(merged[-1], hit)):
                merged[-1] = PlaceHit(merged[-1].start, hit.end + 1, own)
                continue
            if (
                between in (",", "的,")
                and _PATTERNS["that_one"].match(text, hit.end)
                and (own := self._children(merged[-1], hit))
            ):
                merged[-1] = replace(merged[-1], sites=own)
                continue
            merged.append(hit)
        return merged

    def _each_has_one(self, text: str, merged: list[PlaceHit], hit: PlaceHit) -> None:
        """ "温岭和云和的石塘": the place listed before the parent has a namesake too."""
        if len(merged) < 2 or not _PATTERNS["town_of"].fullmatch(text[merged[-1].end : hit.start]):
            return
        listed = _JOINER.match(text[merged[-2].end : merged[-1].start])
        if listed and (others := self._children(hit, merged[-2])):
            merged[-2] = replace(merged[-2], sites=others)

    def _children(self, hit: PlaceHit, parent: PlaceHit) -> tuple[int, ...]:
        """The sites of a hit that lie below what another one names; none below a township."""
        if {self.places[at].tier for at in parent.sites} == {_LOWEST}:
            return ()
        units = {self.places[at].unit for at in parent.sites}
        return tuple(at for at in hit.sites if self._below(at, units))

    def _below(self, at: int, units: set[str]) -> bool:
        place = self.places[at]
        if place.parent in units:
            return True
        regions = {_region_of(unit) for unit in units} - {""}
        return any(place.unit.startswith(region) and place.unit not in units for region in regions)

    def _decide(self, hit: PlaceHit, hits: list[PlaceHit], context: Context) -> PlaceHit:
        if len(hit.sites) < 2:
            return hit
        own = tuple(
            at
            for at in hit.sites
            if self.places[at].name in context.own_sites or self.places[at].unit in context.own_units
        )
        below = tuple(at for at in hit.sites if self.places[at].parent in context.own_units)
        named = {self.places[at].unit for other in hits if other is not hit for at in other.sites}
        beside = tuple(at for at in hit.sites if self.places[at].parent in named)
        told = next((other.sites for other in hits if set(other.sites) < set(hit.sites)), ())
        return replace(hit, sites=told or beside or own or below or hit.sites)


def _not_taken_back(text: str, hits: list[PlaceHit]) -> list[PlaceHit]:
    """Without a place that the sender denies beside another one ("不是安吉是德清", "温州，哦不，台州")."""
    if len(hits) < 2:
        return hits
    kept = [
        hit
        for at, hit in enumerate(hits)
        if not _PATTERNS["denied"].search(text[max(0, hit.start - 4) : hit.start])
        and not (at + 1 < len(hits) and _PATTERNS["corrected"].match(text[hit.end : hits[at + 1].start]))
    ]
    return kept or hits


def _kind_at(tail: str) -> str | None:
    counted = _PATTERNS["counted"].match(tail)
    rest = tail[counted.end() :] if counted else tail
    for unit, names in _KINDS:
        if rest.startswith(names):
            return unit
    return None


def _kind_in(word: str) -> str | None:
    """The kind that a full name ends in ("丽水市政务中心")."""
    return next((unit for unit, words in _KINDS if len(word) > 3 and word.endswith(words)), None)


def _region_of(unit: str) -> str:
    """ "温州市" of "温州市水利局"; empty when the unit has no such part."""
    found = _PATTERNS["region_head"].match(unit)
    return found.group() if found else ""
