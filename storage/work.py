"""One transaction's worth of change: the unit of work that a workflow is given.

State, obligations, audit and outgoing messages are written through one :class:`Work`, committed together or not at all.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import insert, inspect
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.clock import Clock
from storage.database import Database
from storage.directory import Directory, DirectoryCache
from storage.messages import Incoming
from storage.models import AuditEntry, Counter, Delivery
from storage.settings import Settings


class Manners(Protocol):
    """When a message may be sent at the earliest; ``after``: how long after a quiet time it should come."""

    async def __call__(self, work: "Work", row: Delivery, after: timedelta = timedelta()) -> datetime: ...


@dataclass
class Work:
    """What a workflow may use: the session, the time of this transaction, the organisation, the configuration."""

    session: AsyncSession
    now: datetime
    org: Directory
    settings: Settings
    platforms: frozenset[str] = field(default_factory=frozenset)
    """Platforms that are switched on: where messages can go."""
    manners: Manners | None = None
    heard: Incoming | None = None
    """The message being answered: whoever wrote it is awake."""
    memo: dict[Any, Any] = field(default_factory=dict)
    """What is read once for the whole transaction, by whoever reads it."""
    _entries: list[dict[str, Any]] = field(default_factory=list)
    """What :meth:`audit` noted; written together at the end of the transaction."""

    @property
    def zone(self) -> ZoneInfo:
        """The operator's time zone."""
        return ZoneInfo(self.settings.timezone)

    def local(self, moment: datetime) -> datetime:
        """A moment in the operator's time zone."""
        return moment.astimezone(self.zone)

    def audit(self, what: str, about: str = "", who: str = "huibao", via: str = "", **detail: Any) -> None:
        """Record who did what, and upon which message; sealed into the chain within a second of the commit."""
        if self.heard is not None:
            detail["message"] = f"{self.heard.platform}:{self.heard.account}:{self.heard.message_id}"
        # Values, not an AuditEntry: making those would take longer than writing them.
        row = {"at": self.now, "who": who, "what": what, "about": about, "via": via, "detail": detail, "hash": ""}
        self._entries.append(row)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A part of the transaction that may fail by itself: when it raises, nothing of it is kept."""
        noted = len(self._entries)
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self._entries[noted:]
            raise

    async def write_entries(self) -> None:
        """Put what was noted for the record into the transaction (done by whoever opened it)."""
        if self._entries:
            await (await self.session.connection()).execute(insert(AuditEntry), self._entries)
            self._entries.clear()

    async def add_many(self, rows: Iterable[SQLModel]) -> None:
        """Insert new rows in one statement per table, for broadcasts: they are not tracked and learn no id."""
        tables: dict[Any, list[dict[str, Any]]] = {}
        for row in rows:
            table = inspect(type(row)).local_table
            values = {name: value for name, value in row.__dict__.items() if name in table.c}
            if values.get("id", 0) is None:
                del values["id"]
            tables.setdefault(table, []).append(values)
        connection = await self.session.connection()
        for table, values_of in tables.items():
            await connection.execute(insert(table), values_of)

    async def next_number(self, prefix: str, day: datetime) -> str:
        """The next ``PREFIX-YYYYMMDD-NNN`` of a local day."""
        name = f"{prefix}-{self.local(day):%Y%m%d}"
        return f"{name}-{await self.count(name):03d}"

    async def count(self, name: str, by: int = 1) -> int:
        """Add to a named counter and return its new value (the row is locked until the transaction ends)."""
        query = select(Counter).where(Counter.name == name).with_for_update()
        counter = (await self.session.exec(query)).one_or_none()
        if counter is None:
            counter = Counter(name=name)
        counter.value += by
        self.session.add(counter)
        await self.session.flush()
        return counter.value


class Ground:
    """Database, clock, configuration and the organisation: opens units of work."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self.database = database
        self.clock = clock
        self.settings = settings
        self.platforms = settings.platforms
        """Where messages can go: what the configuration switches on, once composed only what has an adapter."""
        self.manners: Manners | None = None
        """When what the bot says of itself may be said; the workflows provide it."""
        self.still_mannerly: Manners | None = None
        """The same, asked once more before it is sent: it may have waited into the night."""
        self._directory = DirectoryCache()

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """One write transaction as a :class:`Work`."""
        async with self.database.write() as session:
            work = await self._work(session)
            yield work
            await work.write_entries()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Work]:
        """The same for reading only: nothing done in it is kept."""
        async with self.database.read() as session:
            yield await self._work(session)

    async def count(self, name: str, by: int) -> int:
        """Add to a named counter in a transaction of its own (quotas); ``by`` 0 reads it."""
        async with self.work() as work:
            return await work.count(name, by)

    async def _work(self, session: AsyncSession) -> Work:
        org = await self._directory.get(session)
        return Work(session, self.clock.now(), org, self.settings, self.platforms, self.manners)
