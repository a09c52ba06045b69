"""How late deadlines fire, with the real workflows: a province's in the same second, and scattered ones; and what a
message costs while thousands of debts are open.

Everything runs as in ``serve``: dispatcher, engine, sealer, and a sender whose platform takes 50 ms for a call.
Lateness is counted to the commit after which the escalation is on its way.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.clock import SystemClock
from storage.memory import keep_in_place
from storage.messages import Address
from storage.models import Identity, Obligation, Person, Unit
from storage.ports import Outcome, SendJob
from storage.work import Work
from tests.fakes import FakePlatform
from tests.scenario import Scenario, scenario
from tests.workflows.province import enlarge

CALL_SECONDS = 0.05
SETTLED = timedelta(seconds=3)
NOTICE = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"
OPEN = 30_000


class Watch:
    """Notes for every rung when it was due and when its escalation was committed, and how long transactions take."""

    def __init__(self, bot: Scenario) -> None:
        self.late: list[float] = []
        self.spent: list[float] = []
        self._bot = bot
        self._fired: list[datetime] = []
        engine = bot.runtime.engine
        self._escalate, engine._escalate = engine._escalate, self._note
        self._write, bot.ground.database.write = bot.ground.database.write, self._timed  # type: ignore[method-assign]

    async def _note(self, work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
        step = obligation.ladder[obligation.step - 1]
        self._fired.append(obligation.due_at + timedelta(seconds=step["after_s"]))
        return await self._escalate(work, obligation, rung, late)

    @asynccontextmanager
    async def _timed(self) -> AsyncIterator[AsyncSession]:
        async with self._write() as session:
            began = time.perf_counter()
            yield session
        self.spent.append(time.perf_counter() - began)
        now = self._bot.ground.clock.now()
        self.late += [(now - due).total_seconds() for due in self._fired]
        self._fired.clear()


class Slow(FakePlatform):
    """Takes its time for each call."""

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        await asyncio.sleep(CALL_SECONDS)
        return await super().send(job)


@asynccontextmanager
async def province() -> AsyncIterator[Scenario]:
    """A published notice that 1,278 units have to answer; every new unit has a supervisor too."""
    with tempfile.TemporaryDirectory() as folder:
        async with scenario(Path(folder)) as bot:
            await enlarge(bot, cities=10, counties=9, townships=13)
            async with bot.ground.database.write() as session:
                for unit in (await session.exec(select(Unit).where(col(Unit.unit_id).startswith("KC")))).all():
                    boss = f"b-{unit.unit_id}"
                    session.add(Person(person_id=boss, name="王主任", unit_id=unit.unit_id, roles=["supervisor"]))
                    session.add(Identity(platform="dingtalk", account=f"dt-{boss}", person_id=boss))
            await bot.learn()
            await bot.say("chen", NOTICE)
            await bot.say("chen", "确认")
            yield bot


async def live(bot: Scenario, until: datetime, start: datetime) -> Watch:
    """Run the bot in real time from ``start`` to ``until`` on its clock, and till no rung is overdue."""
    bot.ground.clock = SystemClock(start - datetime.now(UTC))
    keep_in_place()
    watch = Watch(bot)
    running = asyncio.create_task(bot.runtime.run())
    while bot.ground.clock.now() < until or (await overdue(bot)):  # noqa: ASYNC110 - no event for it
        await asyncio.sleep(0.2)
    bot.runtime.stop()
    await running
    return watch


async def overdue(bot: Scenario) -> int:
    query = select(func.count()).where(col(Obligation.next_at) <= bot.ground.clock.now())
    async with bot.ground.database.read() as session:
        return (await session.exec(query)).one()


def shown(values: list[float], unit: str = "s", scale: float = 1) -> str:
    """Median, 99th percentile and largest."""
    ranked = sorted(value * scale for value in values) or [0.0]
    middle, high = ranked[len(ranked) // 2], ranked[min(len(ranked) * 99 // 100, len(ranked) - 1)]
    return f"{len(values)}: p50 {middle:.2f} p99 {high:.2f} max {ranked[-1]:.2f} {unit}"


async def same_second(rung: str) -> dict[str, str]:
    """All units of the province are silent, and ``rung`` falls due for all in the same instant."""
    async with province() as bot:
        debts = await bot.obligations(kind="notice_ack")
        position = next(n for n, step in enumerate(debts[0].ladder) if step["rung"] == rung)
        due = debts[0].due_at + timedelta(seconds=debts[0].ladder[position]["after_s"])
        async with bot.ground.database.write() as session:
            await session.exec(
                update(Obligation).where(col(Obligation.kind) == "notice_ack").values(step=position, next_at=due)
            )
            await session.exec(update(Obligation).where(col(Obligation.kind) != "notice_ack").values(next_at=None))
        watch = await live(bot, due + timedelta(seconds=2), due - SETTLED)
        return {
            f"{rung} of {len(debts)} units in one second, late": shown(watch.late),
            "  write transactions meanwhile": shown(watch.spent, "ms", 1000),
        }


async def scattered() -> dict[str, str]:
    """The ordinary case: units whose ten minutes end at moments of their own, one every 100 ms."""
    async with province() as bot:
        debts = (await bot.obligations(kind="notice_ack"))[:200]
        first = debts[0].due_at
        position = next(n for n, step in enumerate(debts[0].ladder) if step["rung"] == "due")
        async with bot.ground.database.write() as session:
            await session.exec(update(Obligation).values(next_at=None))
            for number, debt in enumerate(debts):
                due = first + timedelta(seconds=number / 10)
                values = {"step": position, "due_at": due, "next_at": due}
                await session.exec(update(Obligation).where(col(Obligation.id) == debt.id).values(**values))
        watch = await live(bot, first + timedelta(seconds=len(debts) / 10), first - SETTLED)
        return {"due, ten units a second, late": shown(watch.late)}


async def message_among_many() -> dict[str, str]:
    """One "收到" after the other, with thirty thousand debts open."""
    async with province() as bot:
        debts = await bot.obligations(kind="notice_ack")
        async with bot.ground.work() as work:
            rows = [
                Obligation(
                    kind="progress", unit_id=debt.unit_id, fault=f"GZ-20261123-{number}", due_at=debt.due_at,
                    opened_at=debt.opened_at, next_at=debt.due_at + timedelta(days=1), ladder=debt.ladder,
                )
                for number in range(OPEN // len(debts))
                for debt in debts
            ]  # fmt: skip
            await work.add_many(rows)
        taken: list[float] = []
        for number in range(20):
            person = f"p-KC{number % 10}X{number % 9}"
            await bot.say(person, "收到", settle=False)
            began = time.perf_counter()
            await bot.runtime.dispatcher.step()
            taken.append(time.perf_counter() - began)
        return {f"a message handled with {OPEN} debts open": shown(taken, "ms", 1000)}


async def run() -> dict[str, str]:
    """The figures of this benchmark."""
    return {**await same_second("due"), **await same_second("nudge"), **await scattered(), **await message_among_many()}


if __name__ == "__main__":
    for what, figure in asyncio.run(run()).items():
        print(f"{what}: {figure}")
