"""应到 · 已确认 · 未确认: how far a notice has been answered, by tier, in one message every thirty seconds at most.

The newest debt of each unit counts. Silent units are named to coordinators and supervisors only: in a group the tally
holds numbers alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import load_only
from sqlmodel import col, select

from storage.directory import TIERS
from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Meeting, Notice, Obligation, Timer
from storage.outbox import post
from storage.timers import set_timer
from storage.work import Work
from workflows import manners
from workflows.phrases import call, clock, joined
from workflows.words import Words

WORDS = Words("notice_tally")
EVERY = timedelta(seconds=30)
KIND = "tally"
NOTICE = "notice"
"""The kind of a notice's own messages."""
TOLD: tuple[Any, ...] = (
    Obligation.unit_id, Obligation.met_at, Obligation.met_by, Obligation.closed_at, Obligation.opened_at,
    Obligation.meeting, Obligation.person_ids, Obligation.detail, Obligation.fence,
)  # fmt: skip
"""All that is read of a debt here: a province has more than a thousand, and their ladders are long."""


@dataclass(frozen=True)
class Share:
    """One unit's part of the tally."""

    unit_id: str
    tier: str
    answered: bool


@dataclass(frozen=True)
class Count:
    """应到, 已确认; the rest has not answered."""

    expected: int
    answered: int

    @property
    def silent(self) -> int:
        """未确认."""
        return self.expected - self.answered


def count(shares: Iterable[Share]) -> Count:
    """Add up shares."""
    listed = list(shares)
    return Count(len(listed), sum(share.answered for share in listed))


def by_tier(shares: Sequence[Share]) -> dict[str, Count]:
    """Counts of the tiers that occur, from the top; together they are :func:`count` of all."""
    tiers = [*TIERS, *sorted({share.tier for share in shares} - set(TIERS))]
    counts = {tier: count(share for share in shares if share.tier == tier) for tier in tiers}
    return {tier: one for tier, one in counts.items() if one.expected}


async def newest_debts(work: Work, number: str) -> list[Obligation]:
    """The answer each unit owes or has given last (cancelled ones are owed no more), in the order they were opened."""
    query = select(Obligation).options(load_only(*TOLD, raiseload=True)).where(*_owed(number))
    newest: dict[str, Obligation] = {}
    for debt in (await work.session.exec(query.order_by(col(Obligation.id)))).all():
        if debt.met_at is not None or debt.closed_at is None:
            newest[debt.unit_id] = debt
    return list(newest.values())


def _owed(number: str) -> tuple[Any, ...]:
    return Obligation.meeting == number, Obligation.kind == "notice_ack", Obligation.state != "cancelled"


async def shares_of(work: Work, number: str, debts: Sequence[Obligation]) -> list[Share]:
    """One share per unit, those that a running broadcast has still to reach included."""
    answered = {debt.unit_id: debt.met_at is not None for debt in debts}
    spreading = select(Notice).where(Notice.meeting == number, Notice.state == "spreading")
    for notice in (await work.session.exec(spreading)).all():
        answered.update(dict.fromkeys(notice.unit_ids[notice.done_units :], False))
    units = work.org.units
    return [Share(one, units[one].tier if one in units else "", done) for one, done in answered.items()]


async def schedule(work: Work, number: str) -> None:
    """Have the tally said as soon as thirty seconds have passed since the last one (or since the publication)."""
    mine = Delivery.about == number, Delivery.kind == KIND, Delivery.created_at <= work.now  # clocks are set back
    said = select(func.max(Delivery.created_at)).where(*mine)
    published = select(func.max(Notice.published_at)).where(Notice.meeting == number, Notice.published_at <= work.now)
    moments = [(await work.session.exec(query)).first() for query in (said, published)]
    last = max((moment for moment in moments if moment is not None), default=work.now - EVERY)
    payload = {"since": last.isoformat()}
    await set_timer(work, f"tally:{number}", "tally", max(work.now, last + EVERY), about=number, payload=payload)


async def on_due(work: Work, timer: Timer) -> None:
    """Answers are due, by chat first and by mail later: who is silent by then is shown to the coordinator unasked."""
    owed = select(Obligation.due_at).where(*_owed(timer.about), col(Obligation.closed_at).is_(None)).distinct()
    dues = sorted((await work.session.exec(owed)).all())
    spreading = select(Notice.meeting).where(Notice.meeting == timer.about, Notice.state == "spreading").limit(1)
    if (dues and dues[0] <= work.now) or (await work.session.exec(spreading)).first() is not None:
        await schedule(work, timer.about)
    later = [due for due in dues if due > work.now]
    if later:
        await set_timer(work, timer.key, timer.kind, later[0], about=timer.about)


