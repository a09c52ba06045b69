"""The cards of a notice and of what was read back, once they are settled: they say how, and offer nothing any more.

They go out without a name of their own, one text for many people, and are found again by the key they were sent with
(:func:`storage.ports.job_key`) where a platform shows them to each person apart. Elsewhere only what is pressed is.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import String, cast
from sqlmodel import col, or_, select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Notice, Obligation
from storage.outbox import post
from storage.ports import job_key
from storage.work import Work
from workflows.notice_scope import asked_in, groups_of
from workflows.words import Words

WORDS = Words("settled_cards")
KIND = "card"
LARGE = 50
"""Notices to more units spare the month's calls: their cards say that they are stale when they are pressed."""
LEFT = ("sending", "sent", "delivered", "read")
READ_BACK = ("reply", "prompt")


async def notice(work: Work, debt: Obligation, text: str) -> None:
    """A unit owes this notice no answer any more: cards of those from whom nothing more is awaited show ``text``."""
    published = await work.session.get(Notice, (debt.meeting, debt.version))
    if published is None or len(published.unit_ids) > LARGE:
        return
    still = await _still_owed(work, debt)
    people = [one for one in debt.person_ids if not any(one in other.person_ids for other in still)]
    places = _settled_groups(work, debt, [other.unit_id for other in still])
    rows = select(Delivery).where(
        Delivery.about == debt.meeting,
        Delivery.kind == "notice",
        col(Delivery.dedupe_key).startswith(f"notice:{debt.meeting}:{debt.version}>"),
        col(Delivery.state).in_(LEFT),
        or_(col(Delivery.person_id).in_(people), col(Delivery.address).in_(places)),
    )
    found = (await work.session.exec(rows)).all()
    await _replace(work, [row for row in found if row.person_id], text)
    together = WORDS("group", number=debt.meeting) if debt.met_at else text
    await _replace(work, [row for row in found if not row.person_id], together)


async def _still_owed(work: Work, debt: Obligation) -> Sequence[Obligation]:
    """The other answers that this notice waits for; read once in a transaction that settles many."""
    known = KIND, debt.meeting, debt.version
    if known not in work.memo:
        work.memo[known] = await _unanswered(work, debt)
    return [one for one in work.memo[known] if one.closed_at is None and one.id != debt.id]


async def _unanswered(work: Work, debt: Obligation) -> Sequence[Obligation]:
    query = select(Obligation).where(
        Obligation.meeting == debt.meeting,
        Obligation.kind == "notice_ack",
        Obligation.version == debt.version,
        col(Obligation.closed_at).is_(None),
    )
    return (await work.session.exec(query)).all()


def _settled_groups(work: Work, debt: Obligation, still: Iterable[str]) -> list[str]:
    """Groups in which the unit was asked, and in which no other unit is still awaited."""
    awaited = {
        group.group_id
        for unit_id in still
        for group in groups_of(work.org, unit_id, work.platforms)
        if asked_in(work.org, group, [unit_id])
    }
    groups = groups_of(work.org, debt.unit_id, work.platforms)
    return [
        str(Address(platform=group.platform, kind="group", id=group.conversation_id))
        for group in groups
        if group.group_id not in awaited
    ]


async def read_back(work: Work, number: str, how: str) -> None:
    """What was read back of a meeting is settled: ``done``, or replaced by something ``newer``."""
    query = select(Delivery).where(
        Delivery.about == number,
        col(Delivery.kind).in_(READ_BACK),
        col(Delivery.state).in_(LEFT),
        cast(Delivery.message, String).contains(f'"publish:{number}"'),  # few of a meeting's many answers ask
    )
    await _replace(work, (await work.session.exec(query)).all(), WORDS(how, number=number))


async def _replace(work: Work, rows: Iterable[Delivery], text: str) -> None:
    for row in rows:
        card = job_key(row.id or 0)
        message = Outgoing(text=text, about=row.about, urgency=Urgency.ANSWER, card=card, silent=True)
        await post(work, Address.parse(row.address), message, key=f"{KIND}:{card}", kind=KIND)
