"""The organisation as one immutable snapshot: who is who, who serves whom, who is on duty.

The snapshot is small (a province is some ten thousand rows), so questions are answered in memory. The counter
``organisation`` grows with every change; :class:`DirectoryCache` loads a new snapshot when it has.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.learning import WordProposal
from storage.messages import Address, Incoming
from storage.models import Counter, Group, Identity, Person, Shift, Site, Unit

REVISION = "organisation"
NOW_AT = select(Counter.value).where(Counter.name == REVISION)
"""Made once: it is asked in every transaction."""
CONSOLE = "web"
"""The console's platform: there a person's account is the person_id."""
TIERS = ("province", "city", "county", "township")


class Directory:
    """Active units, people, sites, groups and shifts, indexed. Everything it returns is in import order."""

    def __init__(
        self,
        units: Sequence[Unit] = (),
        people: Sequence[Person] = (),
        identities: Sequence[Identity] = (),
        sites: Sequence[Site] = (),
        groups: Sequence[Group] = (),
        shifts: Sequence[Shift] = (),
        *,
        learned: Mapping[str, Sequence[str]] | None = None,
        corrections: Sequence[WordProposal] = (),
    ) -> None:
        self.units = {unit.unit_id: unit for unit in units if unit.active}
        self.people = {person.person_id: person for person in people if person.active}
        known = learned or {}
        self.sites = {site.site_id: _called_also(site, known.get(site.site_id, ())) for site in sites if site.active}
        self.groups = {group.group_id: group for group in groups if group.active}
        self.shifts = list(shifts)
        self.corrections = tuple(corrections)
        """Sentences that were misread, as administrators have accepted them."""
        self._person_of = {(row.platform, row.account): row.person_id for row in identities}
        self._spellings: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in identities:
            self._spellings[row.platform, row.account.casefold()].append(row.account)
        self._accounts: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in identities:
            self._accounts[row.person_id].append((row.platform, row.account))
        self._chains: dict[str, list[Unit]] = {}
        self._groups_at = {(group.platform, group.conversation_id): group for group in self.groups.values()}

    @cached_property
    def _members(self) -> dict[str, list[Person]]:
        return _by(self.people.values(), "unit_id")

    @cached_property
    def _children(self) -> dict[str, list[Unit]]:
        return _by(self.units.values(), "parent_id")

    @cached_property
    def _sites_of(self) -> dict[str, list[Site]]:
        return _by(self.sites.values(), "unit_id")

    @cached_property
    def _groups_of(self) -> dict[str, list[Group]]:
        return _by(self.groups.values(), "unit_id")

    @cached_property
    def _shifts_of(self) -> dict[str, list[Shift]]:
        return _by(self.shifts, "unit_id")

    # ---- people

    def person_at(self, platform: str, account: str) -> Person | None:
        """Whose account this is; None for strangers and the deactivated (authority fails closed)."""
        if platform == CONSOLE:
            return self.people.get(account)
        return self.people.get(self._person_of.get((platform, self._registered(platform, account)), ""))

    def _registered(self, platform: str, account: str) -> str:
        """As the organisation writes this account: to the letter, else the only one that differs in case alone."""
        if (platform, account) in self._person_of:
            return account
        alike = self._spellings.get((platform, account.casefold()), [])
        return alike[0] if len(alike) == 1 else account

    def as_registered(self, incoming: Incoming) -> Incoming:
        """The message with its sender's account as the organisation writes it, so that one person is one address."""
        sender, place = incoming.sender, incoming.conversation
        account = self._registered(incoming.platform, sender.account)
        if account == sender.account:
            return incoming
        alone = place.kind == "direct" and place.id == sender.account
        changes: dict[str, object] = {"sender": sender.model_copy(update={"account": account})}
        if alone:
            changes["conversation"] = place.model_copy(update={"id": account})
        return incoming.model_copy(update=changes)

    def accounts(self, person_id: str, platform: str) -> list[str]:
        """The person's accounts on one platform."""
        own = [person_id] if platform == CONSOLE else []
        return own + [account for where, account in self._accounts.get(person_id, []) if where == platform]

    def addresses(self, person_id: str, platforms: Iterable[str]) -> list[Address]:
        """Where a personal message goes: every given instant-messaging platform, else mail (when given)."""
        places = [
            Address(platform=platform, kind="direct", id=account)
            for platform in sorted(platforms)
            for account in self.accounts(person_id, platform)
        ]
        instant = [place for place in places if place.platform != "email"]
        return instant or places

    def members(self, unit_id: str, role: str | None = None) -> list[Person]:
        """The unit's own people, of one role when given."""
        return [person for person in self._members.get(unit_id, []) if role is None or role in person.roles]

    def with_role(self, role: str) -> list[Person]:
        """Everybody who has a role."""
        return [person for person in self.people.values() if role in person.roles]

    def engineers(self, unit_id: str) -> list[Person]:
        """Those who do the unit's work: its engineers, else those of the nearest unit above that has some."""
        for unit in self.upward(unit_id):
            if found := self.members(unit.unit_id, "engineer"):
                return found
        return []

    def on_duty(self, unit_id: str, at: datetime, duty: str = "primary") -> list[Person]:
        """Engineers on duty at a moment; without any shift then, all engineers are (primary) or nobody (backup)."""
        for unit in self.upward(unit_id):
            if not self.members(unit.unit_id, "engineer") and not self._shifts_of.get(unit.unit_id):
                continue
            shifts = [s for s in self._shifts_of.get(unit.unit_id, []) if s.starts_at <= at < s.ends_at]
            named = [self.people[s.person_id] for s in shifts if s.duty == duty and s.person_id in self.people]
            if named or duty != "primary":
                return named
            return self.members(unit.unit_id, "engineer")
        return []

    def serves(self, person: Person) -> list[str]:
        """Units this person answers for: the own one and, for an engineer, those below that have no engineers.

        A customer unit below answers for itself (双轨) unless nobody is in it.
        """
        served = [person.unit_id]
        if "engineer" in person.roles:
            for unit_id in served:
                below = self._children.get(unit_id, [])
                served.extend(unit.unit_id for unit in below if not self._answers_itself(unit))
        return served

    def _answers_itself(self, unit: Unit) -> bool:
        return bool(self.members(unit.unit_id, "engineer" if unit.track == "operations" else None))

    def supervisors(self, unit_id: str) -> list[Person]:
        """The unit's own supervisors."""
        return self.members(unit_id, "supervisor")

    # ---- units

    def upward(self, unit_id: str) -> list[Unit]:
        """The unit itself, its parent, and so on to the top (a broken cycle ends the walk)."""
        if unit_id not in self._chains:
            chain: dict[str, Unit] = {}
            unit = self.units.get(unit_id)
            while unit is not None and unit.unit_id not in chain:
                chain[unit.unit_id] = unit
                unit = self.units.get(unit.parent_id or "")
            self._chains[unit_id] = list(chain.values())
        return self._chains[unit_id]

    def operations_parent(self, unit_id: str) -> Unit | None:
        """The nearest operations unit above."""
        return next((unit for unit in self.upward(unit_id)[1:] if unit.track == "operations"), None)

    def operations_unit(self, unit_id: str) -> Unit | None:
        """The operations unit a unit belongs to: itself, or for a customer unit the one it hangs under."""
        return next((unit for unit in self.upward(unit_id) if unit.track == "operations"), None)

    def below(self, unit_id: str) -> list[Unit]:
        """The unit and everything under it, nearer tiers first."""
        found, queue = [], [self.units[unit_id]] if unit_id in self.units else []
        seen: set[str] = set()
        while queue:
            unit = queue.pop(0)
            if unit.unit_id not in seen:
                seen.add(unit.unit_id)
                found.append(unit)
                queue.extend(self._children.get(unit.unit_id, []))
        return found

    def children(self, unit_id: str, track: str | None = None) -> list[Unit]:
        """Units directly under one, of one track when given."""
        return [unit for unit in self._children.get(unit_id, []) if track is None or unit.track == track]

    def sites_of(self, unit_id: str) -> list[Site]:
        """Sites the unit owns itself."""
        return self._sites_of.get(unit_id, [])

    # ---- groups

    def group_at(self, address: Address) -> Group | None:
        """The bound group of a conversation, if it is one."""
        return self._groups_at.get((address.platform, address.id)) if address.kind == "group" else None

    def groups_serving(self, unit_id: str, platforms: Iterable[str], purpose: str = "support") -> list[Group]:
        """On each platform the unit's own groups of a purpose, else those of the nearest unit above that has some."""
        found: list[Group] = []
        for platform in sorted(platforms):
            for unit in self.upward(unit_id):
                own = [
                    group
                    for group in self._groups_of.get(unit.unit_id, [])
                    if group.platform == platform and group.purpose == purpose
                ]
                if own:
                    found.extend(own)
                    break
        return found

    def served_by(self, group: Group) -> list[Unit]:
        """Units a support group serves: its own and those below without a support group on that platform."""
        return [
            unit
            for unit in self.below(group.unit_id)
            if group in self.groups_serving(unit.unit_id, [group.platform], group.purpose)
        ]