async def on_timer(work: Work, timer: Timer) -> None:
    """Queue the tally in the coordinator's conversation; its words are made when it is sent."""
    meeting = await work.session.get(Meeting, timer.about)
    if meeting is None or not meeting.conversation:
        return
    for place in await manners.instead_of_group(work, meeting, Address.parse(meeting.conversation)):
        await post(
            work,
            place,
            Outgoing(text="", about=meeting.number, urgency=Urgency.NOTICE),
            key=f"tally:{meeting.number}:{work.now.timestamp():.0f}",
            kind=KIND,
            renderer=KIND,
            render_args=dict(timer.payload),
        )


async def render(work: Work, row: Delivery) -> Outgoing | None:
    """The state at the moment of sending."""
    message = Outgoing.model_validate(row.message)
    since = datetime.fromisoformat(row.render_args["since"])
    text = await tell(work, message.about, named=":group:" not in row.address, since=since)
    return message.model_copy(update={"text": text}) if text else None


async def tell(work: Work, number: str, *, named: bool, since: datetime | None = None) -> str:
    """The tally in words, empty before publication. ``named``: silent units by name; ``since``: who answered later."""
    debts = await newest_debts(work, number)
    shares = await shares_of(work, number, debts)
    total = count(shares)
    if not total.expected:
        return ""
    head = WORDS(
        "complete" if not total.silent else "head",
        number=number,
        now=clock(work, work.now),
        expected=total.expected,
        answered=total.answered,
        silent=total.silent,
    )
    lines = [head, _tiers(shares), _fresh(work, debts, since), _trouble(work, debts)]
    if named and total.silent:
        lines.append(WORDS("silent", units=_names(work, [share.unit_id for share in shares if not share.answered])))
        lines.append(await _read(work, debts))
    elif total.silent:
        lines.append(WORDS("ask_in_private"))
    return "\n".join(line for line in lines if line)


async def _read(work: Work, debts: Sequence[Obligation]) -> str:
    """Silent units one of whose people has read the notice, where the platform tells."""
    silent = [debt for debt in debts if debt.met_at is None]
    number = silent[0].meeting if silent else ""
    query = select(Delivery.person_id, func.max(Delivery.created_at)).where(
        Delivery.about == number, Delivery.kind == NOTICE, Delivery.state == "read"
    )
    read = dict((await work.session.exec(query.group_by(col(Delivery.person_id)))).all()) if silent else {}
    units = [debt.unit_id for debt in silent if any(_since(read.get(one), debt) for one in debt.person_ids)]
    return WORDS("read", units=_names(work, units)) if units else ""


def _since(sent: datetime | None, debt: Obligation) -> bool:
    """Whether what was read is the notice that this debt is about, and no earlier version."""
    return sent is not None and sent >= debt.opened_at


def _tiers(shares: Sequence[Share]) -> str:
    parts = [
        WORDS("tier", tier=WORDS.get("tiers").get(tier, tier), answered=one.answered, expected=one.expected)
        for tier, one in by_tier(shares).items()
    ]
    return str(WORDS.get("comma")).join(parts)


def _fresh(work: Work, debts: Sequence[Obligation], since: datetime | None) -> str:
    """Who has answered since the last tally and by which way: an answer given in private is echoed here."""
    if since is None:
        return ""
    fresh = [debt for debt in debts if debt.met_at is not None and debt.closed_at and debt.closed_at >= since]
    names = []
    for debt in fresh:
        person, unit = work.org.people.get(debt.met_by or ""), work.org.units.get(debt.unit_id)
        if unit is not None:
            names.append(WORDS("who", unit=unit.name, who=call(person)) if person else unit.name)
    return WORDS("fresh", units=joined(names)) if names else ""


def _trouble(work: Work, debts: Sequence[Obligation]) -> str:
    """Units that answered with a difficulty."""
    units = [debt.unit_id for debt in debts if debt.met_at is not None and debt.detail.get("trouble")]
    return WORDS("trouble", units=_names(work, units)) if units else ""


def _names(work: Work, unit_ids: Sequence[str]) -> str:
    units = work.org.units
    return joined([units[one].name for one in unit_ids if one in units], 12)
