"""Which outgoing messages may be sent now, and in which words.

Order holds per (address, about): a row waits while an earlier one of the same pair is unsent. Urgency overtakes across
subjects only. Routine words are paced per conversation. What is made at the moment of sending is rendered here.
"""

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Integer, bindparam
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, exists, func, not_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.clock import Stopwatch
from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery
from storage.ports import Capabilities
from storage.receipts import worth_asking
from storage.work import Ground, Work

LEASE = timedelta(seconds=30)
ROUTINE_PER_MINUTE = 10
MINUTE = timedelta(minutes=1)
LOOK_AHEAD = 4
"""Rows looked at at once; the first of them that has something to say goes, …"""
TOGETHER = 100
"""… and as many others as one call may carry, up to this."""
CLAIM_SECONDS = 0.05
"""How long the words of one call may take to make: keeps the write lock short."""
LAPSED_EVERY = timedelta(seconds=1)
"""Between looks for lapsed leases: nobody's words are so urgent twice."""
RENDER_PATIENCE = timedelta(minutes=1)
"""A row whose text cannot be made is tried again after this."""

log = structlog.get_logger(__name__)

Renderer = Callable[[Work, Delivery], Awaitable[Outgoing | None]]
"""Makes the text of a row at the moment of sending; None: nothing left to say, cancel it."""


@dataclass(frozen=True)
class Claimed:
    """A claimed row with its message, ready to be sent. ``attempt`` fences the outcome."""

    row_id: int
    attempt: int
    address: Address
    message: Outgoing
    hints: Mapping[str, str]
    urgency: int
    worth_asking: bool


Batch = Sequence[Claimed]
"""Rows that travel in one call: the same words to several direct addresses. One message in flight."""


