"""The audit chain: append-only, each entry's hash covers the one before.

Workflows write entries unsealed inside their transaction; one sealer (a lease) numbers and chains what is committed
within a second. ``verify`` walks the chain and names the first broken entry; the unsealed tail is reported apart. The
head is noted beside the chain, so that entries cut off its end are missed too.
"""

import asyncio
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import AuditEntry, Counter, Lease
from storage.work import Ground

GENESIS = "0" * 64
LEASE = timedelta(seconds=15)
PAUSE = timedelta(milliseconds=500)
SLICE = 500
HEAD = "audit_head"
"""The counter that holds the number of the newest sealed entry."""


def entry_hash(previous: str, entry: AuditEntry, seq: int) -> str:
    """SHA-256 over the previous hash and every field of the entry as number ``seq`` (canonical JSON, time in UTC)."""
    body = {
        "seq": seq,
        "at": entry.at.astimezone(UTC).isoformat(),
        "who": entry.who,
        "what": entry.what,
        "about": entry.about,
        "via": entry.via,
        "detail": entry.detail,
    }
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


class Sealer:
    """Seals committed entries; only one process at a time holds the lease."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._owner = uuid.uuid4().hex
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._take_over_at: datetime | None = None
        ground.database.on_commit(self._wake.set, "audit")

    async def step(self) -> int:
        """Seal everything unsealed; returns how many entries were."""
        sealed = 0
        while await self._anything_waits():
            try:
                async with self._ground.database.write() as session:
                    count = await _seal(session) if await self._hold_lease(session) else 0
            except IntegrityError:  # another process made the lease at the same moment: it seals
                self._take_over_at = self._ground.clock.now() + LEASE
                break
            sealed += count
            if not count:
                break
        return sealed

    async def run(self) -> None:
        """Seal at most twice a second, until cancelled or stopped."""
        clock = self._ground.clock
        while not self._stop.is_set():
            self._wake.clear()
            await self.step()
            if not self._stop.is_set():
                await clock.wait(self._wake, self._take_over_at)
                await clock.wait(self._stop, clock.now() + PAUSE)
        await self.step()

    def stop(self) -> None:
        """Let :meth:`run` return after one last look."""
        self._stop.set()
        self._wake.set()

    async def _anything_waits(self) -> bool:
        waiting = select(AuditEntry.id).where(col(AuditEntry.seq).is_(None)).limit(1)
        return any(await self._ground.database.peek(waiting))

    async def _hold_lease(self, session: AsyncSession) -> bool:
        now = self._ground.clock.now()
        lease = (await session.exec(select(Lease).where(Lease.name == "sealer").with_for_update())).one_or_none()
        self._take_over_at = None
        if lease is not None and lease.owner != self._owner and now < lease.until <= now + LEASE:
            self._take_over_at = lease.until
            return False
        lease = lease or Lease(name="sealer", owner=self._owner, until=now)
        lease.owner, lease.until, lease.token = self._owner, now + LEASE, lease.token + 1
        session.add(lease)
        await session.flush()
        return True


async def _seal(session: AsyncSession) -> int:
    last = select(AuditEntry).where(col(AuditEntry.seq).is_not(None)).order_by(col(AuditEntry.seq).desc()).limit(1)
    previous = (await session.exec(last)).first()
    seq, digest = (previous.seq or 0, previous.hash) if previous else (0, GENESIS)
    waiting = select(AuditEntry).where(col(AuditEntry.seq).is_(None)).order_by(col(AuditEntry.id)).limit(SLICE)
    sealed = []
    for entry in (await session.exec(waiting)).all():
        seq += 1
        digest = entry_hash(digest, entry, seq)
        sealed.append({"row_id": entry.id, "seq": seq, "hash": digest})
    if sealed:
        table = AuditEntry.__table__  # type: ignore[attr-defined]  # SQLModel does not type it
        statement = update(table).where(table.c.id == bindparam("row_id"))
        connection = await session.connection()
        await connection.execute(statement.values(seq=bindparam("seq"), hash=bindparam("hash")), sealed)
        await session.merge(Counter(name=HEAD, value=seq))
    return len(sealed)


@dataclass(frozen=True)
class Verdict:
    """What ``bot.py audit verify`` found. ``broken_seq`` is the first entry that does not fit; None when all do."""

    sealed: int
    unsealed: int
    broken_seq: int | None


async def verify(ground: Ground) -> Verdict:
    """Walk the chain from the first entry to the noted head."""
    async with ground.database.read() as session:
        waiting = select(func.count()).select_from(AuditEntry).where(col(AuditEntry.seq).is_(None))
        unsealed = (await session.exec(waiting)).one()
        noted = await session.get(Counter, HEAD)
        digest, expected, size = GENESIS, 1, SLICE
        while True:
            query = select(AuditEntry).where(col(AuditEntry.seq) >= expected).order_by(col(AuditEntry.seq)).limit(size)
            try:
                entries = (await session.exec(query)).all()
            except ValueError:  # somebody wrote into a column what it cannot hold: which entry is it?
                if size == 1:
                    return Verdict(expected - 1, unsealed, expected)
                size = 1
                continue
            for entry in entries:
                digest = entry_hash(digest, entry, expected)
                if entry.seq != expected or entry.hash != digest:
                    return Verdict(expected - 1, unsealed, expected)
                expected += 1
            session.expunge_all()
            if len(entries) < size:
                cut = noted is not None and noted.value >= expected
                return Verdict(expected - 1, unsealed, expected if cut else None)
