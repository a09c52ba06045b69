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
from intents.words import load_toml

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
_PRIVATE = [re.compile(pattern) for pattern in load_toml("people.toml")["private"]]
_SPACED = re.compile(r"\s")
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
    """The text without numbers, addresses, passwords and names of people; ``known``: names of the organisation."""
    hidden = [match.span() for pattern in (*_PRIVATE, *_spread(text, known)) for match in pattern.finditer(text)]
    hidden += [(person.start, person.end) for person in People(known).find(text)]
    marks: dict[str, str] = {}
    for start, end in reversed(_joined(hidden)):
        mark = f"<{len(marks) + 1}>"
        marks[mark] = text[start:end]
        text = text[:start] + mark + text[end:]
    return Masked(text, marks)


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, those that overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _spread(text: str, known: Sequence[str]) -> list[re.Pattern[str]]:
    """Names that are written with blanks between their characters."""
    close = _SPACED.sub("", text)
    apart = [name for name in known if name in close and name not in text] if close != text else []
    return [re.compile(r"\s{0,4}".join(map(re.escape, name))) for name in apart]


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
