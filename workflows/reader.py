"""Reading a message with what is known around it: places and people, the speaker, what is awaited."""

import re
from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, or_, select

from intents.proposal import Proposal
from intents.reading import Context, Place, Reading
from storage.directory import Directory
from storage.messages import Incoming
from storage.models import Expectation, Fault, Group, Obligation, Person, Site
from storage.obligations import unmet
from storage.work import Work
from workflows.remembered import remember
from workflows.taught import Taught
from workflows.vocabulary import Vocabulary

NUMBER = re.compile(r"(?<![A-Za-z0-9])(HY|GZ)-?(\d{8})-?(\d{3,})", re.IGNORECASE)
EXPECTING = ("notice_confirmation", "step", "fix_confirmation", "site", "score", "ack", "arrival")
MENTIONED_ONLY = frozenset({"dingtalk", "wecom"})
"""Platforms that pass on only those words of a group that mention the bot: whatever arrives is said to it."""
ARRIVING = timedelta(hours=12)
"""How long before an arrival is due a bare “到了” may mean it."""
ROLES = ("coordinator", "engineer", "supervisor", "client")


def numbers_in(text: str) -> tuple[str, ...]:
    """Fault and meeting numbers in a text, in order, each once."""
    found = [f"{kind.upper()}-{day}-{serial}" for kind, day, serial in NUMBER.findall(text)]
    return tuple(dict.fromkeys(found))


