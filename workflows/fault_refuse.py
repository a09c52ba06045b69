"""“不接，你们自己弄”: whoever was asked to take a fault will not or cannot. It goes back to the one who handed it over,
else on to the next people of the ladder, and everybody hears how it stands; the time to take it runs on as it was.
"""

import re
from collections.abc import Collection, Sequence

from storage.models import Fault, Obligation, Person
from storage.outbox import cancel_queued
from workflows import fault_book as book
from workflows import fault_dispatch, fault_pick, fault_voice, fault_words, manners
from workflows.people import upper_supervisors
from workflows.phrases import call, calls, clock, fit
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_refuse")
REFUSES, GRUMBLES, HELP = (re.compile(WORDS.get(key)) for key in ("refuses", "grumbles", "asks_help"))
DECLINED = "declined"
"""In ``Fault.extra``: the round of sending out, and who said no in it."""


async def refused(turn: Turn) -> bool:
    """Whether an engineer says no to a fault that was put to them; then that is done. Grumbling is asked about."""
    text = turn.incoming.text
    refuses = REFUSES.search(text) is not None
    if "engineer" not in turn.person.roles or HELP.search(text) or not (refuses or GRUMBLES.search(text)):
        return False
    asked = await _put_to(turn)
    if refuses and asked:
        await fault_pick.do(turn, "refuse", asked, "")
    elif asked:
        await fault_pick.do(turn, "grumble", asked, "")
    elif turn.reading.intent == "assist.request" and refuses and turn.direct:
        await turn.reply(WORDS("not_asked"))
    return bool(asked) or (turn.reading.intent == "assist.request" and refuses)


async def _put_to(turn: Turn) -> list[Fault]:
    """Faults that wait for the speaker, or that the speaker has."""
    me, found = turn.person.person_id, await book.find(turn.work, states=book.WORKING)
    waiting = [fault for fault in found if fault.state == "open" and await _debts(turn, fault)]
    return waiting or [fault for fault in found if fault.state == "accepted" and fault.owner == me]


async def _debts(turn: Turn, fault: Fault) -> list[Obligation]:
    me, owed = turn.person.person_id, await book.owed(turn.work, fault, "fault_ack")
    return [debt for debt in owed if me in (*debt.person_ids, *debt.alarmed)]


@fault_pick.act("grumble")
async def _grumble(turn: Turn, fault: Fault) -> None:
    debts = await _debts(turn, fault)
    if fault.state == "open" and debts:
        words = fault_words.describe(turn.work, fault) | {"when": _when(turn, debts)}
        await turn.reply(WORDS("how", **words), about=fault.number)


def _when(turn: Turn, debts: Sequence[Obligation]) -> str:
    due = [debt.due_at for debt in debts if debt.due_at > turn.work.now]
    return WORDS("before_due", due=clock(turn.work, max(due))) if due else WORDS("soon")


@fault_pick.act("refuse")
async def _refuse(turn: Turn, fault: Fault) -> None:
    if fault.state == "accepted" and fault.owner == turn.person.person_id:
        await fault_pick.ACTS["assign"](turn, fault)
        return
    work, me, debts = turn.work, turn.person.person_id, await _debts(turn, fault)
    if fault.state != "open" or not debts:  # somebody took it while it was asked which one is meant
        await turn.reply(WORDS("not_asked"), about=fault.number)
        return
    declined = _note_no(turn, fault)
    turn.audit("fault.declined", about=fault.number, text=turn.incoming.text)
    await cancel_queued(work, me, fault.number)
    left = [one for debt in debts for one in debt.person_ids if one != me and one in work.org.people]
    following = [] if left else _following(turn, fault, declined)
    for debt in debts:
        debt.person_ids = left or [person.person_id for person in following]
        work.session.add(debt)
    if fault.extra.get("assigned") == me:
        book.note(work, fault, assigned="")
    if following:
        await _pass_on(turn, fault, following, debts)
    people = calls([work.org.people[one] for one in left] or following)
    if left:
        await turn.reply(WORDS("noted_alone", number=fault.number, people=people), about=fault.number)
    elif not following:
        await turn.reply(WORDS("nobody", number=fault.number), about=fault.number)
    elif turn.incoming.conversation not in fault_voice.support_groups(work, fault):
        text = await manners.told(work, WORDS, "noted", fault.number, number=fault.number, people=people)
        await turn.reply(text, about=fault.number)


def _note_no(turn: Turn, fault: Fault) -> list[str]:
    """Everybody who has said no in this round, the speaker among them: nobody is asked twice."""
    said = fault.extra.get(DECLINED) or {}
    before = list(said.get("who", ())) if said.get("round") == fault.extra.get("round") else []
    declined = list(dict.fromkeys([*before, turn.person.person_id]))
    book.note(turn.work, fault, **{DECLINED: {"round": fault.extra.get("round"), "who": declined}})
    return declined


def _following(turn: Turn, fault: Fault, declined: Collection[str]) -> list[Person]:
    """Who is asked next: whoever handed it over, those on duty, their backups, the supervisors, those above."""
    org, now, me = turn.work.org, turn.work.now, turn.person.person_id
    handed = org.people.get(str(fault.extra.get("handed_by") or "")) if fault.extra.get("assigned") == me else None
    circles = [
        [handed] if handed else [],
        org.on_duty(fault.unit_id, now),
        org.on_duty(fault.unit_id, now, "backup"),
        org.supervisors(fault.unit_id),
        upper_supervisors(org, fault.unit_id),
    ]
    willing = [[person for person in circle if person.person_id not in declined] for circle in circles]
    return next((circle for circle in willing if circle), [])


async def _pass_on(turn: Turn, fault: Fault, people: Sequence[Person], debts: Sequence[Obligation]) -> None:
    work, here, key = turn.work, str(turn.incoming.conversation), f"declined:{turn.key}"
    words = fault_words.describe(work, fault) | {
        "by": call(turn.person),
        "people": calls(people),
        "text": fit(turn.incoming.text, 60),
        "when": _when(turn, debts),
    }
    workers = [person for person in people if "engineer" in person.roles]
    actions, debt = fault_dispatch.buttons(fault.number), debts[0]
    group = WORDS("group" if workers else "group_supervisor", **words)
    groups = fault_voice.support_groups(work, fault)
    await fault_voice.to_groups(work, fault, groups, group, key, mention=workers, actions=actions if workers else ())
    for person in people:
        text = WORDS("person" if person in workers else "supervisor", call=call(person), **words)
        buttons = actions if person in workers else ()
        await fault_voice.to_person(work, fault, person, text, key, skip=[here], actions=buttons, debt=debt)
    outside = [p.person_id for p in people if p not in workers or p.unit_id != fault.unit_id]
    fault_dispatch.remember(work, fault, (), outside)
