"""What the role-play console shows: who said what in which conversation, and how far each person has read.

These rows are the console's side of a platform, as a chat application's servers keep them. No workflow reads them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.models import json_dict


class ConsoleMessage(SQLModel, table=True):
    """One message in one conversation. ``person_id`` is empty for the bot; ``key`` makes a repeated write one message.

    ``body``: what else there is to show (mentions, actions, card, quote, photo …).
    """

    __tablename__ = "console_message"
    __table_args__ = (UniqueConstraint("key"),)
    id: int | None = Field(default=None, primary_key=True)
    key: str
    conversation: str = Field(index=True)
    person_id: str = ""
    text: str = ""
    body: dict[str, Any] = json_dict()
    at: datetime


class ConsoleSeen(SQLModel, table=True):
    """How far a person has read a conversation: the ``id`` of the last message seen."""

    __tablename__ = "console_seen"
    person_id: str = Field(primary_key=True)
    conversation: str = Field(primary_key=True)
    last_id: int = 0
