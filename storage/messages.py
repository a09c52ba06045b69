"""What crosses the bus: an :class:`Incoming` from a platform, an :class:`Outgoing` to one.

Adapters and workflows meet here and nowhere else. Nothing in this module knows a vendor.
"""

from datetime import datetime
from enum import IntEnum
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

Platform: TypeAlias = str
"""``dingtalk`` · ``wecom`` · ``email`` · ``web``."""


class Message(BaseModel):
    """Base of all message parts: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        """Text without what no database stores: NUL characters and halves of surrogate pairs."""
        if not isinstance(value, str) or (value.isascii() and "\x00" not in value):
            return value
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


class Address(Message):
    """Where a message goes or a conversation happens.

    ``group``: ``id`` is the platform's conversation id. ``direct``: ``id`` is the person's account on the platform.
    ``thread``: a mail thread. As text: ``platform:kind:id``.
    """

    platform: Platform
    kind: Literal["group", "direct", "thread"]
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address written by ``str()``; ValueError when it is none."""
        platform, kind, rest = text.split(":", 2)
        return cls.model_validate({"platform": platform, "kind": kind, "id": rest})


class Urgency(IntEnum):
    """The higher overtakes the lower in the outbox, across subjects only."""

    ROUTINE = 0
    NOTICE = 10
    ANSWER = 20
    FAULT = 30
    ESCALATION = 40


class Sender(Message):
    """Who wrote, as the platform says. ``account`` proves identity; ``name`` is only for show."""

    account: str
    name: str = ""
    verified: bool = True


class Attachment(Message):
    """A picture, voice note, video or file; ``ref`` is what the adapter needs to download it."""

    kind: Literal["image", "audio", "video", "file"]
    ref: str = ""
    name: str = ""
    sha256: str = ""
    size: int = 0


class Quote(Message):
    """The message this one answers to."""

    message_id: str = ""
    text: str = ""


class Incoming(Message):
    """One message from a platform; unique on (platform, account, message_id).

    ``account`` is the bot's own identity there (robot code, bot id, mailbox). ``written_at`` is the platform's time;
    the inbox keeps it no later than receipt. ``click`` is the value of the :class:`Action` that was pressed; ``way``
    says for the record where, when not in the platform's own client (a link in a mail). ``hints`` carries what the same
    adapter needs to answer (a session webhook and its expiry); nobody else reads it.
    """

    platform: Platform
    account: str
    message_id: str
    conversation: Address
    sender: Sender
    text: str = ""
    written_at: datetime
    conversation_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    quote: Quote | None = None
    click: str = ""
    way: str = ""
    hints: dict[str, str] = Field(default_factory=dict)


class Action(Message):
    """A button: pressing it is writing ``value`` (``take:GZ-20261124-001``); ``say`` is the same in words."""

    label: str
    value: str
    say: str = ""


class Question(Message):
    """One of several things asked at once: exactly one of ``options`` is chosen for it."""

    label: str
    options: tuple[Action, ...]


class Outgoing(Message):
    """One message to one address. Adapters render it as well as their platform allows.

    ``text`` is complete without buttons (it says how to answer). ``mentions`` are accounts on the target platform.
    ``about`` is the subject (a meeting or fault number): order holds per (address, about). ``card`` names the card to
    be updated when a later message about the same thing replaces its state. ``questions`` are answered together: the
    ``click`` holds the chosen values, one a line; where a platform cannot show them, ``actions`` stand in. ``facts``
    (label, value) repeat what the text says, for platforms that have room for a table.
    """

    text: str
    title: str = ""
    about: str = ""
    urgency: Urgency = Urgency.ROUTINE
    mentions: tuple[str, ...] = ()
    mention_all: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    actions: tuple[Action, ...] = ()
    questions: tuple[Question, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    card: str = ""
    urgent_call: bool = False
    silent: bool = False
    """Nothing new is said: the card of that name shows ``text`` from now on; where it is not shown, nothing happens."""
