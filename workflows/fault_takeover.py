"""“他那边堵，我来吧”: a colleague takes a fault over that somebody else has. It is no handing on: nobody is asked."""

import re

from storage.models import Fault, Person
from storage.outbox import cancel_queued
from workflows import fault_book as book
from workflows import fault_dispatch, fault_pick, fault_progress, fault_voice, fault_words
from workflows.phrases import call
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_takeover")
TAKES_OVER, HELPS = re.compile(WORDS.get("takes_over")), re.compile(WORDS.get("helps"))


async def says_it_too(turn: Turn, fault: Fault) -> bool:
    """Whether an engineer reports a fault that is known, and it is theirs to mend: whoever was asked to take it, or has
    it, or says so. They have it then, and do not report it."""
    me = turn.person.person_id
    if "engineer" not in turn.person.roles or not turn.incoming.sender.verified or fault.state not in book.WORKING:
        return False
    debts = await book.owed(turn.work, fault, "fault_ack")
    asked = fault.owner == me or any(me in debt.person_ids for debt in debts)
    says = fault.state == "open" and re.search(WORDS.get("takes_it"), turn.incoming.text) is not None
    if me in fault.reporters or not (asked or says):
        return False
    await fault_pick.ACTS["take"](turn, fault)
    return True


async def took_over(turn: Turn) -> bool:
    """Whether the speaker took the one fault over that a colleague of theirs is working on."""
    text = turn.incoming.text
    if "engineer" not in turn.person.roles or not TAKES_OVER.search(text) or HELPS.search(text):
        return False
    serves, me = turn.work.org.serves(turn.person), turn.person.person_id
    found = await book.find(turn.work, states=("accepted",))
    others = [fault for fault in found if fault.unit_id in serves and fault.owner != me]
    numbered = [fault for fault in others if fault.number in turn.numbers]
    if len(numbered or others) != 1:
        return False
    fault = (numbered or others)[0]
    if await fault_pick.allowed(turn, fault, "fault.take", is_self=False):
        await _take_over(turn, fault)
    return True


async def _take_over(turn: Turn, fault: Fault) -> None:
    """What the one before promised is off; they hear who has it now."""
    work = turn.work
    before = work.org.people.get(fault.owner or "")
    await fault_dispatch.take_back(
        work, fault, "taken over", turn.person.person_id, "fault_ack", "progress", "promise", "onsite"
    )
    helpers = [one for one in fault.extra.get("helpers", ()) if one != turn.person.person_id]
    book.note(work, fault, helpers=helpers)
    await fault_progress.accept(turn, fault, WORDS("instead_of", before=call(before)) if before else "")
    if before is not None:
        await _release(turn, fault, before)


async def _release(turn: Turn, fault: Fault, before: Person) -> None:
    await cancel_queued(turn.work, before.person_id, fault.number)
    text = WORDS("released", call=call(before), **fault_words.describe(turn.work, fault))
    key = f"released:{turn.key}"
    await fault_voice.to_person(turn.work, fault, before, text, key, skip=[str(turn.incoming.conversation)])
