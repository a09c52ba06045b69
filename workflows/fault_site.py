"""Where it happened: the place named, else the group's own, else one numbered question that is then taken up again."""

from collections.abc import Awaitable, Callable, Sequence

from storage.messages import Action, Outgoing, Urgency
from storage.models import Expectation, Person, Site
from storage.outbox import post
from workflows import choices, fault_pick, fault_voice, reader
from workflows.turn import Turn, forget
from workflows.words import Words

WORDS = Words("fault_site")
ALL = "*"
MOST = 9
KIND = "site"

Continue = Callable[[Turn, Sequence[Site]], Awaitable[None]]
_CONTINUE: list[Continue] = []


def continues(function: Continue) -> Continue:
    """Register what goes on once the place is known."""
    _CONTINUE[:] = [function]
    return function


def named(turn: Turn) -> list[Site]:
    """Sites the text names, as understood; while a place is awaited or corrected, also by their plain names."""
    known = turn.work.org.sites
    found = [known[site_id] for site_id in turn.slot("site") or [] if site_id in known]
    return found or (in_words(turn, turn.incoming.text) if waiting(turn) else [])


def certain(turn: Turn) -> bool:
    """Whether places are named, and each name is that of one site: else the sender is asked which of them is meant."""
    return bool(named(turn)) and not turn.slot("site_unsure")


def in_words(turn: Turn, text: str) -> list[Site]:
    """Sites one of whose names stands in the text: the longest name wins, and among equals the own ones."""
    org = turn.work.org
    names = {site.site_id: [site.name, *site.aliases, *_unit_names(turn, site)] for site in org.sites.values()}
    hits = {
        site_id: max((len(name) for name in own if name and name in text), default=0) for site_id, own in names.items()
    }
    best = [org.sites[site_id] for site_id, size in hits.items() if size == max(hits.values(), default=0) > 0]
    near = [site for site in best if site in own(turn)]
    return near or best


def _unit_names(turn: Turn, site: Site) -> list[str]:
    """The names of the unit, where it has this one site."""
    unit = turn.work.org.units.get(site.unit_id)
    alone = unit is not None and len(turn.work.org.sites_of(site.unit_id)) == 1
    return [unit.name, *unit.aliases] if unit is not None and alone else []


def own(turn: Turn) -> list[Site]:
    """Sites of the group's own unit, else of the sender's."""
    return reader.own_sites(turn.work.org, turn.person, turn.group)


def waiting(turn: Turn) -> Expectation | None:
    """The question for a place this person was asked in this conversation."""
    return next(iter(turn.asked_here(KIND)), None)


async def ask(turn: Turn, sites: Sequence[Site]) -> None:
    """Ask which site it is: numbered when there are a few, by name when there are many or none."""
    pending = fault_pick.remembered(turn)
    if not sites:
        sites = _below(turn)
    await turn.expect(KIND, pending=pending)
    if not 0 < len(sites) <= MOST:
        await turn.ask(WORDS("which_name_group"), WORDS("which_name"))
        return
    unsure = turn.slot("site_unsure") or []
    offered = [site.site_id for site in sites if not unsure or site.site_id in unsure]
    plain = [site.site_id for site in sites if site.site_id not in offered]
    options = [(turn.work.org.sites[site_id].name, site_id) for site_id in offered]
    if named(turn):
        options.append((WORDS("all"), ALL))
    pending = {**pending, "sites": offered, "plain": plain}
    await choices.ask(turn, "fault_site", WORDS("which"), options, pending=pending)


def _below(turn: Turn) -> list[Site]:
    """Sites in the area of the group's (else the sender's) unit."""
    org = turn.work.org
    unit = org.operations_unit(turn.group.unit_id if turn.group else turn.person.unit_id)
    units = org.below(unit.unit_id) if unit else []
    return [site for below in units for site in org.sites_of(below.unit_id)]


async def place_said(turn: Turn, question: Expectation, go_on: Continue) -> None:
    """The place came in words: what was reported before is reported there. A new report in full replaces it."""
    sites = named(turn)
    await turn.take_up(question)
    await _close(turn)
    symptoms = [code for code in turn.slot("symptom") or [] if code != "other"]
    if symptoms or turn.slot("device"):
        await go_on(turn, sites) if certain(turn) else await ask(turn, sites or own(turn))
    elif sites and (len(sites) == 1 or certain(turn)):
        await go_on(fault_pick.recalled(turn, question.pending), sites)
    else:
        await ask(fault_pick.recalled(turn, question.pending), sites or own(turn))


@choices.resumes("fault_site")
async def _picked(turn: Turn, pending: dict[str, object], value: str) -> None:
    known = turn.work.org.sites
    offered = pending["sites"] if isinstance(pending["sites"], list) else []
    plain = pending.get("plain")
    ids = [*(plain if isinstance(plain, list) else []), *(offered if value == ALL else [value])]
    await _close(turn)
    await _CONTINUE[0](fault_pick.recalled(turn, pending), [known[site_id] for site_id in ids if site_id in known])


async def _close(turn: Turn) -> None:
    for kind in (KIND, "choice"):
        await forget(turn.work, "", kind, turn.person.person_id)


async def say(
    turn: Turn, text: str, *, about: str, actions: Sequence[Action] = (), mention: Sequence[Person] = ()
) -> None:
    """The one answer to a report; in a support group it also calls those on duty."""
    conversation = turn.incoming.conversation
    called = fault_voice.mentions(turn.work, mention, conversation.platform) if not turn.direct else ()
    message = Outgoing(
        text=text,
        about=about,
        urgency=Urgency.FAULT,
        actions=tuple(actions),
        mentions=tuple(dict.fromkeys((*turn.mention, *called))),
        card=about if actions else "",
    )
    turn.said += 1
    key = f"report:{turn.key}:{turn.said}"
    await post(turn.work, conversation, message, key=key, kind="fault:report", hints=turn.incoming.hints)
