"""Who a notice concerns: from the sites of a meeting to the units that owe, the people and the groups that hear of it.

Pure questions to the organisation; the same snapshot gives the same answers, so that slices of one broadcast agree.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from storage.directory import Directory
from storage.models import Group, Person, Site, Unit
from workflows.people import responders

INSTANT_ONLY = frozenset({"email"})


def owing_units(org: Directory, site_ids: Iterable[str]) -> list[str]:
    """Units that owe an answer: the unit of each site and the customer units directly under it, each once."""
    found: dict[str, None] = {}
    for site_id in site_ids:
        site = org.sites.get(site_id)
        if site is None:
            continue
        found[site.unit_id] = None
        found.update(dict.fromkeys(unit.unit_id for unit in org.children(site.unit_id, "customer")))
    return [unit_id for unit_id in found if unit_id in org.units]


def sites_among(org: Directory, unit_ids: Iterable[str], site_ids: Iterable[str]) -> list[Site]:
    """Those of the given sites that belong to the given units."""
    wanted = set(site_ids)
    return [site for unit_id in unit_ids for site in org.sites_of(unit_id) if site.site_id in wanted]


def copied_units(org: Directory, unit_ids: Sequence[str]) -> list[Unit]:
    """Higher tiers that get a copy and owe nothing: operations units above those concerned."""
    concerned = set(unit_ids)
    found: dict[str, Unit] = {}
    for unit_id in unit_ids:
        for unit in org.upward(unit_id)[1:]:
            if unit.track == "operations" and unit.unit_id not in concerned:
                found[unit.unit_id] = unit
    return list(found.values())


def customer_groups(org: Directory, unit_id: str, platforms: frozenset[str]) -> list[Group]:
    """Customer-track groups of a unit: on each platform those of the nearest tier upward that has some."""
    found: list[Group] = []
    for platform in sorted(platforms):
        for unit in org.upward(unit_id):
            near = [unit.unit_id, *(child.unit_id for child in org.children(unit.unit_id, "customer"))]
            own = [group for one in near for group in _customer_track(org).get((one, platform), ())]
            if own:
                found.extend(own)
                break
    return found


@lru_cache(maxsize=2)
def _customer_track(org: Directory) -> dict[tuple[str, str], list[Group]]:
    index: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in org.groups.values():
        if group.purpose == "customer_track":
            index[group.unit_id, group.platform].append(group)
    return index


def instant(org: Directory, unit_id: str, people: Iterable[Person], platforms: frozenset[str]) -> bool:
    """Whether anybody of the unit (or who answers for it) can be reached on a configured instant-messaging platform."""
    known = [*org.members(unit_id), *people]
    switched_on = sorted(platforms - INSTANT_ONLY)
    return any(org.accounts(person.person_id, platform) for person in known for platform in switched_on)


@dataclass
class Audience:
    """Who hears of one notice. ``people``: who answers, per unit. ``by_person`` and ``by_group``: the units one
    message to this person or group is about, in the order of the notice; a group without any gets a copy.
    """

    people: dict[str, list[Person]] = field(default_factory=dict)
    by_person: dict[str, list[str]] = field(default_factory=dict)
    by_group: dict[str, list[str]] = field(default_factory=dict)
    copies: list[Unit] = field(default_factory=list)


@lru_cache(maxsize=8)
def audience(org: Directory, unit_ids: tuple[str, ...], platforms: frozenset[str], at: datetime) -> Audience:
    """Everybody a notice to these units reaches, with those on duty at ``at``. Remembered: every slice asks again."""
    found = Audience(copies=copied_units(org, unit_ids))
    for unit_id in unit_ids:
        found.people[unit_id] = responders(org, unit_id, at)
        for person in found.people[unit_id]:
            found.by_person.setdefault(person.person_id, []).append(unit_id)
        for group in groups_of(org, unit_id, platforms):
            found.by_group.setdefault(group.group_id, []).append(unit_id)
    return found


def groups_of(org: Directory, unit_id: str, platforms: frozenset[str]) -> list[Group]:
    """The groups in which a notice to a unit is said."""
    return [*org.groups_serving(unit_id, platforms), *customer_groups(org, unit_id, platforms)]


def asked_in(org: Directory, group: Group, unit_ids: Sequence[str]) -> list[str]:
    """Which of the units are asked to answer in a group: in a customer-track group only customer units."""
    if group.purpose == "support":
        return list(unit_ids)
    return [unit_id for unit_id in unit_ids if org.units[unit_id].track == "customer"]
