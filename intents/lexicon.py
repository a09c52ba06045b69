"""Longest-match lookup of many fixed strings: a dictionary, and for each first character pair the lengths to try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

Value = TypeVar("Value")


class WordIndex(Generic[Value]):
    """Finds the words of `entries` in a text, leftmost longest, never overlapping. Cost grows with the text only."""

    def __init__(self, entries: Mapping[str, Value]) -> None:
        self._entries = entries
        lengths: dict[str, set[int]] = {}
        for word in entries:
            head = word[:2]
            if head in lengths:
                lengths[head].add(len(word))
            else:
                lengths[head] = {len(word)}
        self._single = frozenset(word for word in entries if len(word) == 1)
        self._lengths = {head: tuple(sorted(sizes, reverse=True)) for head, sizes in lengths.items()}

    def find(self, text: str, start: int = 0) -> Iterator[tuple[int, int, Value]]:
        """(start, end, value) of each word found."""
        at, size = start, len(text)
        heads, single, entries = self._lengths, self._single, self._entries
        while at < size:
            if text[at : at + 2] not in heads and text[at] not in single:
                at += 1
                continue
            end = self._longest(text, at)
            if end is None:
                at += 1
                continue
            yield at, end, entries[text[at:end]]
            at = end

    def longest_at(self, text: str, at: int) -> tuple[int, Value] | None:
        """End and value of the longest word that begins at `at`."""
        end = self._longest(text, at)
        return None if end is None else (end, self._entries[text[at:end]])

    def get(self, word: str) -> Value | None:
        return self._entries.get(word)

    def _longest(self, text: str, at: int) -> int | None:
        for length in self._lengths.get(text[at : at + 2], ()):
            if text[at : at + length] in self._entries and at + length <= len(text):
                return at + length
        return at + 1 if text[at] in self._entries else None
