"""The console's conversations: writing into them, reading them, and who has read how far.

A message is written once per key, so a retried send or a repeated click shows one message.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.clock import Clock
from storage.console import ConsoleMessage, ConsoleSeen
from storage.database import Database
from storage.messages import Outgoing

BOT = ""
PAGE = 120
"""Messages of one conversation that are shown."""
LOOK_BACK = 3000
"""Newest messages among which unread ones are counted."""


@dataclass
class Unread:
    """What lies unread for one person in one conversation."""

    count: int = 0
    mentioned: bool = False
    last: ConsoleMessage | None = None


@dataclass(frozen=True)
class Overview:
    """The newest messages and everybody's reading marks: enough for all badges of one page."""

    messages: dict[str, list[ConsoleMessage]] = field(default_factory=dict)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def unread(self, person_id: str, conversation: str) -> Unread:
        """Messages of others that the person has not seen yet, and the newest of all."""
        rows = [row for row in self.messages.get(conversation, []) if not silent(row)]
        mark = self.seen.get((person_id, conversation), 0)
        fresh = [row for row in rows if (row.id or 0) > mark and row.person_id != person_id]
        return Unread(len(fresh), any(calls(row, person_id) for row in fresh), rows[-1] if rows else None)

    def settled(self, conversation: str) -> dict[str, int]:
        """Cards of a conversation with nothing left to press, and the message that said so, in whatever conversation.

        As on the real platforms, where every copy of a card is updated: who took a fault in one app finds no button
        left in the other.
        """
        cards = {row.body["card"] for row in self.messages.get(conversation, []) if row.body.get("card")}
        rows = [row for found in self.messages.values() for row in found if row.body.get("card") in cards]
        said = sorted((row.id or 0, row.body["card"]) for row in rows if not row.body.get("actions"))
        return {card: message_id for message_id, card in said}


def silent(row: ConsoleMessage) -> bool:
    """Whether it only says what an earlier card shows from now on: it is no bubble of its own."""
    return bool(row.body.get("silent"))


def calls(row: ConsoleMessage, person_id: str) -> bool:
    """Whether the message mentions this person."""
    return person_id in row.body.get("mentions", ()) or bool(row.body.get("mention_all"))


class Talk:
    """Reads and writes the conversations of the console."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._recent: deque[ConsoleMessage] = deque(maxlen=LOOK_BACK)

    async def bot_says(self, key: str, conversation: str, message: Outgoing, **more: Any) -> int:
        """Show a message of the bot; returns its id (the same one when ``key`` was shown before)."""
        body = message.model_dump(mode="json", exclude={"text"}) | more
        return await self._write(key, conversation, BOT, message.text, body)

    async def person_says(self, key: str, conversation: str, person_id: str, text: str, **body: Any) -> int:
        """Show what a person wrote or pressed."""
        return await self._write(f"{person_id}:{key}", conversation, person_id, text, body)

    async def _write(self, key: str, conversation: str, person_id: str, text: str, body: dict[str, Any]) -> int:
        async with self._database.write() as session:
            known = (await session.exec(select(ConsoleMessage).where(ConsoleMessage.key == key))).first()
            row = known or ConsoleMessage(
                key=key, conversation=conversation, person_id=person_id, text=text, body=body, at=self._clock.now()
            )
            session.add(row)
            await session.flush()
            return int(row.id or 0)

    async def page(self, conversation: str, after: int = 0) -> list[ConsoleMessage]:
        """The newest messages of a conversation behind ``after``, oldest first."""
        query = (
            select(ConsoleMessage)
            .where(ConsoleMessage.conversation == conversation, col(ConsoleMessage.id) > after)
            .order_by(col(ConsoleMessage.id).desc())
            .limit(PAGE)
        )
        async with self._database.read() as session:
            return list(reversed((await session.exec(query)).all()))

    async def message(self, message_id: int) -> ConsoleMessage | None:
        """One message."""
        async with self._database.read() as session:
            return await session.get(ConsoleMessage, message_id)

    async def overview(self) -> Overview:
        """What badges and previews are made of. Messages never change, so only new ones are read."""
        last = self._recent[-1].id if self._recent else 0
        query = select(ConsoleMessage).where(col(ConsoleMessage.id) > last).order_by(col(ConsoleMessage.id).desc())
        async with self._database.read() as session:
            fresh = reversed((await session.exec(query.limit(LOOK_BACK))).all())
            marks = (await session.exec(select(ConsoleSeen))).all()
        self._recent.extend(row for row in fresh if not self._recent or (row.id or 0) > (self._recent[-1].id or 0))
        seen = {(mark.person_id, mark.conversation): mark.last_id for mark in marks}
        return Overview(_by_conversation(self._recent), seen)

    async def mark_seen(self, person_id: str, conversation: str, last_id: int) -> None:
        """Remember how far a person has read; marks never go back."""
        async with self._database.read() as session:
            if await _mark(session, person_id, conversation) >= last_id:
                return
        async with self._database.write() as session:
            row = await session.get(ConsoleSeen, (person_id, conversation))
            row = row or ConsoleSeen(person_id=person_id, conversation=conversation)
            row.last_id = max(row.last_id, last_id)
            session.add(row)


async def _mark(session: AsyncSession, person_id: str, conversation: str) -> int:
    row = await session.get(ConsoleSeen, (person_id, conversation))
    return row.last_id if row else 0


def _by_conversation(rows: Iterable[ConsoleMessage]) -> dict[str, list[ConsoleMessage]]:
    found: dict[str, list[ConsoleMessage]] = defaultdict(list)
    for row in rows:
        found[row.conversation].append(row)
    return dict(found)
