"""Two acts in one message: "收到，但投影坏了" receives and reports."""

from __future__ import annotations

import re
from collections.abc import Callable

from intents.clauses import split
from intents.normal import normalise
from intents.reading import Reading
from intents.words import load_toml

_WORDS = load_toml("acts.toml")
_FIRST = frozenset(_WORDS["first"])
_AFTER = frozenset(_WORDS["after_first"])
_TURN = re.compile(_WORDS["turn"])
_LONGEST = int(_WORDS["longest_first"])
_MOST = 400

Read = Callable[[str, bool, bool], Reading]
"""The text, whether it opens a new matter, and whether it is what somebody saw who has just arrived."""


def parts(text: str, whole: Reading, read: Read) -> list[Reading]:
    """The acts in order when there are several, else nothing. Offsets stay those of the whole text."""
    if len(text) > _MOST or whole.intent.startswith("meeting.notice"):
        return []
    normal = normalise(text)
    turn = _TURN.search(normal.text, 1)
    if turn is not None:
        return _both(text, normal.span(turn.start(), turn.start())[0], read, True)
    clauses = split(normal.text)
    if len(clauses) < 2 or len(clauses[0].text) > _LONGEST:
        return []
    return _both(text, normal.span(clauses[1].start, clauses[1].start)[0], read, False)


def _both(text: str, cut: int, read: Read, turned: bool) -> list[Reading]:
    """`turned`: the second part opens a new matter, so that what was asked is not about it."""
    head = read(text[:cut] + "\n" * (len(text) - cut), False, False)
    tail = read("\n" * cut + text[cut:], turned, head.intent == "arrive")
    return [head, tail] if (_different if turned else _answers_first)(head, tail) else []


def _different(head: Reading, tail: Reading) -> bool:
    return "none" not in (head.intent, tail.intent) and head.intent != tail.intent


def _answers_first(head: Reading, tail: Reading) -> bool:
    return head.intent in _FIRST and tail.intent in _AFTER
