"""The tables. Columns that the outside sees are named in the contract; see ``domain.md`` words in each docstring.

Moments are stored in UTC and come back timezone-aware. Lists are JSON: replace them, never mutate in place.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.models_bus import Counter, Delivery, InboxRow, Lease, json_dict, json_list

__all__ = [
    "AuditEntry",
    "CheckItem",
    "Counter",
    "Delivery",
    "Expectation",
    "Fault",
    "Group",
    "Identity",
    "InboxRow",
    "Lease",
    "Meeting",
    "Notice",
    "Obligation",
    "Person",
    "Shift",
    "Sighting",
    "Site",
    "StoredFile",
    "Timer",
    "Unit",
    "json_dict",
    "json_list",
]

# ---- the organisation -------------------------------------------------------------------------------------------


class Unit(SQLModel, table=True):
    """单位: an operations or customer unit of one tier."""

    __tablename__ = "unit"
    unit_id: str = Field(primary_key=True)
    name: str
    aliases: list[str] = json_list()
    tier: str
    parent_id: str | None = Field(default=None, index=True)
    track: str = "operations"
    active: bool = True


class Person(SQLModel, table=True):
    """人员. ``roles`` as in the contract; accounts on platforms are :class:`Identity` rows."""

    __tablename__ = "person"
    person_id: str = Field(primary_key=True)
    name: str
    title: str = ""
    unit_id: str = Field(index=True)
    roles: list[str] = json_list()
    phone: str = ""
    active: bool = True


class Identity(SQLModel, table=True):
    """账号: one person's account on one platform. One person may have several on each."""

    __tablename__ = "identity"
    platform: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    person_id: str = Field(index=True)


class Site(SQLModel, table=True):
    """分会场."""

    __tablename__ = "site"
    site_id: str = Field(primary_key=True)
    name: str
    aliases: list[str] = json_list()
    unit_id: str = Field(index=True)
    systems: list[str] = json_list()
    active: bool = True


class Group(SQLModel, table=True):
    """群. ``purpose``: support · supervisors · client · customer_track."""

    __tablename__ = "chat_group"
    __table_args__ = (UniqueConstraint("platform", "conversation_id"),)
    group_id: str = Field(primary_key=True)
    platform: str
    conversation_id: str
    name: str
    unit_id: str = Field(index=True)
    purpose: str
    active: bool = True


class Shift(SQLModel, table=True):
    """班次: who has duty for a unit from when to when. ``duty``: primary · backup."""

    __tablename__ = "shift"
    unit_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    duty: str = Field(primary_key=True)
    starts_at: datetime = Field(primary_key=True)
    ends_at: datetime


class Sighting(SQLModel, table=True):
    """An unknown group or sender that has spoken, for the operator to bind. ``kind``: group · sender."""

    __tablename__ = "sighting"
    kind: str = Field(primary_key=True)
    platform: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    name: str = ""
    last_seen: datetime


# ---- the work ---------------------------------------------------------------------------------------------------


class Meeting(SQLModel, table=True):
    """会议保障任务. ``state``: draft · published · running · ended · cancelled. ``version`` counts its notices."""

    __tablename__ = "meeting"
    number: str = Field(primary_key=True)
    title: str
    systems: list[str] = json_list()
    starts_at: datetime = Field(index=True)
    ends_at: datetime | None = None
    arrive_before_s: float = 3600.0
    state: str = Field(default="draft", index=True)
    version: int = 0
    site_ids: list[str] = json_list()
    scope_text: str = ""
    host_unit_id: str = ""
    basis: str = ""
    extra: dict[str, Any] = json_dict()
    created_by: str = ""
    conversation: str = ""
    created_at: datetime
    published_at: datetime | None = None


class Notice(SQLModel, table=True):
    """通知: one published version of a meeting (``kind``: new · change · cancel).

    Publishing commits this row; obligations and deliveries follow in slices of at most 200 units. ``done_units`` counts
    the units already served; ``unit_ids`` are those who owe an answer to this version.
    """

    __tablename__ = "notice"
    meeting: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    kind: str = "new"
    published_at: datetime
    published_by: str = ""
    conversation: str = ""
    changes: dict[str, Any] = json_dict()
    unit_ids: list[str] = json_list()
    done_units: int = 0
    state: str = Field(default="spreading", index=True)


