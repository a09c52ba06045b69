"""Raw mails as they were fetched, and how far a mailbox has been read.

A mail is kept here before the mailbox is told that it was seen, so a crash at any moment loses none: what is ``new``
is taken after the restart. UIDs only say where to go on; that a mail is handled once is up to the inbox.
"""

import asyncio
from collections.abc import Collection, Coroutine
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, col, func, select, update

from storage.database import Database
from storage.files import FileStore
from storage.settings import Settings
from storage.work import Work

MOST_ATTEMPTS = 8
FINISH_SECONDS = 5.0
T = TypeVar("T")

log = structlog.get_logger(__name__)


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Do it to its end even when the caller is cancelled: a transaction torn in the middle leaks its connection."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        done, _ = await asyncio.wait([task], timeout=FINISH_SECONDS)
        if done and not task.cancelled() and task.exception() is not None:
            log.info("failed while being stopped", error=type(task.exception()).__name__)
        raise


LARGEST_KEPT = 60 * 1024 * 1024
"""Bytes of a raw mail that the store takes; what is fetched at all is up to the mailbox."""
SOURCE = "source"
"""The hint of a message that names its raw mail."""
TELLING = ("subject", "left_out", SOURCE)
"""Hints that hold words of the mail, or lead to them."""


class StoredLetter(SQLModel, table=True):
    """One mail of a mailbox. ``state``: new (kept, not yet taken) · taken · dead (given up, ``error`` says why).

    ``sha256`` names the raw mail in the store of mails; it is empty for one that could not be fetched.
    """

    __tablename__ = "letter"
    __table_args__ = (UniqueConstraint("mailbox", "uidvalidity", "uid"), Index("letter_state", "state", "id"))
    id: int | None = Field(default=None, primary_key=True)
    mailbox: str
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    sha256: str = ""
    size: int = 0
    state: str = "new"
    attempts: int = 0
    error: str = ""
    arrived_at: datetime | None = None
    stored_at: datetime


class MailboxPlace(SQLModel, table=True):
    """How far a mailbox has been read: everything up to ``uid`` under this UIDVALIDITY is kept or was too old."""

    __tablename__ = "mailbox_place"
    mailbox: str = Field(primary_key=True)
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    read_at: datetime


def mail_store(settings: Settings) -> FileStore:
    """Where the raw mails of an installation lie."""
    return FileStore(settings.data_path / "mail", LARGEST_KEPT)


async def forget(work: Work, sha256: str) -> None:
    """Keep a raw mail no longer (it may not be kept): neither the mail nor its name."""
    await work.session.exec(update(StoredLetter).where(col(StoredLetter.sha256) == sha256).values(sha256="", size=0))
    await mail_store(work.settings).forget(sha256)


class Letters:
    """The two tables, for one mailbox."""

    def __init__(self, database: Database, mailbox: str) -> None:
        self._database, self._mailbox = database, mailbox
        self._insert = insert_sqlite if database.is_sqlite else insert_postgresql

    async def place(self) -> MailboxPlace | None:
        """Where reading stopped; None when this mailbox has never been read."""
        async with self._database.read() as session:
            return await session.get(MailboxPlace, self._mailbox)

    async def arrive(self, uidvalidity: int, uid: int, now: datetime) -> None:
        """Remember that reading has come this far."""
        async with self._database.write() as session:
            place = await session.get(MailboxPlace, self._mailbox)
            if place is None:
                place = MailboxPlace(mailbox=self._mailbox, uidvalidity=uidvalidity, uid=uid, read_at=now)
            place.uidvalidity, place.uid, place.read_at = uidvalidity, uid, now
            session.add(place)

    async def known(self, uidvalidity: int, uids: Collection[int]) -> set[int]:
        """Those of the UIDs that are kept already."""
        found: set[int] = set()
        wanted = sorted(uids)
        for start in range(0, len(wanted), 500):
            query = select(StoredLetter.uid).where(
                StoredLetter.mailbox == self._mailbox,
                StoredLetter.uidvalidity == uidvalidity,
                col(StoredLetter.uid).in_(wanted[start : start + 500]),
            )
            [rows] = await self._database.peek(query)
            found.update(row[0] for row in rows)
        return found

    async def keep(self, letter: StoredLetter) -> None:
        """Add a mail; a known one changes nothing."""
        row = letter.model_dump(exclude={"id"}) | {"mailbox": self._mailbox}
        async with self._database.write() as session:
            await session.exec(self._insert(StoredLetter).values(row).on_conflict_do_nothing())

    async def waiting(self, limit: int = 50) -> list[StoredLetter]:
        """Mails that are kept and not yet taken, oldest first; those that failed before come after the others."""
        query = select(StoredLetter).where(StoredLetter.state == "new", StoredLetter.mailbox == self._mailbox)
        async with self._database.read() as session:
            query = query.order_by(col(StoredLetter.attempts), col(StoredLetter.id)).limit(limit)
            return list((await session.exec(query)).all())

    async def taken(self, letter: StoredLetter) -> None:
        """It has become a message, or needs not."""
        await self._set(letter, state="taken", error="")

    async def failed(self, letter: StoredLetter, error: str) -> bool:
        """It could not be taken; True when it is given up."""
        attempts = letter.attempts + 1
        dead = attempts >= MOST_ATTEMPTS
        await self._set(letter, state="dead" if dead else "new", error=error[:500], attempts=attempts)
        return dead

    async def outlived(self, before: datetime, limit: int = 100) -> list[str]:
        """SHA-256 of raw mails that were kept before a moment and are dealt with, the oldest first."""
        done = StoredLetter.mailbox == self._mailbox, StoredLetter.state != "new", StoredLetter.sha256 != ""
        query = select(StoredLetter.sha256).where(*done, StoredLetter.stored_at < before)
        [rows] = await self._database.peek(query.order_by(col(StoredLetter.id)).limit(limit))
        return [row[0] for row in rows]

    async def dead(self) -> int:
        """How many were given up."""
        query = select(func.count()).where(StoredLetter.state == "dead", StoredLetter.mailbox == self._mailbox)
        [rows] = await self._database.peek(query)
        return int(rows[0][0])

    async def _set(self, letter: StoredLetter, **values: object) -> None:
        async with self._database.write() as session:
            await session.exec(update(StoredLetter).where(col(StoredLetter.id) == letter.id).values(**values))