class DirectoryCache:
    """Keeps the newest snapshot; one cheap look at the revision per use."""

    def __init__(self) -> None:
        self._revision = -1
        self._directory = Directory()

    async def get(self, session: AsyncSession) -> Directory:
        """The snapshot that is current in this session's transaction."""
        revision = (await session.exec(NOW_AT)).first() or 0
        if revision != self._revision:
            self._directory, self._revision = await load_directory(session), revision
        return self._directory


async def load_directory(session: AsyncSession) -> Directory:
    """Read the whole organisation."""
    return Directory(
        (await session.exec(select(Unit))).all(),
        (await session.exec(select(Person))).all(),
        (await session.exec(select(Identity))).all(),
        (await session.exec(select(Site))).all(),
        (await session.exec(select(Group))).all(),
        (await session.exec(select(Shift))).all(),
        learned=await _learned(session),
        corrections=await _accepted(session, "reading"),
    )


async def _learned(session: AsyncSession) -> Mapping[str, Sequence[str]]:
    """Names of sites that were taught in chat and accepted, by site."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in await _accepted(session, "alias"):
        found[row.site_id].append(row.text)
    return found


async def _accepted(session: AsyncSession, kind: str) -> Sequence[WordProposal]:
    query = select(WordProposal).where(WordProposal.kind == kind, WordProposal.state == "accepted")
    return (await session.exec(query.order_by(col(WordProposal.id)))).all()


def _called_also(site: Site, names: Sequence[str]) -> Site:
    """The site under more names: another object, so that the row itself stays as it was imported."""
    new = [name for name in dict.fromkeys(names) if name not in (site.name, *site.aliases)]
    return Site(**{**site.model_dump(), "aliases": [*site.aliases, *new]}) if new else site


def _by(rows: Iterable[object], key: str) -> dict[str, list]:  # type: ignore[type-arg]
    index: dict[str, list] = defaultdict(list)  # type: ignore[type-arg]
    for row in rows:
        index[getattr(row, key)].append(row)
    return index
