"""The morning brief and the evening hand-over."""

from datetime import timedelta
from pathlib import Path

from storage.models import Fault, Meeting
from tests.scenario import scenario
from workflows.brief import JOBS, morning


async def test_supervisors_read_meetings_faults_and_duty_in_the_morning(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        now = bot.clock.now()
        async with bot.ground.work() as work:
            work.session.add(
                Meeting(
                    number="HY-20261125-001",
                    title="全省防汛视频会商",
                    starts_at=now + timedelta(hours=18),
                    state="published",
                    site_ids=["S2"],
                    created_at=now,
                )
            )
            work.session.add(
                Fault(number="GZ-20261124-001", level="II", unit_id="X1", site_id="S2", created_at=now)
            )
        async with bot.ground.work() as work:
            await morning(work)
        await bot.settle()
        bot.expect("#主管群", "会议1场", "全省防汛视频会商", "GZ-20261124-001", "江州市网络运行部何工")
        async with bot.ground.work() as work:
            await morning(work)
        await bot.settle()
        bot.nothing_more()


async def test_a_day_without_anything_stays_quiet(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        for job in JOBS:
            async with bot.ground.work() as work:
                await job.run(work)
        await bot.settle()
        bot.nothing_more()
