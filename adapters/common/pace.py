"""Keeping within limits: so many in such a time, for each key."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from adapters.common.errors import Throttled
from storage.clock import Clock

Window: TypeAlias = tuple[int, timedelta]
"""At most so many in this time."""
PATIENCE = timedelta(seconds=5)
"""How long a call may wait for its place before it is put off."""
FORGET_EVERY = 1000


class Pace:
    """At most so many admissions of one key in each window."""

    def __init__(self, clock: Clock, *windows: Window) -> None:
        self._clock, self._windows = clock, windows
        self._times: dict[str, deque[datetime]] = defaultdict(deque)
        self._told: dict[str, Sequence[datetime]] = {}
        """What is on record elsewhere; it may hold our own as well."""
        self._blocked: dict[str, tuple[datetime, datetime]] = {}
        """Until when, and when we heard of it."""
        self._longest = max(span for _, span in windows)

    async def admit(self, key: str, patience: timedelta = timedelta()) -> None:
        """Take a place, waiting for it up to ``patience``; Throttled with the moment of the next place otherwise."""
        deadline = self._clock.now() + patience
        while (free_at := self.free_at(key)) > self._clock.now():
            if free_at > deadline:
                raise Throttled("own limit", free_at)
            await self._clock.wait(asyncio.Event(), free_at)
        self.take(key)

    def take(self, key: str) -> None:
        """Count one; the caller has asked whether it is free."""
        self._times[key].append(self._clock.now())
        if len(self._times) > FORGET_EVERY:
            for idle in [key for key in self._times if not self._recent(key)]:
                del self._times[idle]
                self._told.pop(idle, None)

    def recall(self, key: str, times: Iterable[datetime]) -> None:
        """Count what an earlier process sent; ``times``: oldest first."""
        self._times[key] = deque([*times, *self._times[key]])

    def told(self, key: str, times: Sequence[datetime]) -> None:
        """This is on record (ours among it) from now on; ``times``: oldest first."""
        self._told[key] = times

    def block(self, key: str, until: datetime) -> None:
        """The platform said when it will listen again."""
        self._blocked[key] = until, self._clock.now()

    def free_at(self, key: str) -> datetime:
        """When the next place is free: now, or later."""
        now, times = self._clock.now(), self._recent(key)
        free = max(now, self._blocked_until(key, now))
        for record in (times, self._told.get(key, ())):
            for limit, span in self._windows:
                if len(record) >= limit:
                    free = max(free, min(record[-limit], now) + span)
        return free

    def _blocked_until(self, key: str, now: datetime) -> datetime:
        until, heard_at = self._blocked.get(key, (now, now))
        if heard_at > now:  # the clock was set back: as long again from here
            until = now + (until - heard_at)
            self._blocked[key] = until, now
        return until

    def _recent(self, key: str) -> deque[datetime]:
        now, times = self._clock.now(), self._times[key]
        if times and times[-1] > now:  # the clock was set back: what it calls the future was just now
            times = self._times[key] = deque(min(time, now) for time in times)
        while times and times[0] + self._longest <= now:
            times.popleft()
        return times
