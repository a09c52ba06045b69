"""The outgoing half of the bus: claim, render, send, record.

At least once, never lost: a row is claimed with a lease in one transaction, sent outside of any, and its outcome recorded
in another. A crash in between leaves ``sending`` with a lapsed lease; the row is then sent again marked 补发.
Order holds per (address, about): a row is not claimed while an earlier one of the same pair waits. Urgency overtakes
across subjects only.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col, exists, or_, select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery
from storage.ports import Adapter, Outcome, Refused, Retry, SendError, SendJob, Sent, Unsure
from storage.work import Ground, Work

CLAIM = 40
LEASE = timedelta(seconds=90)
FAST_PERIOD = timedelta(minutes=10)
SLOW_RETRY = timedelta(minutes=5)
GIVE_UP = timedelta(hours=24)
ROUTINE_PER_MINUTE = 10
MINUTE = timedelta(minutes=1)

log = structlog.get_logger(__name__)

Renderer = Callable[[Work, Delivery], Awaitable[Outgoing | None]]
"""Makes the text of a row at the moment of sending; None: nothing left to say, cancel it."""
OnFailure = Callable[[Work, Delivery, bool], Awaitable[None]]
"""A row failed (True: for good; False: the fast retries are used up): turn to the next channel, tell people."""


@dataclass(frozen=True)
class Claimed:
    """A claimed row with its message, ready to be sent."""

    row: Delivery
    message: Outgoing

    @property
    def address(self) -> Address:
        return Address.parse(self.row.address)


class Sender:
    """Sends what waits for one platform through its adapter."""

    def __init__(
        self,
        ground: Ground,
        adapter: Adapter,
        renderers: Mapping[str, Renderer],
        on_failure: OnFailure,
        resend_mark: str,
    ) -> None:
        self._ground = ground
        self._adapter = adapter
        self._renderers = renderers
        self._on_failure = on_failure
        self._resend_mark = resend_mark
        self._owner = uuid.uuid4().hex
        self._wake = asyncio.Event()
        ground.database.on_commit(self._wake.set)

    async def step(self) -> int:
        """Send everything that may go now; returns how many rows were claimed."""
        total = 0
        while claimed := await self._claim():
            total += len(claimed)
            outcomes = await self._send(claimed)
            await self._record(claimed, outcomes)
        return total

    async def run(self) -> None:
        """Send as rows come due, until cancelled."""
        while True:
            self._wake.clear()
            await self.step()
            await self._ground.clock.wait(self._wake, await self.next_due())

    async def next_due(self) -> datetime | None:
        """The nearest moment at which a waiting row may be tried, or a lapsed lease is taken over."""
        waiting = select(func.min(Delivery.not_before)).where(*self._mine("pending"))
        leased = select(func.min(Delivery.lease_until)).where(*self._mine("sending"))
        async with self._ground.database.read() as session:
            moments = [(await session.exec(query)).first() for query in (waiting, leased)]
        return min((moment for moment in moments if moment is not None), default=None)

    def _mine(self, state: str) -> tuple[Any, ...]:
        return col(Delivery.platform) == self._adapter.platform, col(Delivery.state) == state

    # ---- claim

    async def _claim(self) -> list[Claimed]:
        async with self._ground.database.read() as session:
            if (await session.exec(self._ready(self._ground.clock.now()).limit(1))).first() is None:
                return []
        async with self._ground.work() as work:
            rows = (await work.session.exec(self._ready(work.now).with_for_update(skip_locked=True))).all()
            allowed = await self._within_pace(work, rows)
            return [self._take(work, row, message) for row, message in await self._rendered(work, allowed)]

    def _ready(self, now: datetime) -> Any:
        earlier = aliased(Delivery)
        behind = exists().where(
            col(earlier.address) == col(Delivery.address),
            col(earlier.about) == col(Delivery.about),
            col(earlier.state).in_(("pending", "sending")),
            col(earlier.id) < col(Delivery.id),
        )
        due = or_(
            (col(Delivery.state) == "pending") & (col(Delivery.not_before) <= now),
            (col(Delivery.state) == "sending") & (col(Delivery.lease_until) <= now),
        )
        return (
            select(Delivery)
            .where(Delivery.platform == self._adapter.platform, due, ~behind)
            .order_by(col(Delivery.urgency).desc(), col(Delivery.id))
            .limit(CLAIM)
        )

    async def _within_pace(self, work: Work, rows: Sequence[Delivery]) -> list[Delivery]:
        """Put routine messages off that would be more than ten a minute in one conversation."""
        sent: dict[str, int] = defaultdict(int)
        routine = {row.address for row in rows if row.urgency < int(Urgency.ANSWER) and ":group:" in row.address}
        if routine:
            query = (
                select(Delivery.address, func.count())
                .where(col(Delivery.address).in_(routine), col(Delivery.sent_at) > work.now - MINUTE)
                .group_by(Delivery.address)
            )
            sent.update(dict((await work.session.exec(query)).all()))
        allowed = []
        for row in rows:
            if row.address in routine and row.urgency < int(Urgency.ANSWER):
                if sent[row.address] >= ROUTINE_PER_MINUTE:
                    row.not_before = work.now + timedelta(seconds=6)
                    work.session.add(row)
                    continue
                sent[row.address] += 1
            allowed.append(row)
        return allowed

    async def _rendered(self, work: Work, rows: Sequence[Delivery]) -> list[tuple[Delivery, Outgoing]]:
        ready = []
        for row in rows:
            message: Outgoing | None = Outgoing.model_validate(row.message)
            if row.renderer:
                message = await self._renderers[row.renderer](work, row)
            if message is None:
                row.state = "cancelled"
                work.session.add(row)
            else:
                ready.append((row, message))
        return ready

    def _take(self, work: Work, row: Delivery, message: Outgoing) -> Claimed:
        row.resend = row.resend or row.state == "sending"
        row.state, row.lease_owner, row.lease_until = "sending", self._owner, work.now + LEASE
        row.attempts += 1
        row.message = message.model_dump(mode="json")
        work.session.add(row)
        if row.resend:
            message = message.model_copy(update={"text": f"{self._resend_mark}{message.text}"})
        return Claimed(row, message)

    # ---- send

    async def _send(self, claimed: Sequence[Claimed]) -> dict[int, Outcome]:
        results = await asyncio.gather(*(self._send_batch(batch) for batch in self._batches(claimed)))
        return {row_id: outcome for result in results for row_id, outcome in result.items()}

    def _batches(self, claimed: Sequence[Claimed]) -> list[list[Claimed]]:
        """Direct messages of the same words travel together, as many as one call may carry."""
        alike: dict[object, list[Claimed]] = defaultdict(list)
        for item in claimed:
            together = item.address.kind == "direct" and not item.row.hints
            alike[item.message.model_dump_json() if together else item.row.id].append(item)
        size = max(self._adapter.capabilities.batch, 1)
        return [group[at : at + size] for group in alike.values() for at in range(0, len(group), size)]

    async def _send_batch(self, batch: Sequence[Claimed]) -> dict[int, Outcome]:
        first = batch[0]
        job = SendJob(
            key=f"hb-{first.row.id}",
            addresses=tuple(i.address for i in batch),
            message=first.message,
            hints=first.row.hints,
        )
        try:
            outcomes = await self._adapter.send(job)
        except Exception as error:  # an adapter's fault must not lose the row
            log.exception("adapter failed", platform=self._adapter.platform)
            outcomes = dict.fromkeys(job.addresses, Unsure(type(error).__name__))
        missing = Retry("no outcome from the adapter")
        return {_id(item.row): outcomes.get(item.address, missing) for item in batch}

    # ---- record

    async def _record(self, claimed: Sequence[Claimed], outcomes: Mapping[int, Outcome]) -> None:
        async with self._ground.work() as work:
            query = select(Delivery).where(col(Delivery.id).in_([_id(item.row) for item in claimed]))
            for row in (await work.session.exec(query.with_for_update())).all():
                if row.lease_owner == self._owner and row.state == "sending":
                    await self._settle(work, row, outcomes[_id(row)])
                    work.session.add(row)

    async def _settle(self, work: Work, row: Delivery, outcome: Outcome) -> None:
        row.lease_owner, row.lease_until = "", None
        if isinstance(outcome, Sent):
            row.state = "delivered" if outcome.delivered else "sent"
            row.sent_at, row.provider_id, row.error = work.now, outcome.provider_id, ""
        elif isinstance(outcome, Refused):
            row.state, row.error = "failed", outcome.reason
            await self._on_failure(work, row, True)
        else:
            await self._put_off(work, row, outcome)

    async def _put_off(self, work: Work, row: Delivery, outcome: SendError) -> None:
        row.state, row.error = "pending", outcome.reason
        row.resend = row.resend or isinstance(outcome, Unsure)
        age = work.now - row.created_at
        if age > GIVE_UP:
            row.state = "failed"
            await self._on_failure(work, row, True)
            return
        wait = timedelta(seconds=min(2 ** min(row.attempts - 1, 10), 30))
        if age > FAST_PERIOD:
            wait = SLOW_RETRY
            await self._on_failure(work, row, False)
        named = outcome.not_before if isinstance(outcome, Retry) else None
        row.not_before = max(work.now + wait, named) if named and not wait >= SLOW_RETRY else named or work.now + wait


def _id(row: Delivery) -> int:
    return row.id or 0
