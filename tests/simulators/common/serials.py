"""Ids of the simulated platforms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True)
class Serials:
    """Each id once."""

    _serial: int = 0

    def serial(self, prefix: str) -> str:
        """A new id that nobody can guess a meaning into, but a reader of a failed test can."""
        self._serial += 1
        return f"{prefix}{self._serial:06d}"
