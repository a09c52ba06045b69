"""The incoming half of the bus: accept (commit, then acknowledge) and dispatch (in order per conversation).

A handled message and all it changed are one transaction, so a crash in the middle leaves the message unhandled and
nothing changed. Several waiting messages share a transaction; when one of them fails, all are done again one by one.
A message that keeps failing is set aside as dead, and a person is told; its conversation waits till then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import structlog
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import aliased
from sqlmodel import col, exists, func, select

from storage.clock import Stopwatch
from storage.database import is_conflict
from storage.fetches import Fetch, fetches_of
from storage.messages import Incoming
from storage.models import InboxRow
from storage.together import Together
from storage.work import Ground, Work
from storage.worker import Worker

MAX_ATTEMPTS = 8
BATCH = 16
"""Messages handled in one transaction, and …"""
BATCH_SECONDS = 0.05
"""… how long that may take before the rest is left to the next."""
WINDOW = 200
"""PostgreSQL: the oldest waiting messages among which the first of each conversation is looked for."""
HANDLE_WITHIN = 60.0
"""Seconds after which a handler is given up as failed."""
TRIES = 4
"""How often a message is handled again at once because another transaction got in between."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""``retry_at`` after this: a way of saying NOT NULL that both databases answer from the index."""

log = structlog.get_logger(__name__)

Handle = Callable[[Work, Incoming], Awaitable[None]]
Bury = Callable[[Work, InboxRow], Awaitable[None]]
Key: TypeAlias = tuple[str, str, str]


class Inbox:
    """Accepts messages, and notes what is attached for the fetcher. Concurrent calls share one commit."""

    def __init__(self, ground: Ground, downloads: Collection[str] = ()) -> None:
        """``downloads``: platforms from which attachments can be fetched."""
        self._ground = ground
        self._downloads = downloads
        self._together: Together[Incoming, bool] = Together(self._commit)
        insert = insert_sqlite if ground.database.is_sqlite else insert_postgresql
        key = col(InboxRow.platform), col(InboxRow.account), col(InboxRow.message_id)
        self._insert = insert(InboxRow).on_conflict_do_nothing().returning(*key, col(InboxRow.id))

    async def accept(self, incoming: Incoming) -> bool:
        """Commit the message; True when it is new, False when it was known. Raises when the commit failed."""
        return await self._together.do(incoming)

    async def settle(self) -> None:
        """Wait for commits under way."""
        await self._together.settle()

    async def _commit(self, batch: Sequence[Incoming]) -> list[bool | Exception]:
        try:
            return [*await self._store(batch)]
        except (StatementError, ValueError) as error:
            broken = isinstance(error, DBAPIError) and error.connection_invalidated
            if len(batch) == 1 or broken:
                raise
        # Something in the batch cannot be stored, and only its own caller shall hear of it.
        return [await self._alone(incoming) for incoming in batch]

    async def _alone(self, incoming: Incoming) -> bool | Exception:
        try:
            return (await self._store([incoming]))[0]
        except (StatementError, ValueError) as error:
            return error

    async def _store(self, batch: Sequence[Incoming]) -> list[bool]:
        async with self._ground.database.write() as session:
            result = await session.exec(self._insert, params=[self._row(incoming) for incoming in batch])
            new: dict[Key, int] = {(row[0], row[1], row[2]): row[3] for row in result.all()}
            session.add_all(self._fetches(new, batch))
        return [new.pop(_key(incoming), None) is not None for incoming in batch]

    def _fetches(self, new: Mapping[Key, int], batch: Sequence[Incoming]) -> list[Fetch]:
        now, rows = self._ground.clock.now(), list[Fetch]()
        firsts = {_key(incoming): incoming for incoming in reversed(batch)}
        for key, row_id in new.items():
            if firsts[key].platform in self._downloads:
                rows += fetches_of(firsts[key], row_id, now)
        return rows

    def _row(self, incoming: Incoming) -> dict[str, object]:
        now = self._ground.clock.now()
        return {
            "platform": incoming.platform,
            "account": incoming.account,
            "message_id": incoming.message_id,
            "conversation": str(incoming.conversation),
            "payload": incoming.model_dump(mode="json"),
            "state": "new",
            "attempts": 0,
            "error": "",
            "written_at": min(incoming.written_at, now),
            "received_at": now,
        }


