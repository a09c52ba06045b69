"""What a change of words alters: the regression examples read with the shipped words and with an operator's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from intents.edition import load
from intents.overlay import HERE, TEXTS, WordsError, known_intents, near
from intents.proposal import Proposal
from intents.reading import Context, Place, Reading
from intents.understand import Understanding

NAME = "examples.jsonl"
"""Beside the shipped words and in the operator's folder: one object a line, with ``text``, ``now``, ``intent`` (what it
should mean; or ``not``: what it must not be taken for; or ``site``: the text is another name of that site) and, where
it matters, ``role``, ``chat``, ``expecting`` and ``step``."""

_TEXTS = ("text", "now", "intent", "not", "site", "role", "chat", "expecting", "step")


@dataclass(frozen=True)
class Example:
    """A line to be read, and what it should mean (``intent``) or must not be taken for (``denied``)."""

    text: str
    context: Context
    intent: str
    denied: str = ""
    site: str = ""

    def fits(self, reading: Reading) -> bool:
        """Whether it is read as it should be."""
        if self.site:
            return reading.slots.get("site") == [self.site]
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
    shipped, laid_over = Understanding, load(folder)
    before, after = shipped([]), laid_over([])
    own, every = list(_examples(folder / NAME)), examples(folder)
    read = [
        Difference(one, _find(shipped, one), _find(laid_over, one))
        if one.site
        else Difference(one, _read(before, one), _read(after, one))
        for one in every
    ]
    changed = [one for one in read if _told(one.before) != _told(one.after)]
    misread = [one for one in read if one.example in own and not one.example.fits(one.after)]
    return Comparison(len(every), changed, misread)


def _read(understanding: Understanding, example: Example) -> Reading:
    return understanding.read(example.text, example.context)


def _find(understanding: type[Understanding], example: Example) -> Reading:
    """The name read where it is one of its site, as the place of a fault."""
    place = Place("1", example.site, (example.text,), "", "county", None)
    found = understanding([place]).assume(example.text, example.context, Proposal("fault.report"))
    return found or Reading("none")


def _told(reading: Reading) -> tuple[object, ...]:
    return reading.intent, reading.slots, reading.act


def _examples(path: Path) -> Iterator[Example]:
    if not path.exists():
        return
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WordsError("unreadable", file=path.name, why=error) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _example(line)
            except _Unfit as why:
                raise WordsError("bad_example", file=path.name, line=number, why=why) from why


class _Unfit(ValueError):
    """An example cannot be used; the message says why, in Chinese."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(TEXTS["example"][key].format(**values))


def _example(line: str) -> Example:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _Unfit("no_json") from error
    if not isinstance(row, dict):
        raise _Unfit("no_json")
    for name in ("text", "now"):
        if name not in row:
            raise _Unfit("lacks", name=name)
    wrong = next((name for name in _TEXTS if not isinstance(row.get(name) or "", str)), None)
    if wrong:
        raise _Unfit("no_text", name=wrong)
    meant = [name for name in ("intent", "not", "site") if row.get(name)]
    if len(meant) != 1:
        raise _Unfit("meaning")
    intents = known_intents()
    for name in ("intent", "not"):
        if row.get(name) and row[name] not in intents:
            raise _Unfit("no_intent", intent=row[name], near=near(row[name], intents))
    return Example(row["text"], _context(row), row.get("intent") or "", row.get("not") or "", row.get("site") or "")


def _context(row: dict[str, str]) -> Context:
    try:
        now = datetime.fromisoformat(row["now"])
    except ValueError as error:
        raise _Unfit("no_moment", now=row["now"]) from error
    now = now if now.tzinfo else now.astimezone()
    return Context(now, row.get("role") or "client", row.get("chat") or "group", row.get("expecting"), row.get("step"))
