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
_MIDDLE = f"[^\\W\\d_a-z{''.join(_WORDS['particles'])}]"
_ONE_CHARACTER = "".join(title for title in _WORDS["titles"] if len(title) == 1)
_NOT = tuple(_WORDS["not_names"])
_CALLED = re.compile(
    rf"(?P<pet>(?:(?<![\u4e00-\u9fff])|(?<=[老小阿][{_WORDS['surnames']}])|(?<=[{_WORDS['before_pet']}])|{_WORDS['before_pet_day']})[老小阿]{_SURNAME}){_WORDS['not_after_pet']}"
    rf"|(?P<titled>{_WORDS['not_before_title']}{_SURNAME}(?:{_MIDDLE}{{1,2}}?(?=(?:{_TITLE})))??(?:{_TITLE}))"
    rf"(?!(?<=[{_ONE_CHARACTER}])(?:{_WORDS['not_after_title']}))"
)
_BEFORE = "|".join(sorted(_WORDS["before_name"], key=len, reverse=True))
_BARE = f"(?![{_WORDS['weak']}]){_SURNAME}"
_FRAME = re.compile(rf"(?:{_BEFORE})(?P<name>{_BARE}[\u4e00-\u9fff]{{1,2}}|[小阿]{_MIDDLE})")
_AFTER = re.compile(_WORDS["after_name"])
_HEAD = re.compile(rf"(?:^|[,.;!?、⌂\n和与跟])(?P<name>{_BARE}[\u4e00-\u9fff]{{1,2}})(?={_WORDS['does']})")
_NEXT = re.compile(rf"(?:[、,]|和|与|跟|及)(?P<name>{_BARE}[\u4e00-\u9fff]{{1,2}})")
_SIGNS_IN = re.compile(_WORDS["signs_in"])
_SIGNED = re.compile(rf"(?:[,.;:、⌂\d\n]|{_WORDS['signs_in']})(?P<name>{_BARE}[\u4e00-\u9fff]{{1,2}})(?=$|[,.;])")
_THOUGH = re.compile(_WORDS["comes_or_is_joined"])
_LONGEST = 4
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
        found, at = [], 0
        while (match := _CALLED.search(text, at)) is not None:
            if match.group().startswith(_NOT) or _goes_on(text, match.end()):
                at = match.end()
            elif _inside(text, match):
                at = match.start() + 1
            else:
                found.append(Person(match.group(), match.start(), match.end()))
                at = match.end()
        return found

    def _framed(self, text: str) -> list[Person]:
        found = []
        for pattern in (_FRAME, _HEAD, *([_SIGNED] if _SIGNS_IN.search(text) else [])):
            for match in pattern.finditer(text):
                name = _cut(text, match.start("name"), match.end("name"))
                while name is not None:
                    found.append(name)
                    following = _NEXT.match(text, name.end)
                    name = following and _cut(text, following.start("name"), following.end("name"), listed=True)
        return found


def _inside(text: str, match: re.Match[str]) -> bool:
    """Whether what looks like a family name before a title ends a word ("办公室主任", "那边师傅"), or an office stands
    between them ("吉应急局")."""
    if match["titled"] is None:
        return False
    start, end = match.span()
    if end - start == _LONGEST and text[end - 1] in _WORDS["office_titles"] and text[start + 1 : end - 1] in words():
        return True
    return text[start - 1 : start + 1] in words() and text[start - 2 : start] not in words()


def _goes_on(text: str, end: int) -> bool:
    """Whether the last character of a title is the first of a word instead ("都关了总闸")."""
    if _THOUGH.match(text, end):
        return False
    return text[end - 1 : end + 1] in words() and text[end - 2 : end] not in words()


def _cut(text: str, start: int, end: int, listed: bool = False) -> Person | None:
    """Two or three characters: the longest after which the sentence goes on as it does after a name.

    `listed`: beside another name, where any word may follow."""
    if text.startswith(_NOT, start):
        return None
    for stop in (end, end - 1):
        if stop - start == 3 and text[stop - 1 : stop + 1] in words() and text[stop : stop + 2] not in words():
            continue
        closed = _NO_END if stop - start == 3 else _PARTICLES
        goes_on = _AFTER.match(text[stop : stop + 4]) or (listed and text[stop : stop + 2] in words())
        if stop - start >= 2 and goes_on and not text[start:stop].endswith(closed):
            return Person(text[start:stop], start, stop)
    return None
