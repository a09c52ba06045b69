"""What people rely on when the bot speaks: at least once, in order, urgent things first, no flood, nothing lost."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlmodel import update

from storage.clock import ManualClock
from storage.database import Database
from storage.messages import Action, Address, Outgoing, Urgency
from storage.models import AuditEntry, Delivery
from storage.outbox import cancel_queued, post
from storage.ports import Capabilities, Outcome, Refused, Retry, SendJob, Unsure
from storage.receipts import receipt
from storage.sender import Sender
from storage.work import Ground, Work
from tests.fakes import FakePlatform
from tests.storage.parts import GROUP, LI, MARK, NOW, Recorder, deliveries, ground_on, rows, say, states, until
from tests.storage.plans import recorded, walks_of


@dataclass
class Platform(FakePlatform):
    """Records the calls too; ``gate`` holds every call until it is set; ``crash`` dies in mid-call."""

    platform: str = "fake"
    jobs: list[SendJob] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    gate: asyncio.Event | None = None
    crash: bool = False
    clock: ManualClock | None = None

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        self.jobs.append(job)
        if self.clock:
            self.times.append(self.clock.now())
        if self.gate is not None:
            await self.gate.wait()
        if self.crash:
            await super().send(job)
            raise asyncio.CancelledError
        return await super().send(job)

    @property
    def texts(self) -> list[str]:
        return [seen.text for seen in self.seen]


def sender(ground: Ground, platform: FakePlatform, logic: Recorder | None = None) -> Sender:
    logic = logic or Recorder()
    return Sender(ground, platform, logic.renderers, logic.fail, MARK)


def clock_of(ground: Ground) -> ManualClock:
    assert isinstance(ground.clock, ManualClock)
    return ground.clock


def direct(name: object) -> Address:
    return Address(platform="fake", kind="direct", id=str(name))


def group(name: object) -> Address:
    return Address(platform="fake", kind="group", id=str(name))


async def live(ground: Ground, out: Sender, until_moment: datetime) -> None:
    """Step through time, stopping wherever the sender wants to act."""
    await out.step()
    while (due := await out.next_due()) is not None and due <= until_moment:
        clock_of(ground).set(max(due, ground.clock.now()))
        await out.step()
    clock_of(ground).set(until_moment)
    await out.step()


# ---- once, in order


async def test_what_is_said_arrives_once(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    await say(ground, "通知")
    await say(ground, "通知")
    assert await sender(ground, platform).step() == 1
    assert platform.texts == ["通知"]
    assert await sender(ground, platform).step() == 0
    [row] = await deliveries(ground)
    assert (row.state, row.attempts, row.provider_id, row.sent_at) == ("sent", 1, "m1", NOW)


async def test_the_same_key_to_two_addresses_is_two_messages(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    await say(ground, "通知", to=GROUP)
    await say(ground, "通知", to=LI)
    assert await sender(ground, platform).step() == 2


async def test_order_holds_within_a_subject_even_against_urgency(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    await say(ground, "甲1", about="甲", urgency=Urgency.ROUTINE)
    await say(ground, "甲2", about="甲", urgency=Urgency.ESCALATION)
    await say(ground, "乙1", about="乙", urgency=Urgency.NOTICE)
    await say(ground, "丙1", about="丙", urgency=Urgency.FAULT)
    await sender(ground, platform).step()
    assert platform.texts.index("甲1") < platform.texts.index("甲2")
    assert platform.texts[:3] == ["丙1", "乙1", "甲1"]


async def test_a_message_that_must_wait_holds_back_its_own_subject_only(database: Database) -> None:
    ground, platform = ground_on(database), Platform(outcomes={LI: Retry("busy")})
    await say(ground, "甲1", to=LI, about="甲")
    await say(ground, "甲2", to=LI, about="甲")
    await say(ground, "乙1", to=GROUP, about="甲")
    out = sender(ground, platform)
    await out.step()
    assert platform.texts == ["乙1"]
    platform.outcomes.clear()
    await live(ground, out, NOW + timedelta(seconds=1))
    assert platform.texts == ["乙1", "甲1", "甲2"]


async def test_an_escalation_overtakes_a_broadcast_of_1300(sqlite_database: Database) -> None:
    ground, platform = ground_on(sqlite_database), Platform()
    async with ground.work() as work:
        for number in range(1300):
            await post(work, direct(number), Outgoing(text=f"通知{number}", urgency=Urgency.NOTICE), key=str(number))
    platform.gate = asyncio.Event()
    out = sender(ground, platform)
    running = asyncio.create_task(out.run())
    await until(lambda: bool(platform.jobs))
    await say(ground, "升级", to=direct("boss"), urgency=Urgency.ESCALATION)
    platform.gate.set()
    await until(lambda: "升级" in platform.texts)
    assert platform.texts.index("升级") == 1
    out.stop()
    await running


# ---- together


async def test_the_same_words_travel_together(database: Database) -> None:
    ground = ground_on(database)
    platform = Platform(capabilities=Capabilities(batch=20))
    for number in range(45):
        await say(ground, "通知", to=direct(number), key="n")
    await say(ground, "群通知", to=GROUP)
    await sender(ground, platform).step()
    assert sorted(len(job.addresses) for job in platform.jobs) == [1, 5, 20, 20]
    assert {row.state for row in await deliveries(ground)} == {"sent"}


async def test_part_of_a_batch_may_fail(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    platform = Platform(capabilities=Capabilities(batch=20))
    platform.outcomes = {direct(1): Refused("unknown user"), direct(2): Retry("busy")}
    for number in range(4):
        await say(ground, "通知", to=direct(number), key="n")
    out = sender(ground, platform, logic)
    await out.step()
    assert [row.state for row in await deliveries(ground)] == ["sent", "failed", "pending", "sent"]
    assert logic.failed == [("通知", True)]
    platform.outcomes.clear()
    await live(ground, out, NOW + timedelta(seconds=2))
    assert [row.state for row in await deliveries(ground)] == ["sent", "failed", "sent", "sent"]


async def test_answers_with_hints_go_alone(database: Database) -> None:
    ground, platform = ground_on(database), Platform(capabilities=Capabilities(batch=20))
    for number in range(2):
        await say(ground, "好", to=direct(number), key="n", hints={"webhook": str(number)})
    await sender(ground, platform).step()
    assert [dict(job.hints) for job in platform.jobs] == [{"webhook": "0"}, {"webhook": "1"}]


# ---- at the moment of sending


async def test_words_are_made_at_the_moment_of_sending(database: Database) -> None:
    ground, platform, logic = ground_on(database), Platform(), Recorder()
    answered = {"丙"}

    async def remind(_work: Work, row: Delivery) -> Outgoing | None:
        name = row.message["text"]
        return None if name in answered else Outgoing(text=f"{name}请回复", urgency=Urgency.NOTICE)

    logic.renderers["remind"] = remind
    for name in "甲乙丙":
        await say(ground, name, to=direct(name), renderer="remind")
    answered.add("甲")
    assert await sender(ground, platform, logic).step() == 1
    assert platform.texts == ["乙请回复"]
    assert [row.state for row in await deliveries(ground)] == ["cancelled", "sent", "cancelled"]


async def test_words_that_cannot_be_made_hold_up_nobody(database: Database) -> None:
    ground, platform, logic = ground_on(database), Platform(), Recorder()
    healed = False

    async def broken(work: Work, row: Delivery) -> Outgoing | None:
        work.audit("half")
        await work.session.flush()
        if not healed:
            raise ZeroDivisionError
        return Outgoing(text="好了")

    logic.renderers["broken"] = broken
    await say(ground, "坏", renderer="broken", urgency=Urgency.ESCALATION)
    await say(ground, "好", to=LI)
    out = sender(ground, platform, logic)
    await out.step()
    assert platform.texts == ["好"]
    healed = True
    await live(ground, out, NOW + timedelta(minutes=1))
    assert platform.texts == ["好", "好了"]


async def test_an_answer_takes_back_what_is_queued(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    async with ground.work() as work:
        message = Outgoing(text="催", about="HY-1", urgency=Urgency.NOTICE)
        await post(work, LI, message, key="k", person_id="p-li", kind="nudge")
        await post(work, direct("wang"), message, key="k", person_id="p-wang", kind="nudge")
    async with ground.work() as work:
        await cancel_queued(work, "p-li", "HY-1")
    await sender(ground, platform).step()
    assert [str(seen.address) for seen in platform.seen] == ["fake:direct:wang"]


# ---- trouble


async def test_retries_come_after_1_2_4_seconds_then_slower_and_are_told(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    platform = Platform(down=Retry("down"), clock=clock_of(ground))
    await say(ground, "通知")
    out = sender(ground, platform, logic)
    await live(ground, out, NOW + timedelta(minutes=31))
    gaps = [(b - a).total_seconds() for a, b in zip(platform.times, platform.times[1:], strict=False)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 30]
    fast = [gap for gap in gaps if gap <= 30]
    assert set(fast[5:]) == {30}
    assert 570 <= sum(fast) <= 630
    assert set(gaps[len(fast) :]) == {120}
    assert logic.failed == [("通知", False)], "told once, when the fast retries are used up"


async def test_after_a_day_it_is_given_up_and_told(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    out = sender(ground, Platform(down=Retry("down")), logic)
    await say(ground, "通知")
    for hours in (0, 1, 23, 25):
        clock_of(ground).set(NOW + timedelta(hours=hours))
        await out.step()
    assert logic.failed == [("通知", False), ("通知", True)]
    assert await states(ground) == {"通知": "failed"}


async def test_the_moment_a_platform_names_is_kept(database: Database) -> None:
    ground = ground_on(database)
    platform = Platform(down=Retry("throttled", NOW + timedelta(seconds=77)))
    await say(ground, "通知")
    out = sender(ground, platform)
    await out.step()
    assert await out.next_due() == NOW + timedelta(seconds=77)


async def test_patience_starts_with_the_first_try(database: Database) -> None:
    """A message queued while the bot was down for hours still gets its fast retries."""
    ground, logic = ground_on(database), Recorder()
    await say(ground, "通知")
    clock_of(ground).advance(timedelta(hours=3))
    out = sender(ground, Platform(down=Retry("down")), logic)
    await out.step()
    assert await out.next_due() == NOW + timedelta(hours=3, seconds=1)
    assert logic.failed == []


async def test_refused_is_final_and_told_once(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    out = sender(ground, Platform(down=Refused("no such group")), logic)
    await say(ground, "通知")
    await live(ground, out, NOW + timedelta(hours=1))
    assert logic.failed == [("通知", True)]


async def test_what_may_have_arrived_is_sent_again_marked(database: Database) -> None:
    ground, platform = ground_on(database), Platform(down=Unsure("time-out"))
    await say(ground, "通知")
    out = sender(ground, platform)
    await out.step()
    platform.down = None
    await live(ground, out, NOW + timedelta(seconds=1))
    assert platform.texts == [MARK + "通知"]
    assert [job.key for job in platform.jobs] == ["hb-1", "hb-1"]


async def test_what_surely_did_not_arrive_is_sent_again_unmarked(database: Database) -> None:
    ground, platform = ground_on(database), Platform(down=Retry("refused connection"))
    await say(ground, "通知")
    out = sender(ground, platform)
    await out.step()
    platform.down = None
    await live(ground, out, NOW + timedelta(seconds=1))
    assert platform.texts == ["通知"]


async def test_an_adapter_that_raises_loses_nothing(database: Database) -> None:
    class Broken(Platform):
        async def send(self, job: SendJob) -> dict[Address, Outcome]:
            raise KeyError("errcode")

    ground = ground_on(database)
    await say(ground, "通知")
    await sender(ground, Broken()).step()
    [row] = await deliveries(ground)
    assert (row.state, row.error) == ("pending", "KeyError")
    assert row.resend


async def test_acting_on_a_failure_may_fail_without_forgetting_what_was_sent(database: Database) -> None:
    ground, logic = ground_on(database), Recorder(broken={"fail"})
    platform = Platform(outcomes={LI: Refused("gone")})
    await say(ground, "群", to=GROUP)
    await say(ground, "人", to=LI)
    await sender(ground, platform, logic).step()
    assert await states(ground) == {"群": "sent", "人": "failed"}


# ---- crashes and leases


async def test_a_crash_in_mid_send_is_sent_again_marked_after_the_lease(database: Database) -> None:
    ground, platform = ground_on(database), Platform(crash=True)
    await say(ground, "通知")
    with pytest.raises(asyncio.CancelledError):
        await sender(ground, platform).step()
    platform.crash = False
    after = sender(ground, platform)
    assert await after.step() == 0, "the lease still holds"
    await live(ground, after, NOW + timedelta(minutes=2))
    assert platform.texts == ["通知", MARK + "通知"]


async def test_a_worker_whose_lease_lapsed_does_not_overwrite(database: Database) -> None:
    ground = ground_on(database)
    slow, quick = Platform(gate=asyncio.Event(), down=Refused("late no")), Platform()
    await say(ground, "通知")
    stuck = asyncio.create_task(sender(ground, slow).step())
    await until(lambda: bool(slow.jobs))
    async with database.write() as session:
        await session.exec(update(Delivery).values(lease_until=NOW - timedelta(seconds=1)))
    await sender(ground, quick).step()
    assert slow.gate is not None
    slow.gate.set()
    await stuck
    [row] = await deliveries(ground)
    assert (row.state, row.attempts) == ("sent", 2)


async def test_a_slow_call_keeps_its_lease(database: Database) -> None:
    ground, platform = ground_on(database), Platform(gate=asyncio.Event())
    await say(ground, "通知")
    first = asyncio.create_task(sender(ground, platform).step())
    await until(lambda: bool(platform.jobs))
    for _ in range(10):
        clock_of(ground).advance(timedelta(seconds=11))
        await asyncio.sleep(0.05)
    assert await sender(ground, Platform()).step() == 0
    assert platform.gate is not None
    platform.gate.set()
    await first
    assert platform.texts == ["通知"]


async def test_a_jump_of_the_clock_does_not_repeat_what_is_in_hand(database: Database) -> None:
    ground, platform = ground_on(database), Platform(gate=asyncio.Event())
    await say(ground, "通知")
    out = sender(ground, platform)
    running = asyncio.create_task(out.run())
    await until(lambda: bool(platform.jobs))
    clock_of(ground).advance(timedelta(hours=2))
    await asyncio.sleep(0.1)
    assert platform.gate is not None
    platform.gate.set()
    await until(lambda: bool(platform.texts))
    out.stop()
    await running
    assert platform.texts == ["通知"]


async def test_processes_share_the_outbox_without_sending_twice(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    for number in range(60):
        await say(ground, str(number), to=direct(number % 7), about=str(number % 3), urgency=Urgency.ANSWER)
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(3)]
    senders = [sender(ground_on(other), platform) for other in others]
    while any(state == "pending" for state in (await states(ground)).values()):
        await asyncio.gather(*(out.step() for out in senders))
    assert sorted(platform.texts, key=int) == [str(number) for number in range(60)]
    for who in range(7):
        for about in range(3):
            told = [int(s.text) for s in platform.seen if s.address.id == str(who) and int(s.text) % 3 == about]
            assert told == sorted(told)
    for other in others:
        await other.close()


# ---- pace


async def test_routine_words_are_ten_a_minute_in_a_group_and_none_is_forgotten(database: Database) -> None:
    ground = ground_on(database)
    platform = Platform(clock=clock_of(ground))
    for number in range(35):
        await say(ground, f"闲{number}", about=str(number), urgency=Urgency.ROUTINE)
    out = sender(ground, platform)
    await live(ground, out, NOW + timedelta(minutes=5))
    assert len(platform.texts) == 35
    for moment in platform.times:
        assert sum(moment <= other < moment + timedelta(minutes=1) for other in platform.times) <= 10
    assert platform.times[-1] <= NOW + timedelta(minutes=3, seconds=1)


async def test_pace_does_not_hold_up_faults_or_other_groups(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    for number in range(80):
        await say(ground, f"闲{number}", to=group("busy"), about=str(number), urgency=Urgency.ROUTINE)
    await say(ground, "别处", to=group("other"), urgency=Urgency.ROUTINE)
    for number in range(15):
        await say(ground, f"故障{number}", to=group("busy"), about=f"G{number}", urgency=Urgency.FAULT)
    await sender(ground, platform).step()
    assert sum(text.startswith("故障") for text in platform.texts) == 15
    assert sum(text.startswith("闲") for text in platform.texts) == 10
    assert "别处" in platform.texts


async def test_personal_messages_are_not_paced(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    for number in range(25):
        await say(ground, f"闲{number}", to=LI, about=str(number), urgency=Urgency.ROUTINE)
    assert await sender(ground, platform).step() == 25


async def test_an_hour_of_outage_loses_nothing_and_floods_nobody(database: Database) -> None:
    """500 messages queued; superseded reminders vanish; groups get at most ten routine words a minute afterwards."""
    ground, logic = ground_on(database), Recorder()
    platform = Platform(down=Retry("down"), clock=clock_of(ground))
    over: set[str] = set()
    count = 500 if database.is_sqlite else 100

    async def remind(_work: Work, row: Delivery) -> Outgoing | None:
        return None if row.message["text"] in over else Outgoing.model_validate(row.message)

    logic.renderers["remind"] = remind
    async with ground.work() as work:
        for number in range(count):
            text, to = f"{number:03}", group(number % 20) if number % 2 else direct(number % 50)
            message = Outgoing(text=text, about=str(number % 9), urgency=Urgency.NOTICE)
            await post(work, to, message, key=text, renderer="remind" if number % 5 == 0 else "")
    out = sender(ground, platform, logic)
    await out.step()
    for minute in (11, 60):
        clock_of(ground).set(NOW + timedelta(minutes=minute))
        await out.step()
    over.update(f"{number:03}" for number in range(0, count, 5))
    platform.down, platform.times = None, []
    back = NOW + timedelta(minutes=61)
    clock_of(ground).set(back)
    await live(ground, out, back + timedelta(minutes=6))
    assert sorted(platform.texts) == [f"{number:03}" for number in range(count) if number % 5]
    assert {row.state for row in await deliveries(ground)} == {"sent", "cancelled"}
    assert platform.times[-1] <= back + timedelta(minutes=5), "recovery does not wait out the slow retries"


# ---- receipts


async def test_receipts_go_forward_only(database: Database) -> None:
    ground, platform = ground_on(database), Platform()
    await say(ground, "通知")
    await sender(ground, platform).step()
    async with ground.work() as work:
        assert await receipt(work, "fake", "m1", "read", NOW)
        assert not await receipt(work, "fake", "m1", "delivered", NOW)
        assert not await receipt(work, "fake", "unknown", "read", NOW)
    [row] = await deliveries(ground)
    assert (row.state, row.read_at) == ("read", NOW)


# ---- one in flight


async def test_one_call_is_in_flight_however_long_the_queue(database: Database) -> None:
    """So that a crash leaves one message in doubt."""
    ground, platform = ground_on(database), Platform(gate=asyncio.Event(), capabilities=Capabilities(batch=20))
    async with ground.work() as work:
        for number in range(150):
            await post(work, group(number), Outgoing(text=f"通知{number}"), key="n")
            await post(work, direct(number), Outgoing(text="通知"), key="n")
    out = sender(ground, platform)
    running = asyncio.create_task(out.run())
    await until(lambda: bool(platform.jobs))
    await asyncio.sleep(0.1)
    assert len(platform.jobs) == 1
    [job] = platform.jobs
    assert len(await rows(ground, Delivery, Delivery.state == "sending")) == len(job.addresses)
    assert platform.gate is not None
    platform.gate.set()
    await until(lambda: len(platform.texts) == 300, within=60)
    out.stop()
    await running


async def test_a_message_that_takes_several_calls_goes_to_one_person_at_a_time(database: Database) -> None:
    ground = ground_on(database)
    platform = Platform(capabilities=Capabilities(batch=20, batch_buttons=False))
    message = Outgoing(text="通知", actions=(Action(label="收到", value="ack"),))
    async with ground.work() as work:
        for number in range(3):
            await post(work, direct(number), message, key="n")
            await post(work, direct(number), Outgoing(text="请接听", urgent_call=True), key="c")
    await sender(ground, platform).step()
    assert [len(job.addresses) for job in platform.jobs] == [1] * 6


async def test_a_batch_whose_outcome_was_lost_goes_again_as_one_message(database: Database) -> None:
    ground = ground_on(database)
    platform = Platform(crash=True, capabilities=Capabilities(batch=20))
    for number in range(5):
        await say(ground, "通知", to=direct(number), key="n")
    with pytest.raises(asyncio.CancelledError):
        await sender(ground, platform).step()
    platform.crash = False
    await live(ground, sender(ground, platform), NOW + timedelta(minutes=2))
    assert [(job.key, len(job.addresses), job.message.text) for job in platform.jobs] == [
        ("hb-1", 5, "通知"),
        ("hb-1", 5, MARK + "通知"),
    ]


async def test_a_hanging_call_gives_way_to_what_is_more_urgent(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And counts as unsure: it is sent again, marked, when the urgent words are through."""
    monkeypatch.setattr("storage.sender.GIVE_WAY", 0.05)
    ground, platform = ground_on(database), Platform(gate=asyncio.Event())
    await say(ground, "通知1", to=direct(1))
    await say(ground, "通知2", to=direct(2))
    out = sender(ground, platform)
    running = asyncio.create_task(out.run())
    await until(lambda: bool(platform.jobs))
    await asyncio.sleep(0.2)
    assert len(platform.jobs) == 1, "nothing that is no more urgent overtakes it"
    await say(ground, "升级", to=direct("boss"), urgency=Urgency.ESCALATION)
    await until(lambda: len(platform.jobs) == 2)
    assert platform.jobs[1].message.text == "升级"
    assert platform.gate is not None
    platform.gate.set()
    await until(lambda: len(platform.texts) == 2)
    clock_of(ground).advance(timedelta(seconds=1))
    await until(lambda: len(platform.texts) == 3)
    out.stop()
    await running
    assert platform.texts == ["升级", "通知2", MARK + "通知1"]


