"""The assembled bot as a process: it outlives a failing part and stops without losing anything."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col

from storage.clock import ManualClock, SystemClock
from storage.database import Database
from storage.inbox import Inbox
from storage.messages import Address, Incoming, Outgoing, Urgency
from storage.models import AuditEntry, InboxRow
from storage.outbox import Letter, post, post_many
from storage.ports import Accept, Outcome, SendJob
from storage.runtime import Runtime
from storage.work import Work
from tests.fakes import FakePlatform
from tests.storage.parts import (
    GROUP,
    LI,
    NOW,
    Recorder,
    debts,
    ground_on,
    inbox_states,
    incoming,
    owe,
    rows,
    say,
    until,
)


class Echo(Recorder):
    """Answers every message in its conversation."""

    async def answer(self, work: Work, message: Incoming) -> None:
        text = f"收到：{message.text}"
        await post(work, message.conversation, Outgoing(text=text, urgency=Urgency.ANSWER), key=message.message_id)


async def test_a_message_is_answered_while_it_runs(database: Database) -> None:
    platform, logic = FakePlatform("fake"), Echo()
    runtime = Runtime(ground_on(database, SystemClock()), [platform], logic.logic())
    running = asyncio.create_task(runtime.run())
    await runtime.inbox.accept(incoming(1, "没声音了"))
    await until(lambda: bool(platform.seen), within=20)
    assert platform.seen[0].text == "收到：没声音了"
    await owe(runtime.ground, "甲", SystemClock().now() + timedelta(milliseconds=300), {"due": 0})
    await until(lambda: logic.rungs == [("甲", "due")], within=2)
    runtime.stop()
    await running
    assert all(entry.seq for entry in await rows(runtime.ground, AuditEntry)), "what was done is sealed at the end"


async def test_nothing_is_sent_before_what_fell_due_while_it_was_down(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, logic = FakePlatform("fake"), Echo()
    runtime = Runtime(ground_on(database, SystemClock()), [platform], logic.logic())
    caught_up, step = asyncio.Event(), runtime.engine.step

    async def held_up() -> int:
        await caught_up.wait()
        return await step()

    monkeypatch.setattr(runtime.engine, "step", held_up)
    await say(runtime.ground, "waits since yesterday")
    running = asyncio.create_task(runtime.run())
    for count in range(1, 6):
        await runtime.inbox.accept(incoming(count, "甲"))
        await until(lambda count=count: len(logic.handled) == count, within=20)
    assert platform.seen == []
    caught_up.set()
    await until(lambda: len(platform.seen) == 6, within=20)
    runtime.stop()
    await running


async def test_stepping_does_the_same_with_the_clock_standing_still(database: Database) -> None:
    platform, logic = FakePlatform("fake"), Echo()
    runtime = Runtime(ground_on(database), [platform], logic.logic())
    await runtime.inbox.accept(incoming(1, "甲"))
    await owe(runtime.ground, "甲", NOW + timedelta(minutes=10), {"due": 0})
    await runtime.step()
    assert [seen.text for seen in platform.seen] == ["收到：甲"]
    assert await runtime.next_due() == NOW + timedelta(minutes=10)
    assert isinstance(runtime.ground.clock, ManualClock)
    runtime.ground.clock.advance(timedelta(minutes=10))
    await runtime.step()
    assert logic.rungs == [("甲", "due")]
    assert await runtime.next_due() is None


async def test_two_processes_on_one_database_do_everything_once(database: Database) -> None:
    platform, logic = FakePlatform("fake"), Echo()
    other = Database(database.url.render_as_string(hide_password=False))
    runtimes = [Runtime(ground_on(d, SystemClock()), [platform], logic.logic()) for d in (database, other)]
    running = [asyncio.create_task(runtime.run()) for runtime in runtimes]
    await asyncio.gather(*(runtimes[n % 2].inbox.accept(incoming(n, str(n))) for n in range(40)))
    await asyncio.gather(*(runtime.inbox.accept(incoming(7, "7")) for runtime in runtimes))
    await until(lambda: len(platform.seen) >= 40, within=20)
    for runtime in runtimes:
        runtime.stop()
    await asyncio.gather(*running)
    assert sorted(seen.text for seen in platform.seen) == sorted(f"收到：{number}" for number in range(40))
    await other.close()


async def test_a_failing_part_starts_again(sqlite_database: Database) -> None:
    class Flaky(FakePlatform):
        starts = 0

        async def run(self, accept: Accept) -> None:
            self.starts += 1
            if self.starts == 1:
                raise KeyError("unforeseen")
            await accept(incoming(1))
            await asyncio.Event().wait()

    platform, logic = Flaky("fake"), Echo()
    runtime = Runtime(ground_on(sqlite_database, SystemClock()), [platform], logic.logic())
    running = asyncio.create_task(runtime.run())
    await until(lambda: bool(platform.seen), within=5)
    assert platform.starts == 2
    runtime.stop()
    await running


async def test_stopping_takes_no_more_finishes_what_is_in_hand_and_loses_nothing(sqlite_database: Database) -> None:
    taking = asyncio.Event()

    class Slow(FakePlatform):
        receiving = False

        async def run(self, accept: Accept) -> None:
            self.receiving = True
            try:
                await asyncio.Event().wait()
            finally:
                self.receiving = False

        async def send(self, job: SendJob) -> dict[Address, Outcome]:
            taking.set()
            await asyncio.sleep(0.3)
            return await super().send(job)

    platform, logic = Slow("fake"), Echo()
    ground = ground_on(sqlite_database, SystemClock())
    runtime = Runtime(ground, [platform], logic.logic())
    running = asyncio.create_task(runtime.run())
    for number in range(3):
        await say(ground, str(number), to=Address(platform="fake", kind="direct", id=str(number)))
    await taking.wait()
    accepting = [asyncio.create_task(runtime.inbox.accept(incoming(number))) for number in range(5)]
    await asyncio.sleep(0)
    runtime.stop()
    started = asyncio.get_running_loop().time()
    await running
    assert asyncio.get_running_loop().time() - started < 8
    assert not platform.receiving
    assert await asyncio.gather(*accepting) == [True] * 5, "what was being accepted is committed"
    again = Runtime(ground, [FakePlatform("fake")], logic.logic())
    assert set((await inbox_states(ground)).values()) <= {"new", "done"}
    await again.step()
    seen = [s.text for a in (platform, again.adapters[0]) if isinstance(a, FakePlatform) for s in a.seen]
    assert sorted(text for text in seen if len(text) == 1) == ["0", "1", "2"], "nothing lost, nothing twice, no 补发"
    assert len(await rows(ground, InboxRow, col(InboxRow.state) == "done")) == 5


async def test_a_handler_that_hangs_does_not_keep_the_process(sqlite_database: Database) -> None:
    class Hanging(Recorder):
        started = False

        async def answer(self, work: Work, message: Incoming) -> None:
            self.started = True
            await asyncio.Event().wait()

    logic = Hanging()
    ground = ground_on(sqlite_database, SystemClock())
    runtime = Runtime(ground, [], logic.logic(), stop_within=0.3)
    running = asyncio.create_task(runtime.run())
    await runtime.inbox.accept(incoming(1))
    await until(lambda: logic.started)
    runtime.stop()
    async with asyncio.timeout(3):
        await running
    assert await inbox_states(ground) == {"1": "new"}, "it is taken up at the next start"


async def test_a_message_is_taken_up_again_after_the_process_died(database: Database) -> None:
    logic = Echo()
    ground = ground_on(database)
    await Inbox(ground).accept(incoming(1, place=GROUP))
    dying = asyncio.create_task(Runtime(ground, [], logic.logic()).run())
    await asyncio.sleep(0)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    platform = FakePlatform("fake")
    await Runtime(ground, [platform], logic.logic()).step()
    assert len(platform.seen) == 1
    assert await debts(ground) == []


async def test_rows_written_in_bulk_wake_whoever_waits_for_them(database: Database) -> None:
    platform = FakePlatform("fake")
    ground = ground_on(database, SystemClock())
    runtime = Runtime(ground, [platform], Recorder().logic())
    running = asyncio.create_task(runtime.run())
    await asyncio.sleep(0.3)
    async with ground.work() as work:
        letters = [Letter(LI, Outgoing(text=str(number), about=str(number)), key=str(number)) for number in range(3)]
        assert await post_many(work, letters) == 3
    await until(lambda: len(platform.seen) == 3, within=0.9)
    runtime.stop()
    await running
