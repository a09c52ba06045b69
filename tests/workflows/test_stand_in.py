"""Somebody else comes to the meeting: the stand-in and the coordinator hear of it, and the right one is reminded."""

from datetime import datetime
from pathlib import Path

from tests.scenario import Scenario, scenario

NUMBER = "HY-20261124-001"


async def published(bot: Scenario) -> None:
    await bot.say("chen", "今天下午5点全省防汛视频会商，临河、安川、青石参加")
    await bot.say("chen", "确认")
    for who in ("li", "wu", "ding", "qian"):
        await bot.say(who, "收到")
    await bot.advance("2m")
    bot.forget_all()


async def test_a_colleague_comes_instead_and_is_the_one_reminded(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("li", "我下午请假，防汛会让赵鹏去")
        bot.expect("li", NUMBER, "临河县水利局三楼会议室", "已登记由赵工到位", "16:00前")
        bot.expect("zhao", "李工请您代为保障", NUMBER, "16:00前到临河县水利局三楼会议室", "回“已到位”")
        bot.expect("chen", NUMBER, "到位人员改为赵工", "李工登记")
        bot.nothing_more()
        await bot.until(datetime.fromisoformat("2026-11-24T15:56:00+08:00"))
        bot.expect("zhao", NUMBER, "尚未收到到位消息")
        assert not bot.unread("li")


async def test_somebody_unknown_leaves_it_with_the_speaker_and_says_so(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("ding", "今天我请假，让小王替我")
        seen = bot.expect("ding", NUMBER, "仍由丁工负责到位")
        assert "故障" not in seen.text
        bot.nothing_more()


async def test_a_fault_in_hand_is_still_handed_over(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("fang", "三楼会议室没声音了", group="临河县水利局客户群")
        await bot.say("li", "我来", group="临河县保障群")
        bot.forget_all()
        await bot.say("li", "转给赵鹏", group="临河县保障群")
        bot.expect("zhao", "GZ-20261124-001")
        (arrival,) = await bot.obligations(kind="arrival", site_id="S2")
        assert arrival.person_ids != ["zhao"]
