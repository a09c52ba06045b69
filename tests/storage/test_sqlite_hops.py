"""SQLite in one trip for a statement: it reaches into two libraries, so what they must go on doing is held here."""

import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.sqlite_hops import spare_trips


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    made = create_async_engine("sqlite+aiosqlite://")
    spare_trips(made)
    async with made.begin() as connection:
        await connection.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
        await connection.execute(text("INSERT INTO thing (name) VALUES (:name)"), [{"name": "a"}, {"name": "b"}])
    yield made
    await made.dispose()


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as opened:
        yield opened


@pytest.mark.parametrize(
    "statement",
    ["SELECT name FROM thing", "UPDATE thing SET name = name || '!'", "DELETE FROM thing"],
)
async def test_a_statement_is_one_trip_to_the_thread(
    connection: AsyncConnection, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[Any] = []
    plain: Any = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, work: Any, *args: Any, **named: Any) -> Any:
        trips.append(work)
        return await plain(self, work, *args, **named)

    await connection.execute(text("SELECT 1"))  # the transaction has begun
    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    await connection.execute(text(statement))
    assert len(trips) == 1


async def test_rows_and_their_columns_are_as_with_the_driver(connection: AsyncConnection) -> None:
    found = await connection.execute(text("SELECT id, name FROM thing ORDER BY id"))
    assert list(found.keys()) == ["id", "name"]
    assert found.fetchone() == (1, "a")
    assert found.fetchmany(5) == [(2, "b")]
    assert found.fetchone() is None


async def test_a_question_without_an_answer_still_has_columns(connection: AsyncConnection) -> None:
    found = await connection.execute(text("SELECT id FROM thing WHERE id > 9"))
    assert (list(found.keys()), found.all()) == (["id"], [])


async def test_how_many_rows_changed_and_which_was_inserted(connection: AsyncConnection) -> None:
    changed = await connection.execute(text("UPDATE thing SET name = name || '!'"))
    assert changed.rowcount == 2
    new = await connection.execute(text("INSERT INTO thing (name) VALUES ('c')"))
    assert (new.rowcount, new.lastrowid) == (1, 3)
    given = await connection.execute(text("INSERT INTO thing (name) VALUES ('d'), ('e') RETURNING id"))
    assert given.scalars().all() == [4, 5]


async def test_errors_come_as_the_library_names_them_and_the_connection_lives_on(connection: AsyncConnection) -> None:
    with pytest.raises(IntegrityError) as twice:
        await connection.execute(text("INSERT INTO thing (name) VALUES ('a')"))
    assert isinstance(twice.value.orig, sqlite3.IntegrityError)
    with pytest.raises(OperationalError):
        await connection.execute(text("SELECT nonsense FROM thing"))
    assert (await connection.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 2


async def test_what_is_rolled_back_is_gone(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("DELETE FROM thing"))
        await connection.rollback()
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 2
