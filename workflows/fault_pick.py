"""Which fault is meant: a number wins, then what the bot asked, then the only one that fits; else it asks."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from intents.reading import Reading
from storage.messages import Attachment
from storage.models import Fault
from workflows import choices, fault_words
from workflows import fault_book as book
from workflows.authority import may
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_pick")
MOST = 9
NEVER_ON_A_GUESS = ("cancel", "confirm", "resolve", "assign")
"""What closes or hands over is asked about first, when the words were not clear."""
NONE, ALL = "-", "*"
ALL_AT_ONCE = ("resolve", "confirm")
"""What “都修好了” does to every fault that fits."""

Act = Callable[[Turn, Fault], Awaitable[None]]
ACTS: dict[str, Act] = {}
"""What can be done to a fault, by name: a numbered question remembers the name while it waits."""


def act(name: str) -> Callable[[Act], Act]:
    """Register an act on one fault: ``async (turn, fault)``."""

    def register(function: Act) -> Act:
        ACTS[name] = function
        return function

    return register


async def do(turn: Turn, name: str, candidates: Sequence[Fault], nothing: str, *, asked: str = "") -> None:
    """Do ``name`` to the fault that is meant.

    ``nothing``: key of the sentence when there is none (empty: silence in a group); ``asked``: the kind of question
    this may answer.
    """
    fault, fitting = await _which(turn, candidates, asked)
    guess = turn.reading.act == "ask" and name in NEVER_ON_A_GUESS
    if fault is not None and not guess:
        await ACTS[name](turn, fault)
    elif fitting and not guess and name in ALL_AT_ONCE and re.search(WORDS.get("all_words"), turn.incoming.text):
        await _do_all(turn, name, [one.number for one in fitting])
    elif guess and (fault or fitting):
        await _ask(turn, name, [fault] if fault else fitting, guess=True)
    elif guess and not turn.direct:
        return
    elif fitting:
        await _ask(turn, name, fitting)
    elif numbers := _numbers(turn):
        await turn.reply(WORDS("unknown", number=numbers[0]))
    elif nothing:
        await turn.reply(WORDS(nothing))
    elif turn.direct:
        await turn.reply(WORDS("none_of_yours"))


async def _do_all(turn: Turn, name: str, numbers: Sequence[str]) -> None:
    for number in sorted(numbers):
        if (fault := await book.load(turn.work, number)) is not None:
            await ACTS[name](turn, fault)


def _numbers(turn: Turn) -> list[str]:
    return [number for number in turn.numbers if number.startswith("GZ-")]


async def _which(turn: Turn, candidates: Sequence[Fault], asked: str) -> tuple[Fault | None, list[Fault]]:
    named = [fault for number in _numbers(turn) if (fault := await book.load(turn.work, number))]
    if named or _numbers(turn):
        return (named[0], []) if len(named) == 1 else (None, named)
    fitting = narrowed(turn, candidates)
    questions = {row.about for row in turn.expectations if row.kind == asked}
    answered = [fault for fault in fitting if fault.number in questions]
    fitting = answered or fitting
    return (await book.load(turn.work, fitting[0].number), []) if len(fitting) == 1 else (None, fitting)


def narrowed(turn: Turn, candidates: Sequence[Fault]) -> list[Fault]:
    """Those that agree with the place, device and symptom in the text, as far as any does."""
    fitting = list(candidates)
    for fits in (_at_site, _of_device, _of_symptom):
        fitting = [fault for fault in fitting if fits(turn, fault)] or fitting
    sites = turn.slot("site") or []
    return [fault for fault in fitting if not sites or fault.site_id in sites]


def _at_site(turn: Turn, fault: Fault) -> bool:
    return fault.site_id in (turn.slot("site") or [])


def _of_device(turn: Turn, fault: Fault) -> bool:
    return bool(set(turn.slot("device") or []) & set(book.codes(fault.device)))


def _of_symptom(turn: Turn, fault: Fault) -> bool:
    return bool(set(turn.slot("symptom") or []) & set(book.codes(fault.symptom)))


async def _ask(turn: Turn, name: str, fitting: Sequence[Fault], *, guess: bool = False) -> None:
    described = [fault_words.describe(turn.work, fault) for fault in sorted(fitting[:MOST], key=lambda one: one.number)]
    options = [(WORDS("option", **words), words["number"]) for words in described]
    options += [(WORDS("all_of_these"), ALL)] if name in ALL_AT_ONCE and len(options) > 1 else []
    options += [(WORDS("none_of_these"), NONE)] if guess else []
    pending = {"act": name, "numbers": [words["number"] for words in described], **remembered(turn)}
    await choices.ask(turn, "fault_pick", WORDS(f"which.{name}"), options, pending=pending)


def remembered(turn: Turn) -> dict[str, Any]:
    """What was said, to be done when the question is answered."""
    return {
        "intent": turn.reading.intent,
        "slots": dict(turn.reading.slots),
        "text": turn.incoming.text,
        "written_at": turn.incoming.written_at.isoformat(),
        "attachments": [one.model_dump(mode="json") for one in turn.incoming.attachments],
    }


def recalled(turn: Turn, pending: dict[str, Any]) -> Turn:
    """The turn of the answer, speaking the words that were asked about: they count from when they were written."""
    written_at = datetime.fromisoformat(pending["written_at"])
    before = [Attachment.model_validate(one) for one in pending["attachments"]]
    attachments = (*before, *turn.incoming.attachments)
    update = {"text": pending["text"], "written_at": written_at, "attachments": attachments}
    incoming = turn.incoming.model_copy(update=update)
    return replace(turn, incoming=incoming, reading=Reading(pending["intent"], pending["slots"], 1.0, "act"))


@choices.resumes("fault_pick")
async def _picked(turn: Turn, pending: dict[str, Any], number: str) -> None:
    if number == NONE:
        await turn.reply(WORDS("left_alone"))
        return
    numbers = pending.get("numbers", []) if number == ALL else [number]
    await _do_all(recalled(turn, pending), pending["act"], numbers)


async def allowed(turn: Turn, fault: Fault, right: str, *, is_self: bool) -> bool:
    """Whether the speaker may do this to the fault; a polite sentence when not."""
    if may(turn.work.org, turn.person, right, fault.unit_id, is_self=is_self):
        return True
    turn.audit("fault.refused", about=fault.number, right=right)
    await turn.reply(WORDS("forbidden", number=fault.number), about=fault.number)
    return False


async def mine_as_reporter(turn: Turn, states: Sequence[str]) -> list[Fault]:
    """Faults the speaker reported, else those reported in this group (the table of rights decides)."""
    own = await book.reported_by(turn.work, turn.person.person_id, states)
    if own or turn.direct:
        return own
    here = str(turn.incoming.conversation)
    return [fault for fault in await book.find(turn.work, states=states) if here in fault.conversations]


async def mine_as_engineer(turn: Turn, states: Sequence[str]) -> list[Fault]:
    """Faults the speaker works on, else those of the units served, else all that the speaker may touch."""
    work, person = turn.work, turn.person
    found = await book.find(work, states=states)
    mine = person.person_id
    own = [fault for fault in found if mine in (fault.owner, fault.extra.get("assigned"))]
    helping = [fault for fault in found if person.person_id in fault.extra.get("helpers", ())]
    if own or helping:
        return own or helping
    serves = set(work.org.serves(person)) if "engineer" in person.roles else set()
    near = [fault for fault in found if fault.unit_id in serves]
    return near or [fault for fault in found if may(work.org, person, "fault.update", fault.unit_id)]


async def in_view(turn: Turn, states: Sequence[str]) -> list[Fault]:
    """Faults a person may ask about: reported by them, or in the area they answer for; a client sees the own unit's."""
    work, org, person = turn.work, turn.work.org, turn.person
    found = await book.find(work, states=states)
    clients_view = set(person.roles) <= {"client", "vendor"} or (
        turn.group is not None and turn.group.purpose == "client"
    )
    unit_id = turn.group.unit_id if turn.group is not None else person.unit_id
    operations = org.operations_unit(unit_id)
    area = {operations.unit_id} if operations else {unit_id}
    if not clients_view and operations is not None:
        area = {unit.unit_id for unit in org.below(operations.unit_id)}
    return [fault for fault in found if fault.unit_id in area or person.person_id in fault.reporters]
