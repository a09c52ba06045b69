"""What people attach is fetched once somebody has use for it, kept, and shown where it belongs; nothing is lost."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from storage.clock import ManualClock
from storage.database import Database
from storage.fetcher import LEASE, Fetcher
from storage.fetches import Fetch
from storage.files import FileStore
from storage.inbox import Inbox
from storage.messages import Attachment
from storage.models import AuditEntry, StoredFile
from storage.ports import Refused, Retry, SendError
from storage.work import Ground, Work
from tests.storage.parts import NOW, ground_on, incoming, rows, until
from tests.storage.plans import recorded, walks_of

PHOTO = b"red light"
SHA256 = hashlib.sha256(PHOTO).hexdigest()


@dataclass
class Camera:
    """A platform that gives out what it has; ``outcomes`` come first, one for each call."""

    has: dict[str, bytes] = field(default_factory=lambda: {"p1": PHOTO})
    outcomes: list[SendError | Exception] = field(default_factory=list)
    calls: int = 0
    holding: asyncio.Event | None = None

    async def download(self, attachment: Attachment) -> bytes:
        self.calls += 1
        if self.holding is not None:
            await self.holding.wait()
        if self.outcomes:
            raise self.outcomes.pop(0)
        return self.has[attachment.ref]


class House:
    """A fetcher with its ground, and what it said was there."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.ground: Ground = ground_on(database)
        self.camera = Camera()
        self.store = FileStore(folder / "files", limit=100)
        self.shown: list[tuple[list[list[str]], str]] = []
        self.fetcher = self.another()
        self.inbox = Inbox(self.ground, {"fake"})

    def another(self) -> Fetcher:
        return Fetcher(self.ground, {"fake": self.camera}, self.store, self.show)

    async def show(self, work: Work, fetch: Fetch) -> None:
        if fetch.places[0][0] == "broken":
            raise ZeroDivisionError
        self.shown.append((fetch.places, fetch.sha256))

    async def sent(self, *refs: str, number: object = 1) -> None:
        attachments = tuple(Attachment(kind="image", ref=ref, name="光路.jpg") for ref in refs)
        await self.inbox.accept(incoming(number).model_copy(update={"attachments": attachments}))

    async def claimed(self, ref: str, *place: str) -> None:
        async with self.ground.work() as work:
            for row in (await work.session.exec(select(Fetch).where(Fetch.ref == ref))).all():
                row.claim(list(place), work.now)
                work.session.add(row)

    async def states(self) -> list[str]:
        return [row.state for row in await rows(self.ground, Fetch)]

    async def advance(self, by: timedelta) -> None:
        """Let the clock run, stopping wherever the fetcher wants to act."""
        clock = self.ground.clock
        assert isinstance(clock, ManualClock)
        end = clock.now() + by
        while (due := await self.fetcher.next_due()) is not None and due <= end:
            clock.set(max(due, clock.now()))
            await self.fetcher.step()
        clock.set(end)

    async def audited(self, what: str) -> list[AuditEntry]:
        return await rows(self.ground, AuditEntry, col(AuditEntry.what) == what)


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


async def test_what_is_claimed_is_fetched_kept_and_shown(house: House) -> None:
    await house.sent("p1")
    await house.claimed("p1", "fault", "GZ-1")
    await house.fetcher.step()
    assert house.store.path(SHA256).read_bytes() == PHOTO
    assert house.shown == [([["fault", "GZ-1"]], SHA256)]
    async with house.ground.database.read() as session:
        [file] = (await session.exec(select(StoredFile))).all()
    assert (file.sha256, file.name, file.size) == (SHA256, "光路.jpg", len(PHOTO))
    [entry] = await house.audited("file.stored")
    assert (entry.about, entry.who, entry.via, entry.detail["sha256"]) == ("GZ-1", "li", "fake", SHA256)


async def test_what_nobody_has_use_for_is_not_fetched(house: House) -> None:
    await house.sent("p1")
    await house.fetcher.step()
    assert (house.camera.calls, await house.states()) == (0, ["noted"])
    assert await house.fetcher.next_due() is None


