"""The debts of a notice: a unit owes an answer, a site its arrival and checks; a change moves or replaces them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage.messages import Address
from storage.models import Meeting, Notice, Obligation, Person
from storage.obligations import (
    Rung,
    ack_ladder,
    due_ladder,
    move_due,
    open_many,
    open_obligation,
    settle_cancelled,
    settle_met,
    unmet,
)
from storage.work import Work
from workflows import notice_letters, reminder_cards, worktime
from workflows.meeting_clock import HOOKS, call_site_hooks
from workflows.notice_scope import Audience, instant, sites_among
from workflows.notice_texts import arrival_due, by_mail_within, check_due

REMIND = timedelta(minutes=10)
"""How long before an arrival or a checklist is due those who owe it are reminded in private."""
KINDS = ("notice_ack", "arrival", "checklist")

Opening = tuple[Obligation, Sequence[Rung]]


async def serve(work: Work, meeting: Meeting, notice: Notice, unit_ids: Sequence[str], heard: Audience) -> None:
    """Open, move and cancel what these units (a slice of the notice) owe because of it."""
    if notice.kind != "new":
        await _settle_old(work, meeting, notice, unit_ids)
    owing = set(notice.unit_ids)
    debts = [_answer(work, notice, one, heard.people[one]) for one in unit_ids if one in owing]
    await open_many(work, [pair for pair in debts if not _is_publisher(work, notice, pair[0])])
    for debt, ladder in debts:
        if _is_publisher(work, notice, debt):
            via = Address.parse(notice.conversation).platform
            settle_met(work, open_obligation(work, debt, ladder), by=notice.published_by, via=via, at=work.now)
    await _open_sites(work, meeting, notice, unit_ids, heard)


def _answer(work: Work, notice: Notice, unit_id: str, people: Sequence[Person]) -> Opening:
    """One answer per unit: ten minutes where a messenger reaches it, else two hours of working time by mail."""
    policies = work.settings.policy
    start = notice.published_at
    if instant(work.org, unit_id, people, work.platforms):
        due_at = start + policies.notice_ack.within
        ladder = ack_ladder(policies.notice_ack)
    else:
        due_at = by_mail_within(work, unit_id, start)
        ladder = _mail_ladder(work, unit_id, start, due_at)
    debt = Obligation(
        kind="notice_ack",
        unit_id=unit_id,
        person_ids=[person.person_id for person in people],
        meeting=notice.meeting,
        version=notice.version,
        due_at=due_at,
        opened_at=notice.published_at,
    )
    return debt, ladder


def _mail_ladder(work: Work, unit_id: str, start: datetime, due_at: datetime) -> list[Rung]:
    """The ladder in working time up to the due time: nobody is reminded in the middle of the night."""
    policy = work.settings.policy.email_ack
    remind = policy.remind_before if policy.remind_before < policy.within else policy.within * 0.3
    early = {"backup": policy.within / 2, "nudge": policy.within - remind}
    moments = {name: worktime.after(work, unit_id, start, span) - due_at for name, span in early.items()}
    rungs = [Rung(rung.name, moments.get(rung.name, rung.after)) for rung in ack_ladder(policy)]
    return sorted(rungs, key=lambda rung: rung.after)


def _is_publisher(work: Work, notice: Notice, debt: Obligation) -> bool:
    """A customer unit need not acknowledge what its own coordinator has published."""
    publisher = work.org.people.get(notice.published_by)
    own = publisher is not None and publisher.unit_id == debt.unit_id
    return own and work.org.units[debt.unit_id].track == "customer"


async def _open_sites(work: Work, meeting: Meeting, notice: Notice, unit_ids: Sequence[str], heard: Audience) -> None:
    new = meeting.site_ids if notice.kind == "new" else notice.changes.get("added", [])
    if notice.kind == "change":
        again = await _arrived_on_another_day(work, meeting, unit_ids)
        for debt in await unmet(work, Obligation.meeting == meeting.number, col(Obligation.site_id).in_(again)):
            settle_cancelled(work, debt, f"version {notice.version}")
        new = [*new, *again]
    here = sites_among(work.org, unit_ids, new)
    await open_sites(work, meeting, notice, [(one.unit_id, one.site_id, heard.people[one.unit_id]) for one in here])
    await call_site_hooks(HOOKS.served, work, meeting, [site.site_id for site in here])


async def _arrived_on_another_day(work: Work, meeting: Meeting, unit_ids: Sequence[str]) -> list[str]:
    """Sites that stay in the meeting but were there on another day: they owe their arrival and checks anew."""
    query = select(Obligation).where(
        Obligation.meeting == meeting.number,
        Obligation.kind == "arrival",
        col(Obligation.unit_id).in_(unit_ids),
        Obligation.state != "cancelled",
    )
    newest = {debt.site_id: debt for debt in (await work.session.exec(query.order_by(col(Obligation.id)))).all()}
    day = work.local(meeting.starts_at).date()
    return [
        site_id
        for site_id, debt in newest.items()
        if site_id in meeting.site_ids and debt.met_at is not None and work.local(debt.due_at).date() != day
    ]


async def open_sites(
    work: Work, meeting: Meeting, notice: Notice, sites: Iterable[tuple[str, str, Iterable[Person]]]
) -> None:
    """Sites owe their arrival and their checks from publication on. ``sites``: unit, site, the people of the unit."""
    ladder = due_ladder(work.settings.policy.notice_ack, REMIND)
    debts = [
        Obligation(
            kind=kind,
            unit_id=unit_id,
            site_id=site_id,
            person_ids=[person.person_id for person in people],
            meeting=meeting.number,
            version=notice.version,
            due_at=due_at,
            opened_at=notice.published_at,
        )
        for unit_id, site_id, people in sites
        for kind, due_at in _site_dues(work, meeting, notice).items()
    ]
    await open_many(work, [(debt, ladder) for debt in debts])


def _site_dues(work: Work, meeting: Meeting, notice: Notice) -> dict[str, datetime]:
    return {
        "arrival": arrival_due(work, meeting, notice.published_at),
        "checklist": check_due(work, meeting, notice.published_at),
    }


async def _settle_old(work: Work, meeting: Meeting, notice: Notice, unit_ids: Sequence[str]) -> None:
    """What these units still owe from earlier versions: replaced, moved with the meeting, or cancelled."""
    here = Obligation.meeting == meeting.number, col(Obligation.unit_id).in_(unit_ids)
    removed, owing = set(notice.changes.get("removed", [])), set(notice.unit_ids)
    dues = _site_dues(work, meeting, notice)
    gone, alarmed = [], []
    for debt in await unmet(work, *here, kinds=KINDS):
        if debt.kind == "notice_ack":
            if debt.unit_id in owing and debt.version < notice.version:
                alarmed += debt.alarmed
                settle_cancelled(work, debt, f"version {notice.version}")
                await reminder_cards.settle(work, debt)
        elif notice.kind == "cancel" or debt.site_id in removed:
            alarmed += debt.alarmed
            settle_cancelled(work, debt, notice.kind, who=notice.published_by)
            await reminder_cards.settle(work, debt)
            gone.append(debt.site_id or "")
        elif debt.due_at != dues[debt.kind]:
            move_due(work, debt, dues[debt.kind])
    await notice_letters.send_all_clear(work, notice, alarmed)
    await call_site_hooks(HOOKS.released, work, meeting, list(dict.fromkeys(gone)))
