"""Taking back what was said about a fault: taken, mended, confirmed, withdrawn, joined. Whoever was told hears it.

News and promised times are put right where they were told; what was handed over stays, and the speaker hears how to
put it right.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from sqlmodel import col, select

from storage.models import AuditEntry, Fault, Obligation
from storage.obligations import reopen, settle_cancelled
from workflows import (
    fault_book,
    fault_clock,
    fault_dispatch,
    fault_question,
    fault_voice,
    fault_words,
    manners,
    reminder_cards,
)
from workflows.phrases import clock
from workflows.turn import Turn, forget
from workflows.words import Words

WORDS = Words("undo")
UNDONE = "undone"
SOON = timedelta(minutes=5)
"""When the next word comes at the latest, though the time first promised has passed."""


async def untake(turn: Turn, row: Obligation) -> str:
    """Taking it was a mistake: the old clock runs again. Once the fault has gone on, nothing is left to take back."""
    fault = await fault_book.load(turn.work, row.fault)
    if fault is None or fault.state != "accepted" or fault.owner != turn.person.person_id:
        return ""
    reopen(turn.work, row, turn.person.person_id, UNDONE)
    fault.state, fault.owner, fault.acked_at = "open", None, None
    turn.work.session.add(fault)
    await fault_dispatch.take_back(turn.work, fault, UNDONE, turn.person.person_id, "progress", "promise", "onsite")
    text = WORDS("untaken", number=fault.number, due=clock(turn.work, max(row.due_at, turn.work.now + SOON)))
    await fault_voice.to_reporters(turn.work, fault, text, f"untaken:{turn.key}")
    here, me = [str(turn.incoming.conversation)], [turn.person.person_id]
    told = WORDS("untaken_told", number=fault.number)
    await fault_voice.to_everyone_told(turn.work, fault, told, f"untaken:{turn.key}", skip=here, but=me)
    return WORDS("take", number=row.fault)


async def _resolved(turn: Turn, entry: AuditEntry) -> str:
    """It is not mended after all: whoever had it goes on with it, else whoever said so."""
    fault = await fault_book.load(turn.work, entry.about)
    if fault is None or fault.state != "resolved":
        return ""
    return await _working_again(turn, fault, entry.detail.get("owner") or turn.person.person_id)


async def _working_again(turn: Turn, fault: Fault, owner: str) -> str:
    work = turn.work
    fault.state, fault.resolved_at, fault.closed_at = "accepted", None, None
    fault.owner = owner
    fault_book.note(turn.work, fault, until="")
    await forget(work, fault.number, fault_question.ASKED)
    await fault_clock.stop_watching(work, fault)
    due = clock(work, (await fault_clock.next_progress(work, fault, work.now)).due_at)
    words = fault_words.describe(work, fault) | {"due": due}
    await _tell(turn, fault, WORDS("unresolved", **words))
    return WORDS("resolved" if owner == turn.person.person_id else "resolved_other", **words)


async def _confirmed(turn: Turn, entry: AuditEntry) -> str:
    """“好了” was a mistake: it waits for that word again, or for whoever was at it."""
    work = turn.work
    fault = await fault_book.load(work, entry.about)
    if fault is None or fault.state != "observing":
        return ""
    await fault_dispatch.take_back(work, fault, UNDONE, turn.person.person_id, "observation", "fault_report")
    await _owe_restore(turn, fault)
    if fault.owner == turn.person.person_id:
        return await _working_again(turn, fault, turn.person.person_id)
    if entry.detail.get("before") != "resolved":
        return await _sent_again(turn, fault, "confirmed")
    await fault_clock.stop_watching(work, fault)
    fault.state, fault.closed_at = "resolved", None
    fault_book.note(turn.work, fault, until="")
    await fault_clock.await_confirmation(work, fault)
    await _tell(turn, fault, WORDS("unconfirmed", **fault_words.describe(work, fault)))
    by = fault_words.owner(work, fault)
    await fault_question.ask(work, fault, by, f"asked_again:{turn.key}", but=turn.person.person_id)
    return WORDS("confirmed", number=fault.number)


async def _owe_restore(turn: Turn, fault: Fault) -> None:
    """The time by which service is back runs on."""
    for row in await fault_book.settled(turn.work, fault, "restore"):
        reopen(turn.work, row, turn.person.person_id, UNDONE)


async def _cancelled(turn: Turn, entry: AuditEntry) -> str:
    """“没事了” was a mistake: it is sent out again."""
    fault = await fault_book.load(turn.work, entry.about)
    if fault is None or fault.state != "cancelled":
        return ""
    return await _sent_again(turn, fault, "cancelled")


async def _sent_again(turn: Turn, fault: Fault, key: str) -> str:
    sent = await fault_dispatch.again(turn, fault)
    words = {"number": fault.number, "who": sent.who, "due": clock(turn.work, sent.due_at)}
    return await manners.told(turn.work, WORDS, f"{key}_again", fault.number, **words)


async def _joined(turn: Turn, entry: AuditEntry) -> str:
    """One more report that was none: its writer hears no more of it."""
    fault, mine = await fault_book.load(turn.work, entry.about), turn.person.person_id
    if fault is None or fault.reporter == mine or mine not in fault.reporters:
        return ""
    fault.reporters = [person_id for person_id in fault.reporters if person_id != mine]
    by = {place: [one for one in people if one != mine] for place, people in fault.extra.get("by", {}).items()}
    fault.conversations = [place for place in fault.conversations if by.get(place)]
    fault_book.note(turn.work, fault, by=by)
    return WORDS("joined", number=fault.number)


async def _helping(turn: Turn, entry: AuditEntry) -> str:
    fault = await fault_book.load(turn.work, entry.about)
    if fault is None:
        return ""
    helpers = [one for one in fault.extra.get("helpers", ()) if one != turn.person.person_id]
    fault_book.note(turn.work, fault, helpers=helpers)
    return WORDS("helper", number=fault.number)


async def _news(turn: Turn, entry: AuditEntry) -> str:
    """News or a promised time was a mistake: what was owed before is owed again, and the reporter hears it."""
    work, fault = turn.work, await fault_book.load(turn.work, entry.about)
    opened = entry.detail.get("opened", ())
    if fault is None or fault.state != "accepted":
        return await _said(turn, entry)
    following = [debt for debt in await fault_book.owed(work, fault, "progress", "promise") if debt.id in opened]
    if not following:
        return await _said(turn, entry)
    for debt in following:
        settle_cancelled(work, debt, UNDONE, turn.person.person_id)
        await reminder_cards.settle(work, debt)
    for debt in await _met_with(turn, entry):
        if debt.due_at > work.now or debt.kind == "onsite":
            reopen(work, debt, turn.person.person_id, UNDONE)
    fault_book.note(work, fault, word=entry.detail.get("before", ""))
    await work.session.flush()
    owed = await fault_book.owed(work, fault, "progress") or [await fault_clock.next_progress(work, fault, work.now)]
    words = fault_words.describe(work, fault) | {"due": clock(work, owed[0].due_at)}
    here = [str(turn.incoming.conversation)]
    await fault_voice.to_reporters(work, fault, WORDS("unsaid", **words), f"{UNDONE}:{turn.key}", skip=here)
    return WORDS("news", **words)


async def _met_with(turn: Turn, entry: AuditEntry) -> list[Obligation]:
    """What the same message gave an answer to."""
    query = select(AuditEntry).where(
        AuditEntry.what == "obligation.met", AuditEntry.who == entry.who, AuditEntry.at == entry.at
    )
    rows = (await turn.work.session.exec(query)).all()
    ids = [row.detail["obligation"] for row in rows if row.detail.get("message") == entry.detail.get("message")]
    here = Obligation.fault == entry.about, col(Obligation.kind).in_(("progress", "promise", "onsite"))
    return list((await turn.work.session.exec(select(Obligation).where(col(Obligation.id).in_(ids), *here))).all())


async def _said(turn: Turn, entry: AuditEntry) -> str:
    """Passed on already: it can only be put right by saying it better."""
    await turn.reply(WORDS(f"said.{entry.what.partition('.')[2]}", number=entry.about), about=entry.about)
    return ""


async def _tell(turn: Turn, fault: Fault, text: str) -> None:
    """Reporters and everyone who was told, except where and by whom it was just said."""
    key, here, me = f"{UNDONE}:{turn.key}", [str(turn.incoming.conversation)], turn.person.person_id
    await fault_voice.to_reporters(turn.work, fault, text, key, skip=here)
    await fault_voice.to_everyone_told(turn.work, fault, text, key, skip=here, but=[me])


ACTS: Mapping[str, Callable[[Turn, AuditEntry], Awaitable[str]]] = {
    "fault.resolved": _resolved,
    "fault.confirmed": _confirmed,
    "fault.cancelled": _cancelled,
    "fault.joined": _joined,
    "fault.helper": _helping,
    "fault.updated": _news,
    "fault.handed": _said,
    "fault.corrected": _said,
}
"""By the ``what`` of an audit entry."""
