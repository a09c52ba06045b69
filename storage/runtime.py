"""Everything that runs: dispatcher, engine, fetcher, one sender per platform, reader of receipts, sealer, and the
adapters' receivers.

``run`` is the living process; ``step`` is the same work done once, to the end, with the clock standing
still (tests, demo).
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import structlog

from storage.audit import Sealer
from storage.bounced import bounced
from storage.engine import Engine, Escalate, OnStuck, OnTimer, nobody_to_tell
from storage.fetcher import Fetcher, Inspect, OnFile, nothing_found
from storage.fetches import Fetch
from storage.files import file_store
from storage.inbox import Bury, Dispatcher, Handle, Inbox
from storage.jumps import ClockWatch
from storage.ports import Adapter, Downloads, FailsLate, Receipts
from storage.receipts import ReceiptReader
from storage.sender import OnAdvice, OnFailure, Renderer, Sender
from storage.work import Ground, Manners, Work

if TYPE_CHECKING:
    from storage.calendar_jobs import ClockCalendar

RESTART_PAUSE = 1.0
STOP_WITHIN = 7.0
SEAL_WITHIN = 1.0
REFRESH_EVERY = timedelta(seconds=2)

Start: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Task: TypeAlias = asyncio.Task[None]

log = structlog.get_logger(__name__)


async def _shown_nowhere(_work: Work, _fetch: Fetch) -> None:
    """Files are kept, and no row of a workflow refers to them."""


async def _nothing_to_refresh(_ground: Ground) -> None:
    """The logic depends on nothing but the tables."""


class Part(Protocol):
    """Something more that runs beside the ordered handling, as the fetcher does."""

    async def step(self) -> int: ...

    async def run(self) -> None: ...

    def stop(self) -> None: ...

    async def next_due(self) -> datetime | None: ...


@dataclass(frozen=True)
class Logic:
    """What the workflows plug into the ground."""

    handle: Handle
    bury: Bury
    escalate: Escalate
    timers: Mapping[str, OnTimer]
    renderers: Mapping[str, Renderer]
    on_failure: OnFailure
    resend_mark: str
    on_advice: OnAdvice | None = None
    on_stuck: OnStuck = nobody_to_tell
    on_file: OnFile = _shown_nowhere
    inspect: Inspect = nothing_found
    on_lost: OnFile | None = None
    refresh: Callable[[Ground], Coroutine[Any, Any, None]] = _nothing_to_refresh
    """Takes up what has changed outside the tables (word files); called often, outside any transaction."""
    manners: Manners | None = None
    """When a message that is being queued may be sent at the earliest (night and noon)."""
    still_mannerly: Manners | None = None
    """The same of one that is about to be sent."""
    parts: Sequence[Callable[[Ground], Part]] = ()
    waits: Collection[str] = ()
    """Kinds of timers that only wait a while (see ``ClockWatch``)."""


class Runtime:
    """The assembled bot. ``inbox.accept`` is what adapters call."""

    def __init__(
        self, ground: Ground, adapters: Sequence[Adapter], logic: Logic, stop_within: float = STOP_WITHIN
    ) -> None:
        self.ground = ground
        ground.manners, ground.still_mannerly = logic.manners, logic.still_mannerly
        self.adapters = list(adapters)
        downloads = {a.platform: a for a in adapters if isinstance(a, Downloads)}
        self.inbox = Inbox(ground, downloads)
        self.dispatcher = Dispatcher(ground, logic.handle, logic.bury)
        self.engine = Engine(ground, logic.escalate, logic.timers, self.dispatcher.drain, logic.on_stuck)
        self.senders = [
            Sender(ground, adapter, logic.renderers, logic.on_failure, logic.resend_mark, logic.on_advice)
            for adapter in adapters
        ]
        for adapter in adapters:
            if isinstance(adapter, FailsLate):
                adapter.on_late_failure(partial(bounced, ground, logic.on_failure, adapter.platform))
        store = file_store(ground.settings)
        self.fetcher = Fetcher(ground, downloads, store, logic.on_file, logic.inspect, logic.on_lost)
        receipts = {a.platform: a for a in adapters if a.capabilities.read_receipts and isinstance(a, Receipts)}
        self.receipts = ReceiptReader(ground, receipts)
        self.parts = [make(ground) for make in logic.parts]
        self.sealer = Sealer(ground)
        self.jumps = ClockWatch(ground, logic.waits)
        self.calendar: ClockCalendar | None = None
        """Jobs of the day, where they go by this clock (set before it runs)."""
        self._refresh = partial(logic.refresh, ground)
        self._stopping, self._caught_up = asyncio.Event(), asyncio.Event()
        self._stop_within = stop_within

    async def step(self) -> None:
        """Do all work that is due now, until nothing is left to do."""
        await self._refresh()
        await self.jumps.step()
        parts = [self.dispatcher.step, self.engine.step, self.fetcher.step, *(sender.step for sender in self.senders)]
        parts += [part.step for part in self.parts]
        parts = [self.calendar.step, *parts] if self.calendar is not None else parts
        while sum([await part() for part in (*parts, self.receipts.step)]):
            pass
        await self.sealer.step()

    async def next_due(self) -> datetime | None:
        """The nearest moment at which any part wants to act."""
        others = self.dispatcher.next_due, self.engine.next_due, self.fetcher.next_due, self.receipts.next_due
        jobs = [self.calendar.next_due] if self.calendar is not None else []
        more = [part.next_due for part in self.parts]
        moments = [await part() for part in (*others, *more, *jobs, *(sender.next_due for sender in self.senders))]
        return min((moment for moment in moments if moment is not None), default=None)

    async def run(self) -> None:
        """Run until :meth:`stop`; then stop taking, finish what is in hand, and return within ``stop_within`` s."""
        await self._refresh()
        taking = {f"receive {a.platform}": partial(a.run, self.inbox.accept) for a in self.adapters}
        working: dict[str, Start] = {
            "watch": partial(self.ground.database.watch, self._stopping),
            "clock": partial(self.jumps.run, self._stopping),
            "dispatch": self.dispatcher.run,
            "engine": self._deadlines,
            "fetch": self.fetcher.run,
            "refresh": self._keep_fresh,
            "receipts": self.receipts.run,
            **{type(part).__name__.lower(): part.run for part in self.parts},
            "seal": self.sealer.run,
            **({"calendar": partial(self.calendar.run, self._stopping)} if self.calendar is not None else {}),
            **{f"send {a.platform}": partial(self._send, sender) for a, sender in self._sending()},
        }
        receivers = [asyncio.create_task(self._keep(name, start), name=name) for name, start in taking.items()]
        workers = [asyncio.create_task(self._keep(name, start), name=name) for name, start in working.items()]
        try:
            await self._stopping.wait()
        finally:
            await self._end(receivers, workers)

    async def _deadlines(self) -> None:
        """What fell due while the bot was down is fired before anything is sent: it may put together what waits."""
        try:
            await self.engine.step()
        finally:
            self._caught_up.set()
        await self.engine.run()

    def _sending(self) -> Iterator[tuple[Adapter, Sender]]:
        return zip(self.adapters, self.senders, strict=True)

    async def _send(self, sender: Sender) -> None:
        await self._caught_up.wait()
        await sender.run()

    async def _keep_fresh(self) -> None:
        while not self._stopping.is_set():
            await self.ground.clock.wait(self._stopping, self.ground.clock.now() + REFRESH_EVERY)
            await self._refresh()

    def stop(self) -> None:
        """Ask :meth:`run` to end."""
        self._stopping.set()

    async def _end(self, receivers: Sequence[Task], workers: Sequence[Task]) -> None:
        self._stopping.set()
        await _cancel(receivers)
        for stop in (
            self.dispatcher.stop,
            self.engine.stop,
            self.fetcher.stop,
            self.receipts.stop,
            self.sealer.stop,
            *(part.stop for part in self.parts),
            *(sender.stop for sender in self.senders),
        ):
            stop()
        accepting = asyncio.create_task(self.inbox.settle(), name="accept")
        _, late = await asyncio.wait([*workers, accepting], timeout=self._stop_within)
        if late:
            log.warning(
                "stopped with work in hand; it is taken up at the next start", parts=[t.get_name() for t in late]
            )
        await _cancel(list(late))
        await self._seal_last()

    async def _seal_last(self) -> None:
        """Chain what the parts wrote while they stopped; what does not get done is done at the next start."""
        try:
            async with asyncio.timeout(SEAL_WITHIN):
                await self.sealer.step()
        except Exception:  # stopping goes on
            log.exception("the last entries stay unsealed until the next start")

    async def _keep(self, name: str, start: Start) -> None:
        """Run a part for ever: an unforeseen error is logged and the part starts again a second later."""
        while not self._stopping.is_set():
            try:
                await start()
            except Exception:  # the process must outlive any one part's fault
                log.exception("part failed", part=name)
                try:
                    await asyncio.wait_for(self._stopping.wait(), RESTART_PAUSE)
                except TimeoutError:
                    continue
            else:
                return


async def _cancel(tasks: Sequence[Task]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
