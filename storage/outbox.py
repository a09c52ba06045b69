"""Writing to the outbox: what a workflow does when it has something to say. Sending is the bus's business.

Every row has a dedupe key, so that saying the same thing twice in a retried transaction says it once.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import col, select, update

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Person
from storage.work import Work


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

    With ``renderer`` the text is made anew from ``render_args`` when it is sent; ``message`` then carries subject and urgency.
    """
    dedupe_key = f"{key}>{to}"
    known = select(Delivery.id).where(Delivery.dedupe_key == dedupe_key)
    if (await work.session.exec(known)).first() is not None:
        return False
    work.session.add(
        Delivery(
            dedupe_key=dedupe_key,
            platform=to.platform,
            address=str(to),
            person_id=person_id,
            bundle=bundle,
            about=message.about,
            kind=kind,
            urgency=int(message.urgency),
            message=message.model_dump(mode="json"),
            renderer=renderer,
            render_args=dict(render_args or {}),
            hints=dict(hints or {}),
            not_before=work.now,
            created_at=work.now,
        )
    )
    return True


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
