"""Calendar jobs: things that happen at an hour of the day, whatever the tables say (daily brief, hand-over).

APScheduler keeps them in memory and owns no truth: a job missed while the process was down is made up for within an
hour, later than that it is left out. Two processes would both run a job, so each job's work must be idempotent for its
day (dedupe keys do that).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

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


async def _run(ground: Ground, job: CalendarJob) -> None:
    try:
        async with ground.work() as work:
            await job.run(work)
    except Exception:  # a failed brief must not end the calendar
        log.exception("calendar job failed", job=job.name)
