"""Brings a database to the tables of this version. Every command does so first.

``python -m storage.migrate "why"`` drafts the next migration from the difference between the models and the
migrations so far; read it before committing it.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database

FOLDER = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 4_815_162
"""PostgreSQL advisory lock: processes that start together migrate one after the other."""


class MigrationError(Exception):
    """The database was written by another version and cannot be brought to this one."""


class UnusableError(Exception):
    """The database cannot be reached or read; the message is the driver's reason, in one line."""


async def migrate(database: Database) -> None:
    """Upgrade to the newest revision; nothing happens when it is there already. MigrationError, UnusableError."""
    try:
        async with database.engine.begin() as connection:
            if not database.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
            await connection.run_sync(_upgrade)
    except CommandError as error:
        raise MigrationError(f"the database was written by another version of Huibao: {error}") from error
    except (OSError, asyncpg.PostgresError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", None) or error) or type(error).__name__
        raise UnusableError(reason.splitlines()[0]) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")


async def draft(why: str) -> None:
    """Write the next migration into ``migrations/versions``."""
    number = len(list((FOLDER / "versions").glob("*.py"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/draft.db")
        await migrate(database)
        async with database.engine.begin() as connection:
            await connection.run_sync(
                lambda sync: command.revision(_config(sync), why, autogenerate=True, rev_id=f"{number:04d}")
            )
        await database.close()


if __name__ == "__main__":
    asyncio.run(draft(" ".join(sys.argv[1:])))
