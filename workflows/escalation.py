"""Escalation: who is told on each rung of a ladder, and the all-clear when the answer comes.

Messages are queued without words; ``escalation_words.py`` renders them at the moment of sending, so that who has
answered meanwhile drops out. Several escalations of one kind to one address become one message. What waits for the
morning is climbed anew from there: people first, their supervisors ten minutes later.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Meeting, Obligation, Person
from storage.obligations import settle_met
from storage.outbox import Letter, post_new, waiting_row
from storage.work import Work
from workflows import manners, reminder_cards
from workflows.digest import MERGED
from workflows.people import owers, responders, supervisor_groups, upper_supervisors

PRIVATE = ("backup", "nudge")
"""Rungs below the due time: a quiet word to those who owe, never to a supervisor."""
SUPERVISORS = ("due", "upper")
TOGETHER = "supervisors"
AGAIN = "again"
LOST = "lost"
"""In place of ``nobody``: not even a supervisor could be told."""
ON_DUTY = ("notice_ack", "arrival", "checklist")
"""Kinds of debt that a unit owes: at night whoever is on duty now is reminded, not whoever was at publication."""
AWAKE_WITHIN = timedelta(minutes=10)
"""What time people have in the morning before their supervisors are told, at most."""
RENDERER, CLEAR = "escalation", "all_clear"


async def climb(work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
    """Tell whoever ``rung`` names; False when the rung has no people that can be reached."""
    groups = [] if rung in (*PRIVATE, *SUPERVISORS) else _groups(work, obligation)
    people = _people(work, obligation, rung)
    if groups and manners.groups_sleep(work) and await manners.cannot_wait(work, _about(obligation)):
        people = [*people, *_not_at_peace(obligation, _behind_groups(work, obligation))]
        await _call_again(work, obligation, rung, late)
    told = [person.person_id for person in people if await _tell_person(work, person, obligation, rung, late)]
    for address in groups:
        await _queue(work, address, obligation, rung, RENDERER, late=late)
    if rung == "nobody" and (_is_lost(work, obligation) or not (told or groups)):
        told += await _tell_coordinator(work, obligation, late)
    if rung != "nudge":
        alarmed = [*obligation.alarmed, *told, *(str(address) for address in groups)]
        obligation.alarmed = list(dict.fromkeys(alarmed))
    return bool(told or groups)


def _people(work: Work, obligation: Obligation, rung: str) -> Sequence[Person]:
    org, unit_id = work.org, obligation.unit_id
    if rung == "nudge":
        on_duty = responders(org, unit_id, work.now) if obligation.kind in ON_DUTY and manners.hush(work) else []
        return on_duty or owers(org, obligation, work.now)
    if rung == "backup":
        unit = org.units.get(unit_id)
        if unit is None or unit.track != "operations":
            return ()
        known = {person.person_id for person in owers(org, obligation, work.now)}
        return [person for person in org.on_duty(unit_id, work.now, "backup") if person.person_id not in known]
    if rung == "due":
        return _not_at_peace(obligation, org.supervisors(unit_id))
    if rung == "upper":
        return _not_at_peace(obligation, upper_supervisors(org, unit_id))
    if rung == "nobody" and not _groups(work, obligation):
        return upper_supervisors(org, unit_id) or org.supervisors(unit_id)
    return ()


def _not_at_peace(obligation: Obligation, people: Sequence[Person]) -> list[Person]:
    """Supervisors who have not said 已知悉 about this debt."""
    return [person for person in people if person.person_id not in obligation.detail.get("known", ())]


def _groups(work: Work, obligation: Obligation) -> list[Address]:
    groups = supervisor_groups(work.org, obligation.unit_id, work.platforms)
    return [Address(platform=group.platform, kind="group", id=group.conversation_id) for group in groups]


def _behind_groups(work: Work, obligation: Obligation) -> list[Person]:
    """Who is told at night in place of the supervisors' groups: the supervisors of the groups' units; of a fault that
    nobody takes also those who were told before.
    """
    org, unit_id = work.org, obligation.unit_id
    units = dict.fromkeys(group.unit_id for group in supervisor_groups(org, unit_id, work.platforms))
    people = [person for one in units for person in org.supervisors(one)]
    if obligation.kind == "fault_ack":
        people = [*org.supervisors(unit_id), *upper_supervisors(org, unit_id), *people]
    return list({person.person_id: person for person in people}.values())


async def _call_again(work: Work, obligation: Obligation, rung: str, late: bool) -> None:
    """Whoever sleeps through the first call is called again with each repeat: there is no group to wake them."""
    if obligation.kind == "fault_ack" and rung == "repeat":
        for person in owers(work.org, obligation, work.now):
            await _tell_person(work, person, obligation, AGAIN, late)


def _is_lost(work: Work, obligation: Obligation) -> bool:
    """Whether the unit has neither anybody to ask nor a supervisor that a message reaches."""
    people = [*owers(work.org, obligation, work.now), *work.org.supervisors(obligation.unit_id)]
    return not any(work.org.addresses(person.person_id, work.platforms) for person in people)


async def _tell_coordinator(work: Work, obligation: Obligation, late: bool) -> list[str]:
    """The end of the ladder of such a unit: whoever published the meeting hears it, else the administrators."""
    meeting = await work.session.get(Meeting, obligation.meeting) if obligation.meeting else None
    coordinator = work.org.people.get(meeting.created_by) if meeting else None
    for circle in ([coordinator] if coordinator else [], work.org.with_role("admin")):
        told = [one.person_id for one in circle if await _tell_person(work, one, obligation, LOST, late)]
        if told:
            return told
    return []


def _about(obligation: Obligation) -> str:
    return obligation.meeting or obligation.fault


async def _tell_person(work: Work, person: Person, obligation: Obligation, rung: str, late: bool) -> bool:
    places = work.org.addresses(person.person_id, work.platforms)
    for place in places:
        await _queue(work, place, obligation, rung, RENDERER, person=person, late=late)
    return bool(places)


async def _queue(
    work: Work,
    to: Address,
    obligation: Obligation,
    rung: str,
    renderer: str,
    *,
    person: Person | None = None,
    late: bool = False,
) -> None:
    """Queue a message about this debt, or add the debt to one that still waits for the same address."""
    about = _about(obligation)
    # The supervisor of one silent unit to whom another is passed on hears of both at once; not so in the morning.
    together = rung in SUPERVISORS and manners.hush(work) is None
    kind = f"{renderer}:{obligation.kind}:{TOGETHER if together else rung}"
    row = await waiting_row(work, to, kind, about, Urgency.ESCALATION)
    if row is not None:
        ids = dict.fromkeys([*row.render_args["obligations"], obligation.id])
        nearest = "due" if "due" in (rung, row.render_args["rung"]) else rung
        row.render_args = {**row.render_args, "rung": nearest, "obligations": list(ids)}
        work.session.add(row)
        return
    urgent = rung in SUPERVISORS and renderer == RENDERER
    letter = Letter(
        to,
        Outgoing(text="", about=about, urgency=Urgency.ESCALATION, urgent_call=urgent),
        # The fence grows with every change of the debt: this key is new.
        key=f"{renderer}:{obligation.id}:{rung}:{obligation.step}:{obligation.fence}",
        kind=kind,
        person_id=person.person_id if person else None,
        renderer=renderer,
        render_args={"rung": rung, "obligations": [obligation.id], "late": late},
        after=_after(work, obligation, rung) if renderer == RENDERER else timedelta(),
    )
    await post_new(work, letter)


def _after(work: Work, obligation: Obligation, rung: str) -> timedelta:
    """When the rungs of a night are climbed in the morning: at once those that ask, the others as far apart as ever."""
    now = manners.hush(work)
    if now is None or rung in PRIVATE or not obligation.ladder:
        return timedelta()
    steps = [timedelta(seconds=step["after_s"]) for step in obligation.ladder]
    held = [after for after in steps if obligation.due_at + after >= now.starts]
    mine, first = steps[max(obligation.step - 1, 0)], min(held, default=timedelta())
    asked = min(obligation.due_at - obligation.opened_at, AWAKE_WITHIN)
    return mine + asked if first < timedelta() else max(mine - first, timedelta())


async def meet(work: Work, obligation: Obligation, *, by: str, via: str, at: datetime) -> None:
    """Meet an obligation and give everybody who was alarmed the all-clear. ``at``: when the answer was written."""
    if obligation.closed_at is not None:
        return
    settle_met(work, obligation, by=by, via=via, at=min(at, work.now))
    await reminder_cards.settle(work, obligation)
    await all_clear(work, obligation, but=by)


async def all_clear(work: Work, obligation: Obligation, but: str = "") -> None:
    """Tell everyone who was alarmed how it ended (except who ended it)."""
    for name in obligation.alarmed:
        if name == but:
            continue
        if ":" in name:
            if await _has_heard(work, Address.parse(name), obligation):
                await _queue(work, Address.parse(name), obligation, "clear", CLEAR)
        elif person := work.org.people.get(name):
            for place in work.org.addresses(person.person_id, work.platforms):
                if await _has_heard(work, place, obligation):
                    await _queue(work, place, obligation, "clear", CLEAR, person=person)


async def _has_heard(work: Work, to: Address, obligation: Obligation) -> bool:
    """Whether the alarm has left, as far as is known: what still waits drops out instead of being taken back."""
    query = select(Delivery).where(
        Delivery.address == str(to),
        Delivery.about == _about(obligation),
        col(Delivery.kind).startswith(f"{RENDERER}:{obligation.kind}:"),
    )
    rows = (await work.session.exec(query)).all()
    mine = [row for row in rows if obligation.id in row.render_args.get("obligations", ())]
    return not mine or any(row.attempts or row.error == MERGED for row in mine)
