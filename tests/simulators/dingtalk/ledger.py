"""What appeared on whose screen: the truth that scenario tests compare with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulators.common import ledger as common
from tests.simulators.common.ledger import ROBOT, direct
from tests.simulators.dingtalk.world import World

__all__ = ["ROBOT", "Ledger", "Seen", "direct"]


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


class Ledger(common.Ledger[Seen]):
    """With what people may see."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

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
