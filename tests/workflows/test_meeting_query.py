"""Questions about meetings are answered from what the asker may see."""

from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario

NUMBER = "HY-20261125-001"


async def published(bot: Scenario, who: str, said: str) -> None:
    await bot.say(who, said)
    await bot.say(who, "确认")
    bot.forget_all()


async def test_when_and_where(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot, "chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
        await bot.say("li", "明天那个会几点开始来着")
        bot.expect(
            "li",
            f"{NUMBER} 全省防汛视频会商（水利系统）：11月25日（周三）9:30开始，8:30前到位。",
            "您单位会场：临河县水利局三楼会议室。",
        )
        await bot.say("fang", "明天的会几点", group="临河县水利局客户群")
        bot.expect("#临河县水利局客户群", "9:30开始", absent=["回复", "确认"])
        bot.nothing_more()


async def test_half_day_and_system_pick_one_of_several(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot, "chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
        await published(bot, "chen", "明天下午3点全省政务视频会，各分会场参加")
        await bot.say("li", "明天下午那个会几点")
        bot.expect("li", "全省政务视频会", "15:00开始", absent=["防汛"])
        await bot.say("li", "明天有几个会？")
        bot.expect("li", "共2个会议", "9:30", "15:00")
        bot.nothing_more()


async def test_meetings_of_other_places_are_not_shown(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot, "qian", "明天上午9点临河县水利局防汛会商")
        await bot.say("wu", "明天那个会几点")
        bot.expect("wu", "没有查到11月25日（周三）与您单位有关的会议安排")
        await bot.say("wu", f"{NUMBER}几点开始")
        bot.expect("wu", f"没有找到 {NUMBER}")
        await bot.say("he", "明天那个会几点")
        bot.expect("he", "9:00开始")


async def test_drafts_are_nobodys_business(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
        bot.forget_all()
        await bot.say("li", "明天那个会几点")
        bot.expect("li", "没有查到")


@pytest.mark.parametrize("group", ["临河县水利局客户群", "临河县保障群"])
async def test_a_client_learns_nothing_about_who_is_silent(tmp_path: Path, group: str) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot, "chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
        await bot.say("fang", "谁还没回复", group=group)
        assert not any("应到" in seen.text for seen in bot.unread(f"#{group}"))
