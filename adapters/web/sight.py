"""Who sees which conversation of the console: the membership that the platforms keep for real groups.

Client groups: the unit's clients and staff. Support: staff of served units. Supervisors: leaders of the unit and below.
Customer_track: coordinators of the unit's area. Everybody has a direct conversation with the bot. On a platform that
the console plays, all this holds for those who have an account there.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from storage.directory import CONSOLE, Directory
from storage.messages import Address
from storage.models import Group, Person
from storage.settings import Settings

ROLES = ("client", "coordinator", "engineer", "supervisor", "dispatcher", "admin", "auditor", "vendor")
"""In the order people are listed; each person stands under the first that fits."""
STAFF = frozenset({"engineer", "supervisor", "dispatcher", "admin"})
ADMITTED = {
    "client": STAFF | {"client"},
    "support": STAFF,
    "supervisors": frozenset({"supervisor", "dispatcher", "admin"}),
    "customer_track": frozenset({"coordinator"}),
}
"""Who of a group's area is in it, by the group's purpose."""
ORDER = {"client": 0, "support": 1, "customer_track": 2, "supervisors": 3}


@dataclass(frozen=True)
class Conversation:
    """A group (``group`` set) or the person's direct conversation with the bot. ``account``: the person's there."""

    address: Address
    account: str
    group: Group | None = None

    @property
    def key(self) -> str:
        return str(self.address)


class Membership:
    """All groups with their people, worked out once per snapshot of the organisation."""

    def __init__(self, org: Directory) -> None:
        self._org = org
        self._groups: dict[str, list[Group]] = defaultdict(list)
        for group in org.groups.values():
            for unit_id in area(org, group):
                self._groups[unit_id].append(group)
        self._sizes = Counter(group.group_id for person in org.people.values() for group in self.groups(person))

    def groups(self, person: Person) -> list[Group]:
        """The groups a person is in, on all platforms."""
        roles = set(person.roles)
        return [
            group
            for group in self._groups.get(person.unit_id, [])
            if roles & ADMITTED.get(group.purpose, STAFF) and self._org.accounts(person.person_id, group.platform)
        ]

    def size(self, group: Group) -> int:
        """How many people are in a group."""
        return self._sizes[group.group_id]


_KNOWN: WeakKeyDictionary[Directory, Membership] = WeakKeyDictionary()


def membership(org: Directory) -> Membership:
    """The membership of a snapshot."""
    found = _KNOWN.get(org)
    if found is None:
        found = _KNOWN[org] = Membership(org)
    return found


def area(org: Directory, group: Group) -> set[str]:
    """The units whose people may be in a group."""
    if group.purpose == "client":
        return {group.unit_id}
    if group.purpose == "support":
        return {unit.unit_id for unit in org.served_by(group)}
    top = org.operations_unit(group.unit_id) if group.purpose == "customer_track" else org.units.get(group.unit_id)
    return {unit.unit_id for unit in org.below(top.unit_id)} if top else set()


def main_role(person: Person) -> str:
    """The role under which a person is listed."""
    return next((role for role in ROLES if role in person.roles), "other")


def conversations(org: Directory, person: Person, platforms: Sequence[str] = (CONSOLE,)) -> list[Conversation]:
    """Everything the person sees, platform by platform: nearest groups first, then the direct conversation."""
    groups = membership(org).groups(person)
    groups.sort(key=lambda group: (ORDER.get(group.purpose, 9), group.unit_id != person.unit_id))
    return [talk for platform in platforms for talk in _on(platform, org, person, groups)]


def _on(platform: str, org: Directory, person: Person, groups: Sequence[Group]) -> list[Conversation]:
    accounts = org.accounts(person.person_id, platform)
    here = [group for group in groups if group.platform == platform]
    places = [(group, Address(platform=platform, kind="group", id=group.conversation_id)) for group in here]
    direct = [(account, Address(platform=platform, kind="direct", id=account)) for account in accounts]
    return [
        *(Conversation(address, accounts[0], group) for group, address in places),
        *(Conversation(address, account) for account, address in direct),
    ]


def played(settings: Settings) -> tuple[str, ...]:
    """The platforms whose conversations the console shows: its own first."""
    return (CONSOLE, *settings.web.console_platforms)
