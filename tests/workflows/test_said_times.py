"""Times said in words: by then something will be done. It is not done yet, and the time is kept as a promise."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.models import CheckItem
from tests.scenario import Scenario, scenario

CLIENTS = "临河县水利局客户群"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def _meeting_soon(bot: Scenario) -> None:
    """A meeting at 16:30 whose people are to be there by 15:30, at 15:22: the reminder has gone out."""
    await bot.say("chen", "今天下午4点半全省防汛视频会商，临河县、青石镇参加，提前一小时到位")
    await bot.say("chen", "确认")
    await bot.say("ding", "收到")
    await bot.say("li", "收到")
    await bot.advance("12m")
    bot.forget_all()


async def test_somebody_late_is_asked_by_when_and_the_coordinator_hears_the_hour(bot: Scenario) -> None:
    await _meeting_soon(bot)
    await bot.say("ding", "路上堵车，晚点到")
    bot.expect("ding", "HY-20261124-001", "预计几点到")
    await bot.say("ding", "堵车了，要4点才能到")
    bot.expect("ding", "预计16:00到位")
    bot.expect("chen", "丁工在路上，预计16:00到位", "要求15:30前")
    arrivals = await bot.obligations(kind="arrival", site_id="S4")
    assert [row.met_at for row in arrivals] == [None]


async def test_a_bare_receipt_is_not_about_the_way(bot: Scenario) -> None:
    await _meeting_soon(bot)
    await bot.say("ding", "3号收到")
    assert not [seen for seen in bot.unread("ding") if "几点到" in seen.text]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("20分钟到现场", "预计15:30前到现场"),
        ("半小时内修好", "预计15:40前有结果"),
        ("预计4点10分修好", "预计16:10前有结果"),
        ("4点10分前修好", "预计16:10前有结果"),
    ],
)
async def test_a_time_for_a_fault_is_a_promise_and_mends_nothing(bot: Scenario, said: str, told: str) -> None:
    await bot.say("fang", "三楼会议室没声音了，会马上开始", group=CLIENTS)
    await bot.say("li", "收到")
    bot.forget_all()
    await bot.say("li", said)
    bot.expect(f"#{CLIENTS}", "处理进展", told)
    assert (await bot.fault()).state == "accepted"
    assert [row.state for row in await bot.obligations(kind="promise")] == ["open"]
    assert [row.state for row in await bot.obligations(kind="onsite")] == ["open"]


async def test_a_time_for_a_fault_answers_no_check(bot: Scenario) -> None:
    await _meeting_soon(bot)
    await bot.say("li", "已到位")
    await bot.say("li", "光路红灯")
    await bot.say("li", "预计4点10分修好")
    items = await bot.rows(CheckItem, CheckItem.site_id == "S2")
    assert {item.step: item.state for item in items if item.state in ("ok", "abnormal")} == {"link": "abnormal"}
