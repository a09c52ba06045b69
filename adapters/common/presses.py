"""The same press on the same card within a moment is one: an impatient thumb, or the platform delivering twice."""

from collections.abc import Hashable
from datetime import datetime, timedelta

SAME = timedelta(seconds=10)


class DoublePresses:
    """Remembers presses by who pressed what on which card."""

    def __init__(self) -> None:
        self._recent: dict[Hashable, datetime] = {}

    def is_one(self, press: Hashable, now: datetime) -> bool:
        """True when this press was seen a moment ago."""
        self._recent = {key: at for key, at in self._recent.items() if now - at < SAME}
        return press in self._recent

    def committed(self, press: Hashable, now: datetime) -> None:
        """It counts from now on."""
        self._recent[press] = now
