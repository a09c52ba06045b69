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


def alone(tables: Any) -> None:
    """As above, and nobody above 安川县 either."""
    thin(tables)
    bosses = {"sun", "zhou", "song", "bai", "jiang"}
    rows = tables.rows
    rows["people"] = tuple(row for row in rows["people"] if row.cells["person_id"] not in bosses)


async def test_at_the_end_of_the_ladder_of_a_unit_without_anybody_the_coordinator_hears_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, change=alone) as bot:
        await bot.say("chen", "明天上午9点半防汛视频会商，安川县水利局，提前一小时到位")
        await bot.say("chen", "确认")
        bot.forget_all()
        await bot.advance("1d")
        bot.expect("chen", "安川县技术维护部至今没有回复", "没有登记能联系上的人员和主管", "电话联系")


async def test_with_a_supervisors_group_the_coordinator_hears_it_too(tmp_path: Path) -> None:
    def few(tables: Any) -> None:
        groups = tables.rows["groups"]
        alone(tables)
        tables.rows["groups"] = groups

    async with scenario(tmp_path, change=few) as bot:
        await bot.say("chen", "明天上午9点半防汛视频会商，安川县水利局，提前一小时到位")
        await bot.say("chen", "确认")
        bot.forget_all()
        await bot.advance("1d")
        bot.expect("#主管群", "【无人回复】", "安川县技术维护部")
        bot.expect("chen", "安川县技术维护部至今没有回复")
