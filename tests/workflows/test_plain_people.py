"""What people really write, tersely or in anger, and what they may expect of the answer."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario
from tests.workflows.gathering import MORNING, START, meeting
from tests.workflows.opening import NUMBER, published

CLIENTS, OWN = "临河县水利局客户群", "临河县保障群"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "text", ["人手不够，去不了", "我们这边没人，去不了啊", "有困难，车坏了", "来不了，那天有别的会"]
)
async def test_a_difficulty_in_words_is_the_answer_to_the_notice_and_passed_on(bot: Scenario, text: str) -> None:
    await published(bot)
    await bot.say("qian", text)
    bot.expect("chen", NUMBER, "临河县集客部 钱丽", "有困难", text)
    bot.expect("qian", "已登记", "已转告联络员")
    assert bot.unread("li") == []
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X1K")
    assert debt.state == "met"
    await bot.advance("8m")
    assert not any("尚未收到" in seen.text for seen in bot.unread("qian"))


async def test_a_difficulty_at_a_notice_is_not_laid_at_the_door_of_a_fault(bot: Scenario) -> None:
    await published(bot)
    await bot.say("li", "收到，但投影坏了", group=OWN)
    bot.forget_all()
    await bot.say("qian", "收到 有困难，人手不够")
    bot.expect("qian", "已转告联络员")
    assert not bot.unread("wang")
    assert not bot.unread("qian")


async def test_a_difficulty_of_somebody_who_owes_no_answer_is_a_call_for_help(bot: Scenario) -> None:
    await bot.say("fang", "人手不够，请派人支援")
    bot.expect("li", "方芳请求")
    bot.expect("fang", "已转告李工")


async def test_on_its_way_is_not_mended(bot: Scenario) -> None:
    await bot.say("fang", "三楼会议室没声音了，会马上开始", group=CLIENTS)
    bot.forget_all()
    await bot.say("li", "来了", group=OWN)
    bot.expect(f"#{CLIENTS}", "李工已接单")
    assert (await bot.fault()).state == "accepted"


async def test_who_presses_about_what_is_said_to_be_mended_is_asked_whether_it_is(bot: Scenario) -> None:
    await bot.say("fang", "三楼会议室没声音了", group=CLIENTS)
    await bot.say("li", "修好了")
    bot.forget_all()
    await bot.say("fang", "怎么还没人来", group=CLIENTS)
    bot.expect(f"#{CLIENTS}", "待您确认", "现在正常了吗？正常请@会保 回“好了”")


@pytest.mark.parametrize("text", ["保障情况", "保障情况怎么样", "现在保障情况如何", "今天的保障工作进展怎么样了？"])
@pytest.mark.parametrize("who", ["chen", "zhou"])
async def test_who_follows_it_asks_how_all_stands(bot: Scenario, text: str, who: str) -> None:
    await published(bot)
    await bot.say("fang", "三楼会议室没声音了", group=CLIENTS)
    bot.forget_all()
    await bot.say(who, text)
    bot.expect(who, "应到3，已确认0", "1张未结故障单", "GZ-20261124-001")
    bot.nothing_more()


async def test_how_all_stands_tells_who_is_there_once_people_are_awaited(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=datetime.fromisoformat("2026-11-25T08:00:00+08:00")) as bot:
        await bot.say("chen", "今天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位")
        await bot.say("chen", "确认")
        await bot.say("li", "已到位，全部正常")
        bot.forget_all()
        await bot.say("chen", "保障情况")
        bot.expect("chen", "到位1/2，会前检查完成1/2")


async def test_nobody_else_is_told_how_all_stands(bot: Scenario) -> None:
    await published(bot)
    await bot.say("fang", "保障情况怎么样", group=CLIENTS)
    assert not any("应到" in seen.text for seen in bot.unread(f"#{CLIENTS}"))


async def test_reminders_of_a_cancelled_meeting_ask_nobody_to_be_there(bot: Scenario) -> None:
    await published(bot)
    await bot.say("chen", f"取消 {NUMBER}")
    await bot.say("chen", "确认")
    bot.forget_all()
    await bot.advance("8m")
    bot.expect("li", "原定11月25日（周三）9:30，已取消", absent=["到位"])
    await bot.advance("2m")
    bot.expect("wang", "会议取消通知", absent=["会议通知"])


async def test_who_does_not_take_part_is_left_out_of_the_draft(bot: Scenario) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
    bot.forget_all()
    await bot.say("chen", "安川不参加")
    bot.expect("chen", "【请核对】", absent=["安川"])


async def test_a_check_is_asked_after_the_arrival_also_when_both_are_late(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.until(START)
        bot.forget_all()
        await bot.say("li", "到了到了 刚到")
        bot.expect("li", "检查1/4")


async def test_who_is_there_owes_no_answer_to_the_notice(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await bot.say("chen", "今天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位")
        await bot.say("chen", "确认")
        await bot.say("wu", "已到位")
        (debt,) = await bot.obligations(kind="notice_ack", unit_id="X2")
        assert (debt.state, debt.met_by) == ("met", "wu")
        bot.forget_all()
        await bot.advance("11m")
        assert not any("尚未收到安川县" in seen.text for seen in bot.unread("wu") + bot.unread("tang"))


async def test_an_answer_that_says_when_is_a_promise_too(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await bot.say("chen", "今天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位")
        await bot.say("chen", "确认")
        bot.forget_all()
        await bot.say("wu", "收到，堵车，8点50能到")
        bot.expect("wu", "已登记", absent=["请于8:30前到位"])
        bot.expect("wu", "预计8:50到位")
        bot.expect("chen", "吴工在路上", "预计8:50到位（要求8:30前）")


async def test_news_of_ones_own_report_is_passed_on_to_nobody(bot: Scenario) -> None:
    await bot.say("li", "三楼会议室投影机坏了")
    bot.forget_all()
    await bot.say("li", "正在换灯泡")
    bot.expect("li", "进展已登记", absent=["转告"])


async def test_who_says_that_it_is_over_when_it_is_hears_that(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await bot.say("chen", "今天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位，10点半结束")
        await bot.say("chen", "确认")
        await bot.until(datetime.fromisoformat("2026-11-25T10:31:00+08:00"))
        bot.forget_all()
        await bot.say("chen", "会议结束了")
        bot.expect("chen", NUMBER, "结束")


async def test_what_a_check_found_names_the_thing_that_was_checked(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.say("li", "光路红灯 终端正常")
        bot.expect("li", "光路告警灯亮")
