"""It is worse than thought, whatever words say it: those who work on it and those above hear it at once."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario

CLIENT, SUPPORT, CITY = "#临河县水利局客户群", "#临河县保障群", "#江州市保障群"
NUMBER = "GZ-20261124-001"
NIGHT = datetime.fromisoformat("2026-11-24T23:10:00+08:00")


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        await running.say("fang", "三楼会议室没声音了", group=CLIENT[1:])
        running.forget_all()
        yield running


def those_above(bot: Scenario) -> None:
    bot.expect("wang", NUMBER, "I级故障")
    bot.expect(CITY, NUMBER, "I级")
    bot.expect("he", NUMBER, "I级")


@pytest.mark.parametrize("text", ["马上开会了！！快点", "三楼会议室没声音了，会马上开始", "会马上要开了，怎么还没人来"])
async def test_a_taken_fault_that_now_stops_a_meeting_is_told_to_its_owner_too(bot: Scenario, text: str) -> None:
    await bot.say("li", "收到", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("fang", text, group=CLIENT[1:])
    bot.expect("li", "李工您好", NUMBER, "会议即将开始（紧急）", "现为I级", "16:10前")
    bot.expect(SUPPORT, NUMBER, "现为I级", "李工")
    those_above(bot)
    bot.expect(CLIENT, NUMBER, "会议即将开始（紧急）", "16:10前给您答复")
    bot.nothing_more(CLIENT)
    assert (await bot.fault()).level == "I"
    assert {row.kind for row in await bot.obligations(state="open")} >= {"progress", "onsite", "restore"}


async def test_a_meeting_that_has_begun_is_known_to_run(bot: Scenario) -> None:
    await bot.say("fang", "快点 会都开始了", group=CLIENT[1:])
    bot.expect("li", NUMBER, "会议正在进行（紧急）", "现为I级")


async def test_those_who_are_still_to_take_it_hear_it_too(bot: Scenario) -> None:
    await bot.say("fang", "马上开会了！！快点", group=CLIENT[1:])
    bot.expect("li", "李工您好", NUMBER, "会议即将开始（紧急）", "现为I级", "15:20前", "回“收到”")
    bot.expect(SUPPORT, NUMBER, "现为I级", "请李工在15:20前@会保 回“收到”接单")
    those_above(bot)


async def test_said_again_it_is_told_once(bot: Scenario) -> None:
    await bot.say("fang", "马上开会了！！快点", group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", "马上开会了！！快点啊", group=CLIENT[1:])
    assert not bot.unread("wang")
    assert not bot.unread(SUPPORT)


@pytest.mark.parametrize("text", ["急！正在开会", "会议正在进行", "明天8点半有会"])
async def test_a_fault_that_waits_for_the_morning_wakes_the_one_on_duty(tmp_path: Path, text: str) -> None:
    async with scenario(tmp_path, start=NIGHT) as bot:
        await bot.say("fang", "三楼会议室没声音了", group=CLIENT[1:])
        bot.expect(CLIENT, "如影响", "7:30通知值班李工")
        bot.nothing_more()
        await bot.say("fang", text, group=CLIENT[1:])
        bot.expect("li", NUMBER, "23:20前回“收到”", absent=["7:40"])
        bot.expect(CLIENT, NUMBER, absent=["休息时间", "会议通知由", "重新派单"])
        (ack,) = await bot.obligations(kind="fault_ack")
        assert ack.due_at == datetime.fromisoformat("2026-11-24T23:20:00+08:00")


async def test_a_meeting_told_of_by_somebody_without_a_fault_is_no_alarm(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "正在开会", group=CLIENT[1:])
        bot.nothing_more()


async def test_every_reporter_hears_that_it_is_broken_again(bot: Scenario) -> None:
    await bot.say("qian", "三楼会议室没声音了")
    await bot.say("li", "修好了", group=SUPPORT[1:])
    await bot.say("qian", "好了")
    bot.forget_all()
    await bot.say("fang", "还是没声音", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "已重新通知")
    bot.expect("qian", NUMBER, "【重新处理】", "15:20前")


async def test_the_next_word_is_named_after_the_first_time_has_passed(bot: Scenario) -> None:
    await bot.advance("12m")
    bot.forget_all()
    await bot.say("fang", "怎么还没人来", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "待接单", "15:30前给您答复")
