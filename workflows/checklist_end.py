"""After a meeting: shutting down is asked of whoever was there, and the coordinator gets one summary.

Sites are worked through in slices, by timers. The summary goes out once: when all have shut down, or two hours later.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, select

from storage.messages import Address, Outgoing
from storage.models import CheckItem, Fault, Meeting, Obligation, Person, Timer
from storage.obligations import due_ladder, open_obligation, settle_cancelled, unmet
from storage.outbox import post, post_person
from storage.timers import set_timer
from storage.work import Work
from workflows import checklist_steps as steps
from workflows.meeting_clock import HOOKS
from workflows.people import responders
from workflows.phrases import clock, fit, joined
from workflows.words import Words

WORDS = Words("checklist_end")
SLICE = 50
SHUT_DOWN_WITHIN = timedelta(minutes=60)
REMIND_BEFORE = timedelta(minutes=15)
SUMMARY_AFTER = timedelta(hours=2)
SHUTDOWN_TIMER, SUMMARY_TIMER = "checklist_shutdown", "checklist_summary"
PENDING = ("arrival", "checklist", "promise")


async def on_ended(work: Work, meeting: Meeting) -> None:
    """The meeting is over: ask for shutting down, slice by slice, and put the summary into the diary."""
    await set_timer(work, f"shutdown:{meeting.number}", SHUTDOWN_TIMER, work.now, meeting.number, {"from": 0})
    await set_timer(work, f"summary:{meeting.number}", SUMMARY_TIMER, work.now + SUMMARY_AFTER, meeting.number)


async def shut_down_slice(work: Work, timer: Timer) -> None:
    """Ask the next sites; nobody owes an arrival or a check before the start any more."""
    meeting, start = await work.session.get_one(Meeting, timer.about), int(timer.payload["from"])
    sites = meeting.site_ids[start : start + SLICE]
    here = Obligation.meeting == meeting.number, col(Obligation.site_id).in_(sites), Obligation.fault == ""
    for debt in await unmet(work, *here, kinds=PENDING):
        settle_cancelled(work, debt, "meeting ended")
    arrived = await _arrivals(work, meeting, sites)
    for site_id in sites:
        if (row := arrived.get(site_id)) is not None:
            await _ask_shutdown(work, meeting, row)
    if start + SLICE < len(meeting.site_ids):
        await set_timer(work, timer.key, SHUTDOWN_TIMER, work.now, meeting.number, {"from": start + SLICE})
    else:
        await work.session.flush()
        await summarise_when_done(work, meeting)


async def _arrivals(work: Work, meeting: Meeting, sites: Sequence[str]) -> dict[str, Obligation]:
    """The met arrival of each site (of the newest version of the notice)."""
    query = (
        select(Obligation)
        .where(Obligation.kind == "arrival", Obligation.meeting == meeting.number)
        .where(col(Obligation.site_id).in_(sites), col(Obligation.met_at).is_not(None))
        .order_by(col(Obligation.id))
    )
    return {row.site_id or "": row for row in (await work.session.exec(query)).all()}


async def _ask_shutdown(work: Work, meeting: Meeting, arrival: Obligation) -> None:
    site = work.org.sites.get(arrival.site_id or "")
    if site is None:
        return
    sheet = await steps.sheet(work, meeting, site)
    item = sheet.item(steps.SHUTDOWN)
    if item is None or item.state in steps.ANSWERED:
        return
    people = _whom(work, arrival)
    debt = Obligation(
        kind="checklist",
        unit_id=arrival.unit_id,
        site_id=arrival.site_id,
        person_ids=[person.person_id for person in people],
        meeting=meeting.number,
        version=arrival.version,
        due_at=work.now + SHUT_DOWN_WITHIN,
        detail={"step": steps.SHUTDOWN},
        opened_at=work.now,
    )
    open_obligation(work, debt, due_ladder(work.settings.policy.notice_ack, REMIND_BEFORE))
    for person in people:
        await steps.ask(work, sheet, item, person, None)


def _whom(work: Work, arrival: Obligation) -> list[Person]:
    """Who was there; when they are gone from the books, who answers for the unit."""
    there = work.org.people.get(arrival.met_by or "")
    return [there] if there is not None else responders(work.org, arrival.unit_id, work.now)


async def summarise_when_done(work: Work, meeting: Meeting) -> None:
    """Bring the summary forward when nobody owes a shutdown any more."""
    asking = await work.session.get(Timer, f"shutdown:{meeting.number}")
    owed = await unmet(work, Obligation.meeting == meeting.number, kinds=("checklist",))
    waiting = await work.session.get(Timer, f"summary:{meeting.number}")
    if meeting.state == "ended" and asking is None and not owed and waiting is not None:
        await set_timer(work, waiting.key, SUMMARY_TIMER, work.now, meeting.number)


# ---- the summary


async def send_summary(work: Work, timer: Timer) -> None:
    """One message to the coordinator: who came when, what was checked, what broke and how that ended."""
    meeting = await work.session.get_one(Meeting, timer.about)
    message = Outgoing(text=await summary(work, meeting), title=WORDS("summary.title"), about=meeting.number)
    key, coordinator = f"summary:{meeting.number}", work.org.people.get(meeting.created_by)
    told = coordinator is not None and await post_person(work, coordinator, message, key=key, kind="summary")
    if not told and meeting.conversation:
        await post(work, Address.parse(meeting.conversation), message, key=key, kind="summary")
    work.audit("meeting.summary", about=meeting.number)


async def summary(work: Work, meeting: Meeting) -> str:
    """The text of the summary."""
    arrived = await _arrivals(work, meeting, meeting.site_ids)
    late = [row for row in arrived.values() if row.met_at and row.met_at > row.due_at]
    silent = [site_id for site_id in meeting.site_ids if site_id not in arrived]
    items = (await work.session.exec(select(CheckItem).where(CheckItem.meeting == meeting.number))).all()
    shut = {item.site_id for item in items if item.step == steps.SHUTDOWN and item.state in steps.ANSWERED}
    not_shut = [site_id for site_id in arrived if site_id not in shut]
    before = [item for item in items if item.step != steps.SHUTDOWN]
    unchecked = {item.site_id for item in before if item.state not in steps.ANSWERED}
    return WORDS(
        "summary.text",
        number=meeting.number,
        title=meeting.title,
        total=len(meeting.site_ids),
        on_time=len(arrived) - len(late),
        late=_list("summary.late", [_late(work, row) for row in late]),
        silent=_list("summary.silent", _site_names(work, silent)),
        ok=sum(item.state == "ok" for item in before),
        bad=sum(item.state == "abnormal" for item in before),
        unchecked=_list("summary.unchecked", _site_names(work, [one for one in arrived if one in unchecked])),
        shut=len(set(arrived) & shut),
        arrived=len(arrived),
        not_shut=_list("summary.not_shut", _site_names(work, not_shut)),
        faults=await _faults(work, meeting),
    )


def _list(key: str, names: Sequence[str]) -> str:
    return WORDS(key, count=len(names), names=joined(names)) if names else ""


def _late(work: Work, row: Obligation) -> str:
    (name,) = _site_names(work, [row.site_id or ""])
    return WORDS("summary.late_one", site=name, time=clock(work, row.met_at or row.due_at))


def _site_names(work: Work, site_ids: Sequence[str]) -> list[str]:
    return [work.org.sites[site_id].name if site_id in work.org.sites else site_id for site_id in site_ids]


async def _faults(work: Work, meeting: Meeting) -> str:
    query = select(Fault).where(Fault.meeting == meeting.number).order_by(col(Fault.number))
    rows = (await work.session.exec(query)).all()
    said = [
        WORDS(
            "summary.fault",
            number=row.number,
            site="".join(_site_names(work, [row.site_id or ""])),
            what=fit(row.text, 20) or WORDS("summary.unknown"),
            outcome=WORDS(f"outcome.{row.state}"),
        )
        for row in rows
    ]
    listed = WORDS.get("summary.separator").join(said)
    return WORDS("summary.faults", list=listed) if said else WORDS("summary.no_fault")


HOOKS.ended.append(on_ended)
