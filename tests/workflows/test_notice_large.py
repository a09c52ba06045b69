"""A notice to a whole province: short transactions, told before when it will be through, everybody reached once."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import Delivery, Notice
from tests.scenario import Scenario, scenario
from tests.workflows.province import enlarge

BUDGET_MS = 100
SLACK = 3
"""The budget holds on a quiet machine; how many times slower a busy one may be before the test fails."""


def watch(bot: Scenario) -> list[float]:
    """Milliseconds of processor time of every write transaction from now on."""
    spent: list[float] = []
    write = bot.ground.database.write

    @asynccontextmanager
    async def timed() -> AsyncIterator[AsyncSession]:
        async with write() as session:
            began = time.process_time()
            yield session
        spent.append((time.process_time() - began) * 1000)

    bot.ground.database.write = timed  # type: ignore[method-assign]
    return spent


def report(what: str, spent: list[float]) -> str:
    """One line for the log."""
    middle = sorted(spent)[len(spent) // 2]
    return f"{what}: {len(spent)} transactions, median {middle:.0f} ms, longest {max(spent):.0f} ms"


async def test_a_province_is_served_in_short_transactions(
    tmp_path: Path, record_property: object, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scenario(tmp_path) as bot:
        units = await enlarge(bot, cities=10, counties=9, townships=13)
        await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
        bot.expect("chen", "共1276个分会场", "应回复单位1278个", "范围较大，现在发布预计15:12前发完")
        spent = watch(bot)
        await bot.say("chen", "确认", settle=False)
        await bot.runtime.dispatcher.step()
        yes = list(spent)
        spent.clear()
        await bot.runtime.engine.step()
        lines = [report("yes", yes), report(f"spreading to {units} units", spent)]
        with capsys.disabled():
            print("\n" + "\n".join(lines))
        assert sorted(spent)[len(spent) // 2] < BUDGET_MS * SLACK
        notice = (await bot.rows(Notice))[0]
        assert (notice.state, notice.done_units) == ("done", 1278)
        answers = await bot.obligations(kind="notice_ack")
        assert len(answers) == len({row.unit_id for row in answers}) == 1278
        assert len({row.due_at for row in answers}) == 1
        assert len(await bot.obligations(kind="arrival")) == len(await bot.obligations(kind="checklist")) == 1276
        rows = await bot.rows(Delivery, Delivery.kind == "notice")
        assert len(rows) == len({row.address for row in rows})
        assert len({row.person_id for row in rows if row.person_id}) == 1278
        private = {str(row.message) for row in rows if row.person_id}
        assert len(private) == 1, "the same words for everybody, so that a platform can carry twenty in one call"


async def test_a_crash_between_slices_repeats_nothing(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await enlarge(bot, cities=2, counties=3, townships=10)
        await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
        await bot.say("chen", "确认", settle=False)
        await bot.runtime.dispatcher.step()
        first = bot.ground.work
        count = 0

        @asynccontextmanager
        async def dying() -> AsyncIterator[object]:
            nonlocal count
            async with first() as work:
                yield work
                count += 1
                if count % 2 == 0:
                    raise ConnectionError("power cut before the commit")

        bot.ground.work = dying  # type: ignore[method-assign,assignment]
        for _ in range(10):
            await bot.runtime.engine.step()
            bot.clock.advance(timedelta(seconds=40))
        bot.ground.work = first  # type: ignore[method-assign]
        await bot.advance("2m")
        answers = await bot.obligations(kind="notice_ack")
        assert len(answers) == len({row.unit_id for row in answers}) == 76
        rows = await bot.rows(Delivery, Delivery.kind == "notice")
        assert len(rows) == len({row.address for row in rows})
