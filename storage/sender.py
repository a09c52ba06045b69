"""The outgoing half of the bus: claim, send, record.

At least once, never lost: a row is claimed with a lease in one transaction, sent outside of any, and its outcome
recorded in another. A crash in between leaves ``sending`` with a lapsed lease; the row is then sent again marked 补发.
While few messages wait they go one after the other, so that a crash leaves one in doubt; a long queue, or a call that
takes its time, opens more lanes.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlmodel import col, update

from storage.claims import LEASE, Batch, Claims, Renderer
from storage.messages import Address
from storage.models import Delivery
from storage.outcomes import OnFailure, Outcomes, Tried
from storage.ports import Adapter, Outcome, Receipts, Retry, SendJob, Unsure
from storage.recall import send_or_recall
from storage.together import Together
from storage.work import Ground

LANES = 8
"""Calls under way at once at most."""
LONG_QUEUE = 100
"""With more rows than this waiting, all lanes are used (a crash may then leave as many messages in doubt)."""
PATIENCE = 0.25
"""Seconds after which a call no longer keeps the next one waiting."""

log = structlog.get_logger(__name__)

__all__ = ["LANES", "OnFailure", "Renderer", "Sender"]


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
        self._claims = Claims(ground, adapter.platform, adapter.capabilities.batch, renderers, resend_mark)
        asks = isinstance(adapter, Receipts)
        self._outcomes = Outcomes(adapter.platform, self._claims.owner, on_failure, receipts=asks)
        self._records: Together[Tried, None] = Together(self._record)
        self._jobs: set[asyncio.Task[None]] = set()
        self._long_queue = False
        self._slow_calls = 0
        self._stopping = False
        self._wake = asyncio.Event()
        ground.database.on_commit(self._wake.set, "delivery")

    async def step(self) -> int:
        """Send everything that may go now; returns how many rows were claimed."""
        total = 0
        while not self._stopping and (batches := await self._claims.take(LANES)):
            await asyncio.gather(*(self._deliver(batch) for batch in batches))
            total += sum(len(batch) for batch in batches)
        return total

    async def run(self) -> None:
        """Send as rows come due, until cancelled or stopped."""
        try:
            while not self._stopping:
                self._wake.clear()
                await self._fill_lanes()
                await self._rest()
            await asyncio.gather(*self._jobs)
        except asyncio.CancelledError:
            jobs = list(self._jobs)
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            raise

    def stop(self) -> None:
        """Claim no more; :meth:`run` returns when the calls under way are through."""
        self._stopping = True
        self._wake.set()

    async def next_due(self) -> datetime | None:
        """When something may be sent: now, or at the nearest retry, lapsed lease, or end of a full minute."""
        if await self._claims.any_ready():
            return self._ground.clock.now()
        return await self._claims.later()

    # ---- lanes

    async def _fill_lanes(self) -> None:
        while not self._stopping and (free := self._lanes - len(self._jobs)) > 0:
            batches = await self._claims.take(free)
            for batch in batches:
                self._start(batch)
            self._long_queue = await self._claims.queue_is_longer_than(LONG_QUEUE)
            if not batches:
                return

    @property
    def _lanes(self) -> int:
        """One, and one more for each call that takes its time; all while the queue is long."""
        return LANES if self._long_queue else min(1 + self._slow_calls, LANES)

    @contextmanager
    def _another_lane_if_slow(self) -> Iterator[None]:
        """While the call inside takes longer than our patience, one lane more is open."""
        slow = False

        def notice() -> None:
            nonlocal slow
            slow = True
            self._slow_calls += 1
            self._wake.set()

        timer = asyncio.get_running_loop().call_later(PATIENCE, notice)
        try:
            yield
        finally:
            timer.cancel()
            self._slow_calls -= slow

    def _start(self, batch: Batch) -> None:
        job = asyncio.create_task(self._deliver(batch))
        self._jobs.add(job)
        job.add_done_callback(self._ended)

    def _ended(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        self._wake.set()
        if not job.cancelled() and (error := job.exception()) is not None:
            log.error("outcome not recorded; the message will be sent again", exc_info=error)

    async def _rest(self) -> None:
        """Wait for a commit, a deadline, the end of a call, or another lane."""
        if not self._stopping:
            await self._ground.clock.wait(self._wake, await self._claims.later())

    # ---- one call

    async def _deliver(self, batch: Batch) -> None:
        keeping = asyncio.create_task(self._keep_lease(batch))
        try:
            with self._another_lane_if_slow():
                outcomes = await self._send(batch)
        finally:
            keeping.cancel()
        try:
            await asyncio.gather(*(self._records.do(tried) for tried in outcomes))
        finally:
            self._claims.in_hand.difference_update(item.row_id for item in batch)

    async def _send(self, batch: Batch) -> list[Tried]:
        first = batch[0]
        job = SendJob(
            key=f"hb-{first.row_id}",
            addresses=tuple(item.address for item in batch),
            message=first.message,
            hints=first.hints,
        )
        try:
            outcomes: Mapping[Address, Outcome] = await send_or_recall(self._adapter, job)
        except Exception as error:  # an adapter's fault must not lose the row
            log.exception("adapter failed", platform=self._adapter.platform)
            outcomes = dict.fromkeys(job.addresses, Unsure(type(error).__name__))
        missing = Retry("no outcome from the adapter")
        return [Tried(item, outcomes.get(item.address, missing)) for item in batch]

    async def _keep_lease(self, batch: Batch) -> None:
        """Renew the lease while the adapter takes its time (rate limits, slow platforms)."""
        clock, never = self._ground.clock, asyncio.Event()
        mine = [item.row_id for item in batch]
        query = update(Delivery).where(col(Delivery.id).in_(mine), col(Delivery.state) == "sending")
        own = query.where(col(Delivery.lease_owner) == self._claims.owner)
        while True:
            await clock.wait(never, clock.now() + LEASE / 3)
            try:
                async with self._ground.database.write() as session:
                    await session.exec(own.values(lease_until=clock.now() + LEASE))
            except Exception:  # the next round tries again
                log.exception("cannot renew a lease", deliveries=mine)

    # ---- record

    async def _record(self, tried: Sequence[Tried]) -> list[Exception | None]:
        try:
            return await self._record_together(tried)
        except Exception as error:
            if len(tried) == 1:
                raise
            log.info("outcomes failed together, recording one by one", error=type(error).__name__)
        return [await self._record_alone(item) for item in tried]

    async def _record_together(self, tried: Sequence[Tried]) -> list[Exception | None]:
        async with self._ground.work() as work:
            await self._outcomes.record(work, tried)
        return [None] * len(tried)

    async def _record_alone(self, item: Tried) -> Exception | None:
        try:
            await self._record_together([item])
        except Exception as error:  # noqa: BLE001 - raised at whoever waits for this outcome
            return error
        return None
