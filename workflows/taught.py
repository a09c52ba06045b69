"""A sentence that was misread and has been put right: read as an administrator accepted it, wherever it is said again.

It must be the same sentence, from the same kind of speaker, in answer to the same question. Nothing is closed, called
off, handed over or published on the strength of it: a correction to one of these is a regression example and no more.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from intents.proposal import INTENTS, Proposal
from intents.reading import Context, Evidence, Reading
from intents.understand import Understanding
from storage.learning import WordProposal

RULE = "taught"
_LEFT_OUT = re.compile(r"[\W_]+")
_HARMLESS = frozenset({*INTENTS, "none", ""})


class Taught:
    """The accepted corrections of one organisation; ``rows`` in the order of their numbers, the later one counts."""

    def __init__(self, rows: Sequence[WordProposal]) -> None:
        self._rows = {_key(row.text, row.detail.get("role"), row.detail.get("expecting")): row for row in rows}

    def read(self, understanding: Understanding, text: str, context: Context, found: list[Reading]) -> list[Reading]:
        """``found`` with what is known to be wrong in it put right."""
        row = self._rows.get(_key(text, context.role, context.expecting)) if self._rows else None
        wanted = str(row.detail.get("wanted") or "") if row is not None else ""
        if row is None or wanted not in _HARMLESS:
            return found
        right = _right(understanding, text, context, wanted)
        return [right if reading.intent == row.detail["intent"] else reading for reading in found]


def _right(understanding: Understanding, text: str, context: Context, wanted: str) -> Reading:
    why = (Evidence(RULE, 0, len(text), text),)
    read = understanding.assume(text, context, Proposal(wanted)) if wanted in INTENTS else None
    return replace(read, confidence=1.0, act="act", why=why) if read else Reading("none", {}, 1.0, "ignore", why)


def _key(text: str, role: str | None, expecting: str | None) -> tuple[str, str, str]:
    return _LEFT_OUT.sub("", text).casefold() or text, role or "", expecting or ""
