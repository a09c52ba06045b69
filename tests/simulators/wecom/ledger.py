"""What appeared on whose screen: the truth that scenario tests compare with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.simulators.common import ledger as common
from tests.simulators.common.ledger import ROBOT, direct
from tests.simulators.wecom.world import World

__all__ = ["ROBOT", "Ledger", "Seen", "direct"]


@dataclass(eq=False)
class Seen:
    """One message in one place, as a person sees it."""

    at: float
    place: str
    via: str
    """app, appchat, webhook, reply, push, welcome, response_url, passive, or person: a human wrote it."""
    kind: str
    text: str
    author: str = ROBOT
    mentions: tuple[str, ...] = ()
    msg_id: str = ""
    card: dict[str, Any] = field(default_factory=dict)
    stream: str = ""
    finished: bool = True
    recalled: bool = False
    dead: bool = False
    """The buttons can be pressed no more."""
    bot: str = ""
    media: str = ""
    missed_by: frozenset[str] = frozenset()
    """Members of its group who did not get it: the platform drops without a word."""

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Text and key of what can be pressed."""
        listed = [] if self.dead else self.card.get("button_list", [])
        return tuple((button["text"], button["key"]) for button in listed)

    @property
    def task_id(self) -> str:
        return str(self.card.get("task_id", ""))


class Ledger(common.Ledger[Seen]):
    """With what people may see."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def seen_by(self, user_id: str) -> list[Seen]:
        """Everything on this person's screen, over all chats, oldest first."""
        mine = {direct(user_id), *(g.chat_id for g in self._world.groups.values() if user_id in g.members)}
        return [seen for seen in self.still_at(*mine) if user_id not in seen.missed_by]

    def with_task(self, task_id: str) -> list[Seen]:
        return [seen for seen in self.entries if seen.task_id == task_id]
