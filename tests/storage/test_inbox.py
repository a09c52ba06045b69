"""What comes in is kept before it is acknowledged, handled once, and in order."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import update

from storage.clock import ManualClock
from storage.database import Database
from storage.inbox import MAX_ATTEMPTS, Dispatcher, Inbox
from storage.messages import Address, Incoming
from storage.models import AuditEntry, Counter, InboxRow
from storage.work import Ground, Work
from tests.storage.parts import GROUP, LI, NOW, Recorder, ground_on, inbox_states, incoming, rows, until
from tests.storage.plans import recorded, walks_of


def dispatcher(ground: Ground, logic: Recorder) -> Dispatcher:
    return Dispatcher(ground, logic.handle, logic.bury)


def clock_of(ground: Ground) -> ManualClock:
    assert isinstance(ground.clock, ManualClock)
    return ground.clock


# ---- accept


async def test_a_message_is_new_once(database: Database) -> None:
    inbox = Inbox(ground_on(database))
    assert await inbox.accept(incoming(1))
    assert not await inbox.accept(incoming(1))


async def test_a_copy_in_the_same_commit_is_known(database: Database) -> None:
    inbox = Inbox(ground_on(database))
    results = await asyncio.gather(*(inbox.accept(incoming(number)) for number in (1, 2, 1, 3, 1)))
    assert results == [True, True, False, True, False]


@pytest.mark.parametrize("field", ["platform", "account", "message_id"])
async def test_the_same_id_elsewhere_is_another_message(database: Database, field: str) -> None:
    ground = ground_on(database)
    inbox = Inbox(ground)
    await inbox.accept(incoming(1))
    assert await inbox.accept(incoming(1).model_copy(update={field: "other"}))
    assert len(await rows(ground, InboxRow)) == 2


async def test_a_time_in_the_future_counts_as_now(database: Database) -> None:
    ground = ground_on(database)
    inbox = Inbox(ground)
    await inbox.accept(incoming(1, written_at=NOW + timedelta(hours=1)))
    await inbox.accept(incoming(2, written_at=NOW - timedelta(minutes=1)))
    assert [row.written_at for row in await rows(ground, InboxRow)] == [NOW, NOW - timedelta(minutes=1)]
    logic = Recorder()
    seen: list[Incoming] = []

    async def handle(_work: Work, message: Incoming) -> None:
        seen.append(message)

    await Dispatcher(ground, handle, logic.bury).step()
    assert [message.written_at for message in seen] == [NOW, NOW - timedelta(minutes=1)]


async def test_many_callers_share_a_commit(sqlite_database: Database) -> None:
    inbox = Inbox(ground_on(sqlite_database))
    commits: list[object] = []
    event.listen(sqlite_database.engine.sync_engine, "commit", commits.append)
    await asyncio.gather(*(inbox.accept(incoming(number)) for number in range(100)))
    assert len(commits) <= 3


async def test_a_caller_that_leaves_takes_nobody_along(database: Database) -> None:
    ground = ground_on(database)
    inbox = Inbox(ground)
    calls = [asyncio.create_task(inbox.accept(incoming(number))) for number in range(60)]
    for number, call in enumerate(calls):
        if number % 3 == 0:
            await asyncio.sleep(0)
            call.cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    stayed = [result for number, result in enumerate(results) if number % 3]
    assert stayed == [True] * 40
    assert await inbox.accept(incoming("afterwards"))
    await inbox.settle()


async def test_a_commit_that_fails_is_told_to_every_caller(sqlite_database: Database) -> None:
    inbox = Inbox(ground_on(sqlite_database))

    def full(_connection: object) -> None:
        raise OSError("disk full")

    event.listen(sqlite_database.engine.sync_engine, "commit", full)
    results = await asyncio.gather(*(inbox.accept(incoming(number)) for number in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [OSError] * 5
    event.remove(sqlite_database.engine.sync_engine, "commit", full)
    assert await inbox.accept(incoming(1)), "nothing of the failed commit is kept"


async def test_an_unstorable_message_is_refused_alone(database: Database) -> None:
    inbox = Inbox(ground_on(database))
    broken = incoming("2").model_copy(update={"message_id": "bad \ud800 id"})
    results = await asyncio.gather(
        *(inbox.accept(message) for message in (incoming(1), broken, incoming(2))), return_exceptions=True
    )
    assert [result is True for result in results] == [True, False, True]


async def test_text_that_no_database_stores_is_cleaned(database: Database) -> None:
    ground = ground_on(database)
    await Inbox(ground).accept(incoming(1, "没声音\x00了\ud800"))
    said: list[str] = []

    async def handle(work: Work, message: Incoming) -> None:
        said.append(message.text)
        work.audit("said", text=message.text)

    await Dispatcher(ground, handle, Recorder().bury).step()
    assert said == ["没声音了?"]


# ---- dispatch


async def test_messages_are_handled_in_order_and_once(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    inbox = Inbox(ground)
    for number in range(30):
        await inbox.accept(incoming(number, place=GROUP if number % 2 else LI))
    assert await dispatcher(ground, logic).step() == 30
    assert [n for n in logic.handled if int(n) % 2] == [str(n) for n in range(1, 30, 2)]
    assert [n for n in logic.handled if not int(n) % 2] == [str(n) for n in range(0, 30, 2)]
    assert await dispatcher(ground, logic).step() == 0


async def test_a_message_that_fails_changes_nothing(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()

    async def handle(work: Work, message: Incoming) -> None:
        work.audit("half done", about=message.message_id)
        await work.session.flush()
        if message.text == "bad":
            raise ZeroDivisionError

    for number, text in enumerate(["good", "bad", "good"]):
        await Inbox(ground).accept(
            incoming(number, text, place=Address(platform="fake", kind="direct", id=str(number)))
        )
    await Dispatcher(ground, handle, logic.bury).step()
    assert [entry.about for entry in await rows(ground, AuditEntry)] == ["0", "2"]


async def test_a_poisoned_message_holds_up_its_conversation_only_and_dies(database: Database) -> None:
    ground, logic = ground_on(database), Recorder(broken={"毒"})
    inbox, bus = Inbox(ground), dispatcher(ground, logic)
    await inbox.accept(incoming(1, "毒"))
    await inbox.accept(incoming(2))
    await inbox.accept(incoming(3, place=LI))
    await bus.step()
    assert logic.handled == ["3"]
    waits = []
    while (due := await bus.next_due()) is not None:
        waits.append((due - ground.clock.now()).total_seconds())
        clock_of(ground).set(due)
        await bus.step()
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert len(waits) == MAX_ATTEMPTS - 1
    assert logic.handled == ["3", "2"]
    assert await inbox_states(ground) == {"1": "dead", "2": "done", "3": "done"}
    assert len(logic.buried) == 1


async def test_a_message_that_works_at_the_second_try_is_done(database: Database) -> None:
    ground, logic = ground_on(database), Recorder(broken={"毒"})
    await Inbox(ground).accept(incoming(1, "毒"))
    bus = dispatcher(ground, logic)
    await bus.step()
    logic.broken.clear()
    clock_of(ground).advance(timedelta(seconds=1))
    await bus.step()
    assert await inbox_states(ground) == {"1": "done"}


async def test_a_dead_message_nobody_can_be_told_about_is_still_set_aside(database: Database) -> None:
    ground, logic = ground_on(database), Recorder(broken={"毒", "bury"})
    await Inbox(ground).accept(incoming(1, "毒"))
    bus = dispatcher(ground, logic)
    await bus.step()
    while (due := await bus.next_due()) is not None:
        clock_of(ground).set(due)
        await bus.step()
    assert await inbox_states(ground) == {"1": "dead"}


async def test_a_stored_message_that_cannot_be_read_dies_too(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    await Inbox(ground).accept(incoming(1))
    async with database.write() as session:
        await session.exec(update(InboxRow).values(payload={"text": "of an older version"}))
    bus = dispatcher(ground, logic)
    await bus.step()
    while (due := await bus.next_due()) is not None:
        clock_of(ground).set(due)
        await bus.step()
    assert await inbox_states(ground) == {"1": "dead"}
    assert logic.buried


async def test_the_dispatcher_wakes_at_once(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    bus = dispatcher(ground, logic)
    running = asyncio.create_task(bus.run())
    for number in range(3):
        await Inbox(ground).accept(incoming(number))
        await until(lambda number=number: str(number) in logic.handled, within=1.0)
    bus.stop()
    await running


async def test_another_process_is_noticed_within_a_second(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    bus, stop = dispatcher(ground, logic), asyncio.Event()
    running = asyncio.gather(bus.run(), database.watch(stop))
    await asyncio.sleep(0.1)
    other = Database(database.url.render_as_string(hide_password=False))
    await Inbox(ground_on(other)).accept(incoming(1))
    await until(lambda: logic.handled == ["1"], within=1.0)
    stop.set()
    bus.stop()
    await running
    await other.close()


async def test_two_processes_share_the_work_without_doing_anything_twice_or_out_of_order(database: Database) -> None:
    ground = ground_on(database)
    places = [Address(platform="fake", kind="direct", id=str(number)) for number in range(5)]
    await asyncio.gather(*(Inbox(ground).accept(incoming(number, place=places[number % 5])) for number in range(100)))
    handled: list[tuple[str, int]] = []

    async def handle(work: Work, message: Incoming) -> None:
        await work.count("handled")
        await asyncio.sleep(0.001)
        handled.append((message.conversation.id, int(message.message_id)))

    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(2)]
    buses = [Dispatcher(ground_on(other), handle, Recorder().bury) for other in others]
    while any(state == "new" for state in (await inbox_states(ground)).values()):
        await asyncio.gather(*(bus.step() for bus in buses))
    [counted] = [row.value for row in await counters(ground)]
    assert counted == 100, "each message's changes are committed exactly once"
    for other in others:
        await other.close()


async def counters(ground: Ground) -> list[Counter]:
    async with ground.database.read() as session:
        counter = await session.get(Counter, "handled")
    return [counter] if counter else []


async def test_cancelling_everywhere_never_hurts_the_database(sqlite_database: Database) -> None:
    ground, logic = ground_on(sqlite_database), Recorder()
    bus = dispatcher(ground, logic)
    for number in range(40):
        await Inbox(ground).accept(incoming(number))
        task = asyncio.create_task(bus.step())
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await bus.step()
    assert set((await inbox_states(ground)).values()) == {"done"}


async def test_a_look_never_walks_a_long_history_or_backlog(database: Database) -> None:
    """3,000 messages wait in one conversation, 20,000 are done."""
    ground = ground_on(database)
    now = ground.clock.now()
    base = {
        "platform": "fake", "account": "bot", "conversation": str(GROUP), "payload": {}, "attempts": 0, "error": "",
        "written_at": now, "received_at": now,
    }  # fmt: skip
    async with database.write() as session:
        connection = await session.connection()
        table = InboxRow.__table__  # type: ignore[attr-defined]
        values = [
            {**base, "message_id": str(number), "state": "done" if number < 20000 else "new"} for number in range(23000)
        ]
        await connection.execute(table.insert(), values)
    bus = dispatcher(ground, Recorder())
    with recorded(database) as statements:
        await bus._handle_some()
        await bus.next_due()
    assert await walks_of(database, "inbox", statements) == []
