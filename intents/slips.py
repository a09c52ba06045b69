"""Slips of the ear and the finger, mended without moving a character."""

from __future__ import annotations

import re

from intents.common import stands_free
from intents.lexicon import WordIndex
from intents.sieve import Sieve
from intents.sounds import sound
from intents.words import load_toml

_SHORTEST, _LONGEST = 3, 5
_CHINESE = re.compile("[\u4e00-\u9fff]+$")
_DATA = load_toml("slips.toml")


def _exact() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(wrong), right) for wrong, right in _DATA["exact"].items())


def _named() -> list[str]:
    """Devices and topics: their words need not be repeated in the vocabulary."""
    things = load_toml("things.toml")
    lists = [*things["device"].values(), *(entry.split("|") for topic in things["system"].values() for entry in topic)]
    return [word for words in lists for word in words if _SHORTEST <= len(word) <= _LONGEST and _CHINESE.match(word)]


_EXACT = _exact()
_SIEVE = Sieve((right, wrong) for wrong, right in _EXACT)

_RIGHT = frozenset(_DATA["right"])
_HEARD = WordIndex({sound(word): word for word in (*_named(), *_DATA["vocabulary"])})


def mend(text: str, held: list[tuple[int, int]]) -> str:
    """The text with slips mended, same length. `held` are places that are right as they are."""
    kept = bytearray(len(text))
    for start, end in held:
        kept[start:end] = b"\x01" * (end - start)
    if _SIEVE.candidates(text):
        text = _mend_exactly(text, kept)
    heard = sound(text)
    for start, end, word in _HEARD.find(heard):
        if text[start:end] != word and not any(kept[start:end]) and _meant(text, start, end, word):
            text = text[:start] + word + text[end:]
    return text


def _mend_exactly(text: str, kept: bytearray) -> str:
    """One slip after another: what one mends, a later one may read."""
    for pattern, right in _EXACT:
        for match in pattern.finditer(text):
            if len(match.group()) == len(right) and not any(kept[match.start() : match.end()]):
                text = text[: match.start()] + right + text[match.end() :]
    return text


def _meant(text: str, start: int, end: int, word: str) -> bool:
    same = sum(one == other for one, other in zip(text[start:end], word, strict=True))
    return (
        same > 0
        and not any(right in text[start:end] for right in _RIGHT)
        and "\u4e00" <= text[start] <= "\u9fff"
        and stands_free(text, start, end)
    )
