"""Patterns put together from named lists of words: ``{greeting}`` and ``<6>``, as phrases.toml explains."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from intents.slow import may_be_slow
from intents.words import compiled, load_toml

_GAP = re.compile(r"<(\d{1,2})>")
_NAME = re.compile(r"\{([a-z_]+)\}")
_DEEPEST = 4

Lists = Mapping[str, Sequence[str]]


def spelled_out(pattern: str, lists: Lists, owner: str, depth: int = 0) -> str:
    """The pattern with every list and gap written out.

    ValueError, naming the owner, when there is no list of that name or lists refer to each other in a circle.
    """
    if depth > _DEEPEST:
        raise ValueError(f"{owner}: lists refer to each other too deeply")

    def listed(match: re.Match[str]) -> str:
        name = match[1]
        if name not in lists:
            raise ValueError(f"{owner}: there is no list {name!r} in phrases.toml")
        return f"(?:{'|'.join(spelled_out(one, lists, name, depth + 1) for one in lists[name])})"

    return _NAME.sub(listed, _GAP.sub(r"[^,;.!?]{0,\1}", pattern))


def signal(patterns: Sequence[str], owner: str) -> re.Pattern[str]:
    """One signal: holds where any of its patterns does."""
    return compiled("|".join(spelled_out(one, _lists(), owner) for one in patterns), owner)


def slow_ones() -> set[tuple[str, str]]:
    """Signals with their patterns, each spelled out, that may take for ever over some text."""
    signals = load_toml("signals.toml")["signals"].items()
    told = [(name, pattern) for name, patterns in signals for pattern in patterns]
    return {one for one in told if may_be_slow(spelled_out(one[1], _lists(), one[0]))}


@lru_cache(maxsize=1)
def _lists() -> Lists:
    lists: Lists = load_toml("phrases.toml")["phrases"]
    return lists
