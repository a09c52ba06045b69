"""Both stories lived through on WeCom's wire: who reads what, in which chat, and when."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.wecom.conftest import until
from tests.wecom.live import Live, live

CLIENTS, COUNTY, PROVINCE, BOSSES = "wr-linhe-client", "wr-linhe", "wr-sheng", "wr-zhuguan"
REPORT = "三楼会议室没声音了，会马上开始"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path) as running:
        yield running


async def test_a_fault_is_read_back_and_the_one_on_duty_is_told_and_mentioned(bot: Live) -> None:
    await bot.say("fang", REPORT, CLIENTS)
    receipt = bot.sees(CLIENTS, "GZ-20261124-001", "没有声音")
    assert receipt.via == "reply"
    called = bot.sees(COUNTY, "GZ-20261124-001")
    assert (called.via, called.mentions) == ("webhook", ("wc-li",))
    bot.sees("li", "GZ-20261124-001", "收到")


async def test_silence_climbs_the_ladder_and_an_answer_in_words_stops_it(bot: Live) -> None:
    await bot.say("fang", REPORT, CLIENTS)
    bot.sees("wang", "GZ-20261124-001")
    await bot.advance(11)
    bot.sees("wang", "尚无人接单")
    await bot.say("li", "收到，20分钟到", COUNTY)
    bot.sees(CLIENTS, "李工已接单")
    bot.sees("wang", "已由李工")
    await bot.advance(5)
    assert not [text for text in bot.unread("wang") if "尚无人接单" in text][1:]


async def test_a_button_takes_the_fault_and_every_card_of_it_shows_who(bot: Live) -> None:
    await bot.say("fang", REPORT, CLIENTS)
    (card,) = [seen for seen in bot.simulator.direct_messages("wc-li") if seen.buttons]
    assert [label for label, _ in card.buttons] == ["接单", "转派"]
    await bot.press("li", "接单", card)
    bot.sees(CLIENTS, "李工已接单")
    await until(lambda: not card.buttons)
    assert "李工已于15:10接单" in card.text


async def test_taken_in_words_the_cards_show_who_has_it(bot: Live) -> None:
    await bot.say("fang", REPORT, CLIENTS)
    (card,) = [seen for seen in bot.simulator.direct_messages("wc-li") if seen.buttons]
    stale = card.buttons[0][1]
    await bot.say("li", "收到，20分钟到", COUNTY)
    await until(lambda: not card.buttons)
    assert "李工" in card.text
    assert "接单" in card.text
    said = len(bot.simulator.direct_messages("wc-li"))
    await bot.simulator.talk.press_key("wc-li", stale, card)
    await bot.runtime.step()
    assert "GZ-20261124-001" in bot.simulator.direct_messages("wc-li")[said].text, "a stale card says so"


async def test_the_reporter_says_when_it_is_over(bot: Live) -> None:
    await bot.say("fang", REPORT, CLIENTS)
    await bot.say("li", "收到", COUNTY)
    await bot.say("li", "修好了", COUNTY)
    bot.sees(CLIENTS, "现在正常了吗")
    await bot.say("fang", "好了", CLIENTS)
    bot.sees(CLIENTS, "已恢复")
    bot.sees(COUNTY, "已恢复")


async def test_a_platform_that_delivers_three_times_makes_one_fault(bot: Live) -> None:
    spoken = await bot.say("fang", REPORT)
    for _ in range(2):
        assert (await bot.simulator.talk.repeat(spoken)).statuses == [200]
    await bot.runtime.step()
    reports = [seen for seen in bot.simulator.direct_messages("wc-li") if "GZ-20261124-001" in seen.text]
    assert reports
    assert not [seen for seen in bot.simulator.ledger.entries if "GZ-20261124-002" in seen.text]
    assert len({seen.text for seen in reports}) == len(reports)


async def test_an_hour_without_wecom_loses_nothing_and_floods_nobody(bot: Live) -> None:
    await bot.say("fang", REPORT, CLIENTS)
    await bot.simulator.stop()
    await bot.advance(1)
    for _ in range(6):
        await bot.jump(10)
    await bot.simulator.start()
    await bot.advance(6)
    told = [seen for seen in bot.simulator.direct_messages("wc-wang") if "尚无人接单" in seen.text]
    assert 1 <= len(told) <= 3
    await bot.say("li", "收到")
    bot.sees(CLIENTS, "李工已接单")


async def test_a_notice_is_read_back_published_answered_and_chased(bot: Live) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位", PROVINCE)
    bot.sees(PROVINCE, "HY-20261125-001", "9:30", "确认")
    await bot.say("chen", "确认", PROVINCE)
    notice = bot.sees(COUNTY, "会议保障通知", "HY-20261125-001", "收到")
    assert notice.via == "webhook", "everybody is mentioned, which the robot itself cannot"
    for person in ("li", "wu", "he", "ding"):
        bot.sees(person, "会议保障通知", "HY-20261125-001")
    await bot.say("li", "收到", COUNTY)
    (card,) = [seen for seen in bot.simulator.direct_messages("wc-wu") if seen.buttons]
    assert [label for label, _ in card.buttons] == ["收到", "有困难"]
    await bot.press("wu", "收到", card)
    bot.sees("wu", "安川县技术维护部已回复")
    await until(lambda: "安川县技术维护部已回复" in card.text)
    await bot.advance(8)
    assert any("尚未收到江州市网络运行部回复" in text for text in bot.unread("he"))
    assert not [text for text in bot.unread("wu") if "尚未" in text]
    assert not bot.unread("sun")
    await bot.advance(3)
    bot.sees("sun", "尚未收到江州市网络运行部、江州市集客部回复")
    await bot.say("he", "收到")
    bot.sees("sun", "江州市网络运行部", "已")


async def test_a_quoted_notice_says_what_is_acknowledged(bot: Live) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位", PROVINCE)
    await bot.say("chen", "确认", PROVINCE)
    notice = bot.sees(COUNTY, "会议保障通知")
    await bot.say("li", "收到", COUNTY, quote={"msgtype": "text", "text": {"content": notice.text}})
    await bot.advance(11)
    assert not [text for text in bot.unread("wang") if "临河县网络运行部" in text and "尚未" in text]


async def test_reminded_of_the_arrival_one_presses_and_the_checks_follow_card_by_card(bot: Live) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位", PROVINCE)
    await bot.say("chen", "确认", PROVINCE)
    await bot.advance(8)
    (nudge,) = [seen for seen in bot.simulator.direct_messages("wc-li") if "尚未收到" in seen.text]
    assert [label for label, _ in nudge.buttons] == ["收到", "有困难"]
    await bot.say("li", "收到", COUNTY)
    await until(lambda: not nudge.buttons)
    assert "已由李工" in nudge.text, "what was answered in the group can be pressed no more"
    await bot.advance(17 * 60 + 20)
    (arrival,) = [seen for seen in bot.simulator.direct_messages("wc-li") if "已到位" in dict(seen.buttons)]
    await bot.press("li", "已到位", arrival)
    await until(lambda: not arrival.buttons)
    power = bot.sees("li", "检查1/4【电源】")
    await bot.press("li", "异常", power)
    bot.sees("li", "【电源】", "请写明现象")
    await bot.say("li", "机柜没电")
    link = bot.sees("li", "检查2/4【光路】")
    await bot.press("li", "正常", link)
    await until(lambda: not link.buttons)
    assert "【光路】李工于" in link.text
    bot.sees("li", "检查3/4【终端】")


async def test_what_is_missing_is_answered_with_one_card(bot: Live) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位", PROVINCE)
    await bot.say("chen", "确认", PROVINCE)
    await bot.say("li", "收到", COUNTY)
    await bot.advance(17 * 60)
    await bot.say("li", "已到位")
    await bot.say("li", "光路正常")
    left = bot.sees("li", "还差：电源、终端")
    assert left.card["card_type"] == "multiple_interaction"
    chosen = {select["question_key"]: [select["option_list"][0]["id"]] for select in left.card["select_list"]}
    await bot.simulator.talk.press_key("wc-li", "submit", left, chosen=chosen)
    await bot.runtime.step()
    bot.sees("li", "检查完成")
    await until(lambda: "检查完成" in left.text)
