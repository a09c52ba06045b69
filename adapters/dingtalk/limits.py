"""Keeping within DingTalk's limits before it has to refuse: calls per second, messages per minute, calls per month."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta, timezone

import structlog

from adapters.common.pace import Window
from adapters.dingtalk.errors import QuotaGone
from adapters.dingtalk.words import words
from storage.clock import Clock
from storage.messages import Urgency

CALLS: Window = (20, timedelta(seconds=1.1))
"""20 a second for each app and API; the window is a little wider, since the server counts arrivals, not departures."""
ROBOT_MESSAGES: Window = (20, timedelta(seconds=62))
"""20 a minute for each custom robot; one more blocks it for ten minutes, so this one errs on the safe side."""
WARN_AT = 0.8
FLUSH_EVERY = 10
CHINA = timezone(timedelta(hours=8))

log = structlog.get_logger(__name__)

Count = Callable[[str, int], Awaitable[int]]
"""Adds to a named, lasting counter and returns its new value."""


class Quota:
    """One monthly quota: counted, warned about at 80 %, then kept for what matters.

    The count lives in a lasting counter and is written every ten calls, so a restart forgets nine at most.
    """

    def __init__(self, name: str, limit: int, clock: Clock, count: Count) -> None:
        self._name, self._limit, self._clock, self._count = name, limit, clock, count
        self._month = ""
        self._stored = 0
        self._pending = 0
        self._gone_in = ""
        self._lock = asyncio.Lock()

    @property
    def used(self) -> int:
        return self._stored + self._pending

    @property
    def limit(self) -> int:
        return self._limit

    async def check(self, urgency: Urgency) -> None:
        """QuotaGone when the month is over, or nearly over and the message can do without."""
        await self._turn_month()
        if self._gone_in == self._month:
            raise QuotaGone(f"{self._name} quota")
        if self._limit and self.used >= self._limit * WARN_AT and urgency < Urgency.NOTICE:
            raise QuotaGone(f"{self._name} quota kept for urgent messages")

    async def spend(self, amount: int = 1) -> None:
        """Count calls that the platform counts (throttled ones are not)."""
        await self._turn_month()
        self._pending += amount
        if self._pending >= FLUSH_EVERY:
            await self.flush()

    async def flush(self) -> None:
        """Write the count. When that fails the calls stay pending: a message that went out must not look unsent."""
        async with self._lock:
            self._month = self._month or self._this_month()
            pending = self._pending
            try:
                self._stored = await self._count(f"dingtalk_{self._name}-{self._month}", pending)
            except Exception:
                log.exception("the monthly count was not written", quota=self._name)
                return
            self._pending -= pending

    def used_up(self) -> None:
        """The platform says so, whatever we counted."""
        self._gone_in = self._this_month()

    def warning(self) -> str:
        """A sentence for operators from 80 % on, else empty."""
        if self._gone_in and self._gone_in == self._this_month():
            return words(f"trouble.{self._name}_quota_gone")
        if self._limit and self._month == self._this_month() and self.used >= self._limit * WARN_AT:
            return words(f"trouble.{self._name}_quota", used=self.used, limit=self._limit)
        return ""

    async def _turn_month(self) -> None:
        month = self._this_month()
        if month != self._month:
            if self._month and self._pending:
                await self.flush()
            self._month, self._stored = month, 0
            await self.flush()

    def _this_month(self) -> str:
        return f"{self._clock.now().astimezone(CHINA):%Y%m}"


class CountInMemory:
    """A counter that lasts as long as the process: for tests and for ``check``."""

    def __init__(self) -> None:
        self.values: dict[str, int] = defaultdict(int)

    async def __call__(self, name: str, by: int) -> int:
        self.values[name] += by
        return self.values[name]
