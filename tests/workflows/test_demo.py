"""The demo is lived by day, and its clock takes the calendar along."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import compose
from storage.calendar_jobs import ClockCalendar
from storage.clock import SystemClock
from storage.database import Database
from storage.work import Ground
from tests.fakes import FakePlatform
from tests.scenario import scenario, settings_for
from workflows import demo, manners
from workflows.brief import JOBS


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+08:00")


async def test_a_day_that_is_pushed_forward_has_its_brief_and_its_hand_over(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T15:10")) as bot:
        bot.runtime.calendar = ClockCalendar(bot.ground, JOBS)
        await bot.say("fang", "三楼会议室没声音了，会马上开始", group="临河县水利局客户群")
        bot.forget_all()
        await bot.until(at("24T17:30"))
        bot.expect("#主管群", "【交接】", "故障1件")
        await bot.until(at("25T08:29"))
        bot.forget_all()
        await bot.until(at("25T08:30"))
        bot.expect("#主管群", "【早报】", "故障1件")
        bot.nothing_more()


@pytest.mark.parametrize("began", ["24T23:40", "25T00:10", "24T12:30"])
async def test_a_fresh_demo_begins_by_day_on_the_same_date(tmp_path: Path, began: str) -> None:
    settings = settings_for(tmp_path)
    database = Database(settings.database_url)
    ground = Ground(database, SystemClock(at(began) - datetime.now(UTC)), settings)
    try:
        await demo.prepare(await compose(ground, [FakePlatform("dingtalk")]))
        async with ground.look() as work:
            now = work.local(work.now)
            assert manners.hush(work) is None
            assert work.org.units
        assert now.date() == at(began).date()
        ground.clock.advance(at(began) - ground.clock.now())  # type: ignore[attr-defined]  # it is a SystemClock
        await demo.prepare(await compose(ground, [FakePlatform("dingtalk")]))
        assert abs(ground.clock.now() - at(began)) < timedelta(minutes=1), "one that goes on keeps its time"
    finally:
        await database.close()
