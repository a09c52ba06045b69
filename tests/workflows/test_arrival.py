"""Arriving and checking in one breath, at one place or several, and what is said to whoever is not there yet."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.scenario import scenario
from tests.workflows.gathering import MORNING, START, meeting
from tests.workflows.gathering import states as states_of

GROUP = "临河县保障群"


@pytest.mark.parametrize("group", ["", GROUP])
@pytest.mark.parametrize("text", ["已到位，全部正常", "到了，一切正常", "人到了，设备都没问题"])
async def test_there_and_all_is_well_are_two_things_in_one_message(tmp_path: Path, text: str, group: str) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", text, group=group)
        bot.expect(f"#{group}" if group else "li", "已登记到位，检查完成")
        bot.nothing_more()
        assert {row.kind: row.state for row in await bot.obligations()} == {"arrival": "met", "checklist": "met"}
        assert await states_of(bot) == {"power": "ok", "link": "ok", "terminal": "ok", "shutdown": "waiting"}


async def test_there_already_and_all_is_well(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.say("li", "早到位了，全部正常")
        bot.expect("li", "检查完成")
        bot.nothing_more()


@pytest.mark.parametrize(("text", "power_only"), [("全部正常", False), ("都正常", True)])
async def test_asked_for_one_step_the_whole_list_is_answered_in_plain_words(
    tmp_path: Path, text: str, power_only: bool
) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.say("li", text)
        bot.expect("li", "检查2/4" if power_only else "检查完成")
        bot.nothing_more()


async def test_there_and_all_is_well_is_asked_about_once(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await meeting(bot, number="HY-20261125-002")
        await bot.say("li", "已到位，全部正常")
        bot.expect("li", "哪一场", "3. 以上都到位了")
        await bot.say("li", "2")
        bot.expect("li", "HY-20261125-002", "已登记到位，检查完成")
        bot.nothing_more()


@pytest.mark.parametrize(
    "text", ["已到位，正常", "已到位，都不正常", "已到位，设备都正常吗？", "已到位，全部正常，就是话筒有杂音"]
)
async def test_less_than_all_is_well_leaves_the_check_open(tmp_path: Path, text: str) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", text)
        (debt,) = await bot.obligations(kind="checklist")
        assert debt.state == "open"


async def test_who_has_not_arrived_is_asked_for_both_in_one_message(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.until(START - timedelta(minutes=41))
        bot.forget_all()
        await bot.until(START - timedelta(minutes=40))
        bot.expect("li", "尚未收到到位消息", "检查应于9:00前完成", "回“已到位，全部正常”")
        bot.nothing_more()
        await bot.until(START - timedelta(minutes=20))
        bot.expect("wang", "尚未收到到位消息", "检查也没有开始")
        bot.expect("sun", "尚未收到到位消息", "检查也没有开始")
        bot.expect("#主管群", "【尚未到位和检查】")
        bot.nothing_more()


def alone(tables: Any) -> None:
    """Two townships of 临河县 have nobody of their own: 李工 goes to all three places."""
    rows = tables.rows["people"]
    tables.rows["people"] = tuple(row for row in rows if row.cells["unit_id"] not in ("T1", "T2"))


async def test_a_reminder_of_several_places_has_a_button_for_each_and_says_how(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING, change=alone) as bot:
        await meeting(bot, ("S2", "S4", "S5"))
        await bot.until(START - timedelta(minutes=70))
        reminder = bot.expect("li", "应于8:30前到位", "如“临河县水利局三楼会议室已到位”", "“都已到位”").message
        labels = [action.label for action in reminder.actions]
        assert labels == ["临河县水利局三楼会议室已到位", "青石镇政府会议室已到位", "柳林镇政府会议室已到位"]
        await bot.say("li", click=reminder.actions[1].value)
        bot.expect("li", "青石镇政府会议室", "检查1/4")
        bot.nothing_more()
        await bot.say("li", "都已到位")
        assert {row.state for row in await bot.obligations(kind="arrival")} == {"met"}


async def test_a_check_that_finds_what_was_reported_makes_no_second_fault(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "三楼会议室光路红灯")
        await bot.say("li", "已到位")
        await bot.say("li", "电源正常，光路红灯")
        fault = await bot.fault()
        assert (fault.number, fault.step) == ("GZ-20261125-001", "link")
