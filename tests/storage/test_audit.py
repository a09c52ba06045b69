"""The audit chain: what was done stays done, and whoever changes it is found out."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from storage.audit import LEASE, Sealer, verify
from storage.clock import ManualClock
from storage.database import Database
from storage.models import AuditEntry
from storage.work import Ground
from tests.storage.parts import NOW, ground_on, rows, until

FORGE = """
    INSERT INTO audit (id, seq, at, who, what, about, via, detail, hash)
    SELECT 100, 4, at, 'x', what, about, via, detail, hash FROM audit WHERE seq = 3
"""


async def written(ground: Ground, count: int) -> None:
    async with ground.work() as work:
        for number in range(count):
            work.audit("fault.taken", about=f"GZ-{number}", who="li", via="fake", text="我来", at=[1, 2])


async def tamper(database: Database, *statements: str) -> None:
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_an_untouched_chain_holds(database: Database) -> None:
    ground = ground_on(database)
    await written(ground, 5)
    assert await Sealer(ground).step() == 5
    verdict = await verify(ground)
    assert (verdict.sealed, verdict.unsealed, verdict.broken_seq) == (5, 0, None)
    assert [entry.seq for entry in await rows(ground, AuditEntry)] == [1, 2, 3, 4, 5]


async def test_an_empty_chain_holds(database: Database) -> None:
    verdict = await verify(ground_on(database))
    assert (verdict.sealed, verdict.unsealed, verdict.broken_seq) == (0, 0, None)


async def test_the_unsealed_tail_is_reported_apart(database: Database) -> None:
    ground = ground_on(database)
    await written(ground, 3)
    await Sealer(ground).step()
    await written(ground, 2)
    verdict = await verify(ground)
    assert (verdict.sealed, verdict.unsealed, verdict.broken_seq) == (3, 2, None)


@pytest.mark.parametrize(
    ("done", "first_broken"),
    [
        (["UPDATE audit SET who = 'wang' WHERE seq = 3"], 3),
        (["UPDATE audit SET what = 'x' WHERE seq = 1"], 1),
        (["UPDATE audit SET via = '' WHERE seq = 5"], 5),
        (["UPDATE audit SET about = 'GZ-9' WHERE seq = 2"], 2),
        (["UPDATE audit SET detail = '{}' WHERE seq = 4"], 4),
        (["UPDATE audit SET hash = '' WHERE seq = 4"], 4),
        (["DELETE FROM audit WHERE seq = 3"], 3),
        (["DELETE FROM audit WHERE seq = 1"], 1),
        (["DELETE FROM audit WHERE seq >= 4"], 4),
        (["UPDATE audit SET seq = 99 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 3",
          "UPDATE audit SET seq = 3 WHERE seq = 99"], 2),
        (["UPDATE audit SET seq = 6 WHERE seq = 5", "UPDATE audit SET seq = 5 WHERE seq = 4",
          FORGE], 4),
        (["UPDATE audit SET seq = NULL WHERE seq = 2"], 2),
    ],
)  # fmt: skip
async def test_tampering_is_named(database: Database, done: list[str], first_broken: int) -> None:
    ground = ground_on(database)
    await written(ground, 5)
    await Sealer(ground).step()
    await tamper(database, *done)
    assert (await verify(ground)).broken_seq == first_broken


@pytest.mark.parametrize(
    "done", ["UPDATE audit SET detail = '{x' WHERE seq = 3", "UPDATE audit SET at = 'yesterday' WHERE seq = 3"]
)
async def test_what_a_column_cannot_hold_is_tampering_too(sqlite_database: Database, done: str) -> None:
    ground = ground_on(sqlite_database)
    await written(ground, 5)
    await Sealer(ground).step()
    await tamper(sqlite_database, done)
    assert (await verify(ground)).broken_seq == 3


async def test_a_moved_time_is_named(database: Database) -> None:
    ground = ground_on(database)
    await written(ground, 5)
    await Sealer(ground).step()
    async with database.write() as session:
        entry = await session.get_one(AuditEntry, 4)
        entry.at = NOW + timedelta(microseconds=1)
        session.add(entry)
    assert (await verify(ground)).broken_seq == 4


async def test_one_process_seals_at_a_time_and_the_other_takes_over(database: Database) -> None:
    clock = ManualClock(NOW)
    ground = ground_on(database, clock)
    first, second = Sealer(ground), Sealer(ground)
    await written(ground, 1)
    assert await first.step() == 1
    await written(ground, 1)
    assert await second.step() == 0, "the first holds the lease"
    clock.advance(LEASE)
    assert await second.step() == 1
    await written(ground, 1)
    assert await first.step() == 0
    assert (await verify(ground)).broken_seq is None


async def test_two_processes_sealing_together_make_one_chain(database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    grounds = [ground_on(database), ground_on(other)]
    sealers = [Sealer(ground) for ground in grounds]
    for _ in range(4):
        await asyncio.gather(*(written(ground, 5) for ground in grounds))
        await asyncio.gather(*(sealer.step() for sealer in sealers))
    await sealers[0].step()
    await sealers[1].step()
    verdict = await verify(grounds[0])
    assert (verdict.sealed, verdict.broken_seq) == (40, None)
    await other.close()


async def test_commits_are_sealed_soon_and_more_than_one_slice_at_once(sqlite_database: Database) -> None:
    clock = ManualClock(NOW)
    ground = ground_on(sqlite_database, clock)
    sealer = Sealer(ground)
    running = asyncio.create_task(sealer.run())
    await written(ground, 1200)
    for _ in range(200):
        clock.advance(timedelta(milliseconds=50))
        await asyncio.sleep(0.005)
        if (await verify(ground)).sealed == 1200:
            break
    assert (await verify(ground)).sealed == 1200
    sealer.stop()
    await until(running.done)
