"""What is denied, asked, supposed or still to come: no such word may end, begin or hand over anything."""

from __future__ import annotations

import re
from functools import lru_cache

from intents.phrases import spelled_out
from intents.words import compiled, load_toml

_MARKS = re.compile(r"[,;.!?\n]")


@lru_cache(maxsize=1)
def _frames() -> dict[str, re.Pattern[str]]:
    """Per intent: its words inside any of the frames that turn their meaning."""
    data = load_toml("denied.toml")
    found = {}
    for intents, words in data["act"].items():
        lists = {**data["list"], "word": words}
        owner = f"denied.toml: {intents}"
        text = "|".join(spelled_out(frame, lists, owner) for frame in data["frame"].values())
        found.update(dict.fromkeys(intents.split(), compiled(text, owner)))
    return found


def denied(intent: str, text: str) -> list[tuple[int, int]]:
    """The stretches of a message as the rules see it in which what would be this intent is turned round."""
    frame = _frames().get(intent)
    found = [match.span() for match in frame.finditer(text)] if frame is not None else []
    return [_clause(text, *span) for span in found] if intent == "meeting.notice" else found


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """A denied meeting is denied with its day and hour: the whole clause around [start, end)."""
    before = [match.end() for match in _MARKS.finditer(text, 0, start)]
    after = _MARKS.search(text, end)
    return before[-1] if before else 0, after.start() if after else len(text)
