"""“修得怎么样了”, “怎么还没人来”: the state, and for those who press a push to whoever owes the next step."""

from collections.abc import Sequence

from storage.models import Fault, Obligation, Person
from storage.work import Work
from workflows import (
    choices,
    fault_clock,
    fault_pick,
    fault_profile,
    fault_voice,
    fault_words,
    fault_worse,
    guess,
    manners,
)
from workflows import fault_book as book
from workflows.phrases import call, calls, clock
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_ask")
MOST = 8


async def query(turn: Turn) -> None:
    """How does it go: one fault in full, several in a list."""
    named = any(number.startswith("GZ-") for number in turn.numbers)
    mine = await fault_pick.mine_as_reporter(turn, book.ACTIVE)
    seen = await fault_pick.in_view(turn, book.ACTIVE)
    found = fault_pick.narrowed(turn, _first(turn, mine, seen))
    if named or len(found) <= 1:
        await fault_pick.do(turn, "query", found, "none_open")
        return
    await turn.reply("\n".join(listed(turn, found)))


def listed(turn: Turn, found: Sequence[Fault]) -> list[str]:
    """Faults as lines of a list under their count; no line without any."""
    lines = [WORDS("line", **fault_words.describe(turn.work, fault)) for fault in found[:MOST]]
    more = [WORDS("more", count=len(found) - MOST)] if len(found) > MOST else []
    return [WORDS("several", count=len(found)), *lines, *more] if found else []


def _first(turn: Turn, mine: list[Fault], seen: list[Fault]) -> list[Fault]:
    """What was reported by the speaker comes first; a place that is named looks further."""
    return mine if mine and not turn.slot("site") else seen


@fault_pick.act("query")
async def _query(turn: Turn, fault: Fault) -> None:
    if fault.unit_id in {one.unit_id for one in await fault_pick.in_view(turn, (fault.state,))} or _own(turn, fault):
        told = await fault_worse.worsen(turn, fault)
        await turn.reply(await state_of(turn, fault) + _told(told), about=fault.number)
    else:
        await turn.reply(fault_pick.WORDS("unknown", number=fault.number))


def _told(people: Sequence[Person]) -> str:
    return fault_worse.WORDS("added", people=calls(people)) if people else ""


async def added(turn: Turn) -> bool:
    """Whether a short word of a meeting (“正在开会”, “明天8点半有会”) made the speaker's own fault more urgent."""
    fault = await fault_worse.added(turn)
    told = await fault_worse.worsen(turn, fault) if fault is not None else []
    if fault is not None and told:
        await turn.reply(await state_of(turn, fault) + _told(told), about=fault.number)
    return bool(told)


def _own(turn: Turn, fault: Fault) -> bool:
    return turn.person.person_id in (fault.owner, *fault.reporters)


async def state_of(turn: Turn, fault: Fault) -> str:
    """Number, place, state, the last news, and when the next word comes."""
    debts = await book.owed(turn.work, fault, "fault_ack", "progress", "promise")
    due = fault_clock.next_told(turn.work, debts)
    word = str(fault.extra.get("word", ""))
    word = "" if word == fault_words.WORDS("client.generic") else word
    return WORDS(
        "state",
        word=WORDS("word", word=word) if word and fault.state == "accepted" else "",
        next=WORDS("next", due=clock(turn.work, due)) if due else "",
        **fault_words.describe(turn.work, fault)
        | {"state": fault_words.state(turn.work, fault, turn.person.person_id)},
    )


async def _meant_a_report(turn: Turn) -> bool:
    """Whoever presses while asked “您是想报障吗？” has said yes."""
    asked = [row for row in turn.asked_here("choice") if row.pending.get("name") == guess.NAME]
    asked = [row for row in asked if row.pending.get("intent") == "fault.report"]
    if not asked or await book.reported_by(turn.work, turn.person.person_id, book.WORKING):
        return False
    asked[0].state = "met"
    turn.work.session.add(asked[0])
    await turn.take_up(asked[0])
    await choices.RESUME[guess.NAME](turn, asked[0].pending, "yes")
    return True


async def urge(turn: Turn) -> None:
    """Somebody presses: answer with the state, and push."""
    if await _meant_a_report(turn):
        return
    mine = await fault_pick.mine_as_reporter(turn, (*book.WORKING, "resolved"))
    seen = await fault_pick.in_view(turn, book.WORKING)
    await fault_pick.do(turn, "urge", _first(turn, mine, seen), "none_open")


@fault_pick.act("urge")
async def _urge(turn: Turn, fault: Fault) -> None:
    turn.audit("fault.urged", about=fault.number, text=turn.incoming.text)
    told = await fault_worse.worsen(turn, fault)
    pushed = calls(told) if told else await _push(turn, fault) if fault.state in book.WORKING else ""
    text = await state_of(turn, fault)
    said = await manners.told(turn.work, WORDS, "pushed", fault.number, people=pushed) if pushed else ""
    asked = WORDS("asked") if fault.state == "resolved" and turn.person.person_id in fault.reporters else ""
    await turn.reply(text + said + asked, about=fault.number)


async def _push(turn: Turn, fault: Fault) -> str:
    """Remind the owner, or those who should take it, in private; the supervisor too once time is up. Who was pushed."""
    work = turn.work
    debts = await book.owed(work, fault, "fault_ack", "progress", "promise")
    ids = [fault.owner] if fault.owner else [p for debt in debts for p in (*debt.person_ids, *_backups(work, debt))]
    people = [work.org.people[person_id] for person_id in dict.fromkeys(ids) if person_id in work.org.people]
    slot = int(work.now.timestamp() // fault_profile.span("urge.again_after").total_seconds())
    words = fault_words.describe(work, fault)
    for person in people:
        if person != turn.person:
            text = WORDS(f"push.{fault.state}", call=call(person), **words)
            await fault_voice.to_person(work, fault, person, text, f"urge:{fault.state}:{slot}", skip=_here(turn))
    if any(debt.state == "breached" for debt in debts):
        for boss in work.org.supervisors(fault.unit_id):
            text = WORDS("push.supervisor", call=call(boss), **words)
            await fault_voice.to_person(work, fault, boss, text, f"urge:{fault.state}:{slot}", skip=_here(turn))
    return WORDS("comma").join(call(person) for person in people)


def _backups(work: Work, debt: Obligation) -> list[str]:
    """Engineers the ladder has called already."""
    return [name for name in debt.alarmed if name in work.org.people and "engineer" in work.org.people[name].roles]


def _here(turn: Turn) -> list[str]:
    return [str(turn.incoming.conversation)]
