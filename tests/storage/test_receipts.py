"""Who has read what is asked seldom, learnt once, and never forgotten; trouble with it troubles nobody."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from storage.clock import ManualClock
from storage.database import Database
from storage.messages import Address, Outgoing
from storage.models import Delivery
from storage.outbox import post
from storage.ports import Capabilities, Outcome, Refused, Retry, SendError, SendJob, Sent
from storage.receipts import ReceiptReader
from storage.sender import Sender
from storage.work import Ground
from tests.fakes import RichPlatform
from tests.storage.parts import GROUP, MARK, NOW, Recorder, deliveries, ground_on
from tests.storage.plans import recorded, walks_of


class Together(RichPlatform):
    """One send serves everybody it is given, under one name."""

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        await super().send(job)
        return dict.fromkeys(job.addresses, Sent(f"k:{job.message.text}"))


class House:
    def __init__(self, database: Database, *, tells: bool = True) -> None:
        self.ground: Ground = ground_on(database)
        self.platform = Together("fake", Capabilities(batch=20, read_receipts=tells))
        logic = Recorder()
        self.sender = Sender(self.ground, self.platform, {}, logic.fail, MARK)
        self.reader = ReceiptReader(self.ground, {"fake": self.platform})

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.ground.clock, ManualClock)
        return self.ground.clock

    async def told(self, text: str, people: Sequence[str], kind: str = "notice") -> None:
        async with self.ground.work() as work:
            for person in people:
                to = Address(platform="fake", kind="direct", id=person)
                await post(work, to, Outgoing(text=text), key=text, kind=kind, person_id=person)
        await self.sender.step()

    async def until(self, after: timedelta) -> None:
        while (due := await self.reader.next_due()) is not None and due <= NOW + after:
            self.clock.set(max(due, self.clock.now()))
            await self.reader.step()
        self.clock.set(NOW + after)

    async def row(self, person: str) -> Delivery:
        [row] = [one for one in await deliveries(self.ground) if one.person_id == person]
        return row


@pytest.fixture
async def house(database: Database) -> House:
    return House(database)


async def test_a_notice_that_was_read_is_known_to_be(house: House) -> None:
    await house.told("通知", ["li", "zhao"])
    house.platform.read.add(("k:通知", "li"))
    await house.until(timedelta(minutes=1))
    li, zhao = await house.row("li"), await house.row("zhao")
    assert (li.state, li.read_at) == ("read", NOW + timedelta(minutes=1))
    assert (zhao.state, zhao.read_at) == ("sent", None)


async def test_it_asks_four_times_at_most_and_once_for_all(house: House) -> None:
    await house.told("通知", [f"p{number}" for number in range(20)])
    await house.until(timedelta(hours=30))
    assert house.platform.asked == ["k:通知"] * 4
    assert await house.reader.next_due() is None


async def test_it_asks_no_more_when_everybody_has_read(house: House) -> None:
    await house.told("通知", ["li", "zhao"])
    house.platform.read |= {("k:通知", "li"), ("k:通知", "zhao")}
    await house.until(timedelta(hours=30))
    assert house.platform.asked == ["k:通知"]


async def test_escalations_count_and_chatter_does_not(house: House) -> None:
    await house.told("尚未回复", ["wang"], kind="escalation:notice_ack:due")
    await house.told("帮助", ["li"], kind="help")
    async with house.ground.work() as work:
        await post(work, GROUP, Outgoing(text="群通知"), key="g", kind="notice")
    await house.sender.step()
    await house.until(timedelta(minutes=2))
    assert house.platform.asked == ["k:尚未回复"]


@pytest.mark.parametrize(
    ("answer", "times"), [(Refused("quota kept for urgent messages"), 1), (Retry("not known yet"), 2)]
)
async def test_trouble_ends_the_asking(house: House, answer: SendError, times: int) -> None:
    await house.told("通知", ["li"])
    house.platform.deaf = answer
    await house.until(timedelta(hours=30))
    assert len(house.platform.asked) == times
    assert (await house.row("li")).state == "sent"


async def test_after_a_night_without_a_process_nothing_stale_is_asked(house: House) -> None:
    await house.told("通知", ["li"])
    house.clock.set(NOW + timedelta(hours=25))
    await house.reader.step()
    assert house.platform.asked == []
    assert await house.reader.next_due() is None


async def test_an_adapters_fault_does_not_stop_the_others(house: House) -> None:
    await house.told("甲", ["li"])
    await house.told("乙", ["zhao"])
    house.platform.read.add(("k:乙", "zhao"))
    broken = house.platform.readers

    async def readers(address: Address, provider_id: str) -> frozenset[str]:
        if provider_id == "k:甲":
            raise ZeroDivisionError
        return await broken(address, provider_id)

    house.platform.readers = readers  # type: ignore[method-assign]
    await house.until(timedelta(minutes=1))
    assert (await house.row("zhao")).state == "read"


async def test_looking_for_questions_follows_the_indexes(house: House) -> None:
    for number in range(300):
        await house.told(f"n{number}", ["li"], kind="help" if number else "notice")
    house.clock.advance(timedelta(minutes=2))
    with recorded(house.ground.database) as statements:
        await house.reader.step()
    looks = [one for one in statements if "FROM delivery" in one[0]]
    assert looks
    assert await walks_of(house.ground.database, "delivery", looks) == []


async def test_a_platform_that_tells_no_receipts_is_never_asked(database: Database) -> None:
    house = House(database, tells=False)
    await house.told("通知", ["li"])
    assert (await house.row("li")).receipt_at is None
    await house.until(timedelta(hours=2))
    assert house.platform.asked == []
