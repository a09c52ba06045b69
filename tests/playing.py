"""What tests of a chat platform share, whichever it is: the adapter on a bench, and the whole bot lived with."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from storage.clock import ManualClock
from storage.messages import Address, Incoming, Outgoing
from storage.ports import Adapter, Outcome, SendJob, Sent
from storage.runtime import Runtime


async def until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait for loopback traffic to have its effect."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.002)


def sent(outcome: Outcome) -> Sent:
    assert isinstance(outcome, Sent), repr(outcome)
    return outcome


class Simulator(Protocol):
    """What passes time on the other side."""

    async def tick(self) -> int: ...


class Shown(Protocol):
    """One message on a screen."""

    @property
    def place(self) -> str: ...
    @property
    def text(self) -> str: ...


class Box:
    """An inbox in memory: unique, and able to fail or to take its time."""

    def __init__(self) -> None:
        self.messages: list[Incoming] = []
        self.known: set[tuple[str, str]] = set()
        self.broken = False
        self.open = asyncio.Event()
        self.open.set()

    async def accept(self, incoming: Incoming) -> bool:
        await self.open.wait()
        if self.broken:
            raise OSError("disk full")
        key = (incoming.account, incoming.message_id)
        if key in self.known:
            return False
        self.known.add(key)
        self.messages.append(incoming)
        return True

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]


A = TypeVar("A", bound=Adapter)
P = TypeVar("P", bound=Simulator)
S = TypeVar("S", bound=Shown)


@dataclass(kw_only=True)
class Bench(Generic[A, P]):
    """An adapter on one side, a simulator on the other, one clock between them."""

    clock: ManualClock
    simulator: P
    adapter: A
    box: Box = field(default_factory=Box)
    running: asyncio.Task[None] | None = None
    jobs: int = 0

    def start(self) -> None:
        self.running = asyncio.create_task(self.adapter.run(self.box.accept))

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None

    async def pass_time(self, seconds: float, step: float = 1) -> None:
        """Let the clock run in steps, so that everybody acts in order."""
        left = seconds
        while left > 0:
            self.clock.advance(timedelta(seconds=min(step, left)))
            left -= step
            await self.simulator.tick()
            await asyncio.sleep(0.002)

    async def heard(self, number: int = 1) -> Incoming:
        """The latest message once there are that many."""
        await until(lambda: len(self.box.messages) >= number)
        return self.box.messages[-1]

    async def send(
        self, *addresses: Address, key: str = "", hints: dict[str, str] | None = None, **message: Any
    ) -> Any:
        """Send one message; the outcome for the only address, or all of them."""
        self.jobs += 1
        outgoing = Outgoing(**{"text": "你好", **message})
        job = SendJob(key or f"job-{self.jobs}", addresses, outgoing, hints or {})
        outcomes = await self.adapter.send(job)
        assert set(outcomes) == set(addresses)
        return outcomes[addresses[0]] if len(addresses) == 1 else outcomes


class Live(ABC, Generic[P, S]):
    """The whole bot on a platform's wire: people speak on the simulator, and what they see is read from it."""

    def __init__(self, simulator: P, runtime: Runtime, clock: ManualClock) -> None:
        self.simulator, self.runtime, self.clock = simulator, runtime, clock
        self._read: set[S] = set()

    @abstractmethod
    def shown(self, where: str = "") -> Sequence[S]:
        """What a place shows, a group's id or a person's; without one, all that was ever shown."""

    async def advance(self, minutes: float) -> None:
        """Move the clock, stopping wherever the bot wants to act."""
        target = self.clock.now() + timedelta(minutes=minutes)
        while (due := await self.runtime.next_due()) is not None and due <= target:
            self.clock.set(max(due, self.clock.now()))
            await self._let_act()
        self.clock.set(target)
        await self._let_act()

    async def jump(self, minutes: float) -> None:
        """Move the clock at once, as a test does that is not about what happens in between."""
        self.clock.advance(timedelta(minutes=minutes))
        await self._let_act()

    async def _let_act(self) -> None:
        await self.simulator.tick()
        await self.runtime.step()
        await asyncio.sleep(0)

    def sees(self, where: str, *parts: str) -> S:
        """The first unread message there that holds all parts: a group's conversation id or a person."""
        for seen in self._unread(where):
            if all(part in seen.text for part in parts):
                self._read.add(seen)
                return seen
        left = [seen for seen in self.shown() if seen not in self._read]
        rest = "\n".join(f"  {seen.place}: {seen.text}" for seen in left)
        raise AssertionError(f"{where} did not see {parts}; unread:\n{rest}")

    def unread(self, where: str) -> list[str]:
        return [seen.text for seen in self._unread(where)]

    def _unread(self, where: str) -> list[S]:
        return [seen for seen in self.shown(where) if seen not in self._read]
