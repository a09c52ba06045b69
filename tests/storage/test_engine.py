"""Time escalates what nobody answered: never early, once, in due order, and not when the answer has come."""

import asyncio
import shutil
from collections import Counter as Tally
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import col, select, update

from storage.clock import ManualClock, SystemClock
from storage.database import Database
from storage.engine import SLICE, Engine
from storage.inbox import Dispatcher, Inbox
from storage.messages import Incoming
from storage.migrate import migrate
from storage.models import AuditEntry, Obligation
from storage.obligations import move_due, reopen, settle_cancelled, settle_met, write_together
from storage.timers import drop_timer, set_timer
from storage.work import Ground, Work
from tests.storage.parts import NOW, Recorder, debts, ground_on, incoming, owe, rows, until

LADDER = {"backup": -5, "nudge": -3, "due": 0, "upper": 5, "group": 10}


class Answers(Recorder):
    """A workflow that takes the text of a message as the unit that answers."""

    async def answer(self, work: Work, message: Incoming) -> None:
        query = select(Obligation).where(Obligation.unit_id == message.text, col(Obligation.closed_at).is_(None))
        for debt in (await work.session.exec(query)).all():
            settle_met(work, debt, by="li", via="fake", at=message.written_at)


def parts(ground: Ground, logic: Recorder) -> tuple[Engine, Dispatcher]:
    bus = Dispatcher(ground, logic.handle, logic.bury)
    return Engine(ground, logic.escalate, {"tick": logic.timer}, bus.drain, logic.keep_failing), bus


def clock_of(ground: Ground) -> ManualClock:
    assert isinstance(ground.clock, ManualClock)
    return ground.clock


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


async def live(ground: Ground, engine: Engine, moment: datetime) -> None:
    while (due := await engine.next_due()) is not None and due <= moment:
        clock_of(ground).set(max(due, ground.clock.now()))
        await engine.step()
    clock_of(ground).set(moment)
    await engine.step()


async def test_each_rung_fires_at_its_moment(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), LADDER)
    await live(ground, engine, at(60))
    assert logic.fired == [("甲", rung, at(10 + after)) for rung, after in LADDER.items()]
    assert not any(logic.late)
    [debt] = await debts(ground)
    assert (debt.state, debt.step, debt.next_at) == ("breached", 5, None)


async def test_nothing_fires_a_microsecond_early(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), {"due": 0})
    clock_of(ground).set(at(10) - timedelta(microseconds=1))
    assert await engine.step() == 0
    clock_of(ground).set(at(10))
    assert await engine.step() == 1


async def test_an_answer_silences_its_own_unit_only(database: Database) -> None:
    ground, logic = ground_on(database), Answers()
    engine, bus = parts(ground, logic)
    await owe(ground, "甲", at(10), LADDER)
    await owe(ground, "乙", at(10), LADDER)
    clock_of(ground).set(at(6))
    await engine.step()
    await Inbox(ground).accept(incoming(1, "甲", written_at=at(6)))
    await bus.step()
    await live(ground, engine, at(60))
    assert [rung for unit, rung in logic.rungs if unit == "甲"] == ["backup"]
    assert [rung for unit, rung in logic.rungs if unit == "乙"] == list(LADDER)
    assert [(debt.state, debt.met_at) for debt in await debts(ground)] == [("met", at(6)), ("breached", None)]


async def test_answers_in_the_inbox_are_handled_before_the_deadline_fires(database: Database) -> None:
    ground, logic = ground_on(database), Answers()
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), {"due": 0})
    await Inbox(ground).accept(incoming(1, "甲", written_at=at(0)))
    clock_of(ground).set(at(10))
    await engine.step()
    assert logic.fired == []
    assert [debt.state for debt in await debts(ground)] == ["met"]


