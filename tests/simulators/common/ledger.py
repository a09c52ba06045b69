"""What appeared on whose screen: the truth that scenario tests compare with."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

ROBOT = "robot"


def direct(user_id: str) -> str:
    """The place of one person's chat with the bot."""
    return f"direct:{user_id}"


class Shown(Protocol):
    """What every platform's message has."""

    place: str
    recalled: bool


S = TypeVar("S", bound=Shown)


class Ledger(Generic[S]):
    """All that was shown, in order; nothing is ever removed, a recalled message is marked."""

    def __init__(self) -> None:
        self.entries: list[S] = []

    def show(self, seen: S) -> S:
        self.entries.append(seen)
        return seen

    def in_group(self, conversation_id: str) -> list[S]:
        return self.still_at(conversation_id)

    def in_direct(self, user_id: str) -> list[S]:
        return self.still_at(direct(user_id))

    def still_at(self, *places: str) -> list[S]:
        """What can be read in these places, oldest first."""
        return [seen for seen in self.entries if seen.place in places and not seen.recalled]
