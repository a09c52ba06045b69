"""A reading that an outside helper proposes for what the rules leave open: masked going out, checked coming in.

Phone numbers and names leave as marks. What comes back may name an intent that harms nobody, and literal parts of the
message as values; anything else in it (a value that was not said, an intent that closes or publishes, a text that is
no JSON) makes the whole proposal void. What it is worth is read by the own parsers (Understanding.assume).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from intents.people import People

INTENTS = (
    "fault.report",
    "fault.query",
    "fault.urge",
    "assist.request",
    "meeting.query",
    "duty.query",
    "consult",
    "help",
)
"""What may be proposed: nothing that closes, cancels, hands over or publishes."""
VALUES = ("site", "room", "device", "symptom", "time")
LONGEST = 4000
_NUMBER = re.compile(r"\+?\d(?:[\d\- ]{5,}\d)")
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True)
class Masked:
    """``text`` may leave the house; ``marks`` leads each mark back to what stood there."""

    text: str
    marks: Mapping[str, str] = field(default_factory=dict)

    def unmasked(self, text: str) -> str:
        for mark, said in self.marks.items():
            text = text.replace(mark, said)
        return text


@dataclass(frozen=True)
class Proposal:
    """An intent of INTENTS, and values (kind, words), each of them literally said."""

    intent: str
    values: tuple[tuple[str, str], ...] = ()


def masked(text: str, known: Sequence[str] = ()) -> Masked:
    """The text without phone numbers and names of people; ``known``: names of the organisation."""
    hidden = [(match.start(), match.end()) for match in _NUMBER.finditer(text)]
    hidden += [(person.start, person.end) for person in People(known).find(text)]
    marks: dict[str, str] = {}
    for start, end in sorted(hidden, reverse=True):
        if any(mark in text[start:end] for mark in marks):
            continue
        mark = f"<{len(marks) + 1}>"
        marks[mark] = text[start:end]
        text = text[:start] + mark + text[end:]
    return Masked(text, marks)


def checked(answer: str, asked: Masked) -> Proposal | None:
    """The proposal in what the helper answered; None when there is none that could be true."""
    found = _OBJECT.search(answer[:LONGEST])
    try:
        told = json.loads(found.group()) if found else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("intent") not in INTENTS:
        return None
    values = told.get("values") or {}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        return None
    said = [(kind, asked.unmasked(value)) for kind, value in values.items() if value]
    text = asked.unmasked(asked.text)
    if any(kind not in VALUES or value not in text for kind, value in said):
        return None
    return Proposal(told["intent"], tuple(said))
