"""One serving process per SQLite database, which takes over at once what a killed predecessor held.

Leases let several processes share a PostgreSQL database; there a dead one's rows are freed when its leases lapse. On
SQLite there is only one process, so whatever is still leased at its start belongs to a dead one: waiting would only
delay people.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import col, delete, update

from storage.models import Delivery, Lease
from storage.work import Ground


class AlreadyRunningError(Exception):
    """Another process serves this data directory."""


@contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Hold the data directory; AlreadyRunningError when another process does. Freed by the system when we die."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "huibao.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunningError(str(folder)) from error
        yield


async def take_over(ground: Ground) -> None:
    """Let every lease lapse now (the caller holds the data directory): messages in mid-send go again, marked 补发."""
    async with ground.work() as work:
        held = update(Delivery).where(col(Delivery.state) == "sending").values(lease_until=work.now)
        await work.session.exec(held)
        await work.session.exec(delete(Lease))
