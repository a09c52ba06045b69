"""It is worse than thought: a meeting is about to begin, or runs already. Those who work on it and those who hear at
once of the higher level are told, and nothing waits for the morning any more."""

from collections.abc import Sequence
from datetime import datetime

from storage.models import Fault, Obligation, Person
from storage.obligations import move_due
from storage.outbox import cancel_queued
from storage.work import Work
from workflows import fault_book as book
from workflows import fault_clock, fault_dispatch, fault_level, fault_voice, fault_words, manners
from workflows.meeting_scope import area_of
from workflows.phrases import call, calls, clock, fit
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_worse")
HERE, AHEAD = ("soon", "running"), "start"


async def worsen(turn: Turn, fault: Fault) -> list[Person]:
    """Take over what a reporter's words add to the fault. Returns who has been told to hurry (nobody: nothing new)."""
    work, text = turn.work, turn.incoming.text
    if turn.person.person_id not in fault.reporters or fault.state not in book.WORKING:
        return []
    slept, said = not await manners.cannot_wait(work, fault.number), fault_level.nearness(text, "")
    before, known = fault.level, str(fault.extra.get("near", ""))
    near = said if said == "running" else known or said
    symptoms = [*book.codes(fault.symptom), *(turn.slot("symptom") or [])]
    level = fault_level.level_of("emergency" if said else str(turn.slot("level")), near, symptoms, text)
    fault.level = level if fault_level.worse(level, fault.level) else fault.level
    leaders = bool(fault.extra.get("leaders")) or fault_level.leaders(text)
    ahead = str(fault.extra.get(book.AHEAD) or "") or _ahead(turn)
    book.note(work, fault, near=near, leaders=leaders, **{book.AHEAD: ahead})
    await work.session.flush()
    woken = slept and await manners.cannot_wait(work, fault.number)
    if fault.level == before and not woken:
        return []
    turn.audit("fault.level_raised", about=fault.number, level=fault.level)
    return await _tell(turn, fault, worse=fault.level != before)


def _ahead(turn: Turn) -> str:
    """When the meeting begins that a reporter fears for; only short words mean that."""
    start = turn.slot(book.AHEAD) or (turn.slot(AHEAD) if turn.reading.intent.startswith("meeting.") else None)
    return str(start or "") if len(turn.incoming.text) <= int(WORDS.get("short")) else str(turn.slot(book.AHEAD) or "")


async def added(turn: Turn) -> Fault | None:
    """The speaker's own open fault to which a short word of a meeting adds something; None: it is about something else.

    Who may publish meetings speaks of meetings.
    """
    text = turn.incoming.text
    adds = fault_level.nearness(text, "") or _ahead(turn)
    if not adds or len(text) > int(WORDS.get("short")) or area_of(turn.work.org, turn.person) is not None:
        return None
    mine = await book.reported_by(turn.work, turn.person.person_id, book.WORKING)
    mine = [fault for fault in mine if fault.number in turn.numbers] or mine
    return await book.load(turn.work, mine[0].number) if len(mine) == 1 else None


async def _tell(turn: Turn, fault: Fault, *, worse: bool) -> list[Person]:
    work, debts = turn.work, await book.owed(turn.work, fault, "fault_ack")
    people = _concerned(work, fault, debts)
    if manners.hush(work) is not None:
        await fault_voice.forget_unheard(work, fault)
    await manners.wake(work, fault.number)
    due = work.now + work.settings.policy.fault_ack.within
    for debt in debts:
        if debt.due_at > due:
            move_due(work, debt, due)
    following = await fault_clock.hasten(work, fault) if fault.state == "accepted" else None
    raised, sent_out = int(fault.extra.get(book.RAISED, 0)), int(fault.extra.get("round", 0))
    book.note(work, fault, round=sent_out + 1, **{book.RAISED: raised + 1})
    await _tell_workers(turn, fault, people, debts, following, worse=worse)
    sent = fault_dispatch.Sent(people, debts[0].due_at if debts else work.now, fault.state == "accepted")
    if worse:
        await fault_dispatch.tell_above(work, fault, sent, str(turn.incoming.conversation))
    return people


def _concerned(work: Work, fault: Fault, debts: Sequence[Obligation]) -> list[Person]:
    ids = [fault.owner] if fault.owner else [one for debt in debts for one in debt.person_ids]
    return [work.org.people[one] for one in dict.fromkeys(ids) if one in work.org.people]


async def _tell_workers(
    turn: Turn,
    fault: Fault,
    people: Sequence[Person],
    debts: Sequence[Obligation],
    following: datetime | None,
    *,
    worse: bool,
) -> None:
    """Whoever has it or is to take it, in their groups and personally; groups that sleep hear in the morning."""
    work, here, key = turn.work, [str(turn.incoming.conversation)], f"worse:{turn.key}"
    words = fault_words.describe(work, fault) | {
        "people": calls(people),
        "text": fit(turn.incoming.text, 40),
        "when": _when(work, debts),
        "next": clock(work, following) if following else "",
    }
    words["now"] = WORDS("now", **words) if worse else words["level"]
    actions = fault_dispatch.buttons(fault.number) if debts else ()
    groups = fault_voice.support_groups(work, fault)
    if not manners.groups_sleep(work):
        text = WORDS(f"group.{fault.state}", **words)
        await fault_voice.to_groups(work, fault, groups, text, key, skip=here, mention=people, actions=actions)
    elif debts:
        text = fault_dispatch.morning_text(work, fault, people)
        await fault_voice.to_groups(work, fault, groups, text, key, skip=here, mention=people, debt=debts[0])
    for person in people:
        if person == turn.person:
            continue
        await cancel_queued(work, person.person_id, fault.number)
        contact = fault_dispatch.contact(work, fault, person)
        text = WORDS(f"person.{fault.state}", call=call(person), contact=contact, **words)
        debt = debts[0] if debts else None
        await fault_voice.to_person(work, fault, person, text, key, skip=here, actions=actions, debt=debt)


def _when(work: Work, debts: Sequence[Obligation]) -> str:
    due = [debt.due_at for debt in debts if debt.due_at > work.now]
    return WORDS("before_due", due=clock(work, max(due))) if due else WORDS("soon")
