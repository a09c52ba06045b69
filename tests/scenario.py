"""Scenarios: the real bot on a real database with fake platforms and the clock in the test's hand.

``say`` is a person writing; ``expect`` takes the next matching message that an address saw out of the record;
``nothing_more`` fails when anything unexpected is left. Names of people and groups are the sample organisation's.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from bot import compose
from storage.clock import ManualClock
from storage.database import Database
from storage.messages import Address, Attachment, Incoming, Quote, Sender
from storage.models import Fault, Group, Identity, Meeting, Obligation, Person
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.runtime import Runtime
from storage.settings import Settings, build_settings, parse_duration
from storage.work import Ground
from tests.fakes import FakePlatform, Seen
from workflows.helper import Adviser

START = datetime.fromisoformat("2026-11-24T15:10:00+08:00")
DINGTALK: dict[str, Any] = {"client_id": "ding1", "client_secret": "s", "robot_code": "ding1"}
WECOM: dict[str, Any] = {"corp_id": "ww1"}


class Scenario:
    """A running bot to talk to. See the module's docstring."""

    def __init__(self, runtime: Runtime, clock: ManualClock, platforms: dict[str, FakePlatform]) -> None:
        self.runtime = runtime
        self.ground: Ground = runtime.ground
        self.clock = clock
        self.platforms = platforms
        self._count = 0

    # ---- people act

    async def say(
        self,
        person: str,
        text: str = "",
        *,
        group: str = "",
        platform: str = "dingtalk",
        quote: str = "",
        click: str = "",
        attachments: Iterable[Attachment] = (),
        written_at: datetime | None = None,
        message_id: str = "",
        settle: bool = True,
    ) -> Incoming:
        """``person`` (a person_id) writes in a group (its name) or, without one, to the bot directly."""
        incoming = await self.said(
            person,
            text,
            group=group,
            platform=platform,
            quote=quote,
            click=click,
            attachments=attachments,
            written_at=written_at,
            message_id=message_id,
        )
        await self.runtime.inbox.accept(incoming)
        if settle:
            await self.settle()
        return incoming

    async def said(
        self,
        person: str,
        text: str = "",
        *,
        group: str = "",
        platform: str = "dingtalk",
        quote: str = "",
        click: str = "",
        attachments: Iterable[Attachment] = (),
        written_at: datetime | None = None,
        message_id: str = "",
    ) -> Incoming:
        """What the platform would deliver of a message, without delivering it."""
        self._count += 1
        account = await self.account(person, platform)
        place = await self.group_address(group, platform) if group else None
        return Incoming(
            platform=platform,
            account="bot",
            message_id=message_id or f"in-{self._count}",
            conversation=place or Address(platform=platform, kind="direct", id=account),
            sender=Sender(account=account, name=person),
            text=text,
            written_at=written_at or self.clock.now(),
            quote=Quote(text=quote) if quote else None,
            click=click,
            attachments=tuple(attachments),
        )

    async def settle(self) -> None:
        """Let everything that is due happen, at this moment of the clock."""
        await self.runtime.step()

    async def advance(self, by: str | timedelta) -> None:
        """Move the clock, stopping at every moment at which the bot wants to act."""
        await self.until(self.clock.now() + parse_duration(by))

    async def until(self, moment: datetime) -> None:
        """Move the clock to ``moment`` in the same way."""
        while (due := await self.runtime.next_due()) is not None and due <= moment:
            self.clock.set(max(due, self.clock.now()))
            await self.settle()
        self.clock.set(moment)
        await self.settle()

    # ---- what people see

    def expect(self, where: str, *parts: str, absent: Iterable[str] = ()) -> Seen:
        """Take the first unread message at ``where`` that holds every part. ``where``: see :meth:`seen_at`."""
        for seen in self.unread(where):
            if all(part in seen.text for part in parts):
                assert not any(part in seen.text for part in absent), f"unwanted words in: {seen.text}"
                self._take(seen)
                return seen
        shown = "\n".join(f"  {seen.text}" for seen in self.unread(where)) or "  (nothing)"
        raise AssertionError(f"{where} did not see {parts}; unread there:\n{shown}\nelsewhere:\n{self.transcript()}")

    def unread(self, where: str) -> list[Seen]:
        """Messages not yet taken at ``dingtalk:direct:dt-li``, or in short at ``li`` / ``#临河县保障群`` anywhere."""
        return [seen for platform in self.platforms.values() for seen in platform.seen if self._at(seen, where)]

    def forget_all(self) -> None:
        """Take everything seen so far as expected."""
        for platform in self.platforms.values():
            platform.seen.clear()

    def nothing_more(self, where: str = "") -> None:
        """Fail when an unexpected message is left (anywhere, or at one place)."""
        left = [s for p in self.platforms.values() for s in p.seen if not where or self._at(s, where)]
        assert not left, "unexpected messages:\n" + "\n".join(f"  {s.address}: {s.text}" for s in left)

    def transcript(self) -> str:
        """All unread messages, for failures."""
        return "\n".join(f"  {s.address}: {s.text}" for p in self.platforms.values() for s in p.seen)

    def _at(self, seen: Seen, where: str) -> bool:
        if where.startswith("#"):
            return seen.address.kind == "group" and self._group_names.get(str(seen.address)) == where[1:]
        if ":" in where:
            return str(seen.address) == where
        return seen.address.kind == "direct" and self._owners.get(str(seen.address)) == where

    def _take(self, seen: Seen) -> None:
        self.platforms[seen.address.platform].seen.remove(seen)

    # ---- what the tables say

    async def rows(self, model: type[Any], *conditions: Any) -> list[Any]:
        """Rows of a table."""
        async with self.ground.database.read() as session:
            return list((await session.exec(select(model).where(*conditions))).all())

    async def obligations(self, **fields: Any) -> list[Obligation]:
        """Obligations with these field values, oldest first."""
        rows = await self.rows(Obligation, *[getattr(Obligation, name) == value for name, value in fields.items()])
        return sorted(rows, key=lambda row: row.id or 0)

    async def fault(self) -> Fault:
        """The newest fault."""
        rows: list[Fault] = sorted(await self.rows(Fault), key=lambda row: row.number)
        return rows[-1]

    async def meeting(self) -> Meeting:
        """The newest meeting."""
        rows: list[Meeting] = sorted(await self.rows(Meeting), key=lambda row: row.number)
        return rows[-1]

    async def account(self, person: str, platform: str) -> str:
        """The person's account on a platform."""
        if platform == "web":
            return person
        rows = await self.rows(Identity, Identity.person_id == person, Identity.platform == platform)
        return str(rows[0].account) if rows else person

    async def group_address(self, name: str, platform: str) -> Address:
        """The address of a group by its name."""
        rows = await self.rows(Group, Group.name == name, Group.platform == platform)
        return Address(platform=platform, kind="group", id=rows[0].conversation_id if rows else name)

    async def learn(self) -> None:
        """Read names of groups and owners of accounts for ``expect``."""
        groups, identities = await self.rows(Group), await self.rows(Identity)
        people = await self.rows(Person)
        self._group_names = {f"{g.platform}:group:{g.conversation_id}": g.name for g in groups}
        self._owners = {f"{i.platform}:direct:{i.account}": i.person_id for i in identities}
        self._owners |= {f"web:direct:{p.person_id}": p.person_id for p in people}


def settings_for(folder: Path, **sections: Any) -> Settings:
    """A configuration with DingTalk switched on, plus the given sections."""
    return build_settings({"dingtalk": DINGTALK, **sections}, {}, folder, "test")


@asynccontextmanager
async def scenario(
    folder: Path,
    *,
    start: datetime = START,
    organisation: Path = SAMPLE,
    change: Callable[[Any], None] | None = None,
    platform: Callable[[str], FakePlatform] = FakePlatform,
    adviser: Adviser | None = None,
    **sections: Any,
) -> AsyncIterator[Scenario]:
    """A bot with the sample organisation, started at ``start``. ``sections`` are configuration sections to add;
    ``platform`` makes the fake of each platform."""
    settings = settings_for(folder, **sections)
    clock = ManualClock(start)
    database = Database(settings.database_url)
    platforms = {name: platform(name) for name in settings.platforms}
    try:
        runtime = await compose(Ground(database, clock, settings), list(platforms.values()), adviser)
        tables = read_tables(organisation)
        if change is not None:
            change(tables)
        await import_tables(database, tables, clock.now(), dry_run=False)
        running = Scenario(runtime, clock, platforms)
        await running.learn()
        yield running
    finally:
        await database.close()
