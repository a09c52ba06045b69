"""The incoming half of the bus: accept (commit, then acknowledge) and dispatch (in order per conversation).

A handled message and all it changed are one transaction, so a crash in the middle leaves the message unhandled and
nothing changed. A message that keeps failing is set aside as dead, and a person is told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import aliased
from sqlmodel import col, exists, select

from storage.messages import Incoming
from storage.models import InboxRow
from storage.work import Ground, Work

MAX_ATTEMPTS = 8
log = structlog.get_logger(__name__)

Handle = Callable[[Work, Incoming], Awaitable[None]]
Bury = Callable[[Work, InboxRow], Awaitable[None]]


class Inbox:
    """Accepts messages. Concurrent calls share one commit (group commit)."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._waiting: list[tuple[Incoming, asyncio.Future[bool]]] = []
        self._flushing = asyncio.Lock()

    async def accept(self, incoming: Incoming) -> bool:
        """Commit the message; True when it is new, False when it was known. Raises when the commit failed."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, future))
        async with self._flushing:
            if not future.done():
                await self._flush()
        return await future

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            async with self._ground.database.write() as session:
                insert = insert_sqlite if self._ground.database.is_sqlite else insert_postgresql
                statement = insert(InboxRow).on_conflict_do_nothing().returning(col(InboxRow.id))
                new = []
                for incoming, _ in batch:
                    row = self._row(incoming)
                    result = await session.execute(statement.values(**row))
                    new.append(result.first() is not None)
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else ConnectionError("stopped"))
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), is_new in zip(batch, new, strict=True):
            if not future.done():
                future.set_result(is_new)

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
            "lease_owner": "",
            "error": "",
            "written_at": min(incoming.written_at, now),
            "received_at": now,
        }


class Dispatcher:
    """Hands accepted messages to ``handle``, one transaction each; ``bury`` tells a person about a dead one."""

    def __init__(self, ground: Ground, handle: Handle, bury: Bury) -> None:
        self._ground = ground
        self._handle = handle
        self._bury = bury
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()
        ground.database.on_commit(self._wake.set)

    async def step(self) -> int:
        """Handle everything that waits and may be handled now; returns how many messages were."""
        handled = 0
        async with self._busy:
            while await self._handle_next():
                handled += 1
        return handled

    async def run(self) -> None:
        """Handle messages as they come, until cancelled."""
        while True:
            self._wake.clear()
            await self.step()
            await self._ground.clock.wait(self._wake, await self.next_due())

    async def next_due(self) -> datetime | None:
        """When the nearest message that failed before may be tried again."""
        query = select(InboxRow.retry_at).where(InboxRow.state == "new", col(InboxRow.retry_at).is_not(None))
        async with self._ground.database.read() as session:
            return (await session.exec(query.order_by(col(InboxRow.retry_at)).limit(1))).first()

    async def _handle_next(self) -> bool:
        async with self._ground.database.read() as session:
            if (await session.exec(self._query(self._ground.clock.now()))).first() is None:
                return False
        row_id: int | None = None
        try:
            async with self._ground.work() as work:
                row = (await work.session.exec(self._query(work.now).with_for_update(skip_locked=True))).first()
                if row is None:
                    return False
                row_id = row.id
                await self._handle(work, Incoming.model_validate(row.payload))
                row.state, row.error, row.retry_at = "done", "", None
                work.session.add(row)
        except Exception as error:  # one bad message must not stop the others
            if row_id is None:
                raise
            log.exception("message failed", inbox=row_id)
            await self._failed(row_id, error)
        return True

    async def _failed(self, row_id: int, error: Exception) -> None:
        async with self._ground.work() as work:
            row = await work.session.get_one(InboxRow, row_id)
            row.attempts += 1
            row.error = f"{type(error).__name__}: {error}"[:500]
            row.retry_at = work.now + timedelta(seconds=min(2 ** (row.attempts - 1), 30))
            if row.attempts >= MAX_ATTEMPTS:
                row.state, row.retry_at = "dead", None
                await self._bury(work, row)
            work.session.add(row)

    @staticmethod
    def _query(now: datetime):  # type: ignore[no-untyped-def]
        """The oldest waiting message that is first in its conversation and not put off."""
        earlier = aliased(InboxRow)
        behind = exists().where(
            col(earlier.state) == "new",
            col(earlier.conversation) == col(InboxRow.conversation),
            col(earlier.id) < col(InboxRow.id),
        )
        ready = col(InboxRow.retry_at).is_(None) | (col(InboxRow.retry_at) <= now)
        return select(InboxRow).where(InboxRow.state == "new", ready, ~behind).order_by(col(InboxRow.id)).limit(1)