async def test_a_message_that_comes_again_is_fetched_once(house: House) -> None:
    await asyncio.gather(house.sent("p1"), house.sent("p1"))
    await house.sent("p1")
    await house.claimed("p1", "fault", "GZ-1")
    await house.fetcher.step()
    assert house.camera.calls == 1


async def test_platforms_without_downloads_note_nothing(house: House) -> None:
    house.inbox = Inbox(house.ground)
    await house.sent("p1")
    assert await house.states() == []


async def test_trouble_is_tried_again_later_and_later(house: House) -> None:
    await house.sent("p1")
    await house.claimed("p1", "fault", "GZ-1")
    house.camera.outcomes = [Retry("busy"), OSError("disk"), Retry("throttled", NOW + timedelta(minutes=5))]
    await house.fetcher.step()
    assert await house.fetcher.next_due() == NOW + timedelta(seconds=1)
    await house.advance(timedelta(seconds=3))
    assert await house.fetcher.next_due() == NOW + timedelta(minutes=5)
    await house.advance(timedelta(minutes=5))
    assert (await house.states(), house.camera.calls) == (["stored"], 4)


@pytest.mark.parametrize("why", ["gone", "too large"])
async def test_what_is_gone_for_good_is_given_up_at_once_and_said(house: House, why: str) -> None:
    await house.sent("p1")
    await house.claimed("p1", "fault", "GZ-1")
    house.camera.outcomes = [Refused("invalidParameter.downloadCode")] if why == "gone" else []
    house.camera.has["p1"] = b"x" * 101
    await house.fetcher.step()
    assert (await house.states(), house.shown) == (["failed"], [])
    [entry] = await house.audited("file.lost")
    assert entry.about == "GZ-1"
    assert entry.detail["reason"] in ("invalidParameter.downloadCode", "more than 100 bytes")
    assert await house.fetcher.next_due() is None


async def test_a_day_of_trouble_is_the_end(house: House) -> None:
    await house.sent("p1")
    await house.claimed("p1", "fault", "GZ-1")
    house.camera.outcomes = [Retry("down")] * 1000
    await house.advance(timedelta(hours=23, minutes=50))
    assert await house.states() == ["waiting"]
    assert house.camera.calls < 160, "an outage must not burn the month's calls"
    await house.advance(timedelta(minutes=30))
    assert await house.states() == ["failed"]
    assert len(await house.audited("file.lost")) == 1


async def test_a_crash_in_the_middle_is_made_up_for(house: House) -> None:
    await house.sent("p1")
    await house.claimed("p1", "fault", "GZ-1")
    house.camera.holding = asyncio.Event()
    dying = asyncio.create_task(house.fetcher.step())
    await until(lambda: house.camera.calls)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    house.camera.holding, house.fetcher = None, house.another()
    await house.fetcher.step()
    assert await house.states() == ["waiting"], "the lease of the dead holds for a while"
    await house.advance(LEASE)
    assert await house.states() == ["stored"]


async def test_two_processes_fetch_a_file_once(house: House) -> None:
    for number in range(6):
        house.camera.has[f"p{number}"] = PHOTO
        await house.sent(f"p{number}", number=number)
        await house.claimed(f"p{number}", "fault", "GZ-1")
    await asyncio.gather(house.fetcher.step(), house.another().step())
    assert (house.camera.calls, await house.states()) == (6, ["stored"] * 6)


async def test_a_row_that_cannot_be_shown_does_not_lose_the_file(house: House) -> None:
    await house.sent("p1")
    await house.claimed("p1", "broken", "x")
    await house.fetcher.step()
    assert await house.states() == ["stored"]
    assert house.store.path(SHA256).exists()


async def test_it_runs_as_a_part_until_it_is_stopped(house: House) -> None:
    running = asyncio.create_task(house.fetcher.run())
    await house.sent("p1")
    await house.claimed("p1", "fault", "GZ-1")
    await until(lambda: house.shown)
    house.fetcher.stop()
    await asyncio.wait_for(running, 5)


async def test_looking_for_work_follows_the_indexes(house: House) -> None:
    for number in range(300):
        await house.sent(f"p{number}", number=number)
    await house.claimed("p7", "fault", "GZ-1")
    with recorded(house.ground.database) as statements:
        await house.fetcher.step()
    assert statements
    assert await walks_of(house.ground.database, "fetch", statements) == []
