"""When a message cannot be delivered: the next channel, and who hears that a channel is down."""

from storage.models import Delivery
from storage.work import Work


async def turn_to_next_channel(work: Work, row: Delivery, final: bool) -> None:
    """Placeholder until the workflow lands."""
