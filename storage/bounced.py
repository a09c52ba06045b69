"""A message that had left comes back: its delivery has failed after all, and the workflows act on it."""

import structlog
from sqlmodel import select

from storage.models import Delivery
from storage.outcomes import OnFailure
from storage.work import Ground

LEFT = ("sent", "delivered", "read")
PREFIX = "hb-"
LONGEST_REASON = 200

log = structlog.get_logger(__name__)


class StillSendingError(RuntimeError):
    """It came back before its sending was recorded: to be told again in a moment."""


async def bounced(ground: Ground, on_failure: OnFailure, platform: str, key: str, reason: str) -> None:
    """Mark the delivery behind ``key`` (that of its send job) failed because of ``reason``; once."""
    number = key.removeprefix(PREFIX)
    if not number.isdigit():
        return
    async with ground.work() as work:
        query = select(Delivery).where(Delivery.id == int(number), Delivery.platform == platform)
        row = (await work.session.exec(query.with_for_update())).first()
        if row is not None and row.state == "sending":
            raise StillSendingError(key)
        if row is None or row.state not in LEFT:
            return
        row.state, row.error, row.turned, row.receipt_at = "failed", reason[:LONGEST_REASON], True, None
        work.session.add(row)
        work.audit("message.bounced", about=row.about, via=platform, to=row.address, reason=row.error)
        try:
            async with work.attempt():
                await on_failure(work, row, True)
        except Exception:  # that it failed is recorded all the same
            log.exception("cannot act on a message that came back", delivery=number)
    log.info("a message came back", platform=platform, delivery=number)
