"""Who sees which conversation of the console: the membership that the platforms keep for real groups."""

from dataclasses import dataclass

from storage.directory import CONSOLE, Directory
from storage.messages import Address
from storage.models import Group, Person

ROLES = ("client", "coordinator", "engineer", "supervisor", "dispatcher", "admin", "auditor", "vendor")
"""In the order people are listed; each person stands under the first that fits."""
STAFF = frozenset({"engineer", "supervisor", "dispatcher", "admin"})
LEADERS = frozenset({"supervisor", "dispatcher", "admin"})
ORDER = {"client": 0, "support": 1, "customer_track": 2, "supervisors": 3}


@dataclass(frozen=True)
class Conversation:
    """A group (``group`` set) or the person's direct conversation with the bot."""

    address: Address
    group: Group | None = None

    @property
    def key(self) -> str:
        return str(self.address)


def main_role(person: Person) -> str:
    """The role under which a person is listed."""
    return next((role for role in ROLES if role in person.roles), "other")


def conversations(org: Directory, person: Person) -> list[Conversation]:
    """Everything the person sees, nearest groups first, the direct conversation with the bot last."""
    groups = [group for group in org.groups.values() if group.platform == CONSOLE and is_member(org, group, person)]
    groups.sort(key=lambda group: (ORDER.get(group.purpose, 9), group.unit_id != person.unit_id))
    found = [Conversation(Address(platform=CONSOLE, kind="group", id=group.conversation_id), group) for group in groups]
    return [*found, Conversation(Address(platform=CONSOLE, kind="direct", id=person.person_id))]


def is_member(org: Directory, group: Group, person: Person) -> bool:
    """Client groups: the unit's clients and staff · support: staff of served units · supervisors: leaders of the unit
    and below · customer_track: coordinators of the unit's area.
    """
    roles = set(person.roles)
    if group.purpose == "client":
        return person.unit_id == group.unit_id and bool(roles & (STAFF | {"client"}))
    if group.purpose == "support":
        return bool(roles & STAFF) and _in_area(org, group, person)
    if group.purpose == "supervisors":
        return bool(roles & LEADERS) and person.unit_id in {unit.unit_id for unit in org.below(group.unit_id)}
    top = org.operations_unit(group.unit_id)
    return "coordinator" in roles and top is not None and person.unit_id in {u.unit_id for u in org.below(top.unit_id)}


def _in_area(org: Directory, group: Group, person: Person) -> bool:
    return person.unit_id in {unit.unit_id for unit in org.served_by(group)}
