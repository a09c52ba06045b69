"""The tables of the bus: what came in, what goes out, and who holds which right for a while.

Import them from :mod:`storage.models`, where all tables are.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm.attributes import manager_of_class
from sqlmodel import Field, SQLModel


# Factories are lambdas: pydantic inspects the factory for every row made, and inspecting a builtin takes 0.3 ms.
def json_list() -> Any:
    """A JSON list column, empty by default."""
    return Field(default_factory=lambda: [], sa_type=JSON)  # noqa: PIE807 - see above


def json_dict() -> Any:
    """A JSON object column, empty by default."""
    return Field(default_factory=lambda: {}, sa_type=JSON)  # noqa: PIE807 - see above


class InboxRow(SQLModel, table=True):
    """One received message. ``state``: new · done · dead. Handled in ``id`` order within ``conversation``."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("platform", "account", "message_id"),
        Index("inbox_waiting", "state", "id"),
        Index("inbox_conversation", "state", "conversation", "id"),
        Index("inbox_retry", "state", "retry_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    platform: str
    account: str
    message_id: str
    conversation: str
    payload: dict[str, Any] = json_dict()
    state: str = "new"
    attempts: int = 0
    retry_at: datetime | None = None
    """Set while a failed message waits for its next try."""
    error: str = ""
    written_at: datetime
    received_at: datetime


class Delivery(SQLModel, table=True):
    """One outgoing message to one address (the outbox).

    ``state``: pending · sending · sent · delivered · read · failed · cancelled. ``message`` is a stored Outgoing; when
    ``renderer`` is set it is rendered anew from ``render_args`` at the moment of sending, and cancelled when nothing is
    left to say. ``person_id`` is set for personal messages; ``bundle`` joins the copies of one personal message on
    several platforms. ``attempts`` also fences: an outcome of an older attempt is not recorded.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index("delivery_queue", "platform", "state", "urgency", "id"),
        Index("delivery_later", "not_before", "platform", "state"),
        Index("delivery_lease", "platform", "state", "lease_until"),
        Index("delivery_order", "address", "state", "about", "id"),
        Index("delivery_pace", "address", "sent_at"),
        Index("delivery_about", "about", "kind", "created_at"),
        Index("delivery_provider", "platform", "provider_id"),
        Index("delivery_receipt", "platform", "receipt_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    dedupe_key: str = Field(sa_column_kwargs={"insert_sentinel": True})
    """Also what tells new rows apart when many are written in one statement."""
    platform: str
    address: str
    person_id: str | None = Field(default=None, index=True)
    bundle: str = Field(default="", index=True)
    about: str = ""
    kind: str = ""
    urgency: int = 0
    message: dict[str, Any] = json_dict()
    renderer: str = ""
    render_args: dict[str, Any] = json_dict()
    hints: dict[str, str] = json_dict()
    state: str = "pending"
    attempts: int = 0
    resend: bool = False
    not_before: datetime
    tried_at: datetime | None = None
    """When it was first tried: from then on patience is counted."""
    turned: bool = False
    """The fast retries are used up and the workflows know."""
    lease_owner: str = ""
    lease_until: datetime | None = None
    provider_id: str = ""
    error: str = ""
    created_at: datetime
    sent_at: datetime | None = None
    read_at: datetime | None = None
    receipt_at: datetime | None = None
    """When the platform is asked (again) whether it has been read."""

    @classmethod
    def quickly(cls, **values: Any) -> "Delivery":
        """A new row of values that need no checking. The ordinary way sets columns one by one: 0.15 ms for each row."""
        row: Delivery = manager_of_class(cls).new_instance()
        row.__dict__.update(_BEGINS_AS, **values)
        return row


_BEGINS_AS = {
    name: field.default
    for name, field in Delivery.model_fields.items()
    if name != "id" and not field.is_required() and field.default_factory is None
}
"""What a new delivery is as far as nobody says otherwise. Of JSON columns whoever makes one gives all."""


class Lease(SQLModel, table=True):
    """A named right that one process holds for a while (sealer, engine). ``token`` grows: it fences old holders."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    owner: str
    token: int = 0
    until: datetime


class Counter(SQLModel, table=True):
    """A named count: numbers of the day (``GZ-20261124``), calls of the month (``dingtalk_api-202611``)."""

    __tablename__ = "counter"
    name: str = Field(primary_key=True)
    value: int = 0
