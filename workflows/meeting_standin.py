"""“我请假，防汛会让赵鹏去”: somebody else comes to a meeting; whoever is meant and the coordinator hear of it."""

import re
from datetime import datetime
from typing import Any

from sqlmodel import col

from storage.messages import Outgoing, Urgency
from storage.models import Meeting, Obligation, Person
from storage.obligations import unmet
from storage.outbox import post_person
from workflows import checklist_target as target
from workflows import choices, fault_progress
from workflows import fault_book as book
from workflows.authority import may
from workflows.checklist_target import Spot
from workflows.meeting_find import day_asked, narrowed
from workflows.phrases import call, full_clock
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("meeting_standin")
ABOUT_MEETING = re.compile(WORDS.get("about_meeting"))
KINDS = ("arrival", "checklist")
ROLES = ("engineer", "client")


async def assign(turn: Turn) -> None:
    """Work is given to somebody: a place at a meeting that the speaker's unit is awaited at, else a fault."""
    spots = await _spots(turn) if await _of_a_meeting(turn) else []
    if not spots:
        await fault_progress.assign(turn)
        return
    meetings = list({spot.meeting.number: spot.meeting for spot in spots}.values())
    left = narrowed(turn, meetings, day_asked(turn))
    names = [str(name) for name in turn.slot("person", ())]
    if len(left) == 1:
        await _send(turn, [spot for spot in spots if spot.meeting == left[0]], names)
        return
    options = [
        (WORDS("option", number=m.number, title=m.title, start=full_clock(turn.work, m.starts_at)), m.number)
        for m in left
    ]
    await choices.ask(turn, "standin", WORDS("which"), options[:9], pending={"names": names})


@choices.resumes("standin")
async def _picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    turn.numbers = (value,)
    await _send(turn, await _spots(turn), [str(name) for name in pending["names"]])


async def _of_a_meeting(turn: Turn) -> bool:
    """Whether it can be about a meeting: no fault is named, and a meeting is spoken of or no fault is theirs."""
    if any(number.startswith("GZ-") for number in turn.numbers):
        return False
    me = turn.person.person_id
    faults = await book.find(turn.work, states=book.WORKING)
    return ABOUT_MEETING.search(turn.incoming.text) is not None or not any(me == fault.owner for fault in faults)


async def _spots(turn: Turn) -> list[Spot]:
    """Where the speaker's unit is still awaited."""
    rows = [
        row for row in await target.arrivals(turn) if may(turn.work.org, turn.person, "meeting.arrive", row.unit_id)
    ]
    return await target.spots(turn, rows)


async def _send(turn: Turn, spots: list[Spot], names: list[str]) -> None:
    for spot in spots:
        person = _named(turn, spot, names)
        rows = await _owed(turn, spot)
        if rows and person is not None:
            await _register(turn, spot, rows, person)
        elif rows:
            said = {"by": call(turn.person), "name": names[0] if names else WORDS("somebody")}
            text = WORDS("unknown", due=full_clock(turn.work, _due(rows)), **_place(spot), **said)
            await turn.reply(text, about=spot.meeting.number)


async def _owed(turn: Turn, spot: Spot) -> list[Obligation]:
    here = Obligation.meeting == spot.meeting.number, col(Obligation.site_id) == spot.site.site_id
    return await unmet(turn.work, *here, kinds=KINDS)


async def _register(turn: Turn, spot: Spot, rows: list[Obligation], person: Person) -> None:
    """From now on it is they who are reminded; they, and whoever called the meeting, are told."""
    work, about = turn.work, spot.meeting.number
    for row in rows:
        row.person_ids = [person.person_id]
        work.session.add(row)
    turn.audit("arrival.stand_in", about, site=spot.site.site_id, to=person.person_id)
    values = {"who": call(person), "by": call(turn.person), "due": full_clock(work, _due(rows)), **_place(spot)}
    await turn.reply(WORDS("done", **values), about=about)
    start = full_clock(work, spot.meeting.starts_at)
    text = WORDS("told", call=call(person), title=spot.meeting.title, start=start, **values)
    key = f"stand-in:{about}:{spot.site.site_id}:{turn.key}"
    if person.person_id != turn.person.person_id:
        await post_person(
            work, person, Outgoing(text=text, about=about, urgency=Urgency.FAULT), key=key, kind="standin"
        )
    await _tell_coordinator(turn, spot.meeting, WORDS("coordinator", **values), key)


async def _tell_coordinator(turn: Turn, meeting: Meeting, text: str, key: str) -> None:
    coordinator = turn.work.org.people.get(meeting.created_by)
    if coordinator is not None and coordinator.person_id != turn.person.person_id:
        message = Outgoing(text=text, about=meeting.number, urgency=Urgency.FAULT)
        await post_person(turn.work, coordinator, message, key=f"{key}:told", kind="standin")


def _named(turn: Turn, spot: Spot, names: list[str]) -> Person | None:
    """Somebody who may report being there and is called so; None when there is nobody, or more than one."""
    org = turn.work.org
    near = [person for unit in org.upward(spot.site.unit_id) for person in org.members(unit.unit_id)]
    able = {
        p.person_id: p for p in near if set(p.roles) & set(ROLES) and may(org, p, "meeting.arrive", spot.site.unit_id)
    }
    found = [p for p in able.values() if {p.name, call(p), f"{p.name}{p.title}"} & set(names)]
    return found[0] if len(found) == 1 else None


def _place(spot: Spot) -> dict[str, str]:
    return {"number": spot.meeting.number, "site": spot.site.name}


def _due(rows: list[Obligation]) -> datetime:
    return next((row.due_at for row in rows if row.kind == "arrival"), rows[0].due_at)
