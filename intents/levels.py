"""How bad a reported fault is: what is hit, and how long until the meeting that needs it."""

from __future__ import annotations

from datetime import datetime, timedelta

from intents.phrases import signal
from intents.spans import Spans
from intents.words import load_toml

_WORDS = {name: signal(words, f"levels.toml: {name}") for name, words in load_toml("levels.toml").items()}
_RUNNING_FOR = timedelta(minutes=90)
_SOON = timedelta(minutes=60)
_SEVERAL = 3
_SIDE = ("sign_in", "deadline", "arrival", "old")


def level(spans: Spans) -> str:
    """ "emergency" when a meeting runs or begins within the hour, a whole site is down or a leader is hit; "general"
    otherwise, and whenever the sender says that it can wait."""
    text = spans.core
    if _WORDS["small"].search(text):
        return "general"
    near = _meeting_near(spans)
    if near or len(spans.places) >= _SEVERAL or _WORDS["pressing"].search(text) or _WORDS["down"].search(text):
        return "emergency"
    if near is False or _WORDS["later"].search(text):
        return "general"
    return "emergency" if _WORDS["leader"].search(text) or _WORDS["urgent"].search(text) else "general"


def _meeting_near(spans: Spans) -> bool | None:
    """Whether a meeting that is named with its time runs or begins within the hour; None when none is named."""
    gaps = [start - spans.context.now for start in _meetings(spans)]
    return any(-_RUNNING_FOR <= gap <= _SOON for gap in gaps) if gaps else None


def meeting_ahead(spans: Spans) -> datetime | None:
    """When the meeting begins that the sender fears for, if one is named with its time and still ahead."""
    return min((start for start in _meetings(spans) if start > spans.context.now), default=None)


def _meetings(spans: Spans) -> list[datetime]:
    return [
        _evening(spans, span.start, span.span[0])
        for span in spans.times
        if isinstance(span.start, datetime) and span.role not in _SIDE and _of_meeting(spans, *span.span)
    ]


def _evening(spans: Spans, start: datetime, at: int) -> datetime:
    """A bare "8点" that is long past is that of the evening when it is about to be."""
    later = start + timedelta(hours=12)
    bare = _WORDS["bare_clock"].match(spans.text, at) is not None
    return later if bare and start.hour < later.hour and -_RUNNING_FOR <= later - spans.context.now <= _SOON else start


def _of_meeting(spans: Spans, start: int, end: int) -> bool:
    """A word of a meeting stands in the clause of the time."""
    clause = next((one for one in spans.clauses if one.start <= start and end <= one.end), None)
    return clause is not None and _WORDS["meeting"].search(clause.text) is not None
