"""Writing to the outbox: what a workflow does when it has something to say. Sending is the bus's business.

Every row has a dedupe key, so that saying the same thing twice in a retried transaction says it once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select, update

from storage.hours import span_at
from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Person
from storage.work import Work

MANY = 500
"""Keys looked up in one query: below the limits of both databases."""
MEMO = "waiting letters"


@dataclass(frozen=True)
class Letter:
    """One message to one address, to be queued together with many others.

    With ``renderer`` the text is made anew from ``render_args`` when sent; ``message`` carries subject and urgency.
    ``after``: when night or noon makes it wait, how long after their end it comes.
    """

    to: Address
    message: Outgoing
    key: str
    kind: str = ""
    person_id: str | None = None
    bundle: str = ""
    renderer: str = ""
    render_args: Mapping[str, Any] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    after: timedelta = timedelta()


async def post(
    work: Work,
    to: Address,
    message: Outgoing,
    *,
    key: str,
    kind: str = "",
    hints: Mapping[str, str] | None = None,
    person_id: str | None = None,
    bundle: str = "",
    renderer: str = "",
    render_args: Mapping[str, Any] | None = None,
) -> bool:
    """Queue one message to one address; False when ``key`` was queued for this address before.

    With ``renderer`` the text is made anew from ``render_args`` when sent; ``message`` carries subject and urgency.
    """
    known = select(Delivery.id).where(Delivery.dedupe_key == f"{key}>{to}")
    if (await work.session.exec(known)).first() is not None:
        return False
    await post_new(work, Letter(to, message, key, kind, person_id, bundle, renderer, render_args or {}, hints or {}))
    return True


async def post_new(work: Work, letter: Letter) -> Delivery:
    """Queue a letter whose key cannot have been used before: nobody looks, and it is written when somebody does."""
    row = _row(work, letter, f"{letter.key}>{letter.to}")
    await _mind_manners(work, row, letter.after)
    work.session.add(row)
    if (waiting := work.memo.get((MEMO, row.kind, row.about))) is not None:
        waiting[row.address] = row
    return row


async def waiting_row(work: Work, to: Address, kind: str, about: str, urgency: Urgency) -> Delivery | None:
    """What waits to be sent to an address, of a kind about a subject. All addresses are read at once, and only once."""
    waiting: dict[str, int | Delivery] | None = work.memo.get((MEMO, kind, about))
    if waiting is None:
        there = col(Delivery.platform).in_(work.platforms | {to.platform}), Delivery.urgency == int(urgency)
        what = Delivery.state == "pending", Delivery.kind == kind, Delivery.about == about
        query = select(Delivery.address, Delivery.id).where(*there, *what).order_by(col(Delivery.id).desc())
        waiting = {address: row_id or 0 for address, row_id in (await work.session.exec(query)).all()}
        work.memo[MEMO, kind, about] = waiting
    row = waiting.get(str(to))
    if isinstance(row, int):
        locked = select(Delivery).where(Delivery.id == row).with_for_update(skip_locked=True)
        row = (await work.session.exec(locked)).first()
        if row is not None:
            waiting[str(to)] = row
    return row if row is not None and row.state == "pending" else None


async def post_many(work: Work, letters: Sequence[Letter]) -> int:
    """Queue many messages with one look at what is queued already (a broadcast); returns how many were new."""
    keyed = {f"{letter.key}>{letter.to}": letter for letter in letters}
    keys = list(keyed)
    known: set[str] = set()
    for at in range(0, len(keys), MANY):
        query = select(Delivery.dedupe_key).where(col(Delivery.dedupe_key).in_(keys[at : at + MANY]))
        known.update((await work.session.exec(query)).all())
    rows = [_row(work, letter, key) for key, letter in keyed.items() if key not in known]
    for row in rows:
        await _mind_manners(work, row, keyed[row.dedupe_key].after)
    await work.add_many(rows)
    return len(rows)


async def _mind_manners(work: Work, row: Delivery, after: timedelta = timedelta()) -> None:
    if work.manners is not None:
        row.not_before = max(row.not_before, await work.manners(work, row, after))


def _row(work: Work, letter: Letter, dedupe_key: str) -> Delivery:
    return Delivery.quickly(
        dedupe_key=dedupe_key,
        platform=letter.to.platform,
        address=str(letter.to),
        person_id=letter.person_id,
        bundle=letter.bundle,
        about=letter.message.about,
        kind=letter.kind,
        urgency=int(letter.message.urgency),
        message=letter.message.model_dump(mode="json"),
        renderer=letter.renderer,
        render_args=dict(letter.render_args),
        hints=dict(letter.hints),
        not_before=_not_before(work, letter.message.urgency),
        created_at=work.now,
    )


def _not_before(work: Work, urgency: Urgency) -> datetime:
    """Routine words wait for the end of the quiet hours of the calendar; whatever is more urgent does not."""
    hours = work.settings.calendar.quiet_hours if urgency == Urgency.ROUTINE else ()
    span = span_at(work.local(work.now), hours)
    return span.ends if span else work.now


async def post_person(
    work: Work,
    person: Person,
    message: Outgoing,
    *,
    key: str,
    kind: str = "",
    renderer: str = "",
    render_args: Mapping[str, Any] | None = None,
) -> bool:
    """Queue a personal message on every channel the contract names; False when the person has none."""
    places = work.org.addresses(person.person_id, work.platforms)
    for place in places:
        await post(
            work,
            place,
            message,
            key=key,
            kind=kind,
            person_id=person.person_id,
            bundle=f"{key}>{person.person_id}",
            renderer=renderer,
            render_args=render_args,
        )
    return bool(places)


async def cancel_queued(work: Work, person_id: str, about: str, kinds: tuple[str, ...] = ()) -> None:
    """Take back what still waits to be sent to a person about a subject (an answer came on another channel)."""
    query = (
        update(Delivery)
        .where(col(Delivery.person_id) == person_id, col(Delivery.about) == about, col(Delivery.state) == "pending")
        .where(col(Delivery.urgency) > int(Urgency.ROUTINE))
        .values(state="cancelled")
    )
    await work.session.exec(query.where(col(Delivery.kind).in_(kinds)) if kinds else query)
