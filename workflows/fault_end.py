"""How a fault ends: claimed mended, confirmed, broken still, withdrawn. Whoever was told hears how it ended."""

import re
from collections.abc import Awaitable, Callable, Sequence

from storage.models import Fault
from workflows import fault_book as book
from workflows import (
    fault_clock,
    fault_dispatch,
    fault_hand,
    fault_part,
    fault_pick,
    fault_question,
    fault_score,
    fault_site,
    fault_voice,
    fault_words,
    manners,
)
from workflows.fault_question import ASKED
from workflows.phrases import call, clock, greeting
from workflows.turn import Turn, forget
from workflows.words import Words

WORDS = Words("fault_end")
reporting: list[Callable[[Turn], Awaitable[None]]] = []
"""What reports a fault; ``fault.py`` appends itself."""


async def resolve(turn: Turn) -> None:
    """“修好了” from an engineer. Words that name somebody to go on hand it over instead: nothing ends on a guess."""
    if fault_hand.names_somebody(turn):
        await fault_hand.assign(turn)
        return
    candidates = await fault_pick.mine_as_engineer(turn, book.WORKING)
    if re.search(WORDS.get("only_polite"), turn.incoming.text.strip()):
        await _agreed(turn, candidates)
        return
    await fault_pick.do(turn, "resolve", candidates, "")


async def _agreed(turn: Turn, candidates: Sequence[Fault]) -> None:
    """A mere “好的” mends nothing; from whoever was just asked to take a fault it says yes."""
    me = turn.person.person_id
    owed = [debt for fault in candidates for debt in await book.owed(turn.work, fault, "fault_ack")]
    put = {debt.fault for debt in owed if me in debt.person_ids}
    if mine := [fault for fault in candidates if fault.number in put]:
        await fault_pick.do(turn, "take", mine, "")


@fault_pick.act("resolve")
async def _resolve(turn: Turn, fault: Fault) -> None:
    work, person, at = turn.work, turn.person, min(turn.incoming.written_at, turn.work.now)
    own = person.person_id in (fault.owner, fault.extra.get("assigned"), *fault.extra.get("helpers", ()))
    if not await fault_pick.allowed(turn, fault, "fault.resolve", is_self=own):
        return
    if fault.state not in book.WORKING:
        await turn.reply(WORDS("resolved_already", **fault_words.describe(work, fault)), about=fault.number)
        return
    if fault.state == "open" and not re.search(WORDS.get("says_done"), turn.incoming.text):
        await fault_pick.ACTS["take"](turn, fault)  # “来了” of somebody who has only just heard of it
        return
    if await fault_part.asked(turn, fault, "resolve"):
        return
    by, via = person.person_id, turn.via
    await fault_clock.settle(work, fault, "fault_ack", "progress", "promise", by=by, via=via, at=at)
    await fault_dispatch.take_back(work, fault, "mended", by, "onsite")
    before = fault.owner
    fault.owner = fault.owner or by
    fault.state, fault.acked_at, fault.resolved_at = "resolved", fault.acked_at or at, at
    book.note(work, fault, assigned="", cure=turn.incoming.text)
    turn.audit("fault.resolved", about=fault.number, text=turn.incoming.text, owner=before or "")
    if set(fault.reporters) <= {by}:
        await _confirm(turn, fault)
        return
    asked = await fault_question.ask(work, fault, call(person), f"fixed:{turn.key}", but=by)
    await fault_clock.await_confirmation(work, fault)
    await _tell_workers(turn, fault, before, asked)


async def _tell_workers(turn: Turn, fault: Fault, before: str | None, asked: Sequence[str]) -> None:
    """Where nobody was ``asked``: the support groups, the owner when somebody else mended it, and who just spoke."""
    work, here = turn.work, str(turn.incoming.conversation)
    text = WORDS("claimed", by=call(turn.person), **fault_words.describe(work, fault))
    groups = fault_voice.support_groups(work, fault)
    skip = [here, *asked]
    await fault_voice.to_groups(work, fault, groups, text, f"claimed:{turn.key}", skip=skip)
    owner = work.org.people.get(before or "")
    if owner is not None and owner != turn.person:
        await fault_voice.to_person(work, fault, owner, text, f"claimed:{turn.key}", skip=skip)
    if here not in asked:
        await turn.reply(text, about=fault.number)


async def confirm(turn: Turn) -> None:
    """“好了” from a reporter. A mere “好的，谢谢” says nothing about the device: the question stands."""
    if re.search(WORDS.get("only_polite"), turn.incoming.text.strip()):
        return
    waiting = await _waiting(turn)
    ended = None if waiting or not turn.direct or turn.numbers else await fault_score.just_ended(turn)
    if ended is not None:
        await turn.reply(WORDS("over", **fault_words.describe(turn.work, ended)), about=ended.number)
        return
    await fault_pick.do(turn, "confirm", waiting, "", asked=ASKED)


