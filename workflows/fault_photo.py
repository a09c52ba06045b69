"""A photo without words, sent soon after a report or by whoever works on the fault, belongs to that fault."""

from datetime import timedelta

from storage.models import Fault
from workflows import fault_book as book
from workflows import files
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_photo")
WITHIN = timedelta(minutes=30)
"""After a report; a later photo of a reporter's may be about anything."""


async def photo(turn: Turn) -> bool:
    """Keep what is attached with the one fault it can mean; False when there is none, or several."""
    faults = [fault for fault in await book.find(turn.work) if _concerns(turn, fault)]
    fault = await book.load(turn.work, faults[0].number) if len(faults) == 1 else None
    if fault is None:
        return False
    await files.show_in_fault(turn.work, fault, files.names_of(turn.incoming))
    turn.audit("fault.photo", about=fault.number)
    if turn.direct:
        await turn.reply(WORDS("kept", number=fault.number), about=fault.number)
    return True


def _concerns(turn: Turn, fault: Fault) -> bool:
    me, fresh = turn.person.person_id, turn.work.now - fault.created_at <= WITHIN
    return (me in fault.reporters and fresh) or (fault.owner == me and fault.state in book.WORKING)
