"""Everyday words, from jieba's dictionary: a slip is only mended where no such word stands."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

_COMMON = 20
_LONGEST = 4


@lru_cache(maxsize=1)
def words() -> frozenset[str]:
    """Words of two to four characters that are used often enough to be meant.

    Read from the dictionary file of jieba; its tokenizer takes a second and 100 MB that nothing here would repay.
    """
    found = importlib.util.find_spec("jieba")
    if found is None or found.origin is None:
        raise ValueError("jieba is not installed")
    kept = set()
    with Path(found.origin).with_name("dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, count, _ = line.split(" ", 2)
            if 1 < len(word) <= _LONGEST and int(count) >= _COMMON:
                kept.add(word)
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
