"""What becomes of a message that was tried: recorded, put off, or given up.

Retries come after 1, 2, 4 … s, at most 30 s apart for ten minutes, then slower; after a day the message is given up.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Table, Update, bindparam
from sqlmodel import col, select, update

from storage.claims import Claimed
from storage.models import Delivery
from storage.ports import Outcome, Refused, Retry, SendError, Sent, Unsure
from storage.receipts import next_question
from storage.work import Work

LONGEST_WAIT = timedelta(seconds=30)
FAST_PERIOD = timedelta(minutes=10)
SLOW_RETRY = timedelta(minutes=2)
GIVE_UP = timedelta(hours=24)
OUTAGE = timedelta(minutes=1)
"""Trouble without a single success for this long is an outage: when it ends, what waits is tried at once."""

log = structlog.get_logger(__name__)

OnFailure = Callable[[Work, Delivery, bool], Awaitable[None]]
"""A row failed (True: for good; False: the fast retries are used up): turn to the next channel, tell people."""
OnAdvice = Callable[[Work, Delivery, str], Awaitable[None]]
"""A row went, but not by the best way: tell an operator what to do about it."""


@dataclass(frozen=True)
class Tried:
    """A claimed row and what the platform said."""

    claimed: Claimed
    outcome: Outcome


Arrival: TypeAlias = tuple[int, Sent, bool]
"""Of which attempt, what the platform said, and whether it will be asked who has read it."""


class Outcomes:
    """Records outcomes for one worker on one platform."""

    def __init__(
        self,
        platform: str,
        owner: str,
        on_failure: OnFailure,
        on_advice: OnAdvice | None = None,
        *,
        receipts: bool = False,
    ) -> None:
        """``receipts``: the platform can be asked who has read a message."""
        self._platform = platform
        self._receipts = receipts
        self._owner = owner
        self._on_failure, self._on_advice = on_failure, on_advice
        self._trouble_since: datetime | None = None
        self._arrived = _arrived(owner)
        self._arrived_and_asks = self._arrived.values(receipt_at=bindparam("asks_at"))

    async def record(self, work: Work, tried: Sequence[Tried]) -> None:
        """Write the outcomes, except of rows that another worker has taken over since."""
        arrived: dict[Arrival, list[int]] = defaultdict(list)
        for item in tried:
            if isinstance(item.outcome, Sent):
                claimed, asks = item.claimed, self._receipts and bool(item.outcome.provider_id)
                arrived[claimed.attempt, item.outcome, asks and claimed.worth_asking].append(claimed.row_id)
        for arrival, ids in arrived.items():
            await self._sent(work, arrival, ids)
            await self._advise(work, ids[0], arrival[1].advice)
        await self._failed(work, {i.claimed.row_id: i for i in tried if not isinstance(i.outcome, Sent)})

    async def _failed(self, work: Work, by_id: Mapping[int, Tried]) -> None:
        if not by_id:
            return
        query = select(Delivery).where(col(Delivery.id).in_(by_id)).order_by(col(Delivery.id))
        for row in (await work.session.exec(query.with_for_update())).all():
            item = by_id[row.id or 0]
            if (row.state, row.lease_owner, row.attempts) == ("sending", self._owner, item.claimed.attempt):
                row.lease_owner, row.lease_until = "", None
                work.session.add(row)
                if isinstance(item.outcome, Refused):
                    await self._give_up(work, row, item.outcome.reason)
                elif isinstance(item.outcome, SendError):
                    await self._put_off(work, row, item.outcome)

    async def _sent(self, work: Work, arrival: Arrival, ids: Sequence[int]) -> None:
        """All rows of a call at once: it is what happens all the time."""
        attempt, outcome, ask = arrival
        values: dict[str, Any] = {"ids": ids, "attempt": attempt, "at": work.now, "name": outcome.provider_id}
        values["becomes"] = "delivered" if outcome.delivered else "sent"
        if ask:
            values["asks_at"] = next_question(work.now, work.now)
        connection = await work.session.connection()
        await connection.execute(self._arrived_and_asks if ask else self._arrived, values)
        if self._trouble_since is not None and work.now - self._trouble_since > OUTAGE:
            await self._end_of_outage(work)
        self._trouble_since = None

    async def _advise(self, work: Work, row_id: int, advice: str) -> None:
        if not advice or self._on_advice is None:
            return
        try:
            async with work.attempt():
                await self._on_advice(work, await work.session.get_one(Delivery, row_id), advice)
        except Exception:  # as below
            log.exception("cannot pass advice on", delivery=row_id)

    async def _end_of_outage(self, work: Work) -> None:
        """The platform is back: what waits for its next try need not wait out the slow retries."""
        waiting = col(Delivery.platform) == self._platform, col(Delivery.state) == "pending"
        tried = col(Delivery.not_before) > work.now, col(Delivery.not_before) <= work.now + SLOW_RETRY
        query = update(Delivery).where(*waiting, *tried, col(Delivery.attempts) > 0)
        await work.session.exec(query.values(not_before=work.now).execution_options(synchronize_session=False))

    async def _put_off(self, work: Work, row: Delivery, outcome: SendError) -> None:
        self._trouble_since = self._trouble_since or work.now
        row.state, row.error = "pending", outcome.reason
        row.resend = row.resend or isinstance(outcome, Unsure)
        age = work.now - (row.tried_at or work.now)
        if age > GIVE_UP:
            await self._give_up(work, row, outcome.reason)
            return
        wait = min(timedelta(seconds=2 ** min(row.attempts - 1, 10)), LONGEST_WAIT)
        if age >= FAST_PERIOD:
            wait = SLOW_RETRY
            if not row.turned:
                row.turned = True
                await self._tell(work, row, final=False)
        named = outcome.not_before if isinstance(outcome, Retry) else None
        row.not_before = max(named, work.now + timedelta(seconds=1)) if named else work.now + wait

    async def _give_up(self, work: Work, row: Delivery, reason: str) -> None:
        row.state, row.error, row.turned = "failed", reason, True
        await self._tell(work, row, final=True)

    async def _tell(self, work: Work, row: Delivery, *, final: bool) -> None:
        """Let the workflows act on it; an error of theirs must not make us forget what was sent."""
        row_id = row.id
        try:
            async with work.attempt():
                await self._on_failure(work, row, final)
        except Exception:  # the outcome is recorded all the same
            log.exception("cannot act on a failed message", delivery=row_id)


def _arrived(owner: str) -> Update:
    """What is done for every message. Made once: making it takes longer than running it."""
    table: Table = Delivery.__table__  # type: ignore[attr-defined]  # SQLModel does not type it
    ours = table.c.state == "sending", table.c.lease_owner == owner, table.c.attempts == bindparam("attempt")
    return (
        update(table)
        .where(table.c.id.in_(bindparam("ids", expanding=True)), *ours)
        .values(state=bindparam("becomes"), sent_at=bindparam("at"), provider_id=bindparam("name"))
        .values(error="", lease_owner="", lease_until=None)
    )
