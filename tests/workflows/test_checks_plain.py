"""Arrivals and checks as people say them: in one breath, what is not right and the rest, a colleague and oneself."""

from datetime import datetime
from pathlib import Path

from storage.models import CheckItem
from tests.scenario import Scenario, scenario

NUMBER = "HY-20261124-001"
LINHE = "临河县保障群"


async def near(bot: Scenario) -> None:
    """An hour before the meeting, all have answered the notice."""
    await bot.say("chen", "今天下午5点全省防汛视频会商，临河、安川、青石参加")
    await bot.say("chen", "确认")
    for who in ("li", "wu", "ding", "qian"):
        await bot.say(who, "收到")
    await bot.until(datetime.fromisoformat("2026-11-24T15:45:00+08:00"))
    bot.forget_all()


async def checks(bot: Scenario, site: str) -> dict[str, str]:
    rows = await bot.rows(CheckItem, CheckItem.site_id == site)
    return {row.step: row.state for row in rows}


async def test_there_one_thing_wrong_and_the_rest_right_is_all_said(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await near(bot)
        await bot.say("wu", "已到位，光路红灯，其他正常")
        bot.expect("wu", "光路告警灯亮", "由您处理")
        bot.expect("wu", NUMBER, "已登记到位，检查完成", "光路（GZ-")
        assert not bot.unread("wu")
        assert await checks(bot, "S3") == {"power": "ok", "link": "abnormal", "terminal": "ok", "shutdown": "waiting"}
        (arrival,) = await bot.obligations(kind="arrival", site_id="S3")
        assert arrival.met_by == "wu"


async def test_arriving_and_several_checks_in_one_message(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await near(bot)
        await bot.say("ding", "我到了 电源链路都没问题 终端开不了机")
        bot.expect("ding", "由您处理")
        bot.expect("ding", "已登记到位，检查完成", "终端（GZ-")
        assert not bot.unread("ding")
        (arrival,) = await bot.obligations(kind="arrival", site_id="S4")
        assert arrival.met_by == "ding"


async def test_the_fault_names_what_is_wrong_and_not_what_is_right(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await near(bot)
        await bot.say("li", "到了")
        await bot.say("li", "电源好 光路不亮灯")
        assert "电源" not in (await bot.fault()).extra.get("device", "")
        assert "电源" not in bot.expect("li", "GZ-", "由您处理").text


async def test_a_correction_says_one_thing(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await near(bot)
        await bot.say("wu", "到了")
        await bot.say("wu", "光路红灯")
        bot.forget_all()
        await bot.say("wu", "光路好了")
        bot.expect("wu", "【光路】已改记正常", "怎么处理")
        assert not bot.unread("wu")


async def test_the_reminder_names_the_steps(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await near(bot)
        await bot.say("wu", "到了")
        await bot.say("wu", "光路正常")
        bot.forget_all()
        await bot.advance("40m")
        bot.expect("wu", NUMBER, "还差：电源、终端。")


async def test_a_colleague_and_oneself_have_arrived(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await near(bot)
        await bot.say("li", "我和青石的丁工都到了", group=LINHE)
        rows = {row.site_id: row.met_by for row in await bot.obligations(kind="arrival")}
        assert rows["S2"] == "li"
        assert rows["S4"] == "ding"


async def test_ten_minutes_late_is_after_the_time_that_is_due(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await near(bot)
        await bot.say("wu", "路上堵车，晚十分钟")
        bot.expect("wu", NUMBER, "预计16:10到位")
        bot.expect("chen", "吴工在路上，预计16:10到位")


async def two_meetings(bot: Scenario) -> None:
    for said in ("今天下午5点防汛会商，临河参加", "今天下午5点半财政视频会，临河参加"):
        await bot.say("chen", said)
        await bot.say("chen", "确认")
    bot.forget_all()


async def test_all_received_answers_every_notice(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await two_meetings(bot)
        await bot.say("li", "都收到", group=LINHE)
        await bot.say("qian", "两个都收到")
        assert [row.state for row in await bot.obligations(kind="notice_ack")] == ["met"] * 4


async def test_a_plain_answer_to_two_notices_is_still_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await two_meetings(bot)
        await bot.say("li", "收到")
        bot.expect("li", "您要回复的是哪一项")


async def test_the_check_of_the_meeting_that_is_named(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await two_meetings(bot)
        await bot.say("li", "都收到")
        await bot.until(datetime.fromisoformat("2026-11-24T15:55:00+08:00"))
        await bot.say("li", "两个会都到位了")
        bot.forget_all()
        await bot.say("li", "财政会的电源正常")
        bot.expect("li", "HY-20261124-002", "检查2/4")
        bot.nothing_more()


async def test_a_colleagues_unit_and_ones_own_have_received(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "今天下午5点全省防汛视频会商，临河、安川、青石参加")
        await bot.say("chen", "确认")
        await bot.say("li", "我们县和青石都收到了", group=LINHE)
        answered = {row.unit_id for row in await bot.obligations(kind="notice_ack") if row.state == "met"}
        assert answered == {"X1", "T1"}


async def test_for_a_colleagues_unit_alone(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "今天下午5点全省防汛视频会商，临河、安川、青石参加")
        await bot.say("chen", "确认")
        await bot.say("li", "青石镇也收到了，我替他们回", group=LINHE)
        answered = {row.unit_id for row in await bot.obligations(kind="notice_ack") if row.state == "met"}
        assert answered == {"T1"}
