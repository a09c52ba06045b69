"""What people teach the bot in chat, until an administrator decides; and how the bot last read each person."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from storage.models import json_dict, json_list


class WordProposal(SQLModel, table=True):
    """词条. ``kind``: alias (``text`` is another name of ``site_id``) · reading (``text`` was misread).

    ``detail`` of a reading: ``intent`` (what was read), ``wanted`` (what it should be; empty: only not that) and the
    context it was said in. ``state``: open · accepted · rejected. An accepted alias is a name of its site from then on,
    whatever later imports say: the organisation's own rows are never changed by it.
    """

    __tablename__ = "word_proposal"
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    text: str
    site_id: str = ""
    detail: dict[str, Any] = json_dict()
    proposed_by: str
    proposed_at: datetime
    state: str = Field(default="open", index=True)
    decided_by: str = ""
    decided_at: datetime | None = None


class LastReading(SQLModel, table=True):
    """The last message of a person in a conversation that was read, and what it was taken to mean, with the evidence.

    ``context``: role, chat, now, expecting, step. ``readings``: intent, confidence, why (rule and words) of each act.
    """

    __tablename__ = "last_reading"
    person_id: str = Field(primary_key=True)
    conversation: str = Field(primary_key=True)
    text: str
    context: dict[str, Any] = json_dict()
    readings: list[dict[str, Any]] = json_list()
    at: datetime
