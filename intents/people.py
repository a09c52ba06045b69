"""Names of people: 老徐, 李工, 王主任 anywhere; bare names where the sentence makes room for one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from intents.common import words
from intents.words import load_toml

_WORDS = load_toml("people.toml")
_NOT_HERE = "(?!" + "|".join(_WORDS["not_names"]) + ")"
_SURNAME = _NOT_HERE + f"(?:{'|'.join(_WORDS['double'])}|[{_WORDS['surnames']}])"
_TITLE = "|".join(sorted(_WORDS["titles"], key=len, reverse=True))
_NOT = tuple(_WORDS["not_names"])
_CALLED = re.compile(
    rf"(?P<pet>(?:(?<![\u4e00-\u9fff])|(?<=[老小阿][{_WORDS['surnames']}])|(?<=[{_WORDS['before_pet']}]))[老小阿]{_SURNAME}){_WORDS['not_after_pet']}"
    rf"|(?P<titled>{_WORDS['not_before_title']}{_SURNAME}(?:[\u4e00-\u9fff]{{1,2}}(?=(?:{_TITLE})))?(?:{_TITLE}))"
    rf"(?!{_WORDS['not_after_title']})"
)
_BEFORE = "|".join(sorted(_WORDS["before_name"], key=len, reverse=True))
_FRAME = re.compile(rf"(?:{_BEFORE})(?P<name>{_SURNAME}[\u4e00-\u9fff]{{1,2}})")
_AFTER = re.compile(_WORDS["after_name"])
_HEAD = re.compile(rf"(?:^|[,.;!?、⌂\n和与跟])(?P<name>{_SURNAME}[\u4e00-\u9fff]{{1,2}})(?={_WORDS['does']})")
_NO_END = tuple(_WORDS["no_name_end"])
_PARTICLES = tuple(_WORDS["particles"])


@dataclass(frozen=True)
class Person:
    """A name as said, and where."""

    name: str
    start: int
    end: int


class People:
    """Finds names; `known` are names of the organisation, found wherever they stand."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        names = sorted({name for name in known if len(name) > 1}, key=len, reverse=True)
        self._known = frozenset(names)
        self._lengths = tuple(sorted({len(name) for name in names}, reverse=True))

    def find(self, text: str) -> list[Person]:
        """Names in order, none overlapping."""
        kept: list[Person] = []
        for person in (*self._listed(text), *self._called(text), *self._framed(text)):
            if all(person.end <= other.start or person.start >= other.end for other in kept):
                kept.append(person)
        return sorted(kept, key=lambda one: one.start)

    def _listed(self, text: str) -> list[Person]:
        if not self._known:
            return []
        return [
            Person(text[at : at + size], at, at + size)
            for at in range(len(text))
            for size in self._lengths
            if at + size <= len(text) and text[at : at + size] in self._known
        ]

    def _called(self, text: str) -> list[Person]:
        return [
            Person(match.group(), match.start(), match.end())
            for match in _CALLED.finditer(text)
            if not match.group().startswith(_NOT)
        ]

    def _framed(self, text: str) -> list[Person]:
        found = []
        for pattern in (_FRAME, _HEAD):
            for match in pattern.finditer(text):
                name = _cut(text, match.start("name"), match.end("name"))
                if name is not None:
                    found.append(name)
        return found


def _cut(text: str, start: int, end: int) -> Person | None:
    """Two or three characters: the longest after which the sentence goes on as it does after a name."""
    if text.startswith(_NOT, start):
        return None
    for stop in (end, end - 1):
        if stop - start == 3 and text[stop - 1 : stop + 1] in words():
            continue
        closed = _NO_END if stop - start == 3 else _PARTICLES
        if stop - start >= 2 and _AFTER.match(text[stop : stop + 4]) and not text[start:stop].endswith(closed):
            return Person(text[start:stop], start, stop)
    return None