async def test_an_answer_accepted_while_the_engine_prepares_counts_too(database: Database) -> None:
    ground, logic = ground_on(database), Answers()
    bus = Dispatcher(ground, logic.handle, logic.bury)
    accepted = False

    async def drain_and_then_one_more() -> None:
        nonlocal accepted
        await bus.drain()
        if not accepted:
            accepted = True
            await Inbox(ground).accept(incoming(1, "甲", written_at=at(10)))

    engine = Engine(ground, logic.escalate, {}, drain_and_then_one_more)
    await owe(ground, "甲", at(10), {"due": 0})
    clock_of(ground).set(at(10))
    await engine.step()
    assert logic.fired == []


async def test_a_message_that_cannot_be_handled_does_not_stop_the_clock(database: Database) -> None:
    ground, logic = ground_on(database), Answers(broken={"毒"})
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), {"due": 0})
    await Inbox(ground).accept(incoming(1, "毒"))
    await Inbox(ground).accept(incoming(2, "甲"))
    clock_of(ground).set(at(10))
    await engine.step()
    assert logic.rungs == [("甲", "due")]


async def test_a_late_answer_leaves_the_breach_and_tells_when_it_came(database: Database) -> None:
    ground, logic = ground_on(database), Answers()
    engine, bus = parts(ground, logic)
    await owe(ground, "甲", at(10), LADDER)
    await live(ground, engine, at(12))
    await Inbox(ground).accept(incoming(1, "甲", written_at=at(12)))
    await bus.step()
    await live(ground, engine, at(60))
    assert [rung for _, rung in logic.rungs] == ["backup", "nudge", "due"]
    [debt] = await debts(ground)
    assert (debt.state, debt.met_at, debt.met_by, debt.met_via) == ("breached", at(12), "li", "fake")


async def test_written_in_time_but_read_late_is_met(database: Database) -> None:
    ground, logic = ground_on(database), Answers()
    engine, bus = parts(ground, logic)
    await owe(ground, "甲", at(10), {"due": 0, "upper": 5})
    await live(ground, engine, at(12))
    await Inbox(ground).accept(incoming(1, "甲", written_at=at(9)))
    await bus.step()
    assert [(debt.state, debt.met_at) for debt in await debts(ground)] == [("met", at(9))]


async def test_an_answer_after_the_due_time_is_a_breach_even_if_nothing_had_fired(database: Database) -> None:
    """The bot was down: the answer came late, and it was handled before the late firing, so nobody is alarmed."""
    ground, logic = ground_on(database), Answers()
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), {"due": 0})
    clock_of(ground).set(at(15))
    await Inbox(ground).accept(incoming(1, "甲", written_at=at(12)))
    await engine.step()
    assert logic.fired == []
    assert [debt.state for debt in await debts(ground)] == ["breached"]


async def test_after_downtime_what_is_overdue_fires_at_once_in_due_order_marked_late(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    await owe(ground, "乙", at(12), {"due": 0, "upper": 5})
    await owe(ground, "甲", at(10), {"due": 0, "upper": 5})
    async with ground.work() as work:
        await set_timer(work, "t", "tick", at(13))
    clock_of(ground).set(at(120))
    engine, _ = parts(ground, logic)
    assert await engine.step() == 5
    assert logic.rungs == [("甲", "due"), ("乙", "due"), ("甲", "upper"), ("乙", "upper")]
    assert all(logic.late)
    assert logic.timed == ["t"]


async def test_a_step_without_people_passes_on_at_once_and_says_so(database: Database) -> None:
    ground, logic = ground_on(database), Recorder(nobody={"due", "upper"})
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), LADDER)
    await live(ground, engine, at(10))
    assert [(rung, moment) for _, rung, moment in logic.fired][2:] == [
        ("due", at(10)), ("upper", at(10)), ("group", at(10)),
    ]  # fmt: skip
    said = [entry.detail["rung"] for entry in await rows(ground, AuditEntry) if "without_people" in entry.what]
    assert said == ["due", "upper"]


