"""The access token: fetched once for all who ask at the same time, renewed before its end, dropped when refused."""

import asyncio
from abc import ABC, abstractmethod
from datetime import timedelta

from storage.clock import Clock

EARLY = timedelta(minutes=5)
LASTS = 7200
"""Seconds, when the platform does not say."""


class Token(ABC):
    """One token for the app. Errors are Retry; Misconfigured when the credentials are wrong."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._value = self._refused = ""
        self._renew_at = clock.now()
        self._lock = asyncio.Lock()

    @abstractmethod
    async def _fetch(self) -> None:
        """Ask the platform and ``_keep`` what it gives; SendError."""

    async def get(self) -> str:
        """A token that is valid as far as we know."""
        async with self._lock:
            if not self._value or self._clock.now() >= self._renew_at:
                await self._fetch()
            return self._value

    def drop(self, token: str) -> None:
        """``token`` was refused; a newer one, fetched meanwhile by another call, stays."""
        if token == self._value:
            self._value, self._refused = "", token

    def _keep(self, value: str, seconds: object) -> None:
        self._value = value
        lasts = timedelta(seconds=seconds if isinstance(seconds, int) and seconds > 0 else LASTS)
        self._renew_at = self._clock.now() + max(lasts - EARLY, lasts / 2)
