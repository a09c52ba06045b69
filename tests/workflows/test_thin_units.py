"""Units without engineers, supervisors or a supervisors' group: somebody is told all the same, and once."""

from pathlib import Path
from typing import Any

from tests.scenario import scenario


def thin(tables: Any) -> None:
    """No supervisors' group; in 安川县 nobody but an engineer whom no message reaches, and a client."""
    rows = tables.rows
    rows["groups"] = tuple(row for row in rows["groups"] if row.cells["purpose"] != "supervisors")
    rows["people"] = tuple(row for row in rows["people"] if row.cells["person_id"] != "tang")
    for row in rows["people"]:
        if row.cells["person_id"] == "wu":
            row.cells["dingtalk_id"] = ""


async def test_a_fault_goes_to_somebody_who_can_be_reached_and_he_may_take_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, change=thin) as bot:
        await bot.say("xu", "二楼会议室没信号")
        bot.expect("sun", "回“收到”接单")
        bot.expect("xu", "已通知值班孙主任")
        await bot.say("sun", "收到")
        bot.expect("xu", "【已接单】", "孙主任已接单")
        assert (await bot.fault()).owner == "sun"


async def test_without_a_supervisors_group_the_reporter_hears_each_thing_once(tmp_path: Path) -> None:
    async with scenario(tmp_path, change=thin) as bot:
        await bot.say("xu", "二楼会议室没信号")
        bot.forget_all()
        await bot.advance("3h")
        bot.expect("xu", "仍在为您协调人员", "15:30前")
        bot.expect("xu", "仍未能安排到人员")
        bot.nothing_more("xu")
        bot.expect("sun", "【无人接单】")
