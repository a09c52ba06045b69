"""What has changed outside the tables is looked at before the first message and every two seconds after."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from storage.clock import ManualClock
from storage.database import Database
from storage.runtime import Runtime
from storage.work import Ground
from tests.storage.parts import NOW, Recorder, ground_on, until


async def test_a_running_bot_looks_again_every_two_seconds(sqlite_database: Database) -> None:
    looks = []

    async def look(ground: Ground) -> None:
        looks.append(ground.clock.now())

    clock = ManualClock(NOW)
    runtime = Runtime(ground_on(sqlite_database, clock), [], replace(Recorder().logic(), refresh=look))
    running = asyncio.create_task(runtime.run())
    await until(lambda: looks == [NOW])
    clock.advance(timedelta(seconds=1))
    await asyncio.sleep(0.05)
    assert looks == [NOW]
    clock.advance(timedelta(seconds=1))
    await until(lambda: len(looks) == 2)
    runtime.stop()
    await running
