"""How long to wait before trying again what failed."""

import random
from datetime import timedelta

SLOW = timedelta(seconds=60)
LONGEST = 30.0
SLOW_AFTER = 30
"""Failures in a row: about ten minutes of them."""


class Backoff:
    """1, 2, 4 … 30 s for ten minutes, then 60 s; drawn from the upper half, lest many bots come back as one."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0

    def reset(self) -> None:
        """It worked."""
        self._failures = 0

    def next(self) -> timedelta:
        """It failed once more: wait so long."""
        patient = self._failures >= SLOW_AFTER
        seconds = SLOW.total_seconds() if patient else min(2.0 ** min(self._failures, 10), LONGEST)
        self._failures += 1
        return timedelta(seconds=self._rng.uniform(seconds / 2, seconds))
