"""A published meeting, put straight into the tables: what the checklist's tests start from."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.models import CheckItem, Meeting, Notice
from tests.scenario import Scenario
from workflows import meeting_clock
from workflows.notice_debts import open_sites

NUMBER = "HY-20261125-001"
START = datetime.fromisoformat("2026-11-25T09:30:00+08:00")
MORNING = datetime.fromisoformat("2026-11-25T08:00:00+08:00")
HOME = "临河县水利局三楼会议室"


async def meeting(
    bot: Scenario, sites: Sequence[str] = ("S2",), *, number: str = NUMBER, starts_at: datetime = START
) -> None:
    """A published meeting whose sites owe their arrival and their checks."""
    async with bot.ground.work() as work:
        row = Meeting(
            number=number,
            title="全省防汛视频会商",
            systems=["water"],
            starts_at=starts_at,
            state="published",
            version=1,
            site_ids=list(sites),
            created_by="chen",
            conversation="dingtalk:direct:dt-chen",
            created_at=work.now,
            published_at=work.now,
        )
        work.session.add(row)
        notice = Notice(
            meeting=number, version=1, published_at=work.now, conversation=row.conversation, unit_ids=[], state="done"
        )
        work.session.add(notice)
        units = [(work.org.sites[site_id].unit_id, site_id) for site_id in sites]
        await open_sites(work, row, notice, [(unit, site, work.org.on_duty(unit, work.now)) for unit, site in units])
        await meeting_clock.wind(work, row)


async def end(bot: Scenario, number: str = NUMBER) -> None:
    """The meeting ends now."""
    async with bot.ground.work() as work:
        await meeting_clock.end(work, await work.session.get_one(Meeting, number))
    await bot.settle()


async def states(bot: Scenario, number: str = NUMBER, site_id: str = "S2") -> dict[str, str]:
    """State of every step of a site."""
    rows = await bot.rows(CheckItem, CheckItem.meeting == number, CheckItem.site_id == site_id)
    return {row.step: row.state for row in sorted(rows, key=lambda row: row.position)}


def before(start: datetime, minutes: int) -> datetime:
    """So many minutes before."""
    return start - timedelta(minutes=minutes)
