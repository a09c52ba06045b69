"""Counting and refusing."""

from __future__ import annotations

from collections import defaultdict, deque

from tests.simulators.common.schedule import Clock


class Window:
    """At most `limit` admissions in any `seconds`; after a refusal everything is refused for `block` seconds."""

    def __init__(self, limit: int, seconds: float, clock: Clock, block: float = 0) -> None:
        self._limit, self._seconds, self._clock, self._block = limit, seconds, clock, block
        self._times: dict[str, deque[float]] = defaultdict(deque)
        self._blocked_until: dict[str, float] = {}

    def admit(self, key: str) -> bool:
        now = self._clock()
        if now < self._blocked_until.get(key, 0):
            return False
        times = self._times[key]
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if self._limit and len(times) >= self._limit:
            self._blocked_until[key] = now + self._block
            return False
        times.append(now)
        return True