class Reader:
    """Understands texts with the current organisation and words; rebuilt only when either has changed."""

    def __init__(self, org: Directory, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._prepare(org)

    def _prepare(self, org: Directory) -> None:
        places = _places(org)
        self._ids = {place.name: place.id for place in places}
        self._names = {place.id: place.name for place in places}
        self._words = self._vocabulary.understanding
        self._understanding = self._words(places, tuple(person.name for person in org.people.values()))
        self._taught = Taught(org.corrections)
        self._org = org

    async def read(
        self, work: Work, incoming: Incoming, person: Person, group: Group | None, awaited: Sequence[Expectation]
    ) -> list[Reading]:
        """All acts of the message, in the order written; slots that name places carry site ids."""
        if work.org is not self._org or self._words is not self._vocabulary.understanding:
            self._prepare(work.org)
        expecting, step = await expecting_of(work, person, awaited)
        own = own_sites(work.org, person, group)
        context = Context(
            now=work.local(incoming.written_at),
            role=role_of(person, group),
            chat="group" if incoming.conversation.kind == "group" else "direct",
            expecting=expecting,
            step=step,
            own_sites=tuple(self._names[site.site_id] for site in own),
            own_units=_own_units(work.org, person, group, own),
            addressed=incoming.conversation.kind != "group" or incoming.platform in MENTIONED_ONLY,
            matter=await _matter(work, person),
        )
        found = self._understanding.read_all(incoming.text, context)
        found = self._taught.read(self._understanding, incoming.text, context, found)
        await remember(work, incoming, person, context, found)
        return [self._with_ids(reading) for reading in found]

    def again(self, text: str, context: Context) -> list[Reading]:
        """What a text would be taken to mean now."""
        return self._understanding.read_all(text, context)

    def assume(self, text: str, context: Context, proposal: Proposal) -> Reading | None:
        """A text read as somebody else proposes, when it bears that out."""
        found = self._understanding.assume(text, context, proposal)
        return self._with_ids(found) if found else None

    def _with_ids(self, reading: Reading) -> Reading:
        slots = dict(reading.slots)
        for name in ("site", "site_unsure", "scope"):
            if isinstance(slots.get(name), (list, tuple)):
                slots[name] = [self._ids.get(str(place), str(place)) for place in slots[name]]  # type: ignore[attr-defined]
        return Reading(reading.intent, slots, reading.confidence, reading.act, reading.why)


def own_sites(org: Directory, person: Person, group: Group | None) -> list[Site]:
    """Sites of the group's own unit, else of the sender's unit (units below do not count)."""
    in_group = org.sites_of(group.unit_id) if group else []
    if in_group:
        return in_group
    own = org.sites_of(person.unit_id)
    operations = org.operations_unit(person.unit_id)
    return own or (org.sites_of(operations.unit_id) if operations else [])


def _own_units(org: Directory, person: Person, group: Group | None, own: Sequence[Site]) -> tuple[str, ...]:
    """The units of the own sites, of the group and of the sender, by name as the places have it."""
    unit_ids = [*(site.unit_id for site in own), group.unit_id if group else person.unit_id]
    units = [org.units.get(unit_id) for unit_id in unit_ids]
    operations = [org.operations_unit(unit_id) for unit_id in unit_ids]
    return tuple(dict.fromkeys(unit.name for unit in (*units, *operations) if unit))


def role_of(person: Person, group: Group | None) -> str:
    """The role in which a person speaks here: a client in a client group, else the most active one they have."""
    if group is not None and group.purpose == "client" and "client" in person.roles:
        return "client"
    return next((role for role in ROLES if role in person.roles), "engineer" if "vendor" in person.roles else "client")


async def expecting_of(work: Work, person: Person, awaited: Sequence[Expectation]) -> tuple[str | None, str | None]:
    """What a bare answer of this person would answer: the newest question, else what their unit owes or was asked."""
    for row in awaited:
        if row.kind in EXPECTING:
            return row.kind, row.step or None
    mine = col(Obligation.unit_id).in_(work.org.serves(person))
    owed = await unmet(work, mine, kinds=("notice_ack", "fault_ack", "arrival"))
    works = "engineer" in person.roles
    if any(row.kind == "notice_ack" or (row.kind == "fault_ack" and works) for row in owed):
        return "ack", None
    if not works:
        return None, None
    if step := await _asked_of_colleagues(work, person):
        return "step", step
    return ("arrival" if any(row.due_at <= work.now + ARRIVING for row in owed) else None), None


async def _matter(work: Work, person: Person) -> str:
    """Whether this person has a fault open: as its "handler", else as its "reporter"; empty without one."""
    mine = or_(col(Fault.owner) == person.person_id, col(Fault.reporter) == person.person_id)
    query = select(Fault.owner).where(mine, col(Fault.state).not_in(("closed", "cancelled")))
    owners = (await work.session.exec(query)).all()
    return "handler" if person.person_id in owners else "reporter" if owners else ""


async def _asked_of_colleagues(work: Work, person: Person) -> str | None:
    """The check that somebody of the same unit was asked last and has not answered: whoever stands by may."""
    query = (
        select(Expectation.step)
        .where(col(Expectation.person_id).in_([one.person_id for one in work.org.members(person.unit_id)]))
        .where(Expectation.state == "open", Expectation.kind == "step", col(Expectation.expires_at) > work.now)
    )
    return (await work.session.exec(query.order_by(col(Expectation.id).desc()).limit(1))).first()


def _places(org: Directory) -> list[Place]:
    taken: dict[str, int] = {}
    for site in org.sites.values():
        taken[site.name] = taken.get(site.name, 0) + 1
    return [_place(org, site, unique=taken[site.name] == 1) for site in org.sites.values()]


def _place(org: Directory, site: Site, unique: bool) -> Place:
    unit = org.units.get(site.unit_id)
    parent = org.units.get(unit.parent_id or "") if unit else None
    aliases = dict.fromkeys([*site.aliases, *((unit.name, *unit.aliases) if _only_site(org, site) and unit else ())])
    return Place(
        id=site.site_id,
        name=site.name if unique else f"{site.name}({site.site_id})",
        aliases=tuple(aliases) if unique else (site.name, *aliases),
        unit=unit.name if unit else "",
        tier=unit.tier if unit else "",
        parent=parent.name if parent else None,
    )


def _only_site(org: Directory, site: Site) -> bool:
    return len(org.sites_of(site.unit_id)) == 1