class Claims:
    """Takes rows of one platform for one worker (``owner``)."""

    def __init__(
        self,
        ground: Ground,
        platform: str,
        capabilities: Capabilities,
        renderers: Mapping[str, Renderer],
        resend_mark: str,
    ) -> None:
        self._ground = ground
        self._platform = platform
        self._capabilities = capabilities
        self._renderers = renderers
        self._resend_mark = resend_mark
        self._full: dict[str, datetime] = {}
        """Conversations that have had their routine words of this minute, and when they may have more."""
        self.owner = uuid.uuid4().hex
        self.in_hand: frozenset[int] = frozenset()
        """Rows this worker is sending now: never claimed again, whatever their lease says (clocks do jump)."""
        self._looked: datetime | None = None
        """When no lease had lapsed."""
        # Made once: making these takes longer than running them.
        level = select(Delivery.urgency).where(*self._mine("pending")).order_by(col(Delivery.urgency).desc()).limit(1)
        now = bindparam("now", type_=Delivery.__table__.c.not_before.type)  # type: ignore[attr-defined]
        free = and_(*self._mine("pending"), col(Delivery.not_before) <= now, ~_behind(now))
        queue = select(Delivery).where(free).order_by(col(Delivery.id)).with_for_update(skip_locked=True)
        self._queue = queue.where(col(Delivery.urgency) == bindparam("level", type_=Integer()))
        self._queue_at_top = queue.where(col(Delivery.urgency) == level.scalar_subquery())

    async def take(self, work: Work) -> Batch | None:
        """Mark what goes next as being sent; None when nothing may go, empty when there is more to look through."""
        watch = Stopwatch()
        while rows := await self._paced(work, LOOK_AHEAD):
            for row in rows:
                if _may_go(row, work.now) and (batch := await self._one_call(work, row, watch)):
                    return batch
                if watch.seconds() > CLAIM_SECONDS:
                    return []
        return None

    async def more_urgent_waits(self, urgency: int) -> bool:
        """Whether something above ``urgency`` may be sent now."""
        _, waiting = self._conditions(self._ground.clock.now())
        look = select(Delivery.id).where(waiting, col(Delivery.urgency) > urgency).limit(1)
        return any(await self._ground.database.peek(look))

    async def any_ready(self) -> bool:
        """Whether something may be sent now."""
        lapsed, waiting = self._conditions(self._ground.clock.now())
        looks = (
            select(Delivery.id).where(lapsed).order_by(col(Delivery.lease_until)),
            select(Delivery.id).where(waiting).order_by(col(Delivery.urgency), col(Delivery.id)),
        )
        return any(await self._ground.database.peek(*(look.limit(1) for look in looks)))

    async def later(self) -> datetime | None:
        """The nearest moment after now at which something may become ready by itself."""
        now = self._ground.clock.now()
        pending, sending = self._mine("pending"), self._mine("sending")
        retry = select(func.min(Delivery.not_before)).where(*pending, Delivery.not_before > now)
        lapse = select(func.min(Delivery.lease_until)).where(*sending, col(Delivery.lease_until) > now)
        paced = select(Delivery.id).where(*pending, col(Delivery.address).in_(self._full)).limit(1)
        looks: list[Any] = [retry, lapse, paced] if self._full else [retry, lapse]
        [[retry_at], [lapse_at], *held] = [rows or [(None,)] for rows in await self._ground.database.peek(*looks)]
        moments = [retry_at[0], lapse_at[0], min(self._full.values()) if held and held[0][0][0] else None]
        return min((moment for moment in moments if moment is not None), default=None)

    # ---- what is ready

    def _mine(self, state: str) -> tuple[Any, ...]:
        return col(Delivery.platform) == self._platform, col(Delivery.state) == state

    def _conditions(self, now: datetime) -> tuple[Any, Any]:
        """What a row with a lapsed lease looks like, and one that waits and may go."""
        self._empty_the_full(now)
        lapsed = and_(*self._mine("sending"), col(Delivery.lease_until) <= now, col(Delivery.id).not_in(self.in_hand))
        waiting = and_(*self._mine("pending"), col(Delivery.not_before) <= now, ~_behind(now))
        return lapsed, and_(waiting, self._not_full()) if self._full else waiting

    def _empty_the_full(self, now: datetime) -> None:
        self._full = {address: free for address, free in self._full.items() if now < free <= now + MINUTE}

    async def _ready(self, session: AsyncSession, now: datetime, limit: int) -> list[Delivery]:
        """Rows with a lapsed lease, else waiting ones of the most urgent level that has some, by age."""
        self._empty_the_full(now)
        if rows := await self._with_lapsed_lease(session, now, limit):
            return rows
        if rows := await self._waiting(session, self._queue_at_top, limit, {"now": now}):
            return rows
        levels = select(Delivery.urgency).where(*self._mine("pending")).distinct()
        for level in sorted((await session.exec(levels)).all(), reverse=True)[1:]:
            if rows := await self._waiting(session, self._queue, limit, {"now": now, "level": level}):
                return rows
        return []

    async def _with_lapsed_lease(self, session: AsyncSession, now: datetime, limit: int) -> list[Delivery]:
        if self._looked is not None and self._looked <= now < self._looked + LAPSED_EVERY:
            return []
        lapsed, _ = self._conditions(now)
        query = select(Delivery).where(lapsed).order_by(col(Delivery.lease_until), col(Delivery.id)).limit(limit)
        rows = list((await session.exec(query.with_for_update(skip_locked=True))).all())
        self._looked = None if rows else now
        return rows

    async def _waiting(
        self, session: AsyncSession, queue: Any, limit: int, values: Mapping[str, Any]
    ) -> list[Delivery]:
        query = queue.where(self._not_full()) if self._full else queue
        return list((await session.exec(query.limit(limit), params=values)).all())

    def _not_full(self) -> Any:
        """Not routine words to a conversation that has had its share of this minute."""
        routine = col(Delivery.urgency) < int(Urgency.ANSWER)
        return not_(and_(routine, col(Delivery.address).in_(self._full)))

    async def _paced(self, work: Work, limit: int) -> list[Delivery]:
        """Ready rows without the routine words that would be more than ten a minute in one conversation."""
        while rows := await self._ready(work.session, work.now, limit):
            room = await self._room(work, {row.address for row in rows if _is_routine(row)})
            allowed = []
            for row in rows:
                if _is_routine(row):
                    room[row.address] -= 1
                    if room[row.address] < 0:
                        continue
                allowed.append(row)
            if allowed:
                return allowed
        return []

    async def _room(self, work: Work, addresses: Collection[str]) -> dict[str, int]:
        """How many routine words each conversation may have now; those that may have none are remembered as full."""
        recent: dict[str, list[datetime]] = {address: [] for address in addresses}
        if not addresses:
            return {}
        routine = col(Delivery.address).in_(addresses), col(Delivery.urgency) < int(Urgency.ANSWER)
        sent_at = col(Delivery.sent_at)
        lately = and_(sent_at > work.now - MINUTE, sent_at <= work.now)  # not later: clocks are set back
        for said in (lately, col(Delivery.state) == "sending"):
            query = select(Delivery.address, Delivery.sent_at).where(*routine, said)
            for address, moment in (await work.session.exec(query)).all():
                recent[address].append(moment or work.now)
        for address, moments in recent.items():
            if len(moments) >= ROUTINE_PER_MINUTE:
                self._full[address] = sorted(moments)[-ROUTINE_PER_MINUTE] + MINUTE
        return {address: ROUTINE_PER_MINUTE - len(moments) for address, moments in recent.items()}

    # ---- in which words

    async def _one_call(self, work: Work, first: Delivery, watch: Stopwatch) -> Batch:
        """Claim ``first`` and whoever is to be told the same in the same call; empty when it has nothing to say."""
        message = await self._words(work, first)
        if message is None:
            return []
        alike = await self._alike(work, first) if self._travels(first, message) else []
        batch = [self._take(work, first, message)]
        for row in alike:
            if row.renderer and watch.seconds() > CLAIM_SECONDS:
                break
            words = await self._words(work, row)
            if words is not None and words != message:
                break
            if words is not None:
                batch.append(self._take(work, row, words))
        return batch

    def _travels(self, row: Delivery, message: Outgoing) -> bool:
        """Whether one network call can carry this to several people: else they are several messages in flight."""
        able = self._capabilities
        alone = message.attachments or message.urgent_call or (message.actions and not able.batch_buttons)
        return able.batch > 1 and not alone and ":direct:" in row.address and not row.hints

    async def _alike(self, work: Work, first: Delivery) -> list[Delivery]:
        """Ready rows to be told the same as ``first``, as far as can be seen before their words are made."""
        lapsed, waiting = self._conditions(work.now)
        query = (
            select(Delivery)
            .where(lapsed if first.state == "sending" else waiting)
            .where(col(Delivery.urgency) == first.urgency, col(Delivery.about) == first.about)
            .where(col(Delivery.id) != first.id, col(Delivery.address).startswith(f"{self._platform}:direct:"))
            .where(col(Delivery.renderer) == first.renderer, col(Delivery.resend) == first.resend)
            .order_by(col(Delivery.id))
            .limit(min(self._capabilities.batch, TOGETHER) - 1)
            .with_for_update(skip_locked=True)
        )
        rows = (await work.session.exec(query)).all()
        return [
            row
            for row in rows
            if row.message == first.message and row.render_args == first.render_args and not row.hints
        ]

    async def _words(self, work: Work, row: Delivery) -> Outgoing | None:
        """The message to send; None when there is nothing to say (any more, or yet)."""
        if row.state == "pending" and await self._comes_too_late(work, row):
            return None
        message: Outgoing | None = Outgoing.model_validate(row.message)
        row_id, renderer = row.id, row.renderer
        if renderer:
            try:
                async with work.attempt():
                    message = await self._renderers[renderer](work, row)
            except Exception as error:  # one row's trouble must not hold up the others
                log.exception("cannot make the words of a message", delivery=row_id, renderer=renderer)
                row.not_before, row.error = work.now + RENDER_PATIENCE, f"{renderer}: {type(error).__name__}"
                row.state = "pending"
                work.session.add(row)
                return None
        if message is None:
            row.state = "cancelled"
            work.session.add(row)
        elif row.resend or row.state == "sending":
            message = message.model_copy(update={"text": f"{self._resend_mark}{message.text}"})
        return message

    async def _comes_too_late(self, work: Work, row: Delivery) -> bool:
        """Whether it has been stuck until people want to be left alone. Then it begins anew when that is over."""
        ask = self._ground.still_mannerly
        until = await ask(work, row) if ask is not None else work.now
        if until <= work.now:
            return False
        row.not_before, row.attempts, row.tried_at, row.error = until, 0, None, ""
        work.session.add(row)
        return True

    def _take(self, work: Work, row: Delivery, message: Outgoing) -> Claimed:
        row.resend = row.resend or row.state == "sending"
        row.state, row.lease_owner, row.lease_until = "sending", self.owner, work.now + LEASE
        row.attempts += 1
        row.tried_at = row.tried_at or work.now
        if row.renderer:
            row.message = message.model_dump(mode="json")
        work.session.add(row)
        address = Address.parse(row.address)
        return Claimed(row.id or 0, row.attempts, address, message, row.hints, row.urgency, worth_asking(row))


def _behind(now: Any) -> Any:
    """An earlier message about the same thing to the same address is not through yet.

    One that waits for the end of a quiet time holds nobody up.
    """
    earlier = aliased(Delivery)
    untried = col(earlier.attempts) == 0, col(earlier.error) == ""
    quiet = and_(*untried, col(earlier.not_before) > now)
    return exists().where(
        col(earlier.address) == col(Delivery.address),
        col(earlier.about) == col(Delivery.about),
        col(earlier.state).in_(("pending", "sending")),
        col(earlier.id) < col(Delivery.id),
        not_(quiet),
    )


def _may_go(row: Delivery, now: datetime) -> bool:
    """It was ready when it was read; what was taken with another, or put off since, is not any more."""
    return row.state == "sending" or (row.state == "pending" and row.not_before <= now)


def _is_routine(row: Delivery) -> bool:
    return row.urgency < int(Urgency.ANSWER) and ":group:" in row.address and row.state == "pending"
