"""A reporter corrects the place or the symptom: the same fault, other words, and everyone who was told hears it."""

import re
from collections.abc import Sequence

from storage.models import Fault
from workflows import fault_book as book
from workflows import fault_dispatch, fault_site, fault_voice, fault_words, manners
from workflows.phrases import clock, greeting
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_correct")


async def corrected(turn: Turn) -> bool:
    """Whether the text corrects the reporter's one open fault of this conversation; then the correction is done."""
    if not any(re.search(pattern, turn.incoming.text) for pattern in WORDS.get("patterns")):
        return False
    here = str(turn.incoming.conversation)
    mine = await book.reported_by(turn.work, turn.person.person_id, book.WORKING)
    mine = [fault for fault in mine if fault.number in turn.numbers] or [f for f in mine if here in f.conversations]
    if len(mine) != 1:
        return False
    fault = await book.load(turn.work, mine[0].number)
    if fault is None:
        return False
    changed = _change(turn, fault)
    if changed:
        await _tell(turn, fault, moved="unit" in changed)
    return bool(changed)


def _change(turn: Turn, fault: Fault) -> list[str]:
    """Take over what the text says differently; names of what changed."""
    changed = []
    new = _corrected_part(turn.incoming.text)
    sites = fault_site.in_words(turn, new) or [s for s in fault_site.named(turn) if s.site_id != fault.site_id]
    if len(sites) == 1 and sites[0].site_id != fault.site_id:
        fault.site_id, fault.room = sites[0].site_id, ""
        unit_id = book.unit_of(turn.work.org, sites[0])
        changed += ["site", "unit"] if unit_id != fault.unit_id else ["site"]
        fault.unit_id = unit_id
    for column in ("device", "symptom"):
        said = [code for code in turn.slot(column) or [] if code != book.OTHER]
        if said and book.stored(said) != getattr(fault, column):
            setattr(fault, column, book.stored(said))
            changed.append(column)
    room = _room(turn, new)
    if room and room != fault.room and "site" not in changed:
        fault.room = room
        changed.append("room")
    if changed:
        fault.text = f"{fault.text}\n{turn.incoming.text}"
        turn.work.session.add(fault)
        turn.audit("fault.corrected", about=fault.number, changed=changed, text=turn.incoming.text)
    return changed


def _corrected_part(text: str) -> str:
    """What it is instead: the part behind “不是…，是”, or before “…，不是”."""
    for pattern in WORDS.get("instead"):
        if match := re.search(pattern, text):
            return match["new"]
    return text


def _room(turn: Turn, new: str) -> str:
    """A room named in the correction."""
    match = re.search(WORDS.get("room"), new)
    said = str(turn.slot("room") or "")
    return said if said and said in new else match[0] if match else ""


async def _tell(turn: Turn, fault: Fault, *, moved: bool) -> None:
    work, here = turn.work, str(turn.incoming.conversation)
    words = fault_words.describe(work, fault)
    text = WORDS("told_moved" if moved else "told", **words)
    new_groups = [str(group) for group in fault_voice.support_groups(work, fault)] if moved else []
    await fault_voice.to_everyone_told(work, fault, text, f"corrected:{turn.key}", skip=[here, *new_groups])
    await _tell_duty(turn, fault, text)
    if not moved:
        await fault_voice.to_reporters(work, fault, WORDS("reporters", **words), f"corrected:{turn.key}", skip=[here])
        await turn.reply(await manners.told(work, WORDS, "done", fault.number, **words), about=fault.number)
        return
    await fault_dispatch.take_back(work, fault, "moved", turn.person.person_id)
    fault.state, fault.owner = "open", None
    book.note(work, fault, assigned="", groups=[], people=[])
    sent = await fault_dispatch.dispatch(work, fault, fault_dispatch.MOVED, skip=here)
    due = clock(work, sent.due_at)
    text = await manners.told(work, WORDS, "done_moved", fault.number, who=sent.who, due=due, **words)
    await turn.reply(text, about=fault.number)


async def _tell_duty(turn: Turn, fault: Fault, text: str) -> None:
    """Those who are to take it, or have, read it personally: they may be on their way."""
    debts = await book.owed(turn.work, fault, "fault_ack")
    concerned: Sequence[str] = [fault.owner] if fault.owner else [p for debt in debts for p in debt.person_ids]
    for person_id in dict.fromkeys(concerned):
        if person := turn.work.org.people.get(person_id):
            here = [str(turn.incoming.conversation)]
            hello = greeting(person, text)
            await fault_voice.to_person(turn.work, fault, person, hello, f"corrected:{turn.key}", skip=here)
