"""What appeared on whose screen: the truth that scenario tests compare with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulators.dingtalk.world import World

ROBOT = "robot"


def direct(user_id: str) -> str:
    """The place of one person's chat with the robot."""
    return f"direct:{user_id}"


@dataclass(eq=False)
class Seen:
    """One message in one place, as a person sees it."""

    at: float
    place: str
    via: str
    """sessionWebhook, groupMessages, oToMessages, customWebhook, card, httpReply, ding:app, ding:sms, ding:phone, or
    person: a human wrote it."""
    kind: str
    text: str
    title: str = ""
    author: str = ROBOT
    mentions: tuple[str, ...] = ()
    mention_all: bool = False
    buttons: tuple[tuple[str, str], ...] = ()
    key: str = ""
    msg_id: str = ""
    only: frozenset[str] | None = None
    recalled: bool = False
    read_by: set[str] = field(default_factory=set)
    card: str = ""


class Ledger:
    """All that was shown, in order; nothing is ever removed, a recalled message is marked."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.entries: list[Seen] = []

    def show(self, seen: Seen) -> Seen:
        self.entries.append(seen)
        return seen

    def in_group(self, conversation_id: str) -> list[Seen]:
        return [seen for seen in self.entries if seen.place == conversation_id and not seen.recalled]

    def in_direct(self, user_id: str) -> list[Seen]:
        return [seen for seen in self.entries if seen.place == direct(user_id) and not seen.recalled]

    def seen_by(self, user_id: str) -> list[Seen]:
        """Everything on this person's screen, over all chats, oldest first."""
        return [seen for seen in self.entries if not seen.recalled and self._visible(seen, user_id)]

    def mentioning(self, user_id: str) -> list[Seen]:
        return [seen for seen in self.seen_by(user_id) if user_id in seen.mentions or seen.mention_all]

    def with_key(self, key: str) -> list[Seen]:
        return [seen for seen in self.entries if seen.key == key]

    def recall(self, seen: Iterable[Seen]) -> None:
        for entry in seen:
            entry.recalled = True

    def _visible(self, seen: Seen, user_id: str) -> bool:
        if seen.place == direct(user_id):
            return True
        group = self._world.groups.get(seen.place)
        if group is None or user_id not in group.members:
            return False
        return seen.only is None or user_id in seen.only
