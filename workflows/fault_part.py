"""“话筒好了” of a fault with two things in it: nothing ends on a half. Whether the rest works too is asked."""

from typing import Any

from storage.models import Fault
from workflows import choices, fault_pick, fault_voice, fault_words
from workflows import fault_book as book
from workflows.phrases import call
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_part")
DONE = "parts"
"""In ``Fault.extra``: the devices of it that work again."""


async def asked(turn: Turn, fault: Fault, act: str) -> bool:
    """Whether the text speaks of some of the fault's devices only; then the speaker is asked about the others."""
    devices = [code for code in book.codes(fault.device) if code != book.OTHER]
    said = [code for code in devices if code in (turn.slot("device") or [])]
    rest = [code for code in devices if code not in said and code not in fault.extra.get(DONE, ())]
    if len(devices) < 2 or not said or not rest:
        return False
    words = fault_words.describe(turn.work, fault) | {"said": _named(said), "rest": _named(rest)}
    pending = {"act": act, "fault": fault.number, "said": said, "rest": rest, **fault_pick.remembered(turn)}
    question = WORDS("also_mended" if act == "resolve" else "also_good", **words)
    options = [(WORDS("all"), "all"), (WORDS("only", **words), "only")]
    await choices.ask(turn, "fault_part", question, options, about=fault.number, pending=pending)
    return True


def _named(codes: list[str]) -> str:
    names = fault_words.WORDS.get("device")
    return WORDS("comma").join(str(names.get(code, "")) for code in codes)


@choices.resumes("fault_part")
async def _picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    """All of it: what was said is done. Only a part: an engineer's word is news; a reporter's leaves it open."""
    fault = await book.load(turn.work, str(pending["fault"]))
    if fault is None:
        return
    before = fault_pick.recalled(turn, pending)
    if value == "all":
        before.reading.slots.pop("device", None)
        await fault_pick.ACTS[str(pending["act"])](before, fault)
        return
    book.note(turn.work, fault, **{DONE: list(dict.fromkeys([*fault.extra.get(DONE, ()), *pending["said"]]))})
    if pending["act"] == "resolve":
        await fault_pick.ACTS["update"](before, fault)
    elif fault.state == "resolved":
        await fault_pick.ACTS["reject"](before, fault)
    else:
        await _half_good(turn, fault, pending)


async def _half_good(turn: Turn, fault: Fault, pending: dict[str, Any]) -> None:
    work = turn.work
    turn.audit("fault.half_good", about=fault.number, said=pending["said"])
    words = fault_words.describe(work, fault) | {
        "said": _named(pending["said"]),
        "rest": _named(pending["rest"]),
        "by": turn.person.name,
    }
    debts = await book.owed(work, fault, "fault_ack")
    ids = [fault.owner] if fault.owner else [one for debt in debts for one in debt.person_ids]
    for person_id in dict.fromkeys(ids):
        if person := work.org.people.get(person_id):
            text = WORDS("workers", call=call(person), **words)
            here = [str(turn.incoming.conversation)]
            await fault_voice.to_person(work, fault, person, text, f"half:{turn.key}", skip=here)
    await turn.reply(WORDS("noted", **words), about=fault.number)
