"""What the database remembers for a process that has just started: cards the app sent, how often to whom, our groups.

A card's task and code stand in the provider id of its delivery, so that no table of their own is needed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from sqlmodel import col, or_, select

from adapters.wecom.receive import PLATFORM, direct
from adapters.wecom.render import title
from storage.database import Database
from storage.messages import Address, Outgoing
from storage.models import Delivery, Group

KEY_SEPARATOR = "|"
CARD = "card:"
MOST = 500
"""Users or groups asked about in one query."""


def card_key(task: str, code: str) -> str:
    """A card as a part of a provider id."""
    return f"{CARD}{task}:{quote(code, safe='')}"


def message_keys(provider_id: str) -> list[str]:
    """The platform's message ids in a provider id."""
    return [key for key in provider_id.split(KEY_SEPARATOR) if key and not key.startswith(CARD)]


def _cards_in(provider_id: str) -> list[tuple[str, str]]:
    """Task and code of each card in a provider id."""
    keys = [key.removeprefix(CARD) for key in provider_id.split(KEY_SEPARATOR) if key.startswith(CARD)]
    return [(task, unquote(code)) for task, _, code in (key.partition(":") for key in keys)]


@dataclass
class Shown:
    """One card on the screens of those it was sent to."""

    task: str
    name: str
    heading: str
    users: tuple[str, ...]
    at: datetime
    codes: list[str] = field(default_factory=list)
    values: frozenset[str] = frozenset()
    """What its buttons say."""


def values_of(message: Outgoing) -> frozenset[str]:
    """What can be answered by a press."""
    return frozenset(action.value for action in message.actions)


class Memory:
    """Looks; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shared = not database.is_sqlite
        """Other processes may be sending too, and what they send stands in the same tables."""

    async def cards_about(self, about: str, name: str, since: datetime) -> list[Shown]:
        """Cards of a matter that go by this name."""
        wanted = Delivery.about == about, col(Delivery.sent_at) > since
        return [one for one in await self._cards(*wanted) if one.name == name]

    async def card_of(self, task: str, user: str, since: datetime) -> Shown | None:
        """The card of this task as ``user`` got it."""
        wanted = Delivery.address == str(direct(user)), col(Delivery.sent_at) > since
        return next((one for one in await self._cards(*wanted) if one.task == task), None)

    async def sends_to(self, users: Sequence[str], since: datetime, now: datetime) -> dict[str, list[datetime]]:
        """When each of these people was sent a message by the app, oldest first.

        Where others send too, what is on its way (from here as well) counts as sent now.
        """
        lately: Any = col(Delivery.sent_at) > since
        if self.shared:
            lately = or_(lately, col(Delivery.state) == "sending")
        found: dict[str, list[datetime]] = {}
        for start in range(0, len(users), MOST):
            places = [str(direct(user)) for user in users[start : start + MOST]]
            query: Any = select(Delivery.address, Delivery.provider_id, Delivery.sent_at)
            [rows] = await self._database.peek(query.where(col(Delivery.address).in_(places), lately))
            for address, provider_id, sent_at in rows:
                count = len(message_keys(provider_id)) if sent_at else 1
                found.setdefault(Address.parse(address).id, []).extend([sent_at or now] * count)
        return {user: sorted(times) for user, times in found.items()}

    async def said_in_groups(self, chats: Iterable[str], since: datetime) -> dict[str, list[datetime]]:
        """When something was said in each of these groups, by whatever way."""
        places = [f"{PLATFORM}:group:{chat}" for chat in sorted(chats)]
        found: dict[str, list[datetime]] = {}
        for start in range(0, len(places), MOST):
            query: Any = select(Delivery.address, Delivery.sent_at)
            here = col(Delivery.address).in_(places[start : start + MOST])
            [rows] = await self._database.peek(query.where(here, col(Delivery.sent_at) > since))
            for address, sent_at in rows:
                found.setdefault(Address.parse(address).id, []).append(sent_at)
        return found

    async def groups(self) -> dict[str, str]:
        """The organisation's groups on this platform: conversation ids and names."""
        query: Any = select(Group.conversation_id, Group.name).where(Group.platform == PLATFORM, col(Group.active))
        [rows] = await self._database.peek(query.order_by(Group.group_id))
        return {str(chat_id): str(name) for chat_id, name in rows}

    async def _cards(self, *wanted: Any) -> list[Shown]:
        query: Any = select(Delivery.address, Delivery.provider_id, Delivery.sent_at, Delivery.message).where(*wanted)
        query = query.where(Delivery.platform == PLATFORM, col(Delivery.provider_id).contains(CARD))
        [rows] = await self._database.peek(query)
        found: dict[str, Shown] = {}
        for address, provider_id, sent_at, stored in rows:
            message, user = Outgoing.model_validate(stored), Address.parse(address).id
            for task, code in _cards_in(provider_id):
                heading, name = title(message), message.card or message.about
                codes, values = [code] if code else [], values_of(message)
                one = found.setdefault(task, Shown(task, name, heading, (), sent_at, codes, values))
                one.users = (*one.users, user)
        return list(found.values())
