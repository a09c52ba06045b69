"""A reader of a mailbox to be killed: ``python -m tests.email.mortal PORT FOLDER``."""

import asyncio
import sys
from pathlib import Path

from storage.database import Database
from storage.migrate import migrate
from tests.email.watch import Watch


async def main(port: int, folder: Path) -> None:
    """Read until the end comes."""
    database = Database(f"sqlite:///{folder}/huibao.db")
    await migrate(database)
    await Watch(database, folder, port).mailbox.run()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
