"""Which outgoing messages may be sent now, and in which words.

Order holds per (address, about): a row waits while an earlier one of the same pair is unsent. Urgency overtakes across
subjects only. Routine words are paced per conversation. What is made at the moment of sending is rendered here.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, exists, func, not_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery
from storage.work import Ground, Work

LEASE = timedelta(seconds=30)
ROUTINE_PER_MINUTE = 10
MINUTE = timedelta(minutes=1)
LOOK_AHEAD = 16
"""Rows looked at in one claim, or …"""
LOOK_FAR = 64
"""… as many as all lanes can carry, up to this."""
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


Batch = Sequence[Claimed]
"""Rows that travel in one call: the same words to several direct addresses."""


class Claims:
    """Takes rows of one platform for one worker (``owner``)."""

    def __init__(
        self, ground: Ground, platform: str, batch: int, renderers: Mapping[str, Renderer], resend_mark: str
    ) -> None:
        self._ground = ground
        self._platform = platform
        self._batch = max(batch, 1)
        self._renderers = renderers
        self._resend_mark = resend_mark
        self._full: dict[str, datetime] = {}
        """Conversations that have had their routine words of this minute, and when they may have more."""
        self.owner = uuid.uuid4().hex
        self.in_hand: set[int] = set()
        """Rows this worker is sending now: never claimed again, whatever their lease says (clocks do jump)."""
        self._more = False
        """The last claim saw no end of the queue."""

    async def take(self, lanes: int) -> list[Batch]:
        """Claim what fits in ``lanes`` calls of the adapter."""
        limit = min(max(lanes * self._batch, LOOK_AHEAD), LOOK_FAR)
        while self._more or await self.any_ready():
            async with self._ground.work() as work:
                rows = await self._paced(work, limit)
                self._more = len(rows) >= limit
                batches = await self._claim(work, rows, lanes)
            if batches or not rows:
                self.in_hand.update(item.row_id for batch in batches for item in batch)
                return batches
        return []

    async def queue_is_longer_than(self, count: int) -> bool:
        """Whether more than ``count`` rows wait, as the last claim suggests and the table confirms."""
        if not self._more:
            return False
        due = col(Delivery.not_before) <= self._ground.clock.now()
        waiting = (
            select(Delivery.id).where(*self._mine("pending"), due).order_by(col(Delivery.urgency), col(Delivery.id))
        )
        [rows] = await self._ground.database.peek(waiting.limit(count + 1))
        return len(rows) > count

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
        self._full = {address: free for address, free in self._full.items() if now < free <= now + MINUTE}
        lapsed = and_(*self._mine("sending"), col(Delivery.lease_until) <= now, col(Delivery.id).not_in(self.in_hand))
        waiting = and_(*self._mine("pending"), col(Delivery.not_before) <= now, ~_behind(now))
        if self._full:
            routine = col(Delivery.urgency) < int(Urgency.ANSWER)
            waiting = and_(waiting, not_(and_(routine, col(Delivery.address).in_(self._full))))
        return lapsed, waiting

    async def _ready(self, session: AsyncSession, now: datetime, limit: int) -> list[Delivery]:
        """Rows with a lapsed lease, then waiting ones by urgency and age (one look each, as the index has it)."""
        lapsed, waiting = self._conditions(now)
        levels = select(Delivery.urgency).where(*self._mine("pending")).distinct()
        present = sorted((await session.exec(levels)).all(), reverse=True)
        looks = [select(Delivery).where(lapsed).order_by(col(Delivery.lease_until))]
        looks += [
            select(Delivery).where(col(Delivery.urgency) == level, waiting).order_by(col(Delivery.id))
            for level in present
        ]
        rows: list[Delivery] = []
        for look in looks:
            query = look.limit(limit - len(rows)).with_for_update(skip_locked=True)
            rows += (await session.exec(query)).all()
            if len(rows) >= limit:
                break
        return rows

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
        for said in (col(Delivery.sent_at) > work.now - MINUTE, col(Delivery.state) == "sending"):
            query = select(Delivery.address, Delivery.sent_at).where(*routine, said)
            for address, sent_at in (await work.session.exec(query)).all():
                recent[address].append(min(sent_at or work.now, work.now))
        for address, moments in recent.items():
            if len(moments) >= ROUTINE_PER_MINUTE:
                self._full[address] = sorted(moments)[-ROUTINE_PER_MINUTE] + MINUTE
        return {address: ROUTINE_PER_MINUTE - len(moments) for address, moments in recent.items()}

    # ---- in which words

    async def _claim(self, work: Work, rows: Sequence[Delivery], lanes: int) -> list[Batch]:
        batches: list[Batch] = []
        for alike in self._alike(rows):
            if len(batches) >= lanes:
                break
            if batch := await self._one_call(work, alike):
                batches.append(batch)
        return batches

    def _alike(self, rows: Sequence[Delivery]) -> list[list[Delivery]]:
        """Rows that may travel together, in order of the first of each: direct, same words, same way of making them."""
        if self._batch == 1:
            return [[row] for row in rows]
        groups: dict[object, list[Delivery]] = defaultdict(list)
        for row in rows:
            together = ":direct:" in row.address and not row.hints
            words = json.dumps([row.message, row.renderer, row.render_args, row.resend, row.state], sort_keys=True)
            groups[words if together else row.id].append(row)
        size = self._batch
        return [group[at : at + size] for group in groups.values() for at in range(0, len(group), size)]

    async def _one_call(self, work: Work, alike: Sequence[Delivery]) -> list[Claimed]:
        """Claim as many of ``alike`` as turn out to say the same; the rest stays for the next call."""
        batch: list[Claimed] = []
        for row in alike:
            message = await self._words(work, row)
            if message is None:
                continue
            if batch and message != batch[0].message:
                break
            batch.append(self._take(work, row, message))
        return batch

    async def _words(self, work: Work, row: Delivery) -> Outgoing | None:
        """The message to send; None when there is nothing to say (any more, or yet)."""
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

    def _take(self, work: Work, row: Delivery, message: Outgoing) -> Claimed:
        row.resend = row.resend or row.state == "sending"
        row.state, row.lease_owner, row.lease_until = "sending", self.owner, work.now + LEASE
        row.attempts += 1
        row.tried_at = row.tried_at or work.now
        if row.renderer:
            row.message = message.model_dump(mode="json")
        work.session.add(row)
        return Claimed(row.id or 0, row.attempts, Address.parse(row.address), message, row.hints)


def _behind(now: datetime) -> Any:
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


def _is_routine(row: Delivery) -> bool:
    return row.urgency < int(Urgency.ANSWER) and ":group:" in row.address and row.state == "pending"
