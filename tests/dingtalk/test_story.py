"""Both stories lived through on DingTalk's wire: who reads what, in which chat, and when."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.dingtalk.live import Live, live

CLIENTS, COUNTY, CITY, PROVINCE = "cid-linhe-client", "cid-linhe", "cid-jiangzhou", "cid-sheng"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path) as running:
        yield running


async def test_a_fault_is_read_back_and_the_one_on_duty_is_told_and_mentioned(bot: Live) -> None:
    await bot.say("fang", "三楼会议室没声音了，会马上开始", CLIENTS)
    receipt = bot.sees(CLIENTS, "GZ-20261124-001", "没有声音")
    assert receipt.via == "sessionWebhook"
    bot.sees(COUNTY, "GZ-20261124-001")
    bot.sees("li", "GZ-20261124-001", "收到")


async def test_silence_climbs_the_ladder_and_an_answer_in_words_stops_it(bot: Live) -> None:
    await bot.say("fang", "三楼会议室没声音了，会马上开始", CLIENTS)
    bot.sees("wang", "GZ-20261124-001")
    await bot.advance(11)
    called = bot.sees("wang", "尚无人接单")
    assert any(seen.via == "ding:app" and seen.text in called.text for seen in bot.simulator.direct_messages("dt-wang"))
    await bot.say("li", "收到，20分钟到", COUNTY)
    bot.sees(CLIENTS, "李工已接单")
    bot.sees("wang", "已由李工")
    await bot.advance(5)
    assert not [text for text in bot.unread("wang") if "尚无人接单" in text][1:]


async def test_the_reporter_says_when_it_is_over(bot: Live) -> None:
    await bot.say("fang", "三楼会议室没声音了，会马上开始", CLIENTS)
    await bot.say("li", "收到", COUNTY)
    await bot.say("li", "修好了", COUNTY)
    bot.sees(CLIENTS, "现在正常了吗")
    await bot.say("fang", "好了", CLIENTS)
    bot.sees(CLIENTS, "已恢复")
    bot.sees(COUNTY, "已恢复")


async def test_a_platform_that_delivers_twice_makes_one_fault(bot: Live) -> None:
    spoken = await bot.simulator.talk.say("dt-fang", "三楼会议室没声音了，会马上开始", CLIENTS)
    await bot.simulator.talk.repeat(spoken)
    await bot.settle(spoken, acks=2)
    assert len([seen for seen in bot.simulator.direct_messages("dt-li") if "GZ-" in seen.text]) == 1


async def test_an_hour_without_dingtalk_loses_nothing_and_floods_nobody(bot: Live) -> None:
    await bot.say("fang", "三楼会议室没声音了，会马上开始", CLIENTS)
    await bot.simulator.stop()
    await bot.advance(1)
    for _ in range(6):
        await bot.jump(10)
    await bot.simulator.start()
    await bot.advance(6)
    told = [
        seen
        for seen in bot.simulator.direct_messages("dt-wang")
        if "尚无人接单" in seen.text and seen.via != "ding:app"
    ]
    assert 1 <= len(told) <= 3
    await bot.say("li", "收到", COUNTY)
    bot.sees(CLIENTS, "李工已接单")


async def test_a_button_on_a_card_takes_the_fault(tmp_path: Path) -> None:
    async with live(tmp_path, card_template_id="tpl.schema") as bot:
        await bot.say("fang", "三楼会议室没声音了，会马上开始", CLIENTS)
        (card,) = [seen for seen in bot.simulator.direct_messages("dt-li") if seen.card]
        await bot.press("li", "接单", card)
        bot.sees(CLIENTS, "李工已接单")


async def test_a_notice_is_read_back_published_answered_and_chased(bot: Live) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位", PROVINCE)
    bot.sees(PROVINCE, "HY-20261125-001", "9:30", "确认")
    await bot.say("chen", "确认", PROVINCE)
    bot.sees(COUNTY, "会议保障通知", "HY-20261125-001", "收到")
    for person in ("li", "wu", "he", "ding"):
        bot.sees(person, "会议保障通知", "HY-20261125-001")
    await bot.say("li", "收到", COUNTY)
    await bot.say("wu", "收到")
    bot.sees("wu", "安川县技术维护部已回复")
    await bot.advance(8)
    assert any("尚未收到江州市网络运行部回复" in text for text in bot.unread("he"))
    assert not bot.unread("li")
    assert not bot.unread("wu")
    assert not bot.unread("sun")
    await bot.advance(3)
    bot.sees("sun", "尚未收到江州市网络运行部、江州市集客部回复")
    await bot.say("he", "收到", CITY)
    bot.sees("sun", "江州市网络运行部", "已")


async def test_a_quoted_notice_says_what_is_acknowledged(bot: Live) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位", PROVINCE)
    await bot.say("chen", "确认", PROVINCE)
    notice = bot.sees("wu", "会议保障通知")
    await bot.say("wu", "收到", quoting=notice)
    await bot.advance(11)
    assert not [text for text in bot.unread("tang") if "安川县技术维护部" in text]
