"""On the way to a meeting: when people say that they come, that is a promise, and a late one is told."""

import re
from datetime import datetime, timedelta

from intents.times import find_duration_minutes
from storage.messages import Outgoing, Urgency
from storage.models import Obligation
from storage.obligations import DUE, Rung, open_obligation, unmet
from storage.outbox import post_person
from workflows import checklist_target as target
from workflows import escalation
from workflows.authority import may
from workflows.fault_clock import OVERDUE
from workflows.phrases import call, clock
from workflows.reader import ARRIVING
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("checklist")
BEHIND = re.compile(WORDS.get("match.behind"))
GRACE = timedelta(minutes=5)
"""How long after a promised time a supervisor hears that there is no news."""


async def ask_when(turn: Turn) -> bool:
    """“路上堵车，晚点到”: ask by when. Whether the speaker is awaited anywhere soon."""
    owed = [row for row in await target.arrivals(turn) if _may(turn, row)]
    near = await target.spots(turn, [row for row in owed if row.due_at <= turn.work.now + ARRIVING])
    if near:
        about = near[0].meeting.number
        await turn.reply(WORDS("arrive.when", number=about, site=near[0].site.name), about=about)
    return bool(near)


async def on_the_way(turn: Turn, promised: datetime) -> bool:
    """“还有20分钟到”: the time becomes a promise; one too late is told to the coordinator. False: not awaited."""
    owed = [row for row in await target.arrivals(turn) if _may(turn, row)]
    found = target.nearest(await target.spots(turn, owed))
    if not found:
        return False
    spot = found[0]
    arrival = next(row for row in owed if row.meeting == spot.meeting.number)
    promised = _behind(turn, arrival) or promised
    here = (Obligation.meeting == arrival.meeting, Obligation.site_id == arrival.site_id, Obligation.fault == "")
    for older in await unmet(turn.work, *here, kinds=("promise",)):
        await escalation.meet(turn.work, older, by=turn.person.person_id, via=turn.via, at=turn.incoming.written_at)
    promise = Obligation(
        kind="promise",
        unit_id=arrival.unit_id,
        site_id=arrival.site_id,
        person_ids=[turn.person.person_id],
        meeting=arrival.meeting,
        version=arrival.version,
        due_at=promised,
        opened_at=turn.work.now,
    )
    silent = max(arrival.due_at - promised, timedelta()) + GRACE
    open_obligation(turn.work, promise, [Rung(DUE, timedelta()), Rung(OVERDUE, silent)])
    await turn.work.session.flush()
    turn.audit("arrival.promised", arrival.meeting, obligation=promise.id)
    names = {"number": arrival.meeting, "site": spot.site.name, "time": clock(turn.work, promised)}
    await turn.reply(WORDS("arrive.on_the_way", **names), about=arrival.meeting)
    coordinator = turn.work.org.people.get(spot.meeting.created_by)
    if promised > arrival.due_at and coordinator is not None:
        late = WORDS("arrive.late_promise", who=call(turn.person), due=clock(turn.work, arrival.due_at), **names)
        message = Outgoing(text=late, about=arrival.meeting, urgency=Urgency.FAULT)
        await post_person(turn.work, coordinator, message, key=f"late-promise:{turn.key}", kind="promise")
    return True


def _behind(turn: Turn, arrival: Obligation) -> datetime | None:
    """“晚十分钟”: so long after the time by which they are awaited, and not from now."""
    told = BEHIND.search(turn.incoming.text)
    minutes = find_duration_minutes(told["span"]) if told else None
    return None if minutes is None else max(arrival.due_at, turn.work.now) + timedelta(minutes=minutes)


def _may(turn: Turn, row: Obligation) -> bool:
    return may(turn.work.org, turn.person, "meeting.arrive", row.unit_id)