class Fault(SQLModel, table=True):
    """故障单. ``state``: open · accepted · resolved · observing · closed · cancelled."""

    __tablename__ = "fault"
    number: str = Field(primary_key=True)
    level: str
    state: str = Field(default="open", index=True)
    site_id: str | None = Field(default=None, index=True)
    unit_id: str = Field(index=True)
    room: str = ""
    device: str = ""
    symptom: str = ""
    text: str = ""
    meeting: str = ""
    step: str = ""
    reporter: str | None = Field(default=None, index=True)
    reporters: list[str] = json_list()
    conversation: str = ""
    conversations: list[str] = json_list()
    owner: str | None = None
    extra: dict[str, Any] = json_dict()
    created_at: datetime = Field(index=True)
    acked_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None


_fence: Column[int] = Column("fence", Integer, nullable=False)


class Obligation(SQLModel, table=True):
    """承诺: somebody owes something by a time, and if it does not come, the next person is told.

    ``kind``, ``state`` and the contract's other columns are fixed names. ``ladder`` is the policy as it was when
    opened: a list of ``{"rung", "after_s"}``, seconds from ``due_at`` (negative: before). ``step`` counts the rungs
    already climbed; ``next_at`` is when the next one is due, NULL when none is left. ``fence`` grows with every
    change: one based on an older state is refused. ``alarmed`` lists who was told of the silence (they get the
    all-clear).
    """

    __tablename__ = "obligation"
    __mapper_args__ = {"version_id_col": _fence, "version_id_generator": False}
    __table_args__ = (
        Index("obligation_due", "next_at"),
        Index("obligation_about", "meeting", "fault", "kind"),
        Index("obligation_of_fault", "fault"),
        Index("obligation_at_site", "site_id", "kind"),
    )
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    unit_id: str = Field(index=True)
    site_id: str | None = None
    person_ids: list[str] = json_list()
    meeting: str = ""
    fault: str = ""
    version: int = 0
    due_at: datetime
    state: str = Field(default="open", index=True)
    met_at: datetime | None = None
    met_by: str | None = None
    met_via: str | None = None
    step: int = 0
    next_at: datetime | None = None
    ladder: list[dict[str, Any]] = json_list()
    fence: int = Field(default=0, sa_column=_fence)
    alarmed: list[str] = json_list()
    detail: dict[str, Any] = json_dict()
    opened_at: datetime
    closed_at: datetime | None = None
    """When nothing more is owed: answered or cancelled (``breached`` stays the state of a debt that ran over)."""


class Timer(SQLModel, table=True):
    """Something a workflow wants done at a moment, once. Setting a key again moves it."""

    __tablename__ = "timer"
    key: str = Field(primary_key=True)
    kind: str
    about: str = ""
    due_at: datetime = Field(index=True)
    payload: dict[str, Any] = json_dict()


class Expectation(SQLModel, table=True):
    """What the bot asked whom and still awaits.

    ``kind``: notice_confirmation · ack · arrival · step · fix_confirmation · site · choice · help.
    ``options`` are the numbered choices (``[{"label", "value"}]``); ``pending`` is the act that waits for the choice.
    """

    __tablename__ = "expectation"
    __table_args__ = (Index("expectation_of", "person_id", "state"),)
    id: int | None = Field(default=None, primary_key=True)
    person_id: str
    conversation: str
    kind: str
    about: str = ""
    step: str = ""
    options: list[dict[str, Any]] = json_list()
    pending: dict[str, Any] = json_dict()
    state: str = "open"
    asked_at: datetime
    expires_at: datetime | None = None


class CheckItem(SQLModel, table=True):
    """One step of one site's checklist for one meeting. ``state``: waiting · asked · ok · abnormal · skipped."""

    __tablename__ = "check_item"
    meeting: str = Field(primary_key=True)
    site_id: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    position: int
    state: str = "waiting"
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    text: str = ""
    fault: str = ""
    evidence: list[str] = json_list()


class StoredFile(SQLModel, table=True):
    """An attachment in the file store, by content."""

    __tablename__ = "stored_file"
    sha256: str = Field(primary_key=True)
    name: str
    size: int
    media_type: str = ""
    stored_at: datetime


# ---- the record -------------------------------------------------------------------------------------------------


class AuditEntry(SQLModel, table=True):
    """Who did what, when, through what. Written unsealed (``seq`` NULL); the sealer numbers and chains it."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_who", "who", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    seq: int | None = Field(default=None, unique=True)
    at: datetime
    who: str
    what: str
    about: str = Field(default="", index=True)
    via: str = ""
    detail: dict[str, Any] = json_dict()
    hash: str = ""
