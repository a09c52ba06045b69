"""A notice called off right after it was published: where the platform can, what was sent is taken back."""

from datetime import timedelta

from sqlmodel import col, select

from storage.models import Delivery, Notice
from storage.recall import recall
from storage.work import Work
from workflows.notice_letters import KIND

WITHIN = timedelta(minutes=2)
MOST = 100
"""Sends taken back in one transaction; one send may have served twenty people."""


async def fresh(work: Work, number: str) -> Notice | None:
    """The newest notice of a meeting while it may still be taken back."""
    query = select(Notice).where(Notice.meeting == number).order_by(col(Notice.version).desc()).limit(1)
    notice = (await work.session.exec(query)).first()
    return notice if notice is not None and work.now - notice.published_at <= WITHIN else None


async def take_back(work: Work, number: str, who: str) -> None:
    """Recall the messages of a notice that is not older than two minutes; the rest is left to the cancellation."""
    notice = await fresh(work, number)
    if notice is None:
        return
    sent = select(Delivery).where(
        Delivery.about == number,
        Delivery.kind == KIND,
        Delivery.provider_id != "",
        Delivery.created_at >= notice.published_at,
        col(Delivery.state).in_(("sent", "delivered", "read")),
    )
    sends = {(row.platform, row.provider_id): row for row in (await work.session.exec(sent)).all()}
    for row in list(sends.values())[:MOST]:
        await recall(work, row)
    if sends:
        work.audit("notice.recalled", about=number, who=who, version=notice.version, sends=min(len(sends), MOST))
