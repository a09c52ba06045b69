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
    rf"(?P<pet>(?<![\u4e00-\u9fff])[老小阿]{_SURNAME}|(?<=[让派归由叫请找给是和跟与替,、换成转烦⌂:.定])[老小阿]{_SURNAME})(?![\u4e00-\u9fff]?[会区镇县])"
    rf"|(?P<titled>(?<!工)(?<!副){_SURNAME}(?:[\u4e00-\u9fff]{{1,2}}(?=(?:{_TITLE})))?(?:{_TITLE}))(?!作|具|程(?!师)|业|会|室|商|厂|单(?!位)|期|资|地|时|共|结|数|体|是|要|台|站|理)")
_FRAME = re.compile(rf"(?:{'|'.join(sorted(_WORDS['before_name'], key=len, reverse=True))})(?P<name>{_SURNAME}[\u4e00-\u9fff]{{1,2}})")
_AFTER = re.compile(_WORDS["after_name"])
_HEAD = re.compile(rf"(?:^|[,.;!?、⌂\n和与跟])(?P<name>{_SURNAME}[\u4e00-\u9fff]{{1,2}})(?=负责|跟进|跟一|接手|牵头|对接|去处理|去⌂|值班|顶班|替|代班|到位|已到|就位|到岗|报到|和|与|、|换|接替|在现场|已在|主责)")


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
        return [Person(text[at:at + size], at, at + size) for at in range(len(text)) for size in self._lengths
                if text[at:at + size] in self._known]

    def _called(self, text: str) -> list[Person]:
        return [Person(match.group(), match.start(), match.end()) for match in _CALLED.finditer(text)
                if not match.group().startswith(_NOT)]

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
        if stop - start == 3 and text[stop - 1:stop + 1] in words():
            continue
        if stop - start >= 2 and _AFTER.match(text[stop:stop + 4]) and not text[start:stop].endswith(("去", "来", "的", "了", "在", "已", "都", "也", "刚", "就", "正", "吧", "呢", "啊", "呀", "对")):
            return Person(text[start:stop], start, stop)
    return None
