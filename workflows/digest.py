"""What has waited for the end of night or noon: made anew, the settled dropped, one message to each address.

At the moment of release the messages of one address become one; its words are made when it is sent, so that what is
answered until then drops out as well.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlmodel import col, select, update

from storage.claims import Renderer
from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Timer
from storage.outbox import post
from storage.timers import set_timer
from storage.work import Work
from workflows.manners import GRACE
from workflows.words import Words

WORDS = Words("digest")
KIND = "digest"
MOST = 8
"""Items in one message: platforms limit its length."""
SLICE = 25
"""Addresses put together in one transaction."""
MERGED = "merged"
"""What a row says (as its error) whose words go out as part of another."""


async def release(work: Work, timer: Timer) -> None:
    """Put together what waited for this moment, a slice of addresses at a time; then let everything go."""
    waiting = (
        col(Delivery.state) == "pending",
        col(Delivery.attempts) == 0,
        col(Delivery.not_before) == timer.due_at + GRACE,
    )
    crowded = select(Delivery.address).where(*waiting, Delivery.kind != KIND).group_by(Delivery.address)
    several = crowded.having(func.count() > 1).order_by(Delivery.address).limit(SLICE)
    addresses = (await work.session.exec(several)).all()
    rows = select(Delivery).where(*waiting, col(Delivery.address).in_(addresses)).order_by(col(Delivery.id))
    by_address: dict[str, list[Delivery]] = {}
    for row in (await work.session.exec(rows)).all():
        by_address.setdefault(row.address, []).append(row)
    for address, held in by_address.items():
        for start in range(0, len(held), MOST):
            await _put_together(work, Address.parse(address), held[start : start + MOST])
    if len(addresses) == SLICE:
        await set_timer(work, timer.key, timer.kind, timer.due_at)
    else:
        await work.session.exec(update(Delivery).where(*waiting).values(not_before=work.now))


async def _put_together(work: Work, to: Address, rows: Sequence[Delivery]) -> None:
    if len(rows) == 1:
        rows[0].not_before = work.now
        work.session.add(rows[0])
        return
    for row in rows:
        row.state, row.error = "cancelled", MERGED
        work.session.add(row)
    urgency = Urgency(max(row.urgency for row in rows))
    people = {row.person_id for row in rows}
    await post(
        work,
        to,
        Outgoing(text="", about=rows[0].about if len({row.about for row in rows}) == 1 else "", urgency=urgency),
        key=f"{KIND}:{rows[0].id}",
        kind=KIND,
        person_id=people.pop() if len(people) == 1 else None,
        renderer=KIND,
        render_args={"rows": [row.id for row in rows]},
    )


async def render(renderers: Mapping[str, Renderer], work: Work, row: Delivery) -> Outgoing | None:
    """Those that still have something to say: alone as it was, several as one list."""
    query = select(Delivery).where(col(Delivery.id).in_(row.render_args["rows"])).order_by(col(Delivery.id))
    rows = (await work.session.exec(query)).all()
    made = [(item, await _words(renderers, work, item)) for item in rows]
    said = [(item, message) for item, message in made if message is not None]
    newer = [[later for later, _ in said[index:]] for index in range(1, len(said) + 1)]
    messages = [said[at][1] for at, later in enumerate(newer) if not any(_replaces(one, said[at][0]) for one in later)]
    if len(messages) <= 1:
        return messages[0] if messages else None
    frame = Outgoing.model_validate(row.message)
    lines = [WORDS("line", index=index, text=message.text) for index, message in enumerate(messages, 1)]
    mentions = dict.fromkeys(account for message in messages for account in message.mentions)
    text = "\n".join([WORDS("head", count=len(messages)), *lines])
    return frame.model_copy(update={"text": text, "mentions": tuple(mentions)})


async def _words(renderers: Mapping[str, Renderer], work: Work, item: Delivery) -> Outgoing | None:
    return await renderers[item.renderer](work, item) if item.renderer else Outgoing.model_validate(item.message)


def _replaces(newer: Delivery, older: Delivery) -> bool:
    """Of a fault only the last state is said, of a debt the last rung, of a tally the last count."""
    if newer.about != older.about or _topic(newer.kind) != _topic(older.kind) or not _topic(older.kind):
        return False
    return set(older.render_args.get("obligations", ())) <= set(newer.render_args.get("obligations", ()))


def _topic(kind: str) -> str:
    """Messages of one topic replace each other; empty: this one is never replaced."""
    first, _, rest = kind.partition(":")
    name = rest.partition(":")[0]
    if first not in WORDS.get("replaced") or name in WORDS.get("kept"):
        return ""
    return first if first == "fault" else f"{first}:{name}"
