"""Escalation: who is told on each rung, in which words, and the all-clear when the answer comes."""

from storage.messages import Outgoing
from storage.models import Delivery, Obligation
from storage.obligations import settle_met
from storage.work import Work


async def climb(work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
    """Tell whoever ``rung`` names; False when the rung has no people."""
    return False


async def meet(work: Work, obligation: Obligation, *, by: str, via: str, at: object) -> None:
    """Meet an obligation and give everybody who was alarmed the all-clear."""
    settle_met(work, obligation, by=by, via=via, at=at)  # type: ignore[arg-type]


async def render(work: Work, row: Delivery) -> Outgoing | None:
    """The text of a reminder or an escalation at the moment of sending."""
    return None
