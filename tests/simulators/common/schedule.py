"""What the platform does by itself later: pings, closings, redeliveries. Runs on the test's clock."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
Job = Callable[[], Awaitable[None]]


class Schedule:
    """A heap of due times (seconds since the epoch) and coroutines to run then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()

    def after(self, seconds: float, job: Job) -> None:
        heapq.heappush(self._heap, (self._clock() + seconds, next(self._order), job))

    async def run_due(self) -> int:
        """Run everything due by now, in due order; how many jobs ran."""
        ran = 0
        while self._heap and self._heap[0][0] <= self._clock():
            _, _, job = heapq.heappop(self._heap)
            await job()
            ran += 1
        return ran


class ManualClock:
    """A clock in the test's hand: call it for seconds since the epoch."""

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self.seconds = start

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