async def test_a_call_that_never_ends_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.sender.CALL_WITHIN", 0.05)
    ground, platform = ground_on(database), Platform(gate=asyncio.Event())
    await say(ground, "通知")
    await sender(ground, platform).step()
    [row] = await deliveries(ground)
    assert (row.state, row.error, row.resend) == ("pending", "TimeoutError", True)


async def test_an_outcome_outlives_a_database_that_is_away_for_a_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went out must not look unsent: it would be said twice."""
    ground, platform = ground_on(database), Platform(gate=asyncio.Event())
    await say(ground, "通知")
    out = sender(ground, platform)
    first = asyncio.create_task(out.step())
    await until(lambda: bool(platform.jobs))

    def away() -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(ground, "work", away)
        assert platform.gate is not None
        platform.gate.set()
        with pytest.raises(ConnectionError):
            await first
    assert await states(ground) == {"通知": "sending"}
    clock_of(ground).advance(timedelta(minutes=5))
    assert await out.step() == 0
    assert await states(ground) == {"通知": "sent"}
    assert platform.texts == ["通知"]


async def test_stopping_finishes_the_call_in_hand_and_begins_no_other(database: Database) -> None:
    ground, platform = ground_on(database), Platform(gate=asyncio.Event())
    for number in range(5):
        await say(ground, str(number), to=direct(number))
    out = sender(ground, platform)
    running = asyncio.create_task(out.run())
    await until(lambda: bool(platform.jobs))
    out.stop()
    assert platform.gate is not None
    platform.gate.set()
    await running
    assert [row.state for row in await deliveries(ground)].count("sending") == 0
    assert len(platform.texts) == len(platform.jobs) < 5


async def test_a_claim_never_walks_a_long_history_or_a_long_queue(database: Database) -> None:
    ground = ground_on(database)
    base = {
        "platform": "fake", "kind": "", "bundle": "", "renderer": "", "render_args": {}, "hints": {}, "resend": False,
        "attempts": 0, "lease_owner": "", "provider_id": "", "error": "", "turned": False, "not_before": NOW,
        "created_at": NOW, "message": Outgoing(text="旧").model_dump(mode="json"), "urgency": int(Urgency.NOTICE),
    }  # fmt: skip
    old = NOW - timedelta(days=1)
    values = [
        {**base, "dedupe_key": str(n), "address": f"fake:direct:{n % 900}", "about": f"HY-{n % 30}", "state": "sent",
         "sent_at": old} if n < 20000 else
        {**base, "dedupe_key": str(n), "address": f"fake:direct:{n % 900}", "about": f"HY-{n % 30}", "state": "pending",
         "sent_at": None}
        for n in range(25000)
    ]  # fmt: skip
    async with database.write() as session:
        connection = await session.connection()
        await connection.execute(Delivery.__table__.insert(), values)  # type: ignore[attr-defined]
    out = sender(ground, Platform())
    with recorded(database) as statements:
        async with ground.work() as work:
            assert await out._claims.take(work)
        await out._claims.more_urgent_waits(int(Urgency.NOTICE))
        await out.next_due()
    assert await walks_of(database, "delivery", statements) == []


async def test_what_a_failing_renderer_noted_is_not_on_record(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()

    async def broken(work: Work, _row: Delivery) -> Outgoing | None:
        work.audit("half done")
        raise ZeroDivisionError

    logic.renderers["broken"] = broken
    await say(ground, "坏", renderer="broken")
    await sender(ground, Platform(), logic).step()
    assert await rows(ground, AuditEntry) == []
