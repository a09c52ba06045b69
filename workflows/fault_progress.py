"""A fault on its way: somebody takes it, says how it goes and when, asks for help. How it ends: ``fault_end.py``."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col

from storage.models import Fault, Obligation
from storage.obligations import unmet
from storage.outbox import cancel_queued
from workflows import fault_book as book
from workflows import fault_clock, fault_pick, fault_profile, fault_voice, fault_words, manners
from workflows.fault_ask import query, urge
from workflows.fault_end import cancel, confirm, reject, resolve
from workflows.fault_hand import assign
from workflows.fault_help import assist
from workflows.phrases import call, clock
from workflows.turn import Turn
from workflows.words import Words

__all__ = [
    "assign",
    "assist",
    "cancel",
    "clicked",
    "confirm",
    "query",
    "reject",
    "resolve",
    "take",
    "update",
    "urge",
]

WORDS = Words("fault_progress")
SHORT = 12
"""Words no longer than this say nothing but the time, which is then said as a clock time."""


async def clicked(turn: Turn) -> None:
    """A button of a fault: ``take:GZ-…`` or ``hand:GZ-…``."""
    verb, _, number = turn.incoming.click.partition(":")
    fault = await book.load(turn.work, number)
    if fault is None:
        await turn.reply(fault_pick.WORDS("unknown", number=number))
    else:
        await fault_pick.ACTS["take" if verb == "take" else "assign"](turn, fault)


@fault_pick.act("take")
async def take(turn: Turn, fault: Fault) -> None:
    """“收到”: the speaker takes the fault, once. Whoever comes second hears who has it, and helps."""
    called = [person for debt in await book.owed(turn.work, fault, "fault_ack") for person in debt.person_ids]
    own = turn.person.person_id in (fault.owner, fault.extra.get("assigned"), *called)
    if not await fault_pick.allowed(turn, fault, "fault.take", is_self=own):
        return
    if fault.state == "open":
        await accept(turn, fault)
    elif fault.state != "accepted":
        await turn.reply(WORDS("over", **fault_words.describe(turn.work, fault)), about=fault.number)
    elif fault.owner != turn.person.person_id:
        await _help(turn, fault)
    elif turn.slot("eta_minutes"):
        await _say_news(turn, fault)
    elif turn.direct:
        await turn.reply(WORDS("yours", **fault_words.describe(turn.work, fault)), about=fault.number)


async def accept(turn: Turn, fault: Fault, word: str = "") -> None:
    """The speaker takes the fault. ``word``: news said with it, as the reporter may read it."""
    work, person, at = turn.work, turn.person, min(turn.incoming.written_at, turn.work.now)
    told = [name for debt in await book.owed(work, fault, "fault_ack") for name in debt.alarmed]
    await fault_clock.settle(work, fault, "fault_ack", by=person.person_id, via=turn.via, at=at)
    fault.state, fault.owner, fault.acked_at = "accepted", person.person_id, fault.acked_at or at
    book.note(work, fault, assigned="", word=word, **{book.TAKEN: at.isoformat()})
    turn.audit("fault.taken", about=fault.number)
    await cancel_queued(work, person.person_id, fault.number)
    following = await fault_clock.start(work, fault, at)
    promised = await _promise(turn, fault)
    await _announce(turn, fault, at, following, _with_promise(turn, word, promised), told)


def _with_promise(turn: Turn, word: str, promised: Obligation | None) -> str:
    told = promised is not None and len(word) <= SHORT
    said = [word] if word and not told else []
    if promised is not None:
        said.append(fault_words.expected(turn.work, turn.incoming.text, promised.due_at))
    return WORDS("comma").join(said)


async def _promise(turn: Turn, fault: Fault) -> Obligation | None:
    """The time said in words, as a debt."""
    at = min(turn.incoming.written_at, turn.work.now)
    due = _said_time(turn, at)
    if due is None:
        return None
    by, text = turn.person.person_id, turn.incoming.text
    return await fault_clock.promise(turn.work, fault, due, text, by=by, via=turn.via, at=at)


def _said_time(turn: Turn, at: datetime) -> datetime | None:
    """The moment a message promises, when it lies ahead."""
    minutes, clock_time = turn.slot("eta_minutes"), turn.slot("eta_at")
    if isinstance(minutes, int) and minutes > 0:
        return at + timedelta(minutes=minutes)
    if isinstance(clock_time, str) and re.search(WORDS.get("promise_pattern"), turn.incoming.text):
        return datetime.fromisoformat(clock_time)
    return None


async def _announce(
    turn: Turn, fault: Fault, at: datetime, following: Obligation, word: str, told: Sequence[str]
) -> None:
    """Reporter, support groups and whoever ever heard of it hear who has it; the taker hears what comes next.

    ``told``: whoever the all-clear of the debt has told already.
    """
    work, here = turn.work, str(turn.incoming.conversation)
    words = fault_words.describe(work, fault) | {
        "word": WORDS("word", word=word) if word else "",
        "next": clock(work, following.due_at),
        "at": clock(work, at),
    }
    key = f"taken:{turn.key}"
    await fault_voice.to_reporters(work, fault, WORDS("taken_reporter", **words), key)
    knows = [turn.person.person_id, *told]
    await fault_voice.to_everyone_told(work, fault, WORDS("taken", **words), key, skip=told, but=knows)
    if turn.direct or here not in [*fault.extra.get("groups", ()), *fault.conversations]:
        await turn.reply(WORDS("taken_by_you", **words), about=fault.number)


async def _help(turn: Turn, fault: Fault) -> None:
    """Somebody else has it already."""
    helpers = [*fault.extra.get("helpers", ()), turn.person.person_id]
    book.note(turn.work, fault, helpers=list(dict.fromkeys(helpers)))
    turn.audit("fault.helper", about=fault.number)
    taken = fault.extra.get(book.TAKEN)
    at = clock(turn.work, datetime.fromisoformat(taken) if taken else fault.acked_at or turn.work.now)
    await turn.reply(WORDS("second", at=at, **fault_words.describe(turn.work, fault)), about=fault.number)


async def came_second(turn: Turn) -> bool:
    """“收到” just after somebody else took it, with nothing else owed: the speaker hears who has it, and helps."""
    work, person = turn.work, turn.person
    if "engineer" not in person.roles or await _owes_answer(turn):
        return False
    since = turn.incoming.written_at - fault_profile.span("taking.second_within")
    found = await book.find(work, col(Fault.acked_at) >= since, states=("accepted",))
    found = [one for one in found if one.unit_id in work.org.serves(person) and one.owner != person.person_id]
    if len(found) != 1 or person.person_id in found[0].extra.get("helpers", ()):
        return False
    await take(turn, found[0])
    return True


async def _owes_answer(turn: Turn) -> bool:
    units = turn.work.org.serves(turn.person)
    return bool(await unmet(turn.work, col(Obligation.unit_id).in_(units), kinds=("notice_ack", "fault_ack")))


async def update(turn: Turn) -> None:
    """An engineer says how it goes."""
    if not await report_given(turn):
        await fault_pick.do(turn, "update", await fault_pick.mine_as_engineer(turn, book.WORKING), "")


async def report_given(turn: Turn) -> bool:
    """Whether an engineer hands in the written report that is owed about a mended fault; then it is recorded."""
    if not _is_report(turn) or "engineer" not in turn.person.roles:
        return False
    mine = await fault_pick.mine_as_engineer(turn, ("observing", "closed"))
    owing = [fault for fault in mine if await book.owed(turn.work, fault, "fault_report")]
    if owing:
        await fault_pick.do(turn, "hand_in", owing, "")
    return bool(owing)


@fault_pick.act("update")
async def _update(turn: Turn, fault: Fault) -> None:
    own = turn.person.person_id in (fault.owner, fault.extra.get("assigned"), *fault.extra.get("helpers", ()))
    if not await fault_pick.allowed(turn, fault, "fault.update", is_self=own):
        return
    if fault.state == "open":
        await accept(turn, fault, fault_words.for_client(turn.incoming.text))
    elif fault.state == "accepted":
        await _say_news(turn, fault)
    else:
        await turn.reply(WORDS("over", **fault_words.describe(turn.work, fault)), about=fault.number)


async def _say_news(turn: Turn, fault: Fault) -> None:
    """News for the reporter, in words fit for a client; the next word is owed from now."""
    work, at = turn.work, min(turn.incoming.written_at, turn.work.now)
    by = turn.person.person_id
    if _is_there(turn):
        await fault_clock.settle(work, fault, "promise", "onsite", by=by, via=turn.via, at=at)
    following = await fault_clock.news(work, fault, by=by, via=turn.via, at=at)
    promised = await _promise(turn, fault)
    word = fault_words.for_client(turn.incoming.text)
    before = fault.extra.get("word", "")
    book.note(work, fault, word=word)
    await work.session.flush()
    opened = [debt.id for debt in (following, promised) if debt is not None]
    turn.audit("fault.updated", about=fault.number, text=turn.incoming.text, opened=opened, before=before)
    words = fault_words.describe(work, fault) | {"by": call(turn.person), "next": clock(work, following.due_at)}
    text = WORDS("news", word=_with_promise(turn, word, promised), **words)
    await fault_voice.to_reporters(work, fault, text, f"news:{turn.key}", skip=[str(turn.incoming.conversation)])
    passed = await manners.told(work, WORDS, "passed_on", fault.number, **words)
    passed = WORDS("noted", **words) if set(fault.reporters) <= {turn.person.person_id} else passed
    await turn.reply(passed, about=fault.number)


def _is_there(turn: Turn) -> bool:
    """Whether the message says that somebody has arrived (not that they will)."""
    text = turn.incoming.text
    coming = _said_time(turn, turn.work.now) or re.search(WORDS.get("not_there_pattern"), text)
    return not coming and re.search(WORDS.get("arrived_pattern"), text) is not None


def _is_report(turn: Turn) -> bool:
    """Whether the written report of a mended fault is handed in."""
    return any(word in turn.incoming.text for word in WORDS.get("report_words"))


@fault_pick.act("hand_in")
async def _hand_in(turn: Turn, fault: Fault) -> None:
    """The written report: whoever was reminded of it hears that it is there."""
    if not await fault_pick.allowed(turn, fault, "fault.update", is_self=turn.person.person_id == fault.owner):
        return
    at = min(turn.incoming.written_at, turn.work.now)
    await fault_clock.settle(turn.work, fault, "fault_report", by=turn.person.person_id, via=turn.via, at=at)
    turn.audit("fault.report_given", about=fault.number, text=turn.incoming.text)
    await turn.reply(WORDS("report_taken", number=fault.number), about=fault.number)
