"""The demo's beginnings: the sample organisation, a clock that stands at daytime, and jobs of the day by that clock."""

from datetime import datetime, time, timedelta

from storage.calendar_jobs import ClockCalendar
from storage.clock import SystemClock
from storage.organisation import import_tables, read_tables
from storage.organisation.sample import SAMPLE
from storage.runtime import Runtime
from workflows import manners
from workflows.brief import JOBS

DAYTIME = time(10)
"""Where the demo's clock stands when it would begin at night or at noon."""


async def prepare(runtime: Runtime) -> None:
    """Before the demo runs. A demo that goes on with its data goes on with the time as it is."""
    ground = runtime.ground
    async with ground.look() as work:
        fresh, resting, now = not work.org.units, manners.hush(work) is not None, work.local(work.now)
    if fresh and resting and isinstance(ground.clock, SystemClock):
        ground.clock.advance(to_daytime(now))
    await import_tables(ground.database, read_tables(SAMPLE), ground.clock.now(), who="demo")
    runtime.calendar = ClockCalendar(ground, JOBS)


def to_daytime(local: datetime) -> timedelta:
    """From a local moment to the daytime of the same date, back or forth: both stories are lived by day."""
    return datetime.combine(local.date(), DAYTIME, local.tzinfo) - local
