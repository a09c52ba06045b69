"""The outgoing half of the bus: mark, send, record; one call in flight.

At least once, never lost, and never more than one message in doubt: a row (or the rows that one call carries) is marked
``sending`` in a transaction, sent outside of any, and its outcome is recorded in the very transaction that marks the
next. A crash in between leaves that one message marked with a lease that lapses; it is then sent again with 补发.

One call at a time is fast enough because a call carries many people, and it is fair because whatever is most urgent is
next. A platform that hangs holds up nothing but itself, and even there a call that takes long gives way to words that
are more urgent.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlmodel import col, update

from storage.claims import LEASE, Batch, Claims, Renderer
from storage.messages import Address
from storage.models import Delivery
from storage.outcomes import OnAdvice, OnFailure, Outcomes, Tried
from storage.ports import Adapter, Outcome, Receipts, Retry, SendJob, Unsure, job_key
from storage.recall import send_or_recall
from storage.work import Ground
from storage.worker import Worker

GIVE_WAY = 3.0
"""Seconds after which a call is given up as unsure when something more urgent waits."""
CALL_WITHIN = 120.0
"""Seconds after which a call is given up in any case: adapters have time limits of their own."""
RECORD_TRIES = 60
"""How often an outcome that cannot be recorded is kept for another try (the database is away), a second apart."""

log = structlog.get_logger(__name__)

__all__ = ["OnAdvice", "OnFailure", "Renderer", "Sender"]


class Sender(Worker):
    """Sends what waits for one platform through its adapter."""

    def __init__(
        self,
        ground: Ground,
        adapter: Adapter,
        renderers: Mapping[str, Renderer],
        on_failure: OnFailure,
        resend_mark: str,
        on_advice: OnAdvice | None = None,
    ) -> None:
        super().__init__(ground, "delivery")
        self._adapter = adapter
        self._claims = Claims(ground, adapter.platform, adapter.capabilities, renderers, resend_mark)
        asks = isinstance(adapter, Receipts) and adapter.capabilities.read_receipts
        self._outcomes = Outcomes(adapter.platform, self._claims.owner, on_failure, on_advice, receipts=asks)
        self._tried: list[Tried] = []
        """What became of the last call, until it is recorded."""
        self._record_failures = 0

    async def _round(self) -> int | None:
        batch = await self._turn()
        if batch:
            await self._deliver(batch)
        return None if batch is None else len(batch)

    async def next_due(self) -> datetime | None:
        """When something may be sent: now, or at the nearest retry, lapsed lease, or end of a full minute."""
        if await self._claims.any_ready():
            return self._ground.clock.now()
        return await self._later()

    async def _later(self) -> datetime | None:
        return await self._claims.later()

    # ---- one transaction: the outcome of the last call, the mark of the next

    async def _turn(self) -> Batch | None:
        """Record what became of the last call and mark the next; None: nothing may go, empty: look again."""
        if not self._tried and (self._stopping or not await self._claims.any_ready()):
            return None
        batch: Batch | None = []
        try:
            async with self._ground.work() as work:
                await self._outcomes.record(work, self._tried)
                batch = None if self._stopping else await self._claims.take(work)
        except Exception as error:
            if not self._tried:
                raise
            log.info("outcomes not recorded, trying them apart", error=type(error).__name__)
            await self._record_apart()
            batch = []
        self._tried = []
        self._claims.in_hand = frozenset(item.row_id for item in batch or ())
        return batch

    async def _record_apart(self) -> None:
        """Each outcome by itself. What cannot be recorded is kept: a message that went out must not look unsent."""
        failed: Exception | None = None
        for item in list(self._tried):
            try:
                async with self._ground.work() as work:
                    await self._outcomes.record(work, [item])
            except Exception as error:  # noqa: BLE001 - raised below, once all others are recorded
                failed = error
            else:
                self._tried.remove(item)
        self._record_failures += 1
        if failed is not None and self._record_failures < RECORD_TRIES:
            raise failed
        self._record_failures = 0
        if failed is not None:
            log.error("outcome not recorded; the message will be sent again", exc_info=failed)

    # ---- one call

    async def _deliver(self, batch: Batch) -> None:
        keeping = asyncio.create_task(self._keep_lease(batch))
        try:
            outcomes = await self._call(batch)
        finally:
            keeping.cancel()
        missing = Retry("no outcome from the adapter")
        self._tried = [Tried(item, outcomes.get(item.address, missing)) for item in batch]

    async def _call(self, batch: Batch) -> Mapping[Address, Outcome]:
        """The outcomes; a call that takes long gives way when something more urgent waits, and is unsure."""
        call = asyncio.create_task(self._send(batch))
        try:
            await asyncio.wait({call}, timeout=GIVE_WAY)
            while not call.done():
                self._wake.clear()
                if not self._stopping and await self._claims.more_urgent_waits(batch[0].urgency):
                    log.warning("a slow call gives way", platform=self._adapter.platform, delivery=batch[0].row_id)
                    call.cancel()
                    await asyncio.wait({call})
                    return _unsure(batch, "gave way") if call.cancelled() else call.result()
                await self._done_or_woken(call)
            return call.result()
        finally:
            if not call.done():
                call.cancel()
                await asyncio.wait({call})

    async def _done_or_woken(self, call: asyncio.Task[Mapping[Address, Outcome]]) -> None:
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({call, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()

    async def _send(self, batch: Batch) -> Mapping[Address, Outcome]:
        first = batch[0]
        job = SendJob(
            key=job_key(first.row_id),
            addresses=tuple(item.address for item in batch),
            message=first.message,
            hints=first.hints,
        )
        try:
            async with asyncio.timeout(CALL_WITHIN):
                return await send_or_recall(self._adapter, job)
        except Exception as error:  # an adapter's fault must not lose the row
            log.exception("adapter failed", platform=self._adapter.platform)
            return _unsure(batch, type(error).__name__)

    async def _keep_lease(self, batch: Batch) -> None:
        """Renew the lease while the adapter takes its time (rate limits, slow platforms)."""
        clock, never = self._ground.clock, asyncio.Event()
        while True:
            await clock.wait(never, clock.now() + LEASE / 3)
            mine = [item.row_id for item in batch]
            held = col(Delivery.state) == "sending", col(Delivery.lease_owner) == self._claims.owner
            try:
                async with self._ground.database.write() as session:
                    query = update(Delivery).where(col(Delivery.id).in_(mine), *held)
                    await session.exec(query.values(lease_until=clock.now() + LEASE))
            except Exception:  # the next round tries again
                log.exception("cannot renew a lease", deliveries=mine)


def _unsure(batch: Batch, reason: str) -> Mapping[Address, Outcome]:
    return {item.address: Unsure(reason) for item in batch}
