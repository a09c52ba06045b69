"""The database: SQLite in WAL mode by default, PostgreSQL by URL; one way to read and one way to write.

On SQLite a deferred BEGIN loses updates and collides (measured), so every write transaction starts with BEGIN IMMEDIATE
and writers of this process queue on a lock instead of polling the file. Whoever sleeps on the tables is woken by
commits: those of this process at once, those of others by LISTEN/NOTIFY on PostgreSQL and by a look twice a second on
SQLite.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, Select, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.sqlite_hops import spare_trips

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
CHANNEL = "huibao"
LOOK_EVERY = 0.5
"""Seconds between looks for commits of other processes on SQLite."""
CONFLICTS = ("40001", "40P01", "23505")
"""SQLSTATEs of serialization failures, deadlocks, and of two transactions making the same row."""

TOUCHED = "huibao_touched"

Listener = Callable[[], None]


def _note_changes(connection: Connection, statement: Any, *_: Any) -> None:
    """Remember beside the connection which tables its transaction changes."""
    if getattr(statement, "is_dml", False):
        connection.info.setdefault(TOUCHED, set()).add(str(statement.table.name))


def _from_json(text: str) -> Any:
    """A stored JSON value. Most are empty, and those are had for nothing."""
    return [] if text == "[]" else {} if text == "{}" else json.loads(text)


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction got in between: the same work may simply be done again."""
    if isinstance(error, StaleDataError):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in CONFLICTS


class Database:
    """Opens ``url`` (``sqlite:///…`` or ``postgresql://…``); ``close()`` it when done."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.url = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._name = uuid.uuid4().hex[:12]
        self._lock = asyncio.Lock()
        self._listeners: list[tuple[Listener, frozenset[str]]] = []
        if self.is_sqlite:
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite_engine(self.url, "BEGIN IMMEDIATE", pool_size=1)
            self._reader = _sqlite_engine(self.url, "BEGIN", pool_size=4)
            self._peeker = _sqlite_engine(self.url, "", pool_size=2)
        else:
            self._writer = self._reader = create_async_engine(self.url, pool_size=8, pool_pre_ping=True)
            self._peeker = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(self._writer.sync_engine, "after_execute", _note_changes)

    @property
    def engine(self) -> AsyncEngine:
        """The writing engine (for migrations and health checks)."""
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; nothing done in it is kept."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    async def peek(self, *statements: Select[Any]) -> list[Sequence[Any]]:
        """Rows of plain queries, each seen by itself: for looks that are made all the time. Lighter than a session."""
        async with self._peeker.connect() as connection:
            return [(await connection.execute(statement)).all() for statement in statements]

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One write transaction: commits at the end of the block, rolls back when it raises."""
        touched: set[str] = set()
        try:
            async with self._lock if self.is_sqlite else nullcontext(), self._transaction(touched) as session:
                yield session
        finally:
            # After an error too: who is cancelled during the commit may have committed; a wake too many is harmless.
            self._announce(touched)

    @asynccontextmanager
    async def _transaction(self, touched: set[str]) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
            yield session
            await session.flush()
            connection = await session.connection()
            touched |= connection.sync_connection.info.pop(TOUCHED, set()) if connection.sync_connection else set()
            if touched and not self.is_sqlite:
                payload = ",".join([self._name, *sorted(touched)])
                await session.exec(select(func.pg_notify(CHANNEL, payload)))

    # ---- waking those who wait for changes

    def on_commit(self, listener: Listener, *tables: str) -> None:
        """Call ``listener`` after every commit that changed one of ``tables`` (any, when none is named)."""
        self._listeners.append((listener, frozenset(tables)))

    def _announce(self, touched: Collection[str]) -> None:
        if touched:
            for listener, tables in list(self._listeners):
                if not tables or not tables.isdisjoint(touched):
                    listener()

    def _announce_all(self) -> None:
        for listener, _ in list(self._listeners):
            listener()

    async def watch(self, stop: asyncio.Event) -> None:
        """Notice what other processes commit, until ``stop``. Raises when the database is out of reach: start again."""
        await (self._watch_sqlite(stop) if self.is_sqlite else self._watch_postgresql(stop))

    async def _watch_sqlite(self, stop: asyncio.Event) -> None:
        # A connection of the pool: its thread does not keep the process from ending, whenever we are cancelled.
        async with self._peeker.connect() as connection:
            seen = await _data_version(connection)
            while not await _within(stop, LOOK_EVERY):
                now = await _data_version(connection)
                if now != seen:
                    seen = now
                    self._announce_all()

    async def _watch_postgresql(self, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(_plain(self.url))
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: lost.set())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._announce_all()
            while not await _within(stop, LOOK_EVERY):
                if lost.is_set():
                    raise ConnectionError("the listening connection was lost")
        finally:
            await connection.close(timeout=2)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        origin, *tables = str(payload).split(",")
        if origin != self._name:
            self._announce(tables)

    async def close(self) -> None:
        """Give back all connections."""
        await self._writer.dispose()
        await self._reader.dispose()
        await self._peeker.dispose()


async def _within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for ``stop``, at most ``seconds`` of real time; whether it was set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _data_version(connection: AsyncConnection) -> int:
    return int((await connection.exec_driver_sql("PRAGMA data_version")).scalar_one())


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _sqlite_engine(url: URL, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        pool_reset_on_return="rollback" if begin else None,
        connect_args={"timeout": 30, "isolation_level": None},
        json_deserializer=_from_json,
    )
    spare_trips(engine)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        if begin:
            connection.exec_driver_sql(begin)

    return engine
