"""A message as clauses, and which part of it is the sender's own word."""

from __future__ import annotations

import re
from dataclasses import dataclass

from intents.words import load_toml

_CUT = re.compile(r"[,;!?\n]+|\.(?!\d)|(?<!\d)\.")
_QUOTED_LINE = re.compile(r"(?m)^\s*>.*$")
_REPLY_HEAD = re.compile(r"^\s*\"[^\"\n]{1,24}:[^\"]{1,400}\"\s*\n?-*\n", re.DOTALL)
_TOLD = re.compile(load_toml("polarity.toml")["told_speech"])


@dataclass(frozen=True)
class Clause:
    """Normalised offsets of one clause, its text, and the mark that ended it."""

    start: int
    end: int
    text: str
    mark: str

    @property
    def asks(self) -> bool:
        return "?" in self.mark


def split(text: str) -> list[Clause]:
    """Clauses in order; none is empty."""
    found: list[Clause] = []
    at = 0
    for cut in _CUT.finditer(text):
        if cut.start() > at:
            found.append(Clause(at, cut.start(), text[at : cut.start()], cut.group()))
        at = cut.end()
    if at < len(text):
        found.append(Clause(at, len(text), text[at:], ""))
    return found


def own_word_mask(text: str) -> str:
    """The text with quoted lines, the quoted head of a reply and told speech blanked by line breaks (same length)."""
    for pattern in (_REPLY_HEAD, _QUOTED_LINE):
        text = pattern.sub(lambda match: "\n" * len(match.group()), text)
    return _TOLD.sub(lambda match: match[1] + "\n" * len(match[2]), text) if '"' in text else text
