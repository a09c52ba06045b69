"""The words of reminders, escalations and all-clears, made at the moment of sending."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlmodel import col, or_, select

from storage.directory import Directory
from storage.messages import Address, Outgoing
from storage.models import CheckItem, Delivery, Fault, Meeting, Obligation
from storage.obligations import next_moment, unmet
from storage.work import Work
from workflows import reminder_cards
from workflows.fault_words import describe
from workflows.people import owers
from workflows.phrases import call, calls, clock, full_clock, joined
from workflows.words import Words

WORDS = Words("escalation")
STEPS = Words("checklist_steps").get("step")
AGAIN_WITHIN = timedelta(minutes=10)
"""The time to answer in the morning, as ``escalation.AWAKE_WITHIN``."""
ARRIVED = ("sent", "delivered", "read")
FAULT_KINDS = ("fault_ack", "promise", "progress", "onsite", "restore", "fault_report", "observation", "survey")


async def render_escalation(work: Work, row: Delivery) -> Outgoing | None:
    """Those who have answered drop out; None when nobody is left."""
    owed = [debt for debt in await _debts(work, row) if debt.closed_at is None]
    owed = [debt for debt in owed if row.person_id not in debt.detail.get("known", ())]
    return await _message(work, row, owed, str(row.render_args["rung"])) if owed else None


async def render_all_clear(work: Work, row: Delivery) -> Outgoing | None:
    """Who answered and when, for those debts that really are settled by an answer."""
    settled = [debt for debt in await _debts(work, row) if debt.met_at is not None]
    return await _message(work, row, settled, "clear") if settled else None


async def _debts(work: Work, row: Delivery) -> list[Obligation]:
    query = select(Obligation).where(col(Obligation.id).in_(row.render_args["obligations"]))
    return list((await work.session.exec(query.order_by(col(Obligation.id)))).all())


async def _message(work: Work, row: Delivery, debts: Sequence[Obligation], rung: str) -> Outgoing:
    key = _key(work, row, debts, rung, absent=await _nobody_there(work, debts))
    values = await _values(work, row, debts, rung)
    message = Outgoing.model_validate(row.message).model_copy(update={"text": WORDS(key, **values)})
    return reminder_cards.with_buttons(work, message, row, debts, rung)


def _key(work: Work, row: Delivery, debts: Sequence[Obligation], rung: str, *, absent: bool) -> str:
    """Which text it is: another one when the night has made it wait, or when a check waits for people to arrive."""
    first = debts[0]
    if _has_waited(work, row, debts) and WORDS.has(f"{first.kind}.{rung}_waited"):
        return f"{first.kind}.{rung}_waited"
    if absent and WORDS.has(f"{first.kind}.{rung}_absent"):
        return f"{first.kind}.{rung}_absent"
    several = f"{first.kind}.{rung}_several"
    if len({debt.site_id for debt in debts}) > 1 and WORDS.has(several):
        return several
    return f"{first.kind if WORDS.has(f'{first.kind}.{rung}') else 'other'}.{rung}"


async def _nobody_there(work: Work, debts: Sequence[Obligation]) -> bool:
    """Whether these are checks that wait for people to arrive first, at each of the places."""
    if debts[0].kind != "checklist":
        return False
    sites = {debt.site_id for debt in debts}
    here = Obligation.meeting == debts[0].meeting, col(Obligation.site_id).in_(sites)
    return {arrival.site_id for arrival in await unmet(work, *here, kinds=("arrival",))} == sites


def _has_waited(work: Work, row: Delivery, debts: Sequence[Obligation]) -> bool:
    """Whether night or noon made it wait until what it asks for is overdue."""
    return row.not_before > row.created_at and row.attempts == 0 and debts[0].due_at <= work.now


async def _values(work: Work, row: Delivery, debts: Sequence[Obligation], rung: str) -> dict[str, Any]:
    first, org = debts[0], work.org
    person = org.people.get(row.person_id or "")
    names = {debt.unit_id: org.units[debt.unit_id].name for debt in debts if debt.unit_id in org.units}
    sites = {debt.site_id: org.sites[debt.site_id].name for debt in debts if debt.site_id in org.sites}
    by = org.people.get(first.met_by or "")
    return {
        "call": call(person) if person else "",
        "hello": WORDS("greeting.person", call=call(person)) if person else "",
        "number": first.fault or first.meeting if first.kind in FAULT_KINDS else first.meeting or first.fault,
        "kind": WORDS(f"kinds.{first.kind}"),
        "what": await _what(work, first),
        "notice": await _notice(work, first),
        "units": joined(list(names.values())),
        "people": calls(owers(org, first, work.now)) or WORDS("somebody"),
        "sites": joined(list(sites.values()) or list(names.values())),
        "missing": await _missing(work, debts),
        "example": next(iter(sites.values()), ""),
        "sent": clock(work, first.opened_at),
        "due": clock(work, first.due_at),
        "again": clock(work, work.now + min(first.due_at - first.opened_at, AGAIN_WITHIN)),
        "reminded": _reminded(work, debts),
        "next": _next(org, first),
        "informed": _informed(org, debts),
        "by": call(by) if by else "",
        "at": clock(work, first.met_at) if first.met_at else "",
        "note": await _notes(work, row, debts, rung),
    }


async def _missing(work: Work, debts: Sequence[Obligation]) -> str:
    """The steps of these checks that are not answered yet; with several places, each with its own."""
    if debts[0].kind != "checklist":
        return ""
    told = []
    for debt in debts:
        query = select(CheckItem).where(CheckItem.meeting == debt.meeting, CheckItem.site_id == debt.site_id)
        rows = (await work.session.exec(query.order_by(col(CheckItem.position)))).all()
        closing = bool(debt.detail.get("step"))
        left = [row.step for row in rows if not row.answered_at and (row.step == "shutdown") == closing]
        site = work.org.sites.get(debt.site_id or "")
        place = site.name if site and len(debts) > 1 else ""
        told.append(place + joined([STEPS[step]["label"] for step in left]) if left else place)
    return joined(told) or WORDS("some_steps")


async def _what(work: Work, debt: Obligation) -> str:
    """The thing in one phrase: a fault with place and matter, or a meeting with its times."""
    if debt.fault and (fault := await work.session.get(Fault, debt.fault)):
        return WORDS("fault_what", **describe(work, fault))
    meeting = await work.session.get(Meeting, debt.meeting)
    if meeting is None:
        return debt.meeting or debt.fault
    arrive = meeting.starts_at - timedelta(seconds=meeting.arrive_before_s)
    return WORDS(
        "meeting_off" if meeting.state == "cancelled" else "meeting_what",
        number=meeting.number,
        start=full_clock(work, meeting.starts_at),
        arrive=f"{work.local(arrive):%H:%M}".lstrip("0"),
    )


async def _notice(work: Work, debt: Obligation) -> str:
    """What an answer is owed to: the notice of a meeting, or of its cancellation."""
    meeting = await work.session.get(Meeting, debt.meeting) if debt.kind == "notice_ack" else None
    return WORDS("notice_off" if meeting is not None and meeting.state == "cancelled" else "notice_of")


def _reminded(work: Work, debts: Sequence[Obligation]) -> str:
    """Who of the silent units has been reminded already."""
    people = {person.person_id: person for debt in debts for person in owers(work.org, debt, work.now)}
    return WORDS("reminded", people=calls(people.values())) if people else WORDS("nobody_to_remind")


def _next(org: Directory, debt: Obligation) -> str:
    """What happens when the answer does not come."""
    own = org.supervisors(debt.unit_id)
    return WORDS("then_supervisor", people=calls(own)) if own else WORDS("then_upper")


def _informed(org: Directory, debts: Sequence[Obligation]) -> str:
    """What the upper tier is told about the tier below: its supervisors know, or there are none registered."""
    orphans = [org.units[debt.unit_id].name for debt in debts if not org.supervisors(debt.unit_id)]
    if not orphans:
        return WORDS("own_informed")
    return WORDS("no_own", units=joined(orphans))


async def _notes(work: Work, row: Delivery, debts: Sequence[Obligation], rung: str) -> str:
    """Delays of ours, said openly: told late, or never delivered."""
    if rung == "clear":
        return ""
    notes = []
    if row.render_args.get("late"):
        moment = next_moment(debts[0].model_copy(update={"step": max(debts[0].step - 1, 0)}))
        notes.append(WORDS("late_note", moment=clock(work, moment or debts[0].due_at)))
    unsent = [debt for debt in debts if debt.kind == "notice_ack" and not await _notice_left(work, debt)]
    if unsent:
        names = [work.org.units[debt.unit_id].name for debt in unsent if debt.unit_id in work.org.units]
        notes.append(WORDS("unsent_note", units=joined(names)))
    return "".join(notes)


async def _notice_left(work: Work, debt: Obligation) -> bool:
    """Whether any copy of the notice has reached the platform for this unit's people or groups."""
    people = [person.person_id for person in work.org.members(debt.unit_id)]
    people += [person.person_id for person in owers(work.org, debt, work.now)]
    groups = [
        str(Address(platform=group.platform, kind="group", id=group.conversation_id))
        for purpose in ("support", "customer_track")
        for group in work.org.groups_serving(debt.unit_id, work.platforms, purpose)
    ]
    query = (
        select(Delivery.id)
        .where(Delivery.about == debt.meeting, col(Delivery.kind).startswith("notice"))
        .where(col(Delivery.state).in_(ARRIVED))
        .where(or_(col(Delivery.person_id).in_(people), col(Delivery.address).in_(groups)))
    )
    return (await work.session.exec(query.limit(1))).first() is not None
