"""Handing a fault over to a named person: the new one must take it, the old one is released."""

import re
from collections.abc import Sequence

from storage.models import Fault, Person
from storage.outbox import cancel_queued
from workflows import choices, fault_dispatch, fault_pick, fault_voice, fault_words, manners
from workflows import fault_book as book
from workflows.phrases import call, clock
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_hand")
WORKERS = ("engineer", "vendor")
MOST = 9


def names_somebody(turn: Turn) -> bool:
    """Whether the text gives the work to somebody."""
    return re.search(WORDS.get("hand_pattern"), turn.incoming.text) is not None


def is_button_word(turn: Turn) -> bool:
    """Whether the text is the bare word of the button: the plainest wish to hand over there is."""
    return re.fullmatch(WORDS.get("button_word"), turn.incoming.text.strip()) is not None


async def assign(turn: Turn) -> None:
    """“转给赵工”."""
    candidates = await fault_pick.mine_as_engineer(turn, book.WORKING)
    if not candidates and "supervisor" in turn.person.roles:
        candidates = await fault_pick.in_view(turn, book.WORKING)
    await fault_pick.do(turn, "assign", candidates, "none_to_hand")


@fault_pick.act("assign")
async def _assign(turn: Turn, fault: Fault) -> None:
    own = turn.person.person_id in (fault.owner, fault.extra.get("assigned"))
    if not await fault_pick.allowed(turn, fault, "fault.assign", is_self=own):
        return
    if fault.state not in book.WORKING:
        await turn.reply(WORDS("over", **fault_words.describe(turn.work, fault)), about=fault.number)
        return
    near = candidates(turn, fault)
    meant = [person for person in near if _is_named(turn, person)]
    if len(meant) == 1:
        await hand_to(turn, fault, meant[0])
    else:
        await _ask(turn, fault, meant or near, "" if meant else next(iter(_names(turn)), ""))


def candidates(turn: Turn, fault: Fault) -> list[Person]:
    """Whom the fault may be handed to: people who do such work, of its unit first, then upwards."""
    org, found = turn.work.org, []
    for unit in org.upward(fault.unit_id):
        found += [person for role in WORKERS for person in org.members(unit.unit_id, role)]
    unique = {person.person_id: person for person in found}
    return [person for person in unique.values() if person.person_id != turn.person.person_id]


def _is_named(turn: Turn, person: Person) -> bool:
    return any(name in (person.name, call(person), f"{person.name}{person.title}") for name in _names(turn))


def _names(turn: Turn) -> list[str]:
    """Whom the text names."""
    names = [str(name) for name in turn.slot("person") or []]
    return names or re.findall(WORDS.get("name_pattern"), turn.incoming.text)


async def _ask(turn: Turn, fault: Fault, people: Sequence[Person], other: str) -> None:
    """Ask whom. ``other``: the one named who cannot have it."""
    if not people:
        await turn.reply(WORDS("nobody", number=fault.number), about=fault.number)
        return
    options = [(_label(turn, person), person.person_id) for person in people[:MOST]]
    pending = {"fault": fault.number, **fault_pick.remembered(turn)}
    question = WORDS("whom_else" if other else "whom", number=fault.number, name=other)
    await choices.ask(turn, "fault_hand", question, options, pending=pending)


def _label(turn: Turn, person: Person) -> str:
    unit = turn.work.org.units.get(person.unit_id)
    return WORDS("label", name=person.name, unit=unit.name if unit else "")


@choices.resumes("fault_hand")
async def _picked(turn: Turn, pending: dict[str, str], person_id: str) -> None:
    fault = await book.load(turn.work, str(pending["fault"]))
    person = turn.work.org.people.get(person_id)
    if fault is None or person is None or fault.state not in book.WORKING:
        await turn.reply(WORDS("gone", number=pending["fault"]))
    else:
        await hand_to(fault_pick.recalled(turn, pending), fault, person)


async def hand_to(turn: Turn, fault: Fault, person: Person) -> None:
    """Release whoever had it; ``person`` has the usual time to take it."""
    work, who = turn.work, turn.person.person_id
    here = str(turn.incoming.conversation)
    before = work.org.people.get(fault.owner or "")
    debts = await book.owed(work, fault, "fault_ack")
    released = {p for debt in debts for p in debt.person_ids} | ({before.person_id} if before else set())
    await fault_dispatch.take_back(work, fault, "handed over", who, "fault_ack", "progress", "promise", "onsite")
    fault.state, fault.owner = "open", None
    book.note(work, fault, assigned=person.person_id, handed_by=who)
    turn.audit("fault.handed", about=fault.number, to=person.person_id, before=before.person_id if before else "")
    for old in released - {person.person_id}:
        await cancel_queued(work, old, fault.number)
    sent = await fault_dispatch.dispatch(work, fault, fault_dispatch.HANDED, skip=here, people=[person], by=turn.person)
    words = fault_words.describe(work, fault) | {"to": call(person), "by": call(turn.person)}
    for old in sorted(released - {person.person_id, who}):
        if old in work.org.people:
            text = WORDS("released", call=call(work.org.people[old]), **words)
            await fault_voice.to_person(work, fault, work.org.people[old], text, f"released:{turn.key}", skip=[here])
    text = await manners.told(work, WORDS, "done", fault.number, due=clock(work, sent.due_at), **words)
    await turn.reply(text, about=fault.number)
