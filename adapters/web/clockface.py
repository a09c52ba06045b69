"""The clock on top of every page."""

from adapters.web.forward import Forward
from adapters.web.show import View, clock_of, day_of
from storage.runtime import Runtime

SPEEDS = (1, 10, 60)


async def clock_view(runtime: Runtime, forward: Forward | None) -> View:
    """What time it is, when the bot acts next, and how the clock may be pushed (``forward`` None: not at all)."""
    async with runtime.ground.look() as work:
        now = work.local(work.now)
    due = await runtime.next_due()
    return {
        "day": day_of(now),
        "time": f"{now:%H:%M:%S}",
        "now_ms": int(now.timestamp() * 1000),
        "next": clock_of(due.astimezone(now.tzinfo), now) if due else "",
        "may_push": forward is not None,
        "speed": forward.speed if forward else 1,
        "speeds": SPEEDS,
    }
