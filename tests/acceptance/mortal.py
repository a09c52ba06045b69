"""A bot that can be killed at any step that leaves a trace, and started again on the same database.

What a ``kill -9`` can interrupt are the moments between outside effects: before and after a commit, before and after a
message reaches the platform. ``Mortality`` counts those moments and kills at the chosen one.
"""

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import compose
from storage.clock import ManualClock
from storage.database import Database
from storage.messages import Address, Incoming
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.ports import Outcome, SendJob
from storage.work import Ground
from tests.fakes import FakePlatform
from tests.scenario import START, Scenario, settings_for

RESTART_TAKES = timedelta(seconds=2)
RESENT = "【补发】"


class Killed(BaseException):
    """The process is gone."""


DEATH = (Killed, ConnectionError)
"""How the end shows: where it struck, or where others waited for what was struck."""


@dataclass
class Mortality:
    """Kills at the ``at``-th moment; counts them all (``at`` 0: immortal)."""

    at: int = 0
    moments: int = 0
    dead: bool = False

    def moment(self) -> None:
        """One moment at which the process may die."""
        self.moments += 1
        self.dead = self.dead or self.moments == self.at
        if self.dead:
            raise Killed


class MortalDatabase(Database):
    """Dies before or after a commit."""

    def __init__(self, url: str, mortality: Mortality) -> None:
        super().__init__(url)
        self.mortality = mortality

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
            self.mortality.moment()
        self.mortality.moment()


@dataclass
class MortalPlatform(FakePlatform):
    """Dies before or after a message has reached people; what they saw stays seen."""

    mortality: Mortality = field(default_factory=Mortality)

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        self.mortality.moment()
        outcomes = await super().send(job)
        self.mortality.moment()
        return outcomes


class Life:
    """A scenario whose process may die; whoever was speaking speaks again to the next one, as platforms redeliver."""

    def __init__(self, folder: Path, at: int, ready: Path | None = None) -> None:
        self.mortality = Mortality()
        self._at = at
        self._settings = settings_for(folder)
        if ready is not None:
            self.file.parent.mkdir()
            shutil.copy(ready, self.file)
        self._imported = ready is not None
        self._clock = ManualClock(START)
        self._platform = MortalPlatform("dingtalk", mortality=self.mortality)
        self._database: MortalDatabase | None = None
        self.bot: Scenario
        self.deaths = 0

    @property
    def file(self) -> Path:
        """The database."""
        return Path(self._settings.database_url.removeprefix("sqlite:///"))

    async def start(self) -> None:
        """A new process on the same database."""
        self._database = MortalDatabase(self._settings.database_url, Mortality())
        runtime = await compose(Ground(self._database, self._clock, self._settings), [self._platform])
        if not self._imported:
            await import_tables(self._database, read_tables(SAMPLE), self._clock.now())
            self._imported = True
        self._database.mortality = self.mortality
        self.bot = Scenario(runtime, self._clock, {"dingtalk": self._platform})
        await self.bot.learn()
        if not self.deaths:
            self.mortality.at = self._at

    async def stop(self) -> None:
        """End what the dead process left running, and close what it left open."""
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._database is not None:
            await self._database.close()

    async def say(self, person: str, text: str, group: str = "", *, name: str) -> None:
        """Speak until it was acknowledged; then everything that follows from it happens."""
        incoming: Incoming | None = None
        while True:
            try:
                if incoming is None:
                    incoming = await self._spoken(person, text, group, name)
                await self.bot.runtime.inbox.accept(incoming)
                break
            except DEATH:
                await self._revive()
        await self.settle()

    async def _spoken(self, person: str, text: str, group: str, name: str) -> Incoming:
        return await self.bot.said(person, text, group=group, message_id=name)

    async def settle(self) -> None:
        """Let everything due happen, through deaths."""
        while True:
            try:
                await self.bot.settle()
                return
            except DEATH:
                await self._revive()

    async def until(self, moment: datetime) -> None:
        """Move the clock, through deaths."""
        while True:
            try:
                await self.bot.until(moment)
                return
            except DEATH:
                await self._revive()

    async def _revive(self) -> None:
        assert self.mortality.dead
        self.deaths += 1
        self.mortality.at, self.mortality.dead = 0, False
        await self.stop()
        self._clock.advance(RESTART_TAKES)
        await self.start()

    def seen(self) -> Counter[str]:
        """Everything people saw, times of day blanked out; what is marked as sent again is left out."""
        texts = [f"{seen.address} {_timeless(seen.text)}" for seen in self._platform.seen]
        return Counter(text for text in texts if RESENT not in text)

    def resent(self) -> Counter[str]:
        """What was marked as sent again, without the mark."""
        texts = [f"{seen.address} {_timeless(seen.text)}" for seen in self._platform.seen if RESENT in seen.text]
        return Counter(text.replace(RESENT, "") for text in texts)


def _timeless(text: str) -> str:
    return re.sub(r"\d{1,2}:\d{2}", "时刻", text)
