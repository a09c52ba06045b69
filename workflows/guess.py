"""“您是想……吗？”: a reading that is only a guess is put to the one who wrote, and done when they say so."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from intents.reading import Reading
from storage.messages import Incoming
from workflows import choices
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("guess")
NAME = "guess"
ASKED: Mapping[str, str] = WORDS.get("intent")
"""Intents that are put as a question, and how each is called."""
LIKENESS = "second_opinion"
"""The evidence of what no rule holds for: it is like what others have said."""
LATER = 200
"""Answers given after the question are counted from here, so that none shares its key with an earlier one."""


def is_one(reading: Reading) -> bool:
    """Whether to ask before anything is begun, or anybody booked as having taken it: it is no more than likely."""
    if reading.intent in WORDS.get("unless_sure"):
        alike = any(one.rule == LIKENESS for one in reading.why)
        return alike and reading.confidence < WORDS.get("sure")
    return reading.act == "ask" and reading.intent in WORDS.get("before_acting")


def is_open(reading: Reading) -> bool:
    """Whether no rule had anything to say about a message, so that somebody else might."""
    return any(one.rule.partition(".")[0] in WORDS.get("open") for one in reading.why)


async def ask(turn: Turn, reading: Reading) -> None:
    """Put the guess as a numbered question; the message waits with it."""
    pending = {
        "intent": reading.intent,
        "slots": {key: value for key, value in reading.slots.items() if not isinstance(value, datetime)},
        "message": turn.incoming.model_dump(mode="json"),
    }
    question = WORDS("question", what=ASKED[reading.intent], said=_short(turn.incoming.text))
    await choices.ask(turn, NAME, question, [(WORDS("yes"), "yes"), (WORDS("no"), "no")], pending=pending)


def meant(turn: Turn, pending: Mapping[str, Any]) -> Turn:
    """The turn of the message that waited, now read as its writer confirmed."""
    incoming = Incoming.model_validate(pending["message"])
    reading = Reading(str(pending["intent"]), dict(pending["slots"]), 1.0, "act")
    return Turn(turn.work, incoming, turn.person, turn.group, reading, turn.numbers, turn.expectations, LATER)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
