"""A bot that is killed again and again: run by ``test_kill.py`` as a process of its own.

It accepts numbered messages, answers each, and opens a debt for each that time escalates twice; the world outside are
two platforms that append to a file. Everything is imported once, then a child is forked for each life, so that dozens
of lives cost no dozens of start-ups. Nothing here can wait for ever: an alarm ends every life, and whoever started it.
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlmodel import col, func, select

from storage.clock import SystemClock
from storage.database import Database
from storage.messages import Address, Incoming, Outgoing, Urgency
from storage.migrate import migrate
from storage.models import Delivery, InboxRow, Obligation
from storage.obligations import Rung, open_obligation
from storage.outbox import post
from storage.ports import Capabilities, Outcome, SendJob, Sent
from storage.runtime import Runtime
from storage.work import Work
from tests.fakes import FakePlatform
from tests.storage.parts import Recorder, ground_on, incoming

MESSAGES = 90
LADDER = [Rung("due", timedelta(0)), Rung("upper", timedelta(milliseconds=150))]
DOWNTIME = timedelta(seconds=31)
"""Each life begins this much later: long enough for the leases of the dead to lapse."""
LIFE_SECONDS, ALL_SECONDS = 90, 240
BOSSES = [Address(platform=name, kind="direct", id=who) for name in ("fake", "other") for who in ("boss", "deputy")]
"""Told together: those of one platform in one call."""
DELIVERIES = MESSAGES * (1 + 2 * len(BOSSES))
IN_DOUBT = """
    SELECT platform, count(DISTINCT json_extract(message, '$.text')), count(DISTINCT lease_owner || attempts)
    FROM delivery WHERE state = 'sending' GROUP BY platform
"""


class World(FakePlatform):
    """Appends every call it gets to a file, in one write, then takes a moment to answer."""

    def __init__(self, name: str, file: Path, life: int, ready: int) -> None:
        super().__init__(name, Capabilities(batch=20))
        self._out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._life = life
        self._ready = ready

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        await asyncio.sleep(0.001)
        os.write(self._ready, b".")
        told = ",".join(sorted(address.id for address in job.addresses))
        os.write(self._out, f"{self._life}\t{self.platform}\t{told}\t{job.message.text}\n".encode())
        await asyncio.sleep(0.001)
        return dict.fromkeys(job.addresses, Sent())


class Story(Recorder):
    """Answers and opens a debt; escalations are told."""

    async def answer(self, work: Work, message: Incoming) -> None:
        number = message.message_id
        await post(work, message.conversation, Outgoing(text=f"answer {number}", urgency=Urgency.ANSWER), key=number)
        debt = Obligation(
            kind="fault_ack", unit_id=number, due_at=work.now + timedelta(milliseconds=100), opened_at=work.now
        )
        open_obligation(work, debt, LADDER)

    async def escalate(self, work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
        text = f"{rung} {obligation.unit_id}"
        work.audit("fired", about=text)
        message = Outgoing(text=text, about=text, urgency=Urgency.ESCALATION)
        for boss in BOSSES:  # the key is new at each call: a rung that fired twice would be seen twice
            await post(work, boss, message, key=f"{text} {time.time_ns()}")
        return True


async def receive(runtime: Runtime, acknowledged: Path) -> None:
    """The platform delivers again whatever was not acknowledged, and the last one twice for good measure."""
    done = len(acknowledged.read_bytes()) if acknowledged.exists() else 0
    with acknowledged.open("ab", buffering=0) as file:
        for number in range(max(done - 1, 0), MESSAGES):
            place = Address(platform="fake", kind="direct", id=str(number % 7))
            await runtime.inbox.accept(incoming(number, place=place))
            if number >= done:
                file.write(b".")
            await asyncio.sleep(0.002)


async def all_done(database: Database) -> bool:
    async with database.read() as session:
        counts = [
            (await session.exec(select(func.count()).select_from(model).where(*conditions))).one()
            for model, conditions in (
                (InboxRow, [InboxRow.state == "done"]),
                (Delivery, [col(Delivery.state) == "sent"]),
                (Obligation, [col(Obligation.next_at).is_(None)]),
            )
        ]
    return counts == [MESSAGES, DELIVERIES, MESSAGES]


async def live(folder: Path, life: int, ready: int) -> None:
    database = Database(f"sqlite:///{folder}/huibao.db")
    await migrate(database)
    ground = ground_on(database, SystemClock(DOWNTIME * life))
    worlds = [World(name, folder / "world", life, ready) for name in ("fake", "other")]
    runtime = Runtime(ground, worlds, Story().logic())
    running = asyncio.create_task(runtime.run())
    await receive(runtime, folder / "acknowledged")
    while not await all_done(database):  # noqa: ASYNC110 - the tables have no event
        await asyncio.sleep(0.05)
    runtime.stop()
    await running
    await database.close()


async def warm_up(folder: Path) -> None:
    """Load and configure everything once, in the process that forks."""
    database = Database(f"sqlite:///{folder}/huibao.db")
    await migrate(database)
    runtime = Runtime(ground_on(database), [], Story().logic())
    await runtime.inbox.accept(incoming(0))
    await runtime.step()
    await database.close()


def in_doubt(folder: Path) -> str:
    """For each platform: how many messages, and how many claims, were being sent when it died."""
    file = folder / "huibao.db"
    if not file.exists():
        return ""
    with closing(sqlite3.connect(file)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'delivery'").fetchone():
            return ""
        return ",".join(f"{name}:{texts}:{claims}" for name, texts, claims in connection.execute(IN_DOUBT))


def kill_somewhere(child: int, ready: int, chance: random.Random) -> None:
    """While its first few messages go out, whatever the machine's pace; one time in five somewhere in its start."""
    if chance.random() < 0.8:
        for _ in range(chance.randint(1, 6)):
            os.read(ready, 1)  # also returns when the child is gone
        time.sleep(chance.uniform(0.0, 0.03))
    else:
        time.sleep(chance.uniform(0.0, 0.4))
    os.kill(child, signal.SIGKILL)


def main(folder: Path, kills: int, seed: int) -> None:
    signal.alarm(ALL_SECONDS)
    chance = random.Random(seed)
    asyncio.run(warm_up(folder / "warm"))
    for life in range(kills + 1):
        ready, say_ready = os.pipe()
        child = os.fork()
        if not child:
            signal.alarm(LIFE_SECONDS)
            asyncio.run(live(folder, life, say_ready))
            os._exit(0)
        os.close(say_ready)
        if life < kills:
            kill_somewhere(child, ready, chance)
        _, status = os.waitpid(child, 0)
        os.close(ready)
        print(life, status, in_doubt(folder), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
