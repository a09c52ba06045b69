"""Calendar jobs: things that happen at an hour of the day, whatever the tables say (daily brief, hand-over).

APScheduler keeps them in memory and owns no truth: a job missed while the process was down is made up for within an
hour, later than that it is left out. Two processes would both run a job, so each job's work must be idempotent for its
day (dedupe keys do that).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from storage.work import Ground, Work

GRACE_SECONDS = 3600
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CalendarJob:
    """``run`` at ``hour:minute`` of every day, in the operator's time zone."""

    name: str
    hour: int
    minute: int
    run: Callable[[Work], Awaitable[None]]


def start_calendar(ground: Ground, jobs: Sequence[CalendarJob]) -> AsyncIOScheduler:
    """Start the jobs on the running loop; ``shutdown(wait=False)`` the result when stopping."""
    scheduler = AsyncIOScheduler(timezone=ground.settings.timezone)
    for job in jobs:
        scheduler.add_job(
            _run,
            CronTrigger(hour=job.hour, minute=job.minute, timezone=ground.settings.timezone),
            args=(ground, job),
            id=job.name,
            misfire_grace_time=GRACE_SECONDS,
            coalesce=True,
            max_instances=1,
        )
    scheduler.start()
    return scheduler


class ClockCalendar:
    """The same jobs by the injected clock, for one that jumps (the demo): a part of the runtime.

    Jobs whose hour has been passed run once each, in order, at the moment the clock stands at.
    """

    def __init__(self, ground: Ground, jobs: Sequence[CalendarJob]) -> None:
        self._ground = ground
        self._jobs = jobs
        self._done = ground.clock.now()

    async def next_due(self) -> datetime | None:
        """When the next job is to run."""
        return min((self._next(job) for job in self._jobs), default=None)

    async def step(self) -> int:
        """Run what is due; returns how many jobs ran."""
        now = self._ground.clock.now()
        due = sorted((moment, job.name, job) for job in self._jobs if (moment := self._next(job)) <= now)
        self._done = now
        for _, _, job in due:
            await _run(self._ground, job)
        return len(due)

    async def run(self, stopping: asyncio.Event) -> None:
        """Run jobs as the clock comes to them, until ``stopping`` is set."""
        while not stopping.is_set():
            await self.step()
            await self._ground.clock.wait(stopping, await self.next_due())

    def _next(self, job: CalendarJob) -> datetime:
        done = self._done.astimezone(ZoneInfo(self._ground.settings.timezone))
        moment = datetime.combine(done.date(), time(job.hour, job.minute), done.tzinfo)
        return moment if moment > done else moment + timedelta(days=1)


async def _run(ground: Ground, job: CalendarJob) -> None:
    try:
        async with ground.work() as work:
            await job.run(work)
    except Exception:  # a failed brief must not end the calendar
        log.exception("calendar job failed", job=job.name)
