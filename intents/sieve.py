"""Which of many patterns can match a text at all, told by the characters in it.

A pattern for 投影 or 大屏 matches no text in which neither of the two stands. Most patterns speak of something that a
given message does not: a look at its characters and pairs of characters, once for all patterns, spares trying them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import add
from typing import Generic, TypeVar

Key = TypeVar("Key")
Needs = frozenset[str]
"""Characters and pairs of them of which at least one must stand in the text; empty where nothing can be said."""

_NOTHING: Needs = frozenset()
_TOKEN = re.compile(
    r"(?P<plain>[^\\\[\](){}|?*+.^$]+(?![?*+{])|[^\\\[\](){}|?*+.^$])"
    r"|(?P<open>\((?:\?(?:[:=!]|<[=!]|P<\w+>)|(?!\?)))|(?P<close>\))|(?P<or>\|)"
    r"|(?P<often>[?*+][?+]?|\{\d*,?\d*\}[?+]?)"
    r"|(?P<listed>\[[^\\\]^-][^\\\]-]*\])|(?P<unlisted>\[\^?\]?(?:\\.|[^\\\]])*\]|\\[dDsSwWbBnt]|[.^$])"
    r"|(?P<mark>\\[^a-zA-Z0-9])|(?P<strange>.)",
    re.DOTALL,
)
_SINGLE = 5
"""How much more common a character is than a pair."""
_LOOKS_ASIDE = ("(?=", "(?!", "(?<=", "(?<!")


class Sieve(Generic[Key]):
    """Patterns under their keys, in order. Readings are the same with or without it; only sooner with."""

    def __init__(self, patterns: Iterable[tuple[Key, re.Pattern[str]]]) -> None:
        self._patterns = tuple(patterns)
        waiting: dict[str, set[int]] = {}
        always: set[int] = set()
        for at, (_, pattern) in enumerate(self._patterns):
            needs = needed(pattern)
            for gram in needs:
                waiting.setdefault(gram, set()).add(at)
            if not needs:
                always.add(at)
        self._always = frozenset(always)
        self._waiting = {gram: frozenset(found) for gram, found in waiting.items()}

    def candidates(self, text: str) -> list[tuple[Key, re.Pattern[str]]]:
        """In order, every pattern that can match somewhere in the text, and few others."""
        grams = [*text, *map(add, text, text[1:])]
        found = self._always.union(*filter(None, map(self._waiting.get, grams)))
        return [self._patterns[at] for at in sorted(found)]


def needed(pattern: re.Pattern[str]) -> Needs:
    """What must stand in a text for the pattern to match: of a row of pieces the one that says most.

    Look-arounds say nothing, nor do ranges and what may be left out; nor does a pattern with anything unusual in it.
    """
    if pattern.flags != re.UNICODE:
        return _NOTHING
    groups = [_Group()]
    for token in _TOKEN.finditer(pattern.pattern):
        kind, text = token.lastgroup, token.group()
        if kind == "strange":
            return _NOTHING
        if kind == "open":
            groups.append(_Group(aside=text in _LOOKS_ASIDE))
        elif kind == "close":
            inner = groups.pop().needs()
            groups[-1].add(inner)
        elif kind == "or":
            groups[-1].next_way()
        elif kind == "often":
            if text[0] in "?*" or text[1:2] in ("0", ","):
                groups[-1].may_lack()
        else:
            groups[-1].add(_of_piece(kind, text))
    return groups[0].needs()


def _of_piece(kind: str | None, text: str) -> Needs:
    """A word is told by its last two characters."""
    if kind == "plain":
        return frozenset((text[-2:],))
    if kind == "mark":
        return frozenset(text[1])
    return frozenset(text[1:-1]) if kind == "listed" else _NOTHING


def _commonness(needs: Needs) -> int:
    """How likely one of them stands in a text that has nothing to do with the pattern."""
    return sum(1 if len(gram) > 1 else _SINGLE for gram in needs)


class _Group:
    """A group while it is read: what its ways need that are over, and the pieces of the one being read."""

    def __init__(self, *, aside: bool = False) -> None:
        self._ways: list[Needs] = []
        self._best = self._last = _NOTHING
        self._aside = aside

    def add(self, needs: Needs) -> None:
        """One more piece; what follows may still say that the text need not have it."""
        self._settle()
        self._last = needs

    def may_lack(self) -> None:
        """The last piece need not be there."""
        self._last = _NOTHING

    def next_way(self) -> None:
        """What follows is said instead."""
        self._settle()
        self._ways.append(self._best)
        self._best = _NOTHING

    def needs(self) -> Needs:
        """At the end: what every way of the group needs, each its own."""
        self.next_way()
        return _NOTHING.union(*self._ways) if all(self._ways) and not self._aside else _NOTHING

    def _settle(self) -> None:
        if self._last and (not self._best or _commonness(self._last) < _commonness(self._best)):
            self._best = self._last
        self._last = _NOTHING
