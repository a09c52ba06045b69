"""Taking messages back. A recall travels as a delivery of its own, so that it comes before what is said afterwards.

Best effort: what a platform cannot take back is not tried again, and the workflows hear that it stayed.
"""

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery
from storage.outbox import post
from storage.ports import Adapter, Outcome, Recalls, Refused, SendError, SendJob, Sent
from storage.work import Work

KIND = "recall"
HINT = "recall"


async def recall(work: Work, row: Delivery) -> bool:
    """Have a sent message taken back, for everybody it went to in one call; False when that was asked for before."""
    message = Outgoing(text="", about=row.about, urgency=Urgency.NOTICE)
    key = f"{KIND}:{row.platform}:{row.provider_id}"
    return await post(work, Address.parse(row.address), message, key=key, kind=KIND, hints={HINT: row.provider_id})


async def send_or_recall(adapter: Adapter, job: SendJob) -> dict[Address, Outcome]:
    """Do what a delivery is for."""
    if HINT not in job.hints:
        return await adapter.send(job)
    return {address: await _take_back(adapter, address, job.hints[HINT]) for address in job.addresses}


async def _take_back(adapter: Adapter, address: Address, provider_id: str) -> Outcome:
    if not isinstance(adapter, Recalls):
        return Refused("this platform takes nothing back")
    try:
        gone = await adapter.recall(address, provider_id)
    except SendError as error:
        return Refused(error.reason)
    return Sent(delivered=True) if gone else Refused("the platform did not take it back")
