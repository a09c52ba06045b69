"""Everyday words, from jieba's dictionary: a slip is only mended where no such word stands."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from itertools import islice
from pathlib import Path

_PIECE = 5000
_ENTRY = re.compile(r"^(\S{2,4}) (?:[2-9]\d|\d{3,}) ", re.MULTILINE)
"""A word with how often it was counted: twenty times or more."""


@lru_cache(maxsize=1)
def words() -> frozenset[str]:
    """Words of two to four characters that are used often enough to be meant.

    Read from the dictionary file of jieba; its tokenizer takes a second and 100 MB that nothing here would repay.
    """
    found = importlib.util.find_spec("jieba")
    if found is None or found.origin is None:
        raise ValueError("jieba is not installed")
    kept: set[str] = set()
    with Path(found.origin).with_name("dict.txt").open(encoding="utf-8") as lines:
        while piece := "".join(islice(lines, _PIECE)):
            kept.update(_ENTRY.findall(piece))
    return frozenset(kept)


def stands_free(text: str, start: int, end: int) -> bool:
    """True when [start, end) is no everyday word itself and cuts none that reaches over its edges."""
    known = words()
    if text[start:end] in known:
        return False
    return not any(_cuts(text, edge, known) for edge in (start, end))


def _cuts(text: str, edge: int, known: frozenset[str]) -> bool:
    for begin in range(max(0, edge - 2), edge):
        for stop in range(edge + 1, min(len(text), begin + 3) + 1):
            if text[begin:stop] in known:
                return True
    return False
