"""The service profile: what each level of fault promises, read from ``fault_profile.toml``."""

from datetime import datetime, timedelta

from storage.models import Fault
from storage.settings import parse_duration
from storage.work import Work
from workflows import worktime
from workflows.words import Words

PROFILE = Words("fault_profile")


def span(key: str) -> timedelta:
    """A duration of the profile, by its dotted name."""
    return parse_duration(PROFILE.get(key))


def spans(key: str) -> list[timedelta]:
    """A list of durations."""
    return [parse_duration(value) for value in PROFILE.get(key)]


def count(key: str) -> int:
    """A number of the profile."""
    return int(PROFILE.get(key))


def promised(fault: Fault, what: str) -> timedelta | None:
    """What the fault's level promises for ``progress``, ``onsite``, ``restore`` or ``report``; None: nothing."""
    key = f"level.{fault.level}.{what}"
    return span(key) if PROFILE.has(key) else None


def next_word(work: Work, fault: Fault, after: datetime) -> datetime:
    """When the reporter hears again at the latest: sooner for leaders, in office hours where the level says so."""
    every = promised(fault, "progress") or span("level.III.progress")
    if fault.extra.get("leaders"):
        every = min(every, promised(fault, "leaders") or every)
    if PROFILE.has(f"level.{fault.level}.working"):
        return worktime.after(work, fault.unit_id, after, every)
    return after + every
