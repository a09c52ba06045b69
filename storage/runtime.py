"""Everything that runs: dispatcher, engine, one sender per platform, sealer, and the adapters' receivers.

``run`` is the living process; ``step`` is the same work done once, to the end, with the clock standing
still (tests, demo).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from storage.audit import Sealer
from storage.engine import Engine, Escalate, OnTimer
from storage.inbox import Bury, Dispatcher, Handle, Inbox
from storage.ports import Adapter
from storage.sender import OnFailure, Renderer, Sender
from storage.work import Ground

RESTART_PAUSE = 1.0
STOP_WITHIN = 8.0

log = structlog.get_logger(__name__)


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


class Runtime:
    """The assembled bot. ``inbox.accept`` is what adapters call."""

    def __init__(self, ground: Ground, adapters: Sequence[Adapter], logic: Logic) -> None:
        self.ground = ground
        self.adapters = list(adapters)
        self.inbox = Inbox(ground)
        self.dispatcher = Dispatcher(ground, logic.handle, logic.bury)
        self.engine = Engine(ground, logic.escalate, logic.timers, self.dispatcher.step)
        self.senders = [
            Sender(ground, adapter, logic.renderers, logic.on_failure, logic.resend_mark) for adapter in adapters
        ]
        self.sealer = Sealer(ground)
        self._stopping = asyncio.Event()

    async def step(self) -> None:
        """Do all work that is due now, until nothing is left to do."""
        parts = [self.dispatcher.step, self.engine.step, *(sender.step for sender in self.senders)]
        while sum([await part() for part in parts]):
            pass
        await self.sealer.step()

    async def next_due(self) -> datetime | None:
        """The nearest moment at which any part wants to act."""
        parts = [self.dispatcher.next_due, self.engine.next_due, *(sender.next_due for sender in self.senders)]
        moments = [await part() for part in parts]
        return min((moment for moment in moments if moment is not None), default=None)

    async def run(self) -> None:
        """Run until :meth:`stop`; then stop taking, finish what is in hand, and return."""
        taking = [self._keep(f"receive {a.platform}", partial(a.run, self.inbox.accept)) for a in self.adapters]
        working = [
            self._keep("dispatch", self.dispatcher.run),
            self._keep("engine", self.engine.run),
            self._keep("seal", self.sealer.run),
            *(self._keep("send", sender.run) for sender in self.senders),
        ]
        receivers = [asyncio.create_task(task) for task in taking]
        workers = [asyncio.create_task(task) for task in working]
        await self._stopping.wait()
        await _end(receivers)
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self.dispatcher.step()
                await self.sealer.step()
        except TimeoutError:
            log.warning("stopped with messages waiting; they are handled at the next start")
        await _end(workers)

    def stop(self) -> None:
        """Ask :meth:`run` to end."""
        self._stopping.set()

    async def _keep(self, name: str, start: Callable[[], Coroutine[Any, Any, None]]) -> None:
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


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
