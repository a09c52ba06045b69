"""Who answers for a unit, and who is above it: the people an obligation concerns."""

from datetime import datetime

from storage.directory import Directory
from storage.models import Group, Obligation, Person

MAIL = "email"
ANSWERING = ("coordinator", "engineer", "client", "dispatcher")


def responders(org: Directory, unit_id: str, at: datetime) -> list[Person]:
    """Who answers for a unit: engineers on duty, or for a customer unit its coordinators, else anyone in it."""
    unit = org.units.get(unit_id)
    if unit is not None and unit.track == "operations":
        return org.on_duty(unit_id, at)
    for role in ANSWERING:
        if found := org.members(unit_id, role):
            return found
    return []


def owers(org: Directory, obligation: Obligation, at: datetime) -> list[Person]:
    """Who owes this: the people named in it, else who answers for its unit."""
    named = [org.people[person_id] for person_id in obligation.person_ids if person_id in org.people]
    return named or responders(org, obligation.unit_id, at)


def by_mail_only(org: Directory, person: Person, platforms: frozenset[str]) -> bool:
    """Whether nothing but mail reaches them."""
    places = org.addresses(person.person_id, platforms)
    return bool(places) and all(place.platform == MAIL for place in places)


def upper_supervisors(org: Directory, unit_id: str) -> list[Person]:
    """Supervisors of the nearest operations unit above that has some."""
    unit = org.operations_parent(unit_id)
    while unit is not None:
        if found := org.supervisors(unit.unit_id):
            return found
        unit = org.operations_parent(unit.unit_id)
    return []


def supervisor_groups(org: Directory, unit_id: str, platforms: frozenset[str]) -> list[Group]:
    """The supervisors' groups that hear of a unit."""
    return org.groups_serving(unit_id, platforms, "supervisors")
