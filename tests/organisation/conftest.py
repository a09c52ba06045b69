"""A fresh database for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from storage.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'huibao.db'}")
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield opened
    await opened.close()
