"""Escalation: who is told on each rung of a ladder, and the all-clear when the answer comes.

Messages are queued without words; ``escalation_words.py`` renders them at the moment of sending, so that who has
answered meanwhile drops out. Several escalations of one kind to one address become one message.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Obligation, Person
from storage.obligations import settle_met
from storage.outbox import post
from storage.work import Work
from workflows.people import owers, supervisor_groups, upper_supervisors

PRIVATE = ("backup", "nudge")
"""Rungs below the due time: a quiet word to those who owe, never to a supervisor."""
SUPERVISORS = ("due", "upper")
RENDERER, CLEAR = "escalation", "all_clear"


async def climb(work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
    """Tell whoever ``rung`` names; False when the rung has no people that can be reached."""
    people = _people(work, obligation, rung)
    told = [person.person_id for person in people if await _tell_person(work, person, obligation, rung, late)]
    groups = [] if rung in (*PRIVATE, *SUPERVISORS) else _groups(work, obligation)
    for address in groups:
        await _queue(work, address, obligation, rung, RENDERER, late=late)
    if rung != "nudge":
        alarmed = [*obligation.alarmed, *told, *(str(address) for address in groups)]
        obligation.alarmed = list(dict.fromkeys(alarmed))
    return bool(told or groups)


def _people(work: Work, obligation: Obligation, rung: str) -> Sequence[Person]:
    org, unit_id = work.org, obligation.unit_id
    if rung == "nudge":
        return owers(org, obligation, work.now)
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
        return upper_supervisors(org, unit_id) or org.supervisors(unit_id) or org.with_role("admin")
    return ()


def _not_at_peace(obligation: Obligation, people: Sequence[Person]) -> list[Person]:
    """Supervisors who have not said 已知悉 about this debt."""
    return [person for person in people if person.person_id not in obligation.detail.get("known", ())]


def _groups(work: Work, obligation: Obligation) -> list[Address]:
    groups = supervisor_groups(work.org, obligation.unit_id, work.platforms)
    return [Address(platform=group.platform, kind="group", id=group.conversation_id) for group in groups]


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
    about = obligation.meeting or obligation.fault
    kind = f"{renderer}:{obligation.kind}:{rung}"
    waiting = select(Delivery).where(
        Delivery.address == str(to), Delivery.kind == kind, Delivery.about == about, Delivery.state == "pending"
    )
    row = (await work.session.exec(waiting.limit(1))).first()
    if row is not None:
        ids = dict.fromkeys([*row.render_args["obligations"], obligation.id])
        row.render_args = {**row.render_args, "obligations": list(ids)}
        work.session.add(row)
        return
    urgent = rung in SUPERVISORS and renderer == RENDERER
    await post(
        work,
        to,
        Outgoing(text="", about=about, urgency=Urgency.ESCALATION, urgent_call=urgent),
        key=f"{renderer}:{obligation.id}:{rung}:{obligation.step}:{obligation.fence}",
        kind=kind,
        person_id=person.person_id if person else None,
        renderer=renderer,
        render_args={"rung": rung, "obligations": [obligation.id], "late": late},
    )


async def meet(work: Work, obligation: Obligation, *, by: str, via: str, at: datetime) -> None:
    """Meet an obligation and give everybody who was alarmed the all-clear. ``at``: when the answer was written."""
    if obligation.closed_at is not None:
        return
    settle_met(work, obligation, by=by, via=via, at=min(at, work.now))
    await all_clear(work, obligation, but=by)


async def all_clear(work: Work, obligation: Obligation, but: str = "") -> None:
    """Tell everyone who was alarmed how it ended (except who ended it)."""
    for name in obligation.alarmed:
        if name == but:
            continue
        if ":" in name:
            await _queue(work, Address.parse(name), obligation, "clear", CLEAR)
        elif person := work.org.people.get(name):
            for place in work.org.addresses(person.person_id, work.platforms):
                await _queue(work, place, obligation, "clear", CLEAR, person=person)