def says_good(turn: Turn) -> bool:
    """Whether the text says of a numbered fault that it works."""
    text, numbered = turn.incoming.text, any(number.startswith("GZ-") for number in turn.numbers)
    return numbered and bool(re.search(WORDS.get("good"), text)) and not re.search(WORDS.get("not_good"), text)


async def says_mended(turn: Turn) -> bool:
    """Whether an engineer says in plain words that it is mended, and there is something of theirs to mend."""
    if "engineer" not in turn.person.roles or re.search(WORDS.get("mended"), turn.incoming.text.strip()) is None:
        return False
    return bool(await fault_pick.mine_as_engineer(turn, book.WORKING))


async def says_bad(turn: Turn) -> bool:
    """Whether a reporter says in few words that what was thought mended is not."""
    if re.search(WORDS.get("bad"), turn.incoming.text) is None:
        return False
    return bool(await book.reported_by(turn.work, turn.person.person_id, ("resolved", "observing")))


async def _waiting(turn: Turn) -> list[Fault]:
    """Faults of the speaker that wait for the word, else those still worked on."""
    resolved = await fault_pick.mine_as_reporter(turn, ("resolved",))
    return resolved or await fault_pick.mine_as_reporter(turn, book.WORKING)


@fault_pick.act("confirm")
async def _confirm(turn: Turn, fault: Fault) -> None:
    work, at = turn.work, min(turn.incoming.written_at, turn.work.now)
    by = turn.person.person_id
    if not await fault_pick.allowed(turn, fault, "fault.confirm", is_self=by in fault.reporters):
        return
    if fault.state not in (*book.WORKING, "resolved"):
        await turn.reply(WORDS("over", **fault_words.describe(work, fault)), about=fault.number)
        return
    if await fault_part.asked(turn, fault, "confirm"):
        return
    await _mended(turn, fault)
    before, fault.resolved_at = fault.state, fault.resolved_at or at
    await fault_clock.settle(work, fault, "progress", "promise", "restore", by=by, via=turn.via, at=fault.resolved_at)
    ends = await fault_clock.watch(work, fault, at)
    fault.state, fault.closed_at = "observing", at
    book.note(work, fault, until=ends.isoformat())
    turn.audit("fault.confirmed", about=fault.number, before=before)
    words = fault_words.describe(work, fault) | {"until": clock(work, ends), "by": turn.person.name}
    await fault_voice.to_reporters(work, fault, WORDS("confirmed", **words), f"confirmed:{turn.key}")
    grave = await manners.cannot_wait(work, fault.number)
    unheard = [] if grave else await fault_voice.forget_unheard(work, fault)
    await _close_for_all(turn, fault, WORDS("all_clear", **words), unheard)
    if str(turn.incoming.conversation) not in fault.conversations:
        await turn.reply(WORDS("confirmed", **words), about=fault.number)


async def _mended(turn: Turn, fault: Fault) -> None:
    """No question about it is open any more, nor the wait for somebody to take it."""
    work, who = turn.work, turn.person.person_id
    await fault_dispatch.take_back(work, fault, "mended", who, "fault_ack", "onsite")
    await fault_clock.stop_watching(work, fault)
    await forget(work, fault.number, ASKED)


async def _close_for_all(turn: Turn, fault: Fault, text: str, unheard: Sequence[str]) -> None:
    """The all-clear: groups, people told at once, people alarmed later, and the owner; not where it is ``unheard``."""
    work, key = turn.work, f"end:{turn.key}"
    but = [turn.person.person_id]
    here = str(turn.incoming.conversation)
    await fault_voice.to_everyone_told(work, fault, text, key, skip=[here, *unheard], but=but)
    debtors = [fault.owner, fault.extra.get("assigned"), *fault.extra.get("helpers", ())]
    for person_id in dict.fromkeys(debtors):
        person = work.org.people.get(person_id or "")
        if person is not None and person.person_id not in but:
            hello = greeting(person, text)
            await fault_voice.to_person(work, fault, person, hello, key, skip=[*fault.conversations, *unheard])
    for hook in book.ENDED:
        await hook(work, fault)


async def reject(turn: Turn) -> None:
    """“还是没声音” from a reporter. Words that fit none of the reporter's faults report another one."""
    if await _is_another(turn):
        await reporting[0](turn)
        return
    candidates = await fault_pick.mine_as_reporter(turn, ("resolved",))
    candidates = candidates or await fault_pick.mine_as_reporter(turn, book.ACTIVE)
    await fault_pick.do(turn, "reject", candidates, "none_open", asked=ASKED)


