"""“5分”: what a reporter thinks of it when it is over. It is thanked for and kept in the record."""

import re

from storage.models import Fault
from storage.settings import parse_duration
from workflows import fault_book as book
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_score")


async def given(turn: Turn) -> bool:
    """Whether the text is a grade for a fault of the speaker's that has just ended; then it is kept."""
    if re.search(WORDS.get("grade"), turn.incoming.text.strip()) is None:
        return False
    return await _kept(turn)


async def score(turn: Turn) -> None:
    """A grade, as understood; silence when nothing has ended that it could be for."""
    await _kept(turn)


async def _kept(turn: Turn) -> bool:
    fault = await just_ended(turn)
    if fault is None:
        return False
    said = {"text": turn.incoming.text, "score": turn.slot("score")}
    turn.audit("fault.scored", about=fault.number, **said)
    await turn.reply(WORDS("thanks", number=fault.number), about=fault.number)
    return True


async def just_ended(turn: Turn) -> Fault | None:
    """The speaker's fault that ended last, within the last days; the one numbered, if any is."""
    since = turn.work.now - parse_duration(WORDS.get("within"))
    mine = await book.reported_by(turn.work, turn.person.person_id, ("observing", "closed"))
    recent = [fault for fault in mine if fault.closed_at is not None and fault.closed_at >= since]
    numbered = [fault for fault in recent if fault.number in turn.numbers]
    return max(numbered or recent, key=lambda fault: str(fault.closed_at), default=None)
