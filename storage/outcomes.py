"""What becomes of a message that was tried: recorded, put off, or given up.

Retries come after 1, 2, 4 … s, at most 30 s apart for ten minutes, then slower; after a day the message is given up.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import col, select, update

from storage.claims import Claimed
from storage.models import Delivery
from storage.ports import Outcome, Refused, Retry, SendError, Sent, Unsure
from storage.receipts import next_question, worth_asking
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


@dataclass(frozen=True)
class Tried:
    """A claimed row and what the platform said."""

    claimed: Claimed
    outcome: Outcome


class Outcomes:
    """Records outcomes for one worker on one platform."""

    def __init__(self, platform: str, owner: str, on_failure: OnFailure, *, receipts: bool = False) -> None:
        """``receipts``: the platform can be asked who has read a message."""
        self._platform = platform
        self._receipts = receipts
        self._owner = owner
        self._on_failure = on_failure
        self._trouble_since: datetime | None = None

    async def record(self, work: Work, tried: Sequence[Tried]) -> None:
        """Write the outcomes, except of rows that another worker has taken over since."""
        by_id = {item.claimed.row_id: item for item in tried}
        query = select(Delivery).where(col(Delivery.id).in_(by_id)).order_by(col(Delivery.id))
        for row in (await work.session.exec(query.with_for_update())).all():
            item = by_id[row.id or 0]
            if (row.state, row.lease_owner, row.attempts) == ("sending", self._owner, item.claimed.attempt):
                await self._settle(work, row, item.outcome)

    async def _settle(self, work: Work, row: Delivery, outcome: Outcome) -> None:
        row.lease_owner, row.lease_until = "", None
        work.session.add(row)
        if isinstance(outcome, Sent):
            await self._sent(work, row, outcome)
        elif isinstance(outcome, Refused):
            await self._give_up(work, row, outcome.reason)
        else:
            await self._put_off(work, row, outcome)

    async def _sent(self, work: Work, row: Delivery, outcome: Sent) -> None:
        row.state = "delivered" if outcome.delivered else "sent"
        row.sent_at, row.provider_id, row.error = work.now, outcome.provider_id, ""
        if self._receipts and worth_asking(row):
            row.receipt_at = next_question(work.now, work.now)
        if self._trouble_since is not None and work.now - self._trouble_since > OUTAGE:
            await self._end_of_outage(work)
        self._trouble_since = None

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
