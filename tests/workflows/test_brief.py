"""The morning brief and the evening hand-over."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from storage.models import Fault, Group, Meeting
from tests.scenario import Scenario, scenario
from workflows.brief import JOBS, morning


async def busy_morning(bot: Scenario) -> None:
    """A meeting tomorrow, a fault that is open, and half past eight."""
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
        work.session.add(Fault(number="GZ-20261124-001", level="II", unit_id="X1", site_id="S2", created_at=now))
    async with bot.ground.work() as work:
        await morning(work)
    await bot.settle()


async def test_supervisors_read_meetings_faults_and_duty_in_the_morning(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await busy_morning(bot)
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


def without_supervisors_group(tables: Any) -> None:
    tables.rows["groups"] = tuple(row for row in tables.rows["groups"] if row.cells["purpose"] != "supervisors")


async def test_mail_carries_it_to_the_supervisors_whose_group_it_is(tmp_path: Path) -> None:
    async with scenario(tmp_path, email={"address": "bot@huibao.example.org"}) as bot:
        await busy_morning(bot)
        mails = {seen.address.id for seen in bot.platforms["email"].seen}
        owners = {group.unit_id for group in await bot.rows(Group) if group.purpose == "supervisors"}
        assert mails == {"zhou@sheng.example.org"}
        assert owners == {"P"}


async def test_without_such_a_group_every_supervisor_reads_of_his_own_area_by_mail(tmp_path: Path) -> None:
    mail = {"address": "bot@huibao.example.org"}
    async with scenario(tmp_path, change=without_supervisors_group, email=mail) as bot:
        await busy_morning(bot)
        bot.expect("email:direct:wang@linhe.example.org", "【早报】", "GZ-20261124-001")
        bot.expect("email:direct:sun@jiangzhou.example.org", "GZ-20261124-001")
        assert bot.unread("email:direct:tang@anchuan.example.org") == []
