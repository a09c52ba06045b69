"""What the tables remember of mails: the thread a conversation stands in, what went out on a matter, and how often."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import col, func, or_, select

from adapters.email.threads import PLATFORM, partner_of
from storage.database import Database
from storage.letters import SOURCE
from storage.messages import Address, Outgoing
from storage.models import Delivery, InboxRow

LEFT = ("sent", "delivered", "read")
ANY_STATE = ("done", "new", "dead")


class Memory:
    """Looks into inbox and outbox; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_hints(self, conversation: Address) -> Mapping[str, str]:
        """The ``hints`` of the latest mail of a conversation; empty when there was none."""
        query = select(InboxRow.payload).where(
            col(InboxRow.state).in_(ANY_STATE), InboxRow.conversation == str(conversation)
        )
        rows = await self._one(query.order_by(col(InboxRow.id).desc()).limit(1))
        return dict(rows.get("hints") or {}) if isinstance(rows, dict) else {}

    async def first_key(self, address: Address, about: str, key: str) -> str:
        """The key of the first mail that left for this address about this number, before ``key``; or nothing."""
        query = select(func.min(Delivery.id)).where(
            Delivery.about == about, Delivery.address == str(address), col(Delivery.state).in_(LEFT)
        )
        first = await self._one(query)
        return f"hb-{first}" if first is not None and f"hb-{first}" != key else ""

    async def message(self, key: str) -> Outgoing | None:
        """What a delivery said, by the key of its send job."""
        number = key.removeprefix("hb-")
        query = select(Delivery.message).where(Delivery.id == int(number), Delivery.platform == PLATFORM)
        stored = await self._one(query) if number.isdigit() else None
        return Outgoing.model_validate(stored) if stored else None

    async def address_of(self, key: str) -> Address | None:
        """Where a delivery went, by the key of its send job."""
        number = key.removeprefix("hb-")
        query = select(Delivery.address).where(Delivery.id == int(number), Delivery.platform == PLATFORM)
        stored = await self._one(query) if number.isdigit() else None
        return Address.parse(stored) if stored else None

    async def is_known(self, account: str, message_id: str) -> bool:
        """Whether a message with this id has been taken before."""
        query = select(InboxRow.id).where(
            InboxRow.platform == PLATFORM, InboxRow.account == account, InboxRow.message_id == message_id
        )
        return await self._one(query) is not None

    async def source_of(self, account: str, message_id: str) -> str:
        """The raw mail that a message was read from; empty when it was forgotten."""
        query = select(InboxRow.payload).where(
            InboxRow.platform == PLATFORM, InboxRow.account == account, InboxRow.message_id == message_id
        )
        payload = await self._one(query)
        return str((payload.get("hints") or {}).get(SOURCE, "")) if isinstance(payload, dict) else ""

    async def recent(self, partner: str, proven: bool, since: datetime) -> list[datetime]:
        """When answers went to somebody since a moment, by whether the mails answered proved their sender."""
        query: Any = select(Delivery.address, Delivery.hints, Delivery.sent_at).where(
            Delivery.platform == PLATFORM,
            col(Delivery.sent_at) > since,
            or_(
                col(Delivery.address).startswith(f"{PLATFORM}:thread:{partner} ", autoescape=True),
                Delivery.address == f"{PLATFORM}:direct:{partner}",
            ),
        )
        [rows] = await self._database.peek(query)
        return [
            sent_at
            for address, hints, sent_at in rows
            if hints.get("proof") and (hints["proof"] == "yes") == proven
            and partner_of(Address.parse(address)) == partner
        ]  # fmt: skip

    async def _one(self, query: Any) -> Any:
        [rows] = await self._database.peek(query)
        return rows[0][0] if rows else None
