"""The migrations and the models say the same; migrating twice is once; a newer database is refused in plain words."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel, select

import storage.console
import storage.fetches
import storage.learning
import storage.letters
from storage.database import Database
from storage.migrate import MigrationError, migrate
from storage.models import Counter
from tests.conftest import fresh_postgresql

assert storage.console
assert storage.fetches
assert storage.learning
assert storage.letters

SQLITE_SCHEMA = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master"
POSTGRESQL_SCHEMA = """
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' ||
           coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace
"""


async def schema(database: Database) -> set[str]:
    """Every table, column, index and constraint, in the database's own words."""
    query = SQLITE_SCHEMA if database.is_sqlite else POSTGRESQL_SCHEMA
    async with database.engine.connect() as connection:
        rows = (await connection.execute(text(query))).scalars().all()
    lines = {" ".join(str(row).replace('"', "").split()) for row in rows}
    return {line for line in lines if "alembic_version" not in line}


async def other_database(database: Database, tmp_path: Path) -> Database:
    if database.is_sqlite:
        return Database(f"sqlite:///{tmp_path}/other.db")
    server = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Database(await fresh_postgresql(server))


async def test_migrations_lead_to_the_models_tables(database: Database, tmp_path: Path) -> None:
    created = await other_database(database, tmp_path)
    async with created.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    migrated, modelled = await schema(database), await schema(created)
    await created.close()
    assert migrated - modelled == set(), "only in the migrations"
    assert modelled - migrated == set(), "only in the models"


async def test_migrating_again_changes_nothing(database: Database) -> None:
    async with database.write() as session:
        session.add(Counter(name="kept", value=7))
    await migrate(database)
    async with database.read() as session:
        assert (await session.exec(select(Counter.value))).all() == [7]


async def test_two_processes_starting_together_migrate_once(database_url: str) -> None:
    first, second = Database(database_url), Database(database_url)
    await asyncio.gather(migrate(first), migrate(second))
    assert await schema(first) == await schema(second)
    await first.close()
    await second.close()


async def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MigrationError, match="another version"):
        await migrate(database)
