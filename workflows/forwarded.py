"""Words of the bot that come back: forwarded, or copied with the answer written behind them.

A copy with words behind it is an answer that quotes it. A copy alone asks nothing in a group; in private it is taken as
a question about the number it bears.
"""

import re

from intents.reading import Reading
from storage.messages import Quote
from workflows import fault_progress, meeting
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("forwarded")
COPY = re.compile(WORDS.get("match"))
NUMBER = re.compile(r"(?:GZ|HY)-\d{8}-\d{3,}")
LONGEST_ANSWER = 60


async def handled(turn: Turn) -> bool:
    """True when the message is only such a copy; one with an answer behind it goes on as that answer."""
    text = turn.incoming.text.strip()
    if turn.incoming.click or COPY.match(text) is None:
        return False
    copied, mark, said = text.rpartition(WORDS.get("end"))
    said = said.strip()
    if mark and 0 < len(said) <= LONGEST_ANSWER and NUMBER.search(said) is None:
        turn.incoming = turn.incoming.model_copy(update={"text": said, "quote": Quote(text=copied)})
        turn.numbers = ()
        return False
    if turn.direct:
        await _about(turn, NUMBER.findall(text)[:1])
    return True


async def _about(turn: Turn, numbers: list[str]) -> None:
    turn.numbers = tuple(numbers)
    is_fault = any(number.startswith("GZ-") for number in numbers)
    turn.reading = Reading("fault.query" if is_fault else "meeting.query", {}, 1.0, "act")
    await (fault_progress.query if is_fault else meeting.query)(turn)
