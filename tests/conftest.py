"""Fixtures for everybody: ``database`` is an empty one, on SQLite and on real PostgreSQL in turn.

``sqlite_database`` and ``postgresql_database`` give one of them. All are migrated.
"""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog

from storage.database import Database
from storage.migrate import migrate
from tests import postgres


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """Tracebacks painted for a terminal take a quarter of a second each, and tests make things fail a lot."""
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """One server for the whole session."""
    source = postgres.installation()
    if source is None:
        pytest.skip("the PostgreSQL binaries of the dev extra are not installed")
    with postgres.server(source) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    return str(request.param)


@pytest.fixture
async def database_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of one's own."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path}/huibao.db"
    return await fresh_postgresql(request.getfixturevalue("postgresql_server"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty, migrated database."""
    async for opened in _opened(database_url):
        yield opened


@pytest.fixture
async def sqlite_database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty, migrated SQLite database."""
    async for opened in _opened(f"sqlite:///{tmp_path}/huibao.db"):
        yield opened


@pytest.fixture
async def postgresql_database(postgresql_server: str) -> AsyncIterator[Database]:
    """An empty, migrated PostgreSQL database."""
    async for opened in _opened(await fresh_postgresql(postgresql_server)):
        yield opened


async def fresh_postgresql(server: str) -> str:
    """Create an empty database on the server; its URL."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    return server.rpartition("/")[0] + f"/{name}"


async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await migrate(database)
    yield database
    await database.close()