class Dispatcher(Worker):
    """Hands accepted messages to ``handle``; ``bury`` tells a person about a dead one."""

    def __init__(self, ground: Ground, handle: Handle, bury: Bury) -> None:
        super().__init__(ground, "inbox")
        self._handle = handle
        self._bury = bury
        self._singly = 0

    async def _round(self) -> int | None:
        return None if self._stopping else await self._handle_some() or None

    async def drain(self) -> None:
        """Handle what is accepted by now; not what comes meanwhile."""
        [[row]] = await self._ground.database.peek(select(func.max(InboxRow.id)).where(InboxRow.state == "new"))
        last = row[0]
        while last is not None and await self._waits(last):
            async with self._busy:
                if not await self._handle_some():
                    return

    async def next_due(self) -> datetime | None:
        """When the nearest message that failed before may be tried again."""
        query = select(InboxRow.retry_at).where(InboxRow.state == "new", col(InboxRow.retry_at) > LONG_AGO)
        [rows] = await self._ground.database.peek(query.order_by(col(InboxRow.retry_at)).limit(1))
        return rows[0][0] if rows else None

    async def _waits(self, last: int) -> bool:
        fresh = fresh_rows(self._ground.database.is_sqlite).where(col(InboxRow.id) <= last).limit(1)
        return any(await self._ground.database.peek(fresh, _retries(self._ground.clock.now())))

    async def _anything_ready(self) -> bool:
        fresh = fresh_rows(self._ground.database.is_sqlite).limit(1)
        return any(await self._ground.database.peek(fresh, _retries(self._ground.clock.now())))

    async def _handle_some(self) -> int:
        limit = 1 if self._singly else BATCH
        if not await self._anything_ready():
            return 0
        taken: list[int] = []
        try:
            async with self._ground.work() as work:
                await self._handle_together(work, limit, taken)
        except Exception as error:
            if not taken:
                raise
            await self._recover(taken, error)
            return 1
        self._singly = max(self._singly - 1, 0)
        return len(taken)

    async def _handle_together(self, work: Work, limit: int, taken: list[int]) -> None:
        watch = Stopwatch()
        for row in await self._ready(work, limit):
            if taken and watch.seconds() > BATCH_SECONDS:
                return
            taken.append(row.id or 0)
            await self._handle_row(work, row)

    async def _handle_row(self, work: Work, row: InboxRow) -> None:
        work.now = self._ground.clock.now()
        incoming = Incoming.model_validate(row.payload).model_copy(update={"written_at": row.written_at})
        async with asyncio.timeout(HANDLE_WITHIN):
            await self._handle(work, incoming)
        await work.write_entries()  # the next message of this transaction may ask what this one did
        row.state, row.error, row.retry_at = "done", "", None
        work.session.add(row)

    async def _ready(self, work: Work, limit: int) -> list[InboxRow]:
        """Rows to handle now: a failed one that may be tried again, alone; else the oldest that nothing holds up."""
        on_sqlite = self._ground.database.is_sqlite
        for query in (_retries(work.now), fresh_rows(on_sqlite).limit(limit)):
            rows = (await work.session.exec(query.with_for_update(skip_locked=True))).all()
            if rows:
                return list(rows)
        return []

    async def _recover(self, taken: Sequence[int], error: Exception) -> None:
        """Several failed together: find out which. One failed alone: put it off, or set it aside."""
        if len(taken) > 1:
            log.info("messages failed together, trying one by one", count=len(taken), error=type(error).__name__)
            self._singly = len(taken)
            return
        for _ in range(TRIES):
            if not is_conflict(error):
                break
            try:
                async with self._ground.work() as work:
                    await self._again(work, taken[0])
                return
            except Exception as other:  # noqa: BLE001 - judged by the next turn of the loop, logged below
                error = other
        log.error("message failed", inbox=taken[0], exc_info=error)
        await self._failed(taken[0], error)

    async def _again(self, work: Work, row_id: int) -> None:
        query = select(InboxRow).where(InboxRow.id == row_id, InboxRow.state == "new")
        row = (await work.session.exec(query.with_for_update(skip_locked=True))).first()
        if row is not None:
            await self._handle_row(work, row)

    async def _failed(self, row_id: int, error: Exception) -> None:
        try:
            await self._put_off(row_id, error, self._bury)
        except Exception:  # telling failed: the message must still get out of the way of others
            log.exception("cannot tell about a dead message", inbox=row_id)
            await self._put_off(row_id, error, None)

    async def _put_off(self, row_id: int, error: Exception, bury: Bury | None) -> None:
        async with self._ground.work() as work:
            row = await work.session.get_one(InboxRow, row_id, with_for_update=True)
            if row.state != "new":
                return
            row.attempts += 1
            row.error = f"{type(error).__name__}: {error}"[:500]
            row.retry_at = work.now + timedelta(seconds=min(2 ** (row.attempts - 1), 30))
            if row.attempts >= MAX_ATTEMPTS:
                row.state, row.retry_at = "dead", None
                if bury is not None:
                    await bury(work, row)
            work.session.add(row)


def _retries(now: datetime) -> Any:
    """The failed message whose time has come; it is the first of its conversation by construction."""
    due = InboxRow.state == "new", col(InboxRow.retry_at) > LONG_AGO, col(InboxRow.retry_at) <= now
    return select(InboxRow).where(*due).order_by(col(InboxRow.retry_at)).limit(1)


def fresh_rows(on_sqlite: bool) -> Any:
    """Never tried messages that nothing holds up, oldest first.

    A failed message holds up its conversation. On PostgreSQL other processes work too, so there only the first of each
    conversation counts; a window keeps the look short when one conversation has written thousands.
    """
    put_off = select(InboxRow.conversation).where(InboxRow.state == "new", col(InboxRow.retry_at) > LONG_AGO)
    free = (
        select(InboxRow)
        .where(InboxRow.state == "new", col(InboxRow.retry_at).is_(None))
        .where(col(InboxRow.conversation).not_in(put_off))
        .order_by(col(InboxRow.id))
    )
    if on_sqlite:
        return free
    oldest = free.with_only_columns(col(InboxRow.id)).limit(WINDOW).subquery()
    earlier = aliased(InboxRow)
    behind = exists().where(
        col(earlier.state) == "new",
        col(earlier.conversation) == col(InboxRow.conversation),
        col(earlier.id) < col(InboxRow.id),
    )
    return (
        select(InboxRow)
        .where(col(InboxRow.id).in_(select(oldest.c.id)), InboxRow.state == "new", ~behind)
        .order_by(col(InboxRow.id))
    )


def _key(incoming: Incoming) -> Key:
    return incoming.platform, incoming.account, incoming.message_id
