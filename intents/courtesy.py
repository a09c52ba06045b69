"""What is said for politeness around a message: greetings before it, thanks behind it, marks at its end.

It is set aside before anything else is read, so that it cannot change what is understood. A message that is nothing
else stays as it is.
"""

from __future__ import annotations

import re

from intents.phrases import spelled_out
from intents.words import compiled, load_toml

_DATA = load_toml("courtesy.toml")
_MARKS = " ,.;!?~:、-\n"
_TAIL_MARKS = " ,.;!~、\n"
_LISTS = {**_DATA["list"], "mark": [f"[{re.escape(_MARKS)}]"]}
_LONGEST, _MOST = 32, 6


def _pattern(name: str) -> re.Pattern[str]:
    return compiled(spelled_out(_DATA["pattern"][name], _LISTS, f"courtesy.toml: {name}"), f"courtesy.toml: {name}")


_OPENS, _OPENS_CLOSE, _WHO = _pattern("opens"), _pattern("opens_close"), _pattern("who")
_ENDS, _ENDS_CLOSE, _BREATH, _FACE = (_pattern(name) for name in ("ends", "ends_close", "breath", "face"))


def core(text: str, blanks: frozenset[int]) -> tuple[int, int] | None:
    """Where what is said begins and ends in a normalised text; None when there is nothing but courtesy.

    `blanks` are the offsets before which a blank stood.
    """
    end = _end(text, blanks)
    start = _start(text[:end], blanks)
    left = text[start:end]
    addressed = len(left) < len(text) and _WHO.fullmatch(left) is not None
    return (start, end) if any(char.isalnum() for char in left) and not addressed else None


def _start(text: str, blanks: frozenset[int]) -> int:
    at = 0
    for _ in range(_MOST):
        found = _opening(text, at, blanks)
        if found == at:
            break
        at = found
    return at


def _opening(text: str, at: int, blanks: frozenset[int]) -> int:
    """Behind the greeting at `at` and the marks after it; `at` itself when there is none."""
    while at < len(text) and text[at] in _TAIL_MARKS:
        at += 1
    window = text[at : at + _LONGEST]
    said = _OPENS.match(window)
    after = at + said.end() if said else at
    if said and (text[after : after + 1] in _MARKS or after in blanks):
        while after < len(text) and text[after] in _MARKS:
            after += 1
        return after
    close = _OPENS_CLOSE.match(window)
    return at + close.end() if close else at


def _end(text: str, blanks: frozenset[int]) -> int:
    end = len(text.rstrip(_TAIL_MARKS))
    for _ in range(_MOST):
        found = _closing(text, end, blanks)
        if found == end:
            break
        end = found
    return end


def _closing(text: str, end: int, blanks: frozenset[int]) -> int:
    """Before the thanks that end at `end` and the marks before them; `end` itself when there are none."""
    begin = max(0, end - _LONGEST)
    window = text[begin:end]
    for pattern in (_FACE, _BREATH):
        found = pattern.search(window)
        if found:
            return len(text[: begin + found.start()].rstrip(_TAIL_MARKS))
    for found in _ENDS.finditer(window):
        at = begin + found.start()
        if at == 0 or text[at - 1] in _MARKS or at in blanks:
            return len(text[:at].rstrip(_TAIL_MARKS))
    close = _ENDS_CLOSE.search(window)
    return begin + close.start() if close else end
