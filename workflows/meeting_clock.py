"""A meeting's own time: when people must be there, when it starts and ends, and who wants to know.

Other workflows append to :data:`HOOKS`; each hook runs inside the transaction that made the change and must stay short.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.models import Meeting, Timer
from storage.timers import drop_timer, set_timer
from storage.work import Work

LASTS = timedelta(hours=2)
"""How long a meeting runs when nobody said."""

Hook = Callable[[Work, Meeting], Awaitable[None]]
SitesHook = Callable[[Work, Meeting, Sequence[str]], Awaitable[None]]


@dataclass
class Hooks:
    """Who wants to know. ``served``: obligations of these sites have just been opened (at most a slice of them);
    ``released``: these sites take part no longer.
    """

    published: list[Hook] = field(default_factory=list)
    changed: list[Hook] = field(default_factory=list)
    cancelled: list[Hook] = field(default_factory=list)
    started: list[Hook] = field(default_factory=list)
    ended: list[Hook] = field(default_factory=list)
    served: list[SitesHook] = field(default_factory=list)
    released: list[SitesHook] = field(default_factory=list)


HOOKS = Hooks()
"""Workflows append theirs when they are imported."""


async def call_hooks(hooks: Sequence[Hook], work: Work, meeting: Meeting) -> None:
    """Run every hook in the order registered."""
    for hook in hooks:
        await hook(work, meeting)


async def call_site_hooks(hooks: Sequence[SitesHook], work: Work, meeting: Meeting, site_ids: Sequence[str]) -> None:
    """The same for hooks about sites; nothing to do without sites."""
    for hook in hooks if site_ids else ():
        await hook(work, meeting, site_ids)


def arrive_at(meeting: Meeting) -> datetime:
    """By when people must be on site, as the notice says."""
    return meeting.starts_at - timedelta(seconds=meeting.arrive_before_s)


def at_least(moment: datetime, meeting: Meeting, published_at: datetime, within: timedelta) -> datetime:
    """``moment``, unless the notice came too late for it: then as soon as it can be answered, never after the start."""
    return max(moment, min(published_at + within, meeting.starts_at))


def ends_at(meeting: Meeting) -> datetime:
    """The end as given, else two hours after the start."""
    return meeting.ends_at or meeting.starts_at + LASTS


async def wind(work: Work, meeting: Meeting) -> None:
    """Set (or move) the timers of a published meeting."""
    await set_timer(work, f"start:{meeting.number}", "meeting_start", meeting.starts_at, about=meeting.number)
    await set_timer(work, f"end:{meeting.number}", "meeting_end", ends_at(meeting), about=meeting.number)


async def unwind(work: Work, meeting: Meeting) -> None:
    """The meeting will not take place."""
    await drop_timer(work, f"start:{meeting.number}")
    await drop_timer(work, f"end:{meeting.number}")


async def on_start(work: Work, timer: Timer) -> None:
    """The start has come."""
    meeting = await work.session.get(Meeting, timer.about)
    if meeting is None or meeting.state != "published":
        return
    meeting.state = "running"
    work.session.add(meeting)
    work.audit("meeting.started", about=meeting.number)
    await call_hooks(HOOKS.started, work, meeting)


async def on_end(work: Work, timer: Timer) -> None:
    """The end has come, as planned."""
    meeting = await work.session.get(Meeting, timer.about)
    if meeting is not None and meeting.state == "running":
        await end(work, meeting)


async def end(work: Work, meeting: Meeting, who: str = "huibao") -> None:
    """The meeting is over, now."""
    await unwind(work, meeting)
    meeting.state, meeting.ends_at = "ended", work.now
    work.session.add(meeting)
    work.audit("meeting.ended", about=meeting.number, who=who)
    await call_hooks(HOOKS.ended, work, meeting)
