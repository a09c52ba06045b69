"""A bot that reads a mailbox, and waits for what it makes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import col, select

from adapters.email.letter import Letter
from adapters.email.mailbox import Mailbox
from adapters.email.receive import read_message
from storage.clock import ManualClock, Stopwatch
from storage.database import Database
from storage.inbox import Inbox
from storage.messages import Incoming
from storage.models import InboxRow
from storage.settings import Settings
from storage.work import Ground
from tests.email.letters import BOT, THREADS, mail
from tests.simulators.email.account import PASSWORD, USER

NOW = datetime.fromisoformat("2026-11-24T10:13:30+08:00")
MINUTE = timedelta(minutes=1)
Condition = Callable[[], object]


@dataclass
class Watch:
    """A bot that reads the mailbox; ``letters`` are what it was given, ``fail`` how often it fails to take one."""

    database: Database
    folder: Path
    port: int
    password: str = PASSWORD
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    letters: list[Letter] = field(default_factory=list)
    fail: int = 0
    mailbox: Mailbox = field(init=False)

    def __post_init__(self) -> None:
        imap = {"host": "127.0.0.1", "port": self.port, "tls": "none", "username": USER, "password": self.password}
        self.settings = Settings.model_validate(
            {"data_dir": str(self.folder), "email": {"address": BOT, "imap": imap}, "base_dir": str(self.folder)}
        )
        self.ground = Ground(self.database, self.clock, self.settings)
        self.inbox = Inbox(self.ground)
        assert self.settings.email is not None
        self.mailbox = Mailbox(self.settings.email, self.ground, self.take)

    async def take(self, letter: Letter) -> None:
        if self.fail:
            self.fail -= 1
            raise ConnectionError("the database is away")
        await self.inbox.accept(read_message(letter, BOT, THREADS, self.clock.now(), proven=False))
        self.letters.append(letter)

    async def messages(self) -> list[Incoming]:
        """What is in the inbox."""
        async with self.database.read() as session:
            rows = (await session.exec(select(InboxRow).order_by(col(InboxRow.id)))).all()
        return [Incoming.model_validate(row.payload) for row in rows]

    async def texts(self, count: int) -> list[str]:
        """The words of all messages, once there are ``count``."""
        await until(lambda: len(self.letters) >= count)
        return [message.text for message in await self.messages()]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.mailbox.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def healthy(self) -> None:
        await until(lambda: self.mailbox.ever_connected() and not self.mailbox.trouble())

    async def tick(self, condition: Condition, step: timedelta = MINUTE) -> None:
        """Let time pass until it holds."""
        watch = Stopwatch()
        while not condition():
            assert watch.seconds() < 60, "it never came"
            self.clock.advance(step)
            await asyncio.sleep(0.05)


async def until(condition: Condition, within: float = 60.0) -> None:
    """Wait for loopback traffic to have its effect."""
    watch = Stopwatch()
    while not condition():
        assert watch.seconds() < within, "it did not come"
        await asyncio.sleep(0.01)


def numbered(number: int, text: str = "") -> bytes:
    return mail(text or f"第{number}封", subject=f"回复：{number}", **{"Message-ID": f"<m{number}@gov.example.cn>"})