async def _is_another(turn: Turn) -> bool:
    """Whether the text names a place or a matter that no fault of the speaker's has, and does not say “still”."""
    if turn.numbers or re.search(WORDS.get("still"), turn.incoming.text):
        return False
    mine = await fault_pick.mine_as_reporter(turn, book.ACTIVE)
    return bool(mine) and not any(_agrees(turn, fault) for fault in mine)


def _agrees(turn: Turn, fault: Fault) -> bool:
    """Whether nothing in the text speaks against this fault. Device and symptom need not both be named alike."""
    sites, said = turn.slot("site") or [], {*(turn.slot("device") or []), *(turn.slot("symptom") or [])} - {book.OTHER}
    known = {*book.codes(fault.device), *book.codes(fault.symptom)} - {book.OTHER}
    return (not sites or fault.site_id in sites) and (not said or not known or bool(said & known))


@fault_pick.act("reject")
async def _reject(turn: Turn, fault: Fault) -> None:
    by = turn.person.person_id
    if not await fault_pick.allowed(turn, fault, "fault.confirm", is_self=by in fault.reporters):
        return
    if fault.state in book.WORKING:
        await fault_pick.ACTS["urge"](turn, fault)
        return
    if fault.state not in book.ACTIVE:
        await turn.reply(WORDS("over", **fault_words.describe(turn.work, fault)), about=fault.number)
        return
    sent = await fault_dispatch.again(turn, fault)
    await turn.reply(await tell_reporters_again(turn, fault, sent), about=fault.number)


async def tell_reporters_again(turn: Turn, fault: Fault, sent: fault_dispatch.Sent) -> str:
    """Every other reporter hears that it is worked on again. Returns the words."""
    words = fault_words.describe(turn.work, fault) | {"who": sent.who, "due": clock(turn.work, sent.due_at)}
    text = await manners.told(turn.work, WORDS, "again", fault.number, **words)
    skip = [str(turn.incoming.conversation)]
    await fault_voice.to_reporters(turn.work, fault, text, f"again:{turn.key}", skip=skip)
    return text


async def cancel(turn: Turn) -> None:
    """“没事了，插头松了” from a reporter; “发错了，还没好” says the opposite. A question that is open is dropped."""
    if re.search(WORDS.get("still_broken"), turn.incoming.text):
        await reject(turn)
        return
    if await _dropped(turn):
        return
    candidates = await fault_pick.mine_as_reporter(turn, (*book.WORKING, "resolved"))
    await fault_pick.do(turn, "cancel", candidates, "none_to_take_back", asked=ASKED)


async def _dropped(turn: Turn) -> bool:
    """Whether a report of the speaker's still hung on a question here; then it is forgotten."""
    asked = turn.asked_here("choice")
    asked = [row for row in asked if row.pending.get("intent") == "fault.report"] + turn.asked_here(fault_site.KIND)
    if not asked or turn.numbers:
        return False
    for row in asked:
        row.state = "closed"
        turn.work.session.add(row)
    await turn.take_up(asked[0])
    await turn.reply(WORDS("dropped"))
    return True


@fault_pick.act("cancel")
async def _cancel(turn: Turn, fault: Fault) -> None:
    work, by = turn.work, turn.person.person_id
    if not await fault_pick.allowed(turn, fault, "fault.cancel", is_self=by in fault.reporters):
        return
    if fault.state not in (*book.WORKING, "resolved"):
        await turn.reply(WORDS("over", **fault_words.describe(work, fault)), about=fault.number)
        return
    duty = [person for debt in await book.owed(work, fault, "fault_ack") for person in debt.person_ids]
    await _mended(turn, fault)
    await fault_dispatch.take_back(work, fault, "withdrawn", by)
    fault.state, fault.closed_at = "cancelled", min(turn.incoming.written_at, work.now)
    book.note(
        work, fault, cure=turn.incoming.text, helpers=list(dict.fromkeys([*fault.extra.get("helpers", ()), *duty]))
    )
    turn.audit("fault.cancelled", about=fault.number, text=turn.incoming.text)
    words = fault_words.describe(work, fault) | {"by": turn.person.name}
    reason = fault_words.for_client(turn.incoming.text, 40)
    skip = [str(turn.incoming.conversation)]
    await fault_voice.to_reporters(work, fault, WORDS("cancelled", **words), f"cancelled:{turn.key}", skip=skip)
    unheard = await fault_voice.forget_unheard(work, fault)
    await _close_for_all(turn, fault, WORDS("cancelled_told", reason=reason, **words), unheard)
    await turn.reply(await manners.told(work, WORDS, "cancelled_you", fault.number, **words), about=fault.number)
