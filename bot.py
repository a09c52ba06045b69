"""Huibao's entry point: builds everything and is the only place that reads the environment."""

from collections.abc import Sequence

from sqlmodel import SQLModel

from storage.ports import Adapter
from storage.runtime import Runtime
from storage.work import Ground
from workflows.wiring import logic


async def compose(ground: Ground, adapters: Sequence[Adapter]) -> Runtime:
    """A migrated database and the assembled bot on it."""
    async with ground.database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    return Runtime(ground, adapters, logic())


def main() -> None:
    """Run the command line."""
