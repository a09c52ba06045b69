"""Time, injected. The only module of the product that reads the system clock or sleeps.

Logic asks a :class:`Clock` what time it is and lets it do the waiting, so that tests and the demo
console can hold time in their own hand.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait for a moment."""

    def now(self) -> datetime:
        """The present moment, timezone-aware."""
        ...

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        """Return when ``wake`` is set or ``until`` has come (never earlier); ``None`` waits for ``wake`` alone."""
        ...

    def look_again(self) -> None:
        """The clock has jumped: whoever waits looks at it again."""
        ...


class SystemClock:
    """The machine's clock, with an offset that the demo may push forward."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, by: timedelta) -> None:
        """Jump forward; whoever waits looks at the clock again."""
        self.offset += by
        self.look_again()

    def look_again(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        while not wake.is_set() and (until is None or self.now() < until):
            seconds = None if until is None else max((until - self.now()).total_seconds(), 0.001)
            await _first_of(wake, self._moved, within=seconds)


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        """Move to ``moment`` (backwards too: clocks do jump) and let waiters look again."""
        self._now = moment
        self.look_again()

    def look_again(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def advance(self, by: timedelta) -> None:
        self.set(self._now + by)

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        while not wake.is_set() and (until is None or self._now < until):
            await _first_of(wake, self._moved, within=None)


class Stopwatch:
    """Real seconds since it was made: measures work in hand, never a deadline."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._start


async def sleep(clock: Clock, by: timedelta) -> None:
    """Wait ``by`` on the given clock."""
    await clock.wait(asyncio.Event(), clock.now() + by)


async def _first_of(*events: asyncio.Event, within: float | None) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
