"""What a change of words alters: the regression examples read with the shipped words and with an operator's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from intents.edition import load
from intents.overlay import HERE, WordsError
from intents.reading import Context, Reading
from intents.understand import Understanding

NAME = "examples.jsonl"
"""Beside the shipped words and in the operator's folder: one object a line, with ``text``, ``now``, ``intent`` (what it
should mean; or ``not``: what it must not be taken for) and, where it matters, ``role``, ``chat``, ``expecting`` and
``step``."""


@dataclass(frozen=True)
class Example:
    """A line to be read, and what it should mean (``intent``) or must not be taken for (``denied``)."""

    text: str
    context: Context
    intent: str
    denied: str = ""

    def fits(self, reading: Reading) -> bool:
        """Whether it is read as it should be."""
        return reading.intent == self.intent if self.intent else reading.intent != self.denied


@dataclass(frozen=True)
class Difference:
    """An example read with the shipped words and with the operator's."""

    example: Example
    before: Reading
    after: Reading


@dataclass(frozen=True)
class Comparison:
    """How many examples were read, which of them read differently, and which of the operator's own read wrongly."""

    count: int
    changed: list[Difference]
    misread: list[Difference]


def examples(folder: Path) -> list[Example]:
    """The shipped examples and those of ``folder``. WordsError names the first line that cannot be read."""
    return [example for place in (HERE, folder) for example in _examples(place / NAME)]


def compared(folder: Path) -> Comparison:
    """Reads all examples with the shipped words and with those of ``folder``. WordsError: these cannot be used."""
    before, after = Understanding([]), load(folder)([])
    own, every = list(_examples(folder / NAME)), examples(folder)
    read = [Difference(one, _read(before, one), _read(after, one)) for one in every]
    changed = [one for one in read if _told(one.before) != _told(one.after)]
    misread = [one for one in read if one.example in own and not one.example.fits(one.after)]
    return Comparison(len(every), changed, misread)


def _read(understanding: Understanding, example: Example) -> Reading:
    return understanding.read(example.text, example.context)


def _told(reading: Reading) -> tuple[object, ...]:
    return reading.intent, reading.slots, reading.act


def _examples(path: Path) -> Iterator[Example]:
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                yield _example(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise WordsError("bad_example", file=path.name, line=number, why=error) from error


def _example(row: dict[str, str]) -> Example:
    context = Context(
        datetime.fromisoformat(row["now"]),
        row.get("role") or "client",
        row.get("chat") or "group",
        row.get("expecting"),
        row.get("step"),
    )
    if "intent" not in row and "not" not in row:
        raise KeyError("intent")
    return Example(row["text"], context, row.get("intent", ""), row.get("not", ""))
