"""What each time in a message is for: start, end, sign-in, joint test, deadline, arrival, the old or the new time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from intents.words import load_toml, patterns

if TYPE_CHECKING:
    from intents.times import TimeSpan

_STOP_BEFORE = re.compile(r"[,;.!?\n]")
_STOP_AFTER = re.compile(r"[,;.!?\n]")


def _compile() -> tuple[tuple[str, re.Pattern[str] | None, re.Pattern[str] | None], ...]:
    roles = []
    for entry in load_toml("times.toml")["role"]:
        before, after = entry.get("before"), entry.get("after")
        roles.append(
            (
                entry["name"],
                re.compile("|".join(before)) if before else None,
                re.compile("|".join(after)) if after else None,
            )
        )
    return tuple(roles)


_ROLES = _compile()
_END_MOVES = patterns("times.toml")["end_moves"]
_FAR = 30


def assign_roles(text: str, found: list[TimeSpan]) -> list[TimeSpan]:
    """The spans with their roles filled in; None where nothing tells."""
    named: list[TimeSpan] = []
    for index, span in enumerate(found):
        start, end = span.span
        floor = found[index - 1].span[1] if index else 0
        ceiling = found[index + 1].span[0] if index + 1 < len(found) else len(text)
        before = text[max(floor, start - 16) : start]
        after = text[end : min(ceiling, end + 24)]
        cut = _STOP_AFTER.search(after)
        after = after[: cut.start()] if cut else after
        if "(" in after and ")" not in after:  # what stands in the bracket is of the next time
            after = after[: after.index("(")]
        before = before.removesuffix("从") if span.end is not None or after[:1] == "起" else before  # "从9点到11点"
        role = _role(_last_clause(before), after)
        if role == "end" and span.end is not None:
            role = None  # "9点到11点结束" begins at nine
        elif role == "new" and _END_MOVES.search(_last_clause(text[max(0, start - _FAR) : start])):
            role = "end"
        named.append(replace(span, role=role))
    return named


def _last_clause(before: str) -> str:
    return _STOP_BEFORE.split(before)[-1]


def _role(before: str, after: str) -> str | None:
    for name, ahead, behind in _ROLES:
        if ahead is not None and ahead.search(before):
            return name
        if behind is not None and behind.search(after):
            return name
    return None