async def test_before_the_due_time_an_empty_step_hurries_nobody(database: Database) -> None:
    """No backups: those who owe are still nudged at their minute, and supervisors never before the due time."""
    ground, logic = ground_on(database), Recorder(nobody={"backup", "nudge"})
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), LADDER)
    await live(ground, engine, at(10))
    assert logic.fired == [("甲", "backup", at(5)), ("甲", "nudge", at(7)), ("甲", "due", at(10))]


async def test_cancelled_and_moved_debts_do_not_fire_on_the_old_clock(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    engine, _ = parts(ground, logic)
    for unit in "甲乙丙":
        await owe(ground, unit, at(10), {"due": 0})
    async with ground.work() as work:
        first, second, third = (await work.session.exec(select(Obligation).order_by(col(Obligation.id)))).all()
        settle_cancelled(work, first, "called off")
        move_due(work, second, at(30))
        settle_met(work, third, by="li", via="fake", at=at(1))
        reopen(work, third, "li", "刚才发错了")
    await live(ground, engine, at(60))
    assert logic.fired == [("丙", "due", at(10)), ("乙", "due", at(30))]


async def test_a_change_based_on_an_old_state_is_refused(postgresql_database: Database) -> None:
    """Two processes: one escalates while the other meets; the second to commit must look again."""
    ground = ground_on(postgresql_database)
    await owe(ground, "甲", at(10), {"due": 0})
    with pytest.raises(StaleDataError):  # noqa: PT012 - the commit at the end of the block raises
        async with ground.work() as first:
            mine = (await first.session.exec(select(Obligation))).one()
            async with ground.work() as second:
                theirs = (await second.session.exec(select(Obligation))).one()
                settle_met(second, theirs, by="li", via="fake", at=at(1))
            settle_cancelled(first, mine, "too late")
    assert [debt.state for debt in await debts(ground)] == ["met"]


async def test_a_message_that_met_a_change_of_another_process_is_handled_again_at_once(
    postgresql_database: Database,
) -> None:
    ground = ground_on(postgresql_database)
    await owe(ground, "甲", at(10), {"due": 0})
    tries = 0

    async def handle(work: Work, message: Incoming) -> None:
        nonlocal tries
        tries += 1
        debt = (await work.session.exec(select(Obligation))).one()
        if tries == 1:
            async with ground.work() as other:
                same = (await other.session.exec(select(Obligation))).one()
                move_due(other, same, at(20))
        settle_met(work, debt, by="li", via="fake", at=message.written_at)

    await Inbox(ground).accept(incoming(1, "甲"))
    await Dispatcher(ground, handle, Recorder().bury).step()
    [debt] = await debts(ground)
    assert (tries, debt.state, debt.due_at) == (2, "met", at(20))


async def test_a_failing_workflow_holds_up_nobody_else(database: Database) -> None:
    ground, logic = ground_on(database), Recorder(broken={"乙", "坏"})
    engine, _ = parts(ground, logic)
    for unit in "甲乙丙":
        await owe(ground, unit, at(10), {"due": 0})
    async with ground.work() as work:
        await set_timer(work, "坏", "tick", at(9))
        await set_timer(work, "好", "tick", at(11))
    await live(ground, engine, at(11))
    assert sorted(set(logic.rungs)) == [("丙", "due"), ("甲", "due")]
    assert logic.timed == ["好"]
    logic.broken.clear()
    await live(ground, engine, at(13))
    assert ("乙", "due") in logic.rungs
    assert logic.timed == ["好", "坏"]


async def test_what_keeps_failing_is_told_to_a_person_and_tried_on(database: Database) -> None:
    ground, logic = ground_on(database), Recorder(broken={"乙", "坏"})
    engine, _ = parts(ground, logic)
    await owe(ground, "乙", at(10), {"due": 0})
    async with ground.work() as work:
        await set_timer(work, "坏", "tick", at(10))
    await live(ground, engine, at(11))
    assert logic.stuck == [], "not for the first hiccups"
    await live(ground, engine, at(13))
    assert sorted(logic.stuck) == [("乙", 3), ("乙", 4), ("坏", 3), ("坏", 4)]
    logic.broken.add("stuck")
    await live(ground, engine, at(14))
    logic.broken.clear()
    await live(ground, engine, at(15))
    assert (logic.rungs, logic.timed) == ([("乙", "due")], ["坏"])


async def test_timers_fire_once_move_and_can_be_dropped(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    engine, _ = parts(ground, logic)
    async with ground.work() as work:
        for key in ("moved", "dropped", "kept"):
            await set_timer(work, key, "tick", at(5))
        await set_timer(work, "moved", "tick", at(20))
        await drop_timer(work, "dropped")
        await drop_timer(work, "unknown")
    await live(ground, engine, at(10))
    assert logic.timed == ["kept"]
    await live(ground, engine, at(60))
    assert logic.timed == ["kept", "moved"]


async def test_clock_jumps_fire_each_rung_once(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    engine, _ = parts(ground, logic)
    await owe(ground, "甲", at(10), LADDER)
    for minutes in (8, -60, 8, 11, 2, 11, 300, -300, 300):
        clock_of(ground).set(at(minutes))
        await engine.step()
    assert [rung for _, rung in logic.rungs] == list(LADDER)


async def test_slices_leave_room_for_other_work(sqlite_database: Database) -> None:
    ground, logic = ground_on(sqlite_database), Recorder()
    engine, _ = parts(ground, logic)
    for number in range(3):
        async with ground.work() as work:
            for unit in range(50):
                debt = Obligation(
                    kind="notice_ack", unit_id=f"{number}-{unit}", due_at=at(10), next_at=at(10),
                    ladder=[{"rung": "due", "after_s": 0}], opened_at=NOW,
                )  # fmt: skip
                work.session.add(debt)
    clock_of(ground).set(at(10))
    firing = asyncio.create_task(engine.step())
    await until(lambda: bool(logic.fired))
    async with ground.work() as work:
        work.audit("in between")
        assert len(logic.fired) <= 2 * SLICE
    assert await firing == 150


async def test_processes_share_due_rows_without_firing_twice(database: Database) -> None:
    ground, logic = ground_on(database), Recorder()
    for unit in range(40):
        await owe(ground, str(unit), at(10), {"due": 0, "upper": 5})
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(3)]
    engines = [parts(ground_on(other, ManualClock(at(20))), logic)[0] for other in others]
    while any(debt.next_at for debt in await debts(ground)):
        await asyncio.gather(*(engine.step() for engine in engines))
    assert Tally(logic.rungs) == {(str(unit), rung): 1 for unit in range(40) for rung in ("due", "upper")}
    for other in others:
        await other.close()


async def test_on_the_real_clock_it_is_never_early_and_seldom_late(sqlite_database: Database) -> None:
    clock = SystemClock()
    ground, logic = ground_on(sqlite_database, clock), Recorder()
    engine, _ = parts(ground, logic)
    start = clock.now()
    running = asyncio.create_task(engine.run())
    due = {}
    for number in range(20):
        due[str(number)] = start + timedelta(milliseconds=300 + 37 * number)
        await owe(ground, str(number), due[str(number)], {"due": 0})
    await until(lambda: len(logic.fired) == 20, within=20)
    engine.stop()
    await running
    lateness = sorted((moment - due[unit]).total_seconds() for unit, _, moment in logic.fired)
    assert lateness[0] >= 0
    assert lateness[-1] < 1.0


# ---- against a model of the rule


Event = tuple[str, int, int]
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("clock"), st.integers(-10, 30), st.just(0)),
        st.tuples(st.just("answer"), st.integers(0, 2), st.integers(-8, 3)),
        st.tuples(st.just("accept"), st.integers(0, 2), st.integers(-8, 3)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=14,
)


class Rule:
    """Who is told at which rung: the rule itself, without tables, transactions or restarts."""

    def __init__(self) -> None:
        self.now = 0
        self.told: list[tuple[str, str]] = []
        self.step = dict.fromkeys("甲乙丙", 0)
        self.answered: dict[str, int] = {}

    def fire(self) -> None:
        moments = [(10 + after, rung) for rung, after in LADDER.items()]
        due = [
            (*moments[step], unit)
            for unit in "甲乙丙" if unit not in self.answered
            for step in range(self.step[unit], len(moments)) if moments[step][0] <= self.now
        ]  # fmt: skip
        for _, rung, unit in sorted(due, key=lambda one: (one[0], one[2])):
            self.step[unit] += 1
            self.told.append((unit, rung))

    def answer(self, unit: str, written: int) -> None:
        self.answered.setdefault(unit, min(written, self.now))

    def state(self, unit: str) -> str:
        if unit in self.answered:
            return "met" if self.answered[unit] <= 10 else "breached"
        return "breached" if self.step[unit] > list(LADDER).index("due") else "open"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating anew for every example would take most of the time."""
    path = tmp_path_factory.mktemp("rule") / "template.db"

    async def make() -> None:
        database = Database(f"sqlite:///{path}")
        await migrate(database)
        await database.close()

    asyncio.run(make())
    return path


@given(events=EVENTS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_answers_restarts_and_clock_jumps_follow_the_rule(template: Path, events: list[Event]) -> None:
    copy = template.with_name("huibao.db")
    for left in template.parent.glob("huibao.db*"):
        left.unlink()
    shutil.copyfile(template, copy)
    asyncio.run(follow(f"sqlite:///{copy}", events))


async def follow(url: str, events: list[Event]) -> None:
    database, clock, logic, rule = Database(url), ManualClock(NOW), Answers(), Rule()
    ground = ground_on(database, clock)
    engine, bus = parts(ground, logic)
    for unit in "甲乙丙":
        await owe(ground, unit, at(10), LADDER)
    for number, (what, first, second) in enumerate([*events, ("clock", 60, 0)]):
        if what == "restart":
            await database.close()
            database = Database(url)
            ground = ground_on(database, clock)
            engine, bus = parts(ground, logic)
        elif what == "clock":
            rule.now += first
            clock.set(at(rule.now))
            await engine.step()
            rule.fire()
        else:
            unit = "甲乙丙"[first]
            await Inbox(ground).accept(incoming(number, unit, written_at=at(rule.now + second)))
            rule.answer(unit, rule.now + second)
            if what == "answer":
                await bus.step()
    assert sorted(logic.rungs) == sorted(rule.told)
    for unit in "甲乙丙":
        mine = [rung for who, rung in logic.rungs if who == unit]
        assert mine == [rung for who, rung in rule.told if who == unit]
    assert [debt.state for debt in await debts(ground)] == [rule.state(unit) for unit in "甲乙丙"]
    await database.close()


async def test_many_rungs_are_written_in_one_statement_that_counts_them(sqlite_database: Database) -> None:
    """Whoever has changed a debt meanwhile must not be overwritten: the count tells."""
    ground = ground_on(sqlite_database)
    for unit in ("甲", "乙"):
        await owe(ground, unit, NOW, {"due": 0})
    async with ground.work() as work:
        rows = list((await work.session.exec(select(Obligation))).all())
        for row in rows:
            row.step, row.fence = 1, row.fence + 1
        await write_together(work.session, rows)
    assert [(debt.step, debt.fence) for debt in await debts(ground)] == [(1, 1), (1, 1)]

    async def write_what_has_moved_on() -> None:
        async with ground.work() as work:
            rows = list((await work.session.exec(select(Obligation))).all())
            meanwhile = update(Obligation).where(col(Obligation.unit_id) == "乙").values(fence=7)
            await work.session.exec(meanwhile.execution_options(synchronize_session=False))
            rows[0].step = rows[1].step = 2
            await write_together(work.session, rows)

    with pytest.raises(StaleDataError):
        await write_what_has_moved_on()
    assert [debt.step for debt in await debts(ground)] == [1, 1]
