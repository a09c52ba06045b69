"""Killed with SIGKILL while it reads, again and again: every mail is one message, none is lost."""

import asyncio
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from storage.clock import Stopwatch
from tests.email.watch import numbered
from tests.simulators.email.imap import imap_server

MAILS, KILLS = 24, 2


def taken(folder: Path) -> int:
    """How many messages are in the inbox."""
    if not (folder / "huibao.db").exists():
        return 0
    connection = sqlite3.connect(folder / "huibao.db", timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM inbox").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


async def read_until(port: int, folder: Path, count: int) -> None:
    """Start a reader and kill it once so many messages are there."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.email.mortal", str(port), str(folder))
    watch = Stopwatch()
    try:
        while taken(folder) < count:
            assert process.returncode is None
            assert watch.seconds() < 120
            await asyncio.sleep(0.03)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.mark.slow
async def test_every_mail_survives_every_kill(tmp_path: Path) -> None:
    async with imap_server() as server:
        for number in range(MAILS):
            await server.deliver(numbered(number))
        for kill in range(KILLS):
            await read_until(server.port, tmp_path, (kill + 1) * MAILS // (KILLS + 1))
        await read_until(server.port, tmp_path, MAILS)
        assert len(await server.seen()) >= MAILS - 1
    connection = sqlite3.connect(tmp_path / "huibao.db")
    rows = connection.execute("SELECT count(*), count(DISTINCT message_id) FROM inbox").fetchone()
    connection.close()
    assert rows == (MAILS, MAILS)
