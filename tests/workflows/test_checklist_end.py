"""After the meeting: shutting down is asked of whoever was there, then one summary to the coordinator."""

from pathlib import Path

from storage.models import Timer
from tests.scenario import Scenario, scenario
from tests.workflows.gathering import MORNING, NUMBER, START, end, meeting, states


async def checked(bot: Scenario) -> None:
    """Li is on site, everything is checked, the meeting runs."""
    await meeting(bot, ("S2", "S3"))
    await bot.say("li", "已到位")
    await bot.say("li", "电源、光路、终端都正常")
    await bot.until(START)
    bot.forget_all()


async def test_shutdown_is_asked_of_whoever_arrived_and_closed_by_words(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await checked(bot)
        await bot.advance("90m")
        bot.forget_all()
        await end(bot)
        bot.expect("li", NUMBER, "检查4/4【关机】", "12:00前", "已关机断电")
        bot.nothing_more()
        (debt,) = [row for row in await bot.obligations(kind="checklist") if row.detail]
        assert (debt.state, debt.detail) == ("open", {"step": "shutdown"})
        await bot.say("li", "已关机断电")
        bot.expect("li", "已登记关机断电")
        seen = bot.expect("chen", "小结", "分会场2个", "按时到位1个", "安川县水利局二楼会议室", "关机断电1/1")
        assert "没有报障" in seen.text
        bot.nothing_more()
        assert (await states(bot))["shutdown"] == "ok"
        assert not await bot.rows(Timer, Timer.about == NUMBER)


async def test_without_an_answer_the_summary_comes_after_two_hours_and_says_who_is_missing(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await checked(bot)
        await bot.advance("90m")
        await end(bot)
        bot.forget_all()
        await bot.advance("45m")
        bot.expect("li", "检查应于12:00前完成")
        bot.nothing_more()
        await bot.advance("136m")  # at 13:00 people rest: a summary waits until 14:00
        bot.expect("chen", "小结", "关机断电0/1个，未收到：临河县水利局三楼会议室")


async def test_whoever_did_not_come_is_not_pursued_after_the_end(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await checked(bot)
        await bot.advance("90m")
        await end(bot)
        rows = [row for row in await bot.obligations() if row.site_id == "S3"]
        assert {row.kind for row in rows} == {"arrival", "checklist"}
        assert all(row.state == "breached" and row.closed_at and row.next_at is None for row in rows)


async def test_a_late_arrival_is_named_with_its_time(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.advance("45m")
        await bot.say("li", "已到位")
        await bot.say("li", "电源、光路、终端都正常")
        await bot.until(START)
        await bot.advance("30m")
        await end(bot)
        bot.forget_all()
        await bot.say("li", "已关机断电")
        bot.expect("chen", "按时到位0个，晚到1个（临河县水利局三楼会议室 8:45）")


async def test_the_summary_names_who_did_not_finish_the_checks(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "今天下午4点半全省防汛视频会商，到5点半结束，临河县、青石镇参加")
        await bot.say("chen", "确认")
        for person in ("li", "ding"):
            await bot.say(person, "收到")
            await bot.say(person, "已到位")
        await bot.say("li", "电源正常，光路正常，终端正常")
        await bot.say("ding", "电源正常")
        await bot.until(bot.clock.now().replace(hour=17, minute=31))
        for person in ("li", "ding"):
            await bot.say(person, "已关机断电")
        await bot.advance("1m")
        bot.expect("chen", "小结", "检查正常4项，异常0项，未做完1个（青石镇政府会议室）；")
