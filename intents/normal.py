"""One plain form for every way of typing the same thing, with a map back to the original characters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from intents.words import load_toml

_STICKER = re.compile(r"[\[\uff3b][\u4e00-\u9fffA-Za-z0-9]{1,8}[\]\uff3d]")
_MENTION = re.compile(r"@([^\s@,，:：。;；!！?？\u2005]{1,20})[\s\u2005,，:：]*")
_CLOSERS = {
    "。": ".",
    "、": "、",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "「": '"',
    "」": '"',
    "『": '"',
    "』": '"',
    "—": "-",
    "–": "-",
    "−": "-",
    "～": "~",
    "〜": "~",
    "【": "[",
    "】": "]",
    "〔": "[",
    "〕": "]",
}
_THUMBS = {"👌": "ok", "✅": "ok"}


@dataclass(frozen=True)
class Normal:
    """`text` is what the rules read; `starts[i]`, `ends[i]` are where its character i began and ended originally."""

    original: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    mentions: tuple[str, ...] = ()

    @cached_property
    def blanks(self) -> frozenset[int]:
        """Offsets before which something was left out, a blank most of all."""
        starts, ends = self.starts, self.ends
        return frozenset(at for at in range(1, len(starts)) if starts[at] > ends[at - 1])

    def part(self, start: int, end: int) -> Normal:
        """The slice [start, end) alone."""
        return replace(self, text=self.text[start:end], starts=self.starts[start:end], ends=self.ends[start:end])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the original text of the normalised slice [start, end)."""
        if not self.starts:
            return 0, 0
        if start >= end:
            at = self.starts[start] if start < len(self.starts) else len(self.original)
            return at, at
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=1)
def simplified() -> dict[str, str]:
    """Traditional character → simplified, from the data file."""
    pairs = "".join(load_toml("traditional.toml")["pairs"])
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def normalise(text: str, table: dict[str, str] | None = None) -> Normal:
    """Width, traditional characters, emoji, stickers, mentions and stray spaces taken out; lower case."""
    blanked, mentions = _blank_marks(text)
    table = table or {}
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, char in enumerate(blanked):
        for plain in _plain(char, table):
            chars.append(plain)
            starts.append(at)
            ends.append(at + 1)
    keep = _kept(chars)
    return Normal(
        text, "".join(chars[i] for i in keep), tuple(starts[i] for i in keep), tuple(ends[i] for i in keep), mentions
    )


def _blank_marks(text: str) -> tuple[str, tuple[str, ...]]:
    """Stickers and mentions become blanks of the same length, so that offsets stay."""
    mentions = tuple(match.group(1) for match in _MENTION.finditer(text)) if "@" in text else ()
    if mentions:
        text = _MENTION.sub(lambda match: " " * len(match.group()), text)
    if "[" in text or "\uff3b" in text:
        text = _STICKER.sub(lambda match: "\n" * len(match.group()), text)
    return text, mentions


def _plain(char: str, table: dict[str, str]) -> str:
    if char < "\u0080":
        return char.lower() if char.isprintable() or char in "\n\t" else " "
    if "\u4e00" <= char <= "\u9fff":
        return table.get(char, char)
    known = _CLOSERS.get(char) or _THUMBS.get(char) or table.get(char)
    if known is not None:
        return known
    folded = unicodedata.normalize("NFKC", char).lower()
    if folded in _CLOSERS:
        return _CLOSERS[folded]
    return "".join(
        c
        if c.isprintable() and unicodedata.category(c) not in ("So", "Sk", "Mn", "Cf", "Me", "Cn", "Co")
        else (" " if c.isspace() else "")
        for c in folded
    )


def _kept(chars: list[str]) -> list[int]:
    """Indices of the characters that stay: a space only between two words of Latin letters or digits."""
    keep: list[int] = []
    pending = -1
    for index, char in enumerate(chars):
        if char in " \t\u3000\xa0":
            pending = index
            continue
        if pending >= 0 and keep and _needs_space(chars[keep[-1]], char):
            keep.append(pending)
        pending = -1
        keep.append(index)
    return keep


def _needs_space(left: str, right: str) -> bool:
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
