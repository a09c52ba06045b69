"""Asks platforms whether personal notices and escalations have been read, seldom enough to spare their quotas.

Each send is asked about at growing intervals within the first hour, people who were served by one call together. What
the platform does not know soon after the send it never will; what it refuses (no permission, quota low) is not asked
again. Group messages are never asked about: a group has no reader whose reading would mean something.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import col, func, select, update

from storage.messages import Address
from storage.models import Delivery
from storage.ports import Receipts, Retry, SendError
from storage.work import Ground, Work

AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
"""How long after the send the questions come."""
OLDEST = timedelta(hours=24)
"""No platform knows longer than this."""
LOOK_EVERY = timedelta(seconds=20)
"""No commit wakes this part: nothing about it is urgent."""
BATCH = 5
"""Sends asked about in one round."""

ORDER = ("sending", "sent", "delivered", "read")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Question:
    """Who has read this send? ``last``: trouble with it ends the asking."""

    platform: str
    provider_id: str
    address: Address
    last: bool


def next_question(sent_at: datetime, now: datetime) -> datetime | None:
    """When to ask (again) about something sent at ``sent_at``; None: no more."""
    return next((sent_at + after for after in AFTER if sent_at + after > now), None)


def worth_asking(row: Delivery) -> bool:
    """Personal notices and escalations (once the platform has a name for them)."""
    personal = row.person_id is not None and ":direct:" in row.address
    return personal and row.kind.startswith(("notice", "escalation"))


async def receipt(
    work: Work, platform: str, provider_id: str, state: str, at: datetime, accounts: Collection[str] | None = None
) -> bool:
    """A platform says a message was ``delivered`` or ``read``; True when it is news. Receipts never go backwards.

    ``accounts``: by whom, where one send served several people.
    """
    query = select(Delivery).where(Delivery.platform == platform, Delivery.provider_id == provider_id)
    news = False
    for row in (await work.session.exec(query.with_for_update())).all():
        if row.state not in ORDER:
            continue
        if accounts is not None and Address.parse(row.address).id not in accounts:
            continue
        if ORDER.index(state) > ORDER.index(row.state):
            row.state, news = state, True
            if state == "read":
                row.read_at, row.receipt_at = at, None
            work.session.add(row)
    return news


class ReceiptReader:
    """Asks all platforms whose adapters know who has read what."""

    def __init__(self, ground: Ground, adapters: Mapping[str, Receipts]) -> None:
        self._ground = ground
        self._adapters = adapters
        self._stop = asyncio.Event()
        self._busy = asyncio.Lock()

    async def step(self) -> int:
        """Ask everything that is due; returns how many questions were asked."""
        total = 0
        async with self._busy:
            while not self._stop.is_set() and (questions := await self._claim()):
                for question in questions:
                    await self._ask(question)
                total += len(questions)
        return total

    async def run(self) -> None:
        """Ask as questions come due, until cancelled or stopped."""
        while not self._stop.is_set():
            await self.step()
            soon = self._ground.clock.now() + LOOK_EVERY
            await self._ground.clock.wait(self._stop, soon if self._adapters else None)

    def stop(self) -> None:
        """Ask no more; :meth:`run` returns when the round in hand is through."""
        self._stop.set()

    async def next_due(self) -> datetime | None:
        """When the nearest question is due."""
        if not self._adapters:
            return None
        [rows] = await self._ground.database.peek(select(func.min(Delivery.receipt_at)).where(self._ours()))
        moment: datetime | None = rows[0][0]
        return moment

    def _ours(self) -> Any:
        return col(Delivery.platform).in_(self._adapters)

    async def _claim(self) -> list[Question]:
        """Take the next questions, and put all rows of the same sends off to their next one."""
        due = await self.next_due()
        if due is None or due > self._ground.clock.now():
            return []
        async with self._ground.work() as work:
            query = select(Delivery).where(self._ours(), col(Delivery.receipt_at) <= work.now)
            query = query.order_by(col(Delivery.receipt_at)).limit(BATCH).with_for_update(skip_locked=True)
            firsts = {(row.platform, row.provider_id): row for row in (await work.session.exec(query)).all()}
            for platform, provider_id in firsts:
                together = select(Delivery).where(
                    Delivery.platform == platform,
                    Delivery.provider_id == provider_id,
                    col(Delivery.receipt_at).is_not(None),
                )
                for row in (await work.session.exec(together)).all():
                    row.receipt_at = next_question(row.sent_at or work.now, work.now)
                    work.session.add(row)
            return [_question(row, work.now) for row in firsts.values() if work.now - _sent(row) <= OLDEST]

    async def _ask(self, question: Question) -> None:
        accounts: frozenset[str] = frozenset()
        over = False
        try:
            accounts = await self._adapters[question.platform].readers(question.address, question.provider_id)
        except SendError as error:
            over = question.last or not isinstance(error, Retry)
            log.info("no read receipts", platform=question.platform, reason=error.reason, over=over)
        except Exception:  # an adapter's fault must not stop the others
            log.exception("asking for read receipts failed", platform=question.platform)
        if accounts:
            async with self._ground.work() as work:
                await receipt(work, question.platform, question.provider_id, "read", work.now, accounts)
        elif over:
            await self._end(question)

    async def _end(self, question: Question) -> None:
        async with self._ground.work() as work:
            ours = col(Delivery.platform) == question.platform, col(Delivery.provider_id) == question.provider_id
            await work.session.exec(update(Delivery).where(*ours).values(receipt_at=None))


def _sent(row: Delivery) -> datetime:
    return row.sent_at or row.created_at


def _question(row: Delivery, now: datetime) -> Question:
    return Question(row.platform, row.provider_id, Address.parse(row.address), now - _sent(row) >= AFTER[1])
