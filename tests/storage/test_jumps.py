"""The machine's clock is set back by an hour: people must not wait an hour for what was to come at once."""

import asyncio
from datetime import timedelta

from sqlmodel import select, update

from storage.clock import ManualClock, SystemClock
from storage.database import Database
from storage.inbox import Inbox
from storage.jumps import ClockWatch, measure_anew
from storage.messages import Urgency
from storage.models import Delivery, InboxRow, Timer
from storage.ports import Retry
from storage.timers import set_timer
from storage.work import Ground
from tests.storage.parts import GROUP, LI, NOW, deliveries, ground_on, incoming, rows, say, until
from tests.storage.test_sender import Platform, sender

HOUR = timedelta(hours=1)


def clock_of(ground: Ground) -> ManualClock:
    assert isinstance(ground.clock, ManualClock)
    return ground.clock


async def set_back(ground: Ground, watch: ClockWatch) -> None:
    clock_of(ground).set(NOW - HOUR)
    assert await watch.step()


async def test_what_was_to_go_at_once_goes_at_once(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    watch = ClockWatch(ground)
    await say(ground, "通知")
    await set_back(ground, watch)
    await sender(ground, platform).step()
    assert platform.texts == ["通知"]


async def test_what_waits_for_its_next_try_is_tried_now(database: Database) -> None:
    ground, platform = ground_on(database), Platform(down=Retry("busy"))
    watch, out = ClockWatch(ground), sender(ground, platform)
    await say(ground, "通知")
    await out.step()
    platform.down = None
    await set_back(ground, watch)
    await out.step()
    assert platform.texts == ["通知"]


async def test_what_waits_for_the_morning_still_does(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    watch = ClockWatch(ground)
    await say(ground, "闲话", urgency=Urgency.ROUTINE)
    async with database.write() as session:
        await session.exec(update(Delivery).values(not_before=NOW + HOUR))
    await set_back(ground, watch)
    await sender(ground, platform).step()
    assert platform.texts == []


async def test_a_lease_of_the_dead_lapses_no_later_than_ever(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    watch = ClockWatch(ground)
    await say(ground, "通知")
    async with database.write() as session:
        dead = {"state": "sending", "lease_owner": "dead", "lease_until": NOW + timedelta(seconds=30)}
        await session.exec(update(Delivery).values(**dead))
    await set_back(ground, watch)
    clock_of(ground).advance(timedelta(seconds=30))
    await sender(ground, platform).step()
    assert [text[-2:] for text in platform.texts] == ["通知"]


async def test_a_group_that_has_heard_much_is_not_silent_for_an_hour(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    watch, out = ClockWatch(ground), sender(ground, platform)
    for number in range(10):
        await say(ground, str(number), to=GROUP, urgency=Urgency.ROUTINE)
    await out.step()
    await set_back(ground, watch)
    await say(ground, "之后", to=GROUP, urgency=Urgency.ROUTINE)
    clock_of(ground).advance(timedelta(minutes=1))
    await out.step()
    assert platform.texts[-1] == "之后"


async def test_a_message_that_could_not_be_handled_is_tried_again(database: Database) -> None:
    ground = ground_on(database)
    watch = ClockWatch(ground)
    await Inbox(ground).accept(incoming(1))
    async with database.write() as session:
        await session.exec(update(InboxRow).values(attempts=1, retry_at=NOW + timedelta(seconds=2)))
    await set_back(ground, watch)
    [kept] = await rows(ground, InboxRow)
    assert kept.retry_at == NOW - HOUR


async def test_a_jump_while_nothing_ran_shows_in_waits_that_are_too_long(database: Database) -> None:
    ground, platform = ground_on(database), Platform(down=Retry("busy"))
    out = sender(ground, platform)
    await say(ground, "甲", to=LI)
    await out.step()
    await measure_anew(database, NOW, beyond=timedelta(minutes=15))
    assert [row.not_before for row in await deliveries(ground)] == [NOW + timedelta(seconds=1)], "an ordinary retry"
    await measure_anew(database, NOW - HOUR, beyond=timedelta(minutes=15))
    assert [row.not_before for row in await deliveries(ground)] == [NOW - HOUR]


async def test_what_the_clock_did_before_anything_ran_is_no_jump(database: Database) -> None:
    ground, stopped = ground_on(database), asyncio.Event()
    watch = ClockWatch(ground)
    clock_of(ground).set(NOW - HOUR)
    stopped.set()
    await watch.run(stopped)
    assert not await watch.step()


async def timers(ground: Ground) -> list[Timer]:
    async with ground.database.read() as session:
        return list((await session.exec(select(Timer))).all())


async def timers_after(ground: Ground, watch: ClockWatch) -> dict[str, int]:
    """In how many seconds timers are due, of a while and of a moment that was told, each set for half a minute."""
    async with ground.work() as work:
        for kind in ("while", "moment"):
            await set_timer(work, kind, kind, NOW + timedelta(seconds=30))
    await set_back(ground, watch)
    now = ground.clock.now()
    return {timer.kind: round((timer.due_at - now).total_seconds()) for timer in await timers(ground)}


async def test_a_timer_of_a_while_goes_back_with_the_clock_and_a_told_moment_stays(database: Database) -> None:
    ground = ground_on(database)
    watch = ClockWatch(ground, waits=["while"])
    assert await timers_after(ground, watch) == {"while": 30, "moment": 3630}


async def test_a_timer_of_a_while_from_before_a_restart_does_not_wait_an_hour(database: Database) -> None:
    ground, stop = ground_on(database), asyncio.Event()
    assert (await timers_after(ground, ClockWatch(ground)))["while"] == 3630
    stop.set()
    await ClockWatch(ground, waits=["while"]).run(stop)
    due = {timer.kind: timer.due_at for timer in await timers(ground)}
    assert due == {"while": NOW - HOUR, "moment": NOW + timedelta(seconds=30)}


async def test_small_corrections_and_time_that_passes_change_nothing(database: Database) -> None:
    ground = ground_on(database)
    watch = ClockWatch(ground)
    for moved in (0.0, -0.5, 30.0, 3600.0):
        clock_of(ground).advance(timedelta(seconds=moved))
        assert not await watch.step()


async def test_whoever_sleeps_on_the_clock_is_woken_by_a_jump_forward(sqlite_database: Database) -> None:
    """A deadline must not come late because the clock was set forward while the engine slept."""
    clock = SystemClock()
    ground, stop, woken = ground_on(sqlite_database, clock), asyncio.Event(), asyncio.Event()

    async def sleeper() -> None:
        await clock.wait(asyncio.Event(), clock.now() + HOUR)
        woken.set()

    watch = ClockWatch(ground)
    sleeping, watching = asyncio.create_task(sleeper()), asyncio.create_task(watch.run(stop))
    await asyncio.sleep(0.05)
    clock.offset += 2 * HOUR  # as the machine's own clock does: nobody is told
    await until(woken.is_set)
    stop.set()
    await asyncio.gather(sleeping, watching)
