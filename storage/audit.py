"""The audit chain: append-only, each entry's hash covers the one before.

Workflows write entries unsealed inside their transaction; one sealer (a lease) numbers and chains what is committed within
a second. ``verify`` walks the chain and names the first broken entry; the unsealed tail is reported apart.
"""

import asyncio
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import AuditEntry, Lease
from storage.work import Ground

GENESIS = "0" * 64
LEASE = timedelta(seconds=15)
PAUSE = timedelta(milliseconds=500)
SLICE = 500


def entry_hash(previous: str, entry: AuditEntry) -> str:
    """SHA-256 over the previous hash and every field of the entry (canonical JSON, time in UTC)."""
    body = {
        "seq": entry.seq,
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
        ground.database.on_commit(self._wake.set)

    async def step(self) -> int:
        """Seal everything unsealed; returns how many entries were."""
        async with self._ground.database.read() as session:
            waiting = select(AuditEntry.id).where(col(AuditEntry.seq).is_(None)).limit(1)
            if (await session.exec(waiting)).first() is None:
                return 0
        async with self._ground.database.write() as session:
            if not await self._hold_lease(session):
                return 0
            return await _seal(session)

    async def run(self) -> None:
        """Seal at most twice a second, until cancelled."""
        while True:
            self._wake.clear()
            await self.step()
            await self._ground.clock.wait(self._wake, None)
            await self._ground.clock.wait(asyncio.Event(), self._ground.clock.now() + PAUSE)

    async def _hold_lease(self, session: AsyncSession) -> bool:
        now = self._ground.clock.now()
        lease = (await session.exec(select(Lease).where(Lease.name == "sealer").with_for_update())).one_or_none()
        if lease is not None and lease.owner != self._owner and lease.until > now:
            return False
        lease = lease or Lease(name="sealer", owner=self._owner, until=now)
        lease.owner, lease.until, lease.token = self._owner, now + LEASE, lease.token + 1
        session.add(lease)
        return True


async def _seal(session: AsyncSession) -> int:
    last = select(AuditEntry).where(col(AuditEntry.seq).is_not(None)).order_by(col(AuditEntry.seq).desc()).limit(1)
    previous = (await session.exec(last)).first()
    seq, digest = (previous.seq or 0, previous.hash) if previous else (0, GENESIS)
    waiting = select(AuditEntry).where(col(AuditEntry.seq).is_(None)).order_by(col(AuditEntry.id)).limit(SLICE)
    entries = (await session.exec(waiting)).all()
    for entry in entries:
        seq += 1
        entry.seq = seq
        digest = entry.hash = entry_hash(digest, entry)
        session.add(entry)
    return len(entries)


@dataclass(frozen=True)
class Verdict:
    """What ``bot.py audit verify`` found. ``broken_seq`` is the first entry that does not fit; None when all do."""

    sealed: int
    unsealed: int
    broken_seq: int | None


async def verify(ground: Ground) -> Verdict:
    """Walk the chain from the first entry."""
    async with ground.database.read() as session:
        unsealed = (
            await session.exec(select(func.count()).select_from(AuditEntry).where(col(AuditEntry.seq).is_(None)))
        ).one()
        digest, expected = GENESIS, 1
        while True:
            query = select(AuditEntry).where(col(AuditEntry.seq) >= expected).order_by(col(AuditEntry.seq)).limit(SLICE)
            entries = (await session.exec(query)).all()
            for entry in entries:
                digest = entry_hash(digest, entry)
                if entry.seq != expected or entry.hash != digest:
                    return Verdict(expected - 1, unsealed, expected)
                expected += 1
            if len(entries) < SLICE:
                return Verdict(expected - 1, unsealed, None)
