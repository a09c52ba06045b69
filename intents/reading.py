"""The words other packages use to speak about what a message means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Act = Literal["act", "ask", "ignore"]


@dataclass(frozen=True)
class Place:
    """One site of the lexicon. `unit` and `parent` name units in the same terms (ids or names)."""

    id: str
    name: str
    aliases: tuple[str, ...]
    unit: str
    tier: str
    parent: str | None


@dataclass(frozen=True)
class Context:
    """What is known around a message.

    `expecting` and `step` are what the bot last asked this person; `own_sites` are the canonical names of the
    sites of the sender or the group, `own_units` their units: both decide between places of the same name.
    `addressed`: the message was sent to the bot, not to everybody; `matter`: the sender is "reporter" or "handler" of a
    fault that is open.
    """

    now: datetime
    role: str = "client"
    chat: str = "group"
    expecting: str | None = None
    step: str | None = None
    own_sites: tuple[str, ...] = ()
    own_units: tuple[str, ...] = ()
    addressed: bool = False
    matter: str = ""


@dataclass(frozen=True)
class Evidence:
    """Why: the rule or word list that spoke, and the characters (offsets in the original text) it spoke about."""

    rule: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Reading:
    """One meaning of a message: intent and slots as the labels page defines them, 0..1 confidence, and what to do."""

    intent: str
    slots: dict[str, object] = field(default_factory=dict)
    confidence: float = 0.0
    act: Act = "ignore"
    why: tuple[Evidence, ...] = ()
