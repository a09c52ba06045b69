"""Whether a pattern may take for ever over some text: a repeat without end in another one, or two of them in a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_REPEATS = frozenset({codes.MAX_REPEAT, codes.MIN_REPEAT})
_MANY = 60
"""From here on a counted repeat is as bad as one without end."""


def may_be_slow(pattern: str) -> bool:
    """True for "(a+)+" and for "a*b*": the time grows with a power of the length of the text. re.error: no pattern."""
    try:
        return _repeats(parser.parse(pattern)) > 1
    except RecursionError as error:
        raise re.error("nested too deeply") from error


def _repeats(pieces: Iterable[tuple[Any, Any]]) -> int:
    """How many repeats without end one way through the pattern meets; one inside another counts as two."""
    return sum(_of(code, value) for code, value in pieces)


def _of(code: Any, value: Any) -> int:
    if code in _REPEATS:
        _, most, body = value
        inner = _repeats(body)
        return inner + 1 if most == codes.MAXREPEAT or most >= _MANY else inner
    if code is codes.BRANCH:
        return max(map(_repeats, value[1]))
    if code is codes.SUBPATTERN:
        return _repeats(value[3])
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return _repeats(value[1])
    return 0
