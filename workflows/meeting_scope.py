"""Which sites take part, and who may call them: everything in one's own area and below, nothing above or beside it."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from storage.directory import TIERS, Directory
from storage.models import Person, Site, Unit
from workflows.authority import may
from workflows.words import Words

WORDS = Words("meeting")
EVERYBODY = re.compile(WORDS.get("match.everybody"))
TIER_WORDS = {tier: re.compile(pattern) for tier, pattern in WORDS.get("match.tier").items()}
PUBLISH = "meeting.publish"
SHORTEST = 2


def area_of(org: Directory, person: Person) -> Unit | None:
    """The operations unit a person publishes for; None when they may not publish at all."""
    home = org.operations_unit(person.unit_id)
    return home if home is not None and may(org, person, PUBLISH, home.unit_id) else None


def outside(org: Directory, person: Person, site_ids: Iterable[str]) -> list[Site]:
    """Sites that this person may not call to a meeting."""
    area = area_of(org, person)
    inside = {unit.unit_id for unit in org.below(area.unit_id)} if area else set()
    sites = [org.sites[site_id] for site_id in site_ids if site_id in org.sites]
    return [one for one in sites if one.unit_id not in inside and not may(org, person, PUBLISH, one.unit_id)]


def who_may(org: Directory, unit_id: str) -> list[Person]:
    """The nearest people upward who may publish for a unit."""
    for unit in org.upward(unit_id):
        near = [unit.unit_id, *(child.unit_id for child in org.children(unit.unit_id, "customer"))]
        found = [person for one in near for person in org.members(one) if may(org, person, PUBLISH, unit_id)]
        if found:
            return found
    return []


def whole_area(org: Directory, root: str, systems: Sequence[str] = ()) -> list[str]:
    """Every site of a unit and below that has one of the systems (all of them, when none has or none is named)."""
    sites = [site for unit in org.below(root) for site in org.sites_of(unit.unit_id)]
    equipped = [site for site in sites if not site.systems or set(systems) & set(site.systems)]
    named = [system for system in systems if system != "other"]
    return [site.site_id for site in (equipped if named and equipped else sites)]


def says_tier(text: str) -> bool:
    """Whether the text calls a whole tier (各乡镇), so that its sites were not named one by one."""
    return any(pattern.search(text) for pattern in TIER_WORDS.values())


def in_area(org: Directory, area: Unit, site_ids: Sequence[str]) -> list[str]:
    """Those sites that lie in the area."""
    units = {unit.unit_id for unit in org.below(area.unit_id)}
    return [one for one in site_ids if one in org.sites and org.sites[one].unit_id in units]


def part_of(org: Directory, area: Unit, text: str, systems: Sequence[str]) -> list[str]:
    """Sites of whole tiers: 临河县各乡镇, or 各县 of the speaker's area; empty when the text has no such words."""
    tiers = [tier for tier, pattern in TIER_WORDS.items() if pattern.search(text)]
    roots = _named_roots(org, area, text)
    if not tiers or (not roots and EVERYBODY.search(text)):
        return []
    sites = [site for root in roots or [area.unit_id] for site in whole_area(org, root, systems)]
    return [site for site in dict.fromkeys(sites) if org.units[org.sites[site].unit_id].tier in tiers]


def wanted(org: Directory, area: Unit, text: str, systems: Sequence[str]) -> list[str]:
    """Sites that words such as 全市, 各市县 or 临河县各乡镇 mean, seen from ``area``; empty without such words."""
    part = part_of(org, area, text, systems)
    return part or (whole_area(org, area.unit_id, systems) if EVERYBODY.search(text) else [])


def _named_roots(org: Directory, area: Unit, text: str) -> list[str]:
    """Units named in the text that have other units of the area below them."""
    roots = [site_unit for site_unit in named_units(org, text) if len(org.below(site_unit)) > 1]
    inside = {unit.unit_id for unit in org.below(area.unit_id)}
    return [root for root in roots if root in inside]


def named_units(org: Directory, text: str) -> list[str]:
    """Operations units whose name or alias stands in the text, in order."""
    return _found(_unit_names(org), text)


def named_sites(org: Directory, text: str) -> list[str]:
    """Sites that the text names, by their own name or their unit's, in order; longer names win."""
    return _found(_site_names(org), text)


def namesakes(org: Directory, site_ids: Sequence[str], text: str) -> dict[str, list[str]]:
    """Names in the text that sites of several units bear, with these sites; not a name that is said once for each."""
    flat = "".join(text.split())
    shared: dict[str, list[str]] = {}
    for word in sorted(_site_names(org), key=len, reverse=True):
        sites = [one for one in _site_names(org)[word] if one in site_ids]
        units = {org.sites[one].unit_id for one in sites}
        if len(units) > 1 and 0 < flat.count(word) < len(sites) and not any(word in longer for longer in shared):
            shared[word] = sites
    return shared


def _found(names: dict[str, tuple[str, ...]], text: str) -> list[str]:
    flat = "".join(text.split())
    longest = max(map(len, names), default=0)
    found: list[str] = []
    at = 0
    while at < len(flat):
        sizes = range(min(longest, len(flat) - at), SHORTEST - 1, -1)
        size = next((size for size in sizes if flat[at : at + size] in names), 0)
        found.extend(names.get(flat[at : at + size], ()))
        at += size or 1
    return list(dict.fromkeys(found))


@lru_cache(maxsize=2)
def _site_names(org: Directory) -> dict[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for site in org.sites.values():
        unit = org.units.get(site.unit_id)
        of_unit = (unit.name, *unit.aliases) if unit else ()
        for word in {site.name, *site.aliases, *of_unit}:
            if len(word) >= SHORTEST:
                index[word] = (*index.get(word, ()), site.site_id)
    return index


@lru_cache(maxsize=2)
def _unit_names(org: Directory) -> dict[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for unit in org.units.values():
        for word in {unit.name, *unit.aliases} if unit.track == "operations" else ():
            if len(word) >= SHORTEST:
                index[word] = (*index.get(word, ()), unit.unit_id)
    return index


def ordered(org: Directory, site_ids: Iterable[str]) -> list[str]:
    """Each site once, higher tiers first, otherwise as given."""
    once = [one for one in dict.fromkeys(site_ids) if one in org.sites and org.sites[one].unit_id in org.units]
    return sorted(once, key=lambda one: TIERS.index(org.units[org.sites[one].unit_id].tier))
