"""Night and noon: who hears what while others sleep, and what everybody reads at half past seven."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col

from storage.messages import Attachment
from storage.models import Delivery
from tests import papers
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario
from tests.storage.parts import until
from tests.workflows import gathering
from tests.workflows.province import enlarge

CLIENT, SUPPORT, CITY, BOSSES = "#临河县水利局客户群", "#临河县保障群", "#江州市保障群", "#主管群"
CUSTOMERS = "#集客联络群"
NUMBER = "GZ-20261124-001"
DOWN = "全县会场都断了，会正在开，画面中断"
SMALL = "三楼会议室投影有点偏色"
EARLY = "明天上午9点半防汛视频会商，临河县水利局，各单位提前一小时到位"
LATER = "下周三上午9点半防汛视频会商，临河县水利局，各单位提前一小时到位"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+08:00")


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path, start=at("24T23:00")) as bot:
        yield bot


def in_groups(bot: Scenario) -> list[str]:
    """What groups have read since it was last asked; people's messages stay unread."""
    found = [seen for platform in bot.platforms.values() for seen in platform.seen if seen.address.kind == "group"]
    for platform in bot.platforms.values():
        platform.seen = [seen for seen in platform.seen if seen.address.kind != "group"]
    return [f"{seen.address.id}: {seen.text}" for seen in found]


async def publish(bot: Scenario, text: str) -> None:
    await bot.say("chen", text)
    await bot.say("chen", "确认")


# ---- faults


async def test_a_grave_fault_at_night_is_told_to_people_and_to_no_group(night: Scenario) -> None:
    bot = night
    await bot.say("fang", DOWN, group=CLIENT[1:])
    bot.expect(CLIENT, "【报障已受理】", NUMBER, "李工", "23:10前")
    bot.expect("li", NUMBER, "23:10前")
    bot.expect("wang", "王主任您好", NUMBER)
    bot.expect("he", "何工您好", NUMBER)
    bot.nothing_more()
    await bot.until(at("24T23:20"))
    bot.expect("zhao", "备班")
    bot.expect("li", "尚未有人接单")
    for place in ("wang", "sun"):
        bot.expect(place, "请您协助安排")
    bot.expect("fang", "仍在为您协调", "23:20前")
    for place in ("wang", "sun", "zhou"):
        bot.expect(place, "【尚无人接单】")
    bot.expect("fang", "仍在为您协调", "23:50前")
    bot.nothing_more()
    await bot.until(at("25T06:59"))
    heard = {place: len(bot.unread(place)) for place in ("li", "wang", "sun", "zhou", "fang")}
    assert heard == {"li": 3, "wang": 4, "sun": 4, "zhou": 4, "fang": 4}
    assert in_groups(bot) == []


async def test_the_client_group_hears_at_night_when_a_grave_fault_is_taken_and_mended(night: Scenario) -> None:
    bot = night
    await bot.say("fang", DOWN, group=CLIENT[1:])
    await bot.until(at("25T00:30"))
    bot.forget_all()
    await bot.say("li", "收到")
    bot.expect(CLIENT, "【已接单】", "李工")
    for place in ("wang", "sun", "zhou", "zhao", "he"):
        bot.expect(place, NUMBER, "李工", "0:30接单")
    bot.expect("li", NUMBER)
    bot.nothing_more()
    await bot.until(at("25T01:30"))
    bot.expect("li", "进展")
    bot.expect("fang", "暂无新进展")
    bot.expect("wang", "到场")
    bot.nothing_more()
    await bot.say("li", "修好了")
    bot.expect(CLIENT, NUMBER, "李工")
    bot.forget_all()
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.expect(CLIENT, "【已恢复】")
    assert in_groups(bot) == []
    bot.forget_all()
    await bot.until(at("25T07:30"))
    (support,) = bot.unread(SUPPORT)
    assert "【已恢复】" in support.text
    assert "派单" not in support.text
    (city,) = bot.unread(CITY)
    assert "【已恢复】" in city.text
    (bosses,) = bot.unread(BOSSES)
    assert "【已恢复】" in bosses.text


async def test_a_grave_fault_that_nobody_took_all_night_is_one_message_to_each_group_in_the_morning(
    night: Scenario,
) -> None:
    bot = night
    await bot.say("fang", DOWN, group=CLIENT[1:])
    await bot.until(at("25T07:29"))
    bot.forget_all()
    await bot.until(at("25T07:30"))
    bot.expect(BOSSES, "【无人接单】", NUMBER)
    bot.expect(SUPPORT, "【故障派单】", NUMBER, "昨夜23:00", "尽快", absent=["23:10前"])
    bot.expect(CITY, "故障通报", NUMBER, "尚无人接单", absent=["23:10前"])
    bot.nothing_more()


async def test_a_small_fault_waits_for_the_morning_and_so_do_its_ten_minutes(night: Scenario) -> None:
    bot = night
    await bot.say("fang", SMALL, group=CLIENT[1:])
    bot.expect(CLIENT, "【报障已受理】", NUMBER, "休息时间", "11月25日（周三）7:30通知值班李工", "7:40前给您答复")
    bot.nothing_more()
    (debt,) = await bot.obligations(fault=NUMBER, kind="fault_ack")
    assert (debt.due_at, debt.state) == (at("25T07:40"), "open")
    await bot.until(at("25T07:29"))
    bot.nothing_more()
    await bot.until(at("25T07:30"))
    bot.expect(SUPPORT, "【故障派单】", NUMBER, "7:40前")
    bot.expect("li", NUMBER, "7:40前")
    bot.nothing_more()
    await bot.until(at("25T07:40"))
    bot.expect("zhao", "备班")
    bot.expect("li", "尚未有人接单")
    bot.expect("wang", NUMBER)
    bot.expect(CLIENT, "仍在为您协调")
    bot.nothing_more()


async def test_a_small_fault_before_an_early_meeting_does_not_wait(night: Scenario) -> None:
    bot = night
    await bot.say("fang", "三楼会议室明早8点有会，音响没声", group=CLIENT[1:])
    bot.expect(CLIENT, "【报障已受理】", NUMBER, "已通知值班李工", "23:10前")
    bot.expect("li", NUMBER, "23:10前")
    bot.nothing_more()
    await bot.say("li", "收到")
    assert in_groups(bot)
    await bot.say("fang", "安川分会场后天早8点有会，投影偏色", group=CLIENT[1:])
    bot.expect(CLIENT, "7:30通知值班")


async def test_at_night_nobody_is_said_to_have_been_told_who_sleeps(night: Scenario) -> None:
    bot = night
    await bot.say("fang", SMALL, group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", "怎么还没人来", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "11月25日（周三）7:30再次提醒李工", "请@会保 直接说明", absent=["已再次提醒"])
    await bot.say("fang", "三楼会议室想借一个备用话筒，麻烦派人送来", group=CLIENT[1:])
    bot.expect(CLIENT, "11月25日（周三）7:30转告李工", absent=["已转告"])
    await bot.say("fang", "没事了，插头松了", group=CLIENT[1:])
    bot.expect(CLIENT, f"已撤回 {NUMBER}", absent=["已告知"])
    bot.nothing_more()


@pytest.mark.parametrize("words", ["没事了，插头松了", "好了"])
async def test_nothing_is_said_in_the_morning_of_a_small_fault_that_is_over(night: Scenario, words: str) -> None:
    bot = night
    await bot.say("fang", SMALL, group=CLIENT[1:])
    await bot.say("fang", words, group=CLIENT[1:])
    bot.forget_all()
    await bot.until(at("25T09:00"))
    assert not [seen for seen in bot.platforms["dingtalk"].seen if NUMBER in seen.text]


async def test_a_correction_at_night_says_when_it_is_passed_on(night: Scenario) -> None:
    bot = night
    await bot.say("fang", SMALL, group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", "说错了，不是投影，是话筒有杂音", group=CLIENT[1:])
    bot.expect(CLIENT, "已更正", "7:30告知处理人员", absent=["已告知"])
    await bot.say("fang", "不对，不是三楼会议室，是青石镇政府会议室", group=CLIENT[1:])
    bot.expect(CLIENT, "已更正", "青石镇", "7:30通知值班丁工", "7:40前给您答复", absent=["已通知"])
    bot.nothing_more()


async def test_what_broke_again_at_night_is_sent_out_in_the_morning(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T21:30")) as bot:
        await bot.say("fang", SMALL, group=CLIENT[1:])
        await bot.say("li", "收到")
        await bot.say("li", "修好了")
        await bot.until(at("24T22:30"))
        bot.forget_all()
        await bot.say("fang", "还是偏色", group=CLIENT[1:])
        bot.expect(CLIENT, "【重新处理】", "7:30重新通知", "7:40前给您答复", absent=["已重新通知"])
        bot.nothing_more()
        await bot.say("fang", "没事了，插头松了", group=CLIENT[1:])
        bot.expect(CLIENT, "已撤回", absent=["已告知"])
        bot.forget_all()
        await bot.until(at("25T07:30"))
        bot.expect("li", "【已撤回】", NUMBER)


async def test_what_is_passed_on_in_the_morning_is_not_said_to_have_been_at_night(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T21:40")) as bot:
        await publish(bot, LATER)
        await bot.say("fang", SMALL, group=CLIENT[1:])
        await bot.say("li", f"{NUMBER} 收到")
        await bot.until(at("24T22:10"))
        bot.forget_all()
        await bot.say("li", f"{NUMBER} 在查线，怀疑是接头松动")
        bot.expect("li", "7:30转告方芳", absent=["已转告"])
        await bot.say("li", f"{NUMBER} 请派人支援")
        bot.expect("li", "7:30转告王主任", absent=["已转告"])
        await bot.say("qian", click="trouble:HY-20261202-001")
        bot.expect("qian", "我转告联络员")
        await bot.say("qian", "人手不够")
        bot.expect("qian", "7:30转告联络员", absent=["已转告"])
        await bot.say("li", f"{NUMBER} 转给赵工")
        bot.expect("li", "7:30通知", "7:40前接单", absent=["已转给"])
        await bot.say("wu", "请问会议终端怎么设置双流？")
        bot.nothing_more("wang")


async def test_a_small_fault_that_turns_out_to_be_grave_waits_no_more(night: Scenario) -> None:
    bot = night
    await bot.say("fang", SMALL, group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", "三楼会议室投影彻底不显示了，会正在开，开不下去了", group=CLIENT[1:])
    assert (await bot.fault()).level == "I"
    bot.expect("li", NUMBER)
    bot.expect("wang", NUMBER)
    (debt,) = await bot.obligations(fault=NUMBER, kind="fault_ack")
    assert debt.due_at == at("24T23:10")


def watches(tables: Any) -> None:
    """In 临河县 李工 has the day and 赵工 the night."""
    by_person = {"li": ("2026-11-24T08:00:00+08:00", "2026-11-24T20:00:00+08:00")}
    by_person["zhao"] = ("2026-11-24T20:00:00+08:00", "2026-11-25T08:00:00+08:00")
    for row in tables.rows["roster"]:
        if row.cells["person_id"] in by_person:
            row.cells["starts_at"], row.cells["ends_at"] = by_person[row.cells["person_id"]]
            row.cells["duty"] = "primary"


async def test_whoever_has_the_night_is_called(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T19:55"), change=watches) as bot:
        await publish(bot, EARLY)
        bot.expect("li", "【会议保障通知】")
        bot.forget_all()
        await bot.until(at("24T23:00"))
        bot.forget_all()
        await bot.say("fang", DOWN, group=CLIENT[1:])
        bot.expect("zhao", NUMBER, "23:10前")
        bot.nothing_more("li")


async def test_the_nudge_of_the_evenings_notice_goes_to_whoever_has_the_night(tmp_path: Path) -> None:
    def later(tables: Any) -> None:
        watches(tables)
        for row in tables.rows["roster"]:
            row.cells["starts_at"] = row.cells["starts_at"].replace("T20:00", "T22:00")
            row.cells["ends_at"] = row.cells["ends_at"].replace("24T20:00", "24T22:00")

    async with scenario(tmp_path, start=at("24T21:55"), change=later) as bot:
        await publish(bot, EARLY)
        bot.expect("li", "【会议保障通知】")
        bot.forget_all()
        await bot.until(at("24T22:02"))
        bot.expect("zhao", "尚未收到")
        bot.nothing_more("li")


# ---- notices


async def test_a_notice_for_early_tomorrow_is_followed_up_at_night_in_private(night: Scenario) -> None:
    bot = night
    await publish(bot, EARLY)
    bot.expect("chen", "请核对")
    bot.expect("chen", "已发布", "23:10前", "夜间", "不在群里发")
    bot.expect(SUPPORT, "【会议保障通知】")
    assert not any(seen.message.mention_all for seen in bot.platforms["dingtalk"].seen)
    bot.forget_all()
    await bot.until(at("24T23:20"))
    bot.expect("zhao", "备班")
    bot.expect("li", "23:10前回")
    bot.expect("qian", "23:10前回")
    bot.expect("wang", "截至23:10尚未收到")
    bot.expect("wang", "临河县集客部没有登记主管")
    bot.expect("chen", "应到2", "未确认2")
    bot.expect("sun", "该单位主管已知会")
    bot.expect("zhou", "【尚未收到回复】")
    bot.nothing_more()
    await bot.say("li", "收到")
    for place in ("wang", "sun", "zhou"):
        bot.expect(place, "已由李工于23:20回复")
    await bot.until(at("25T06:59"))
    assert in_groups(bot) == []
    bot.forget_all()
    await bot.until(at("25T07:30"))
    bot.expect(BOSSES, "【无人回复】", "临河县集客部", absent=["技术维护部"])
    bot.expect(SUPPORT, "李工已回“收到”")
    bot.nothing_more()


async def test_a_notice_for_next_week_is_followed_up_in_the_morning_from_the_bottom_of_the_ladder(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path, start=at("24T22:30")) as bot:
        await publish(bot, LATER)
        bot.expect("chen", "请核对")
        bot.expect("chen", "已发布", "22:40前", "休息时间", "11月25日（周三）7:30起")
        bot.expect(SUPPORT, "【会议保障通知】")
        bot.forget_all()
        await bot.until(at("25T07:29"))
        bot.nothing_more()
        assert {debt.state for debt in await bot.obligations(kind="notice_ack")} == {"breached"}
        await bot.say("qian", "收到")
        bot.forget_all()
        await bot.until(at("25T07:30"))
        bot.expect("zhao", "休息时间未打扰", "7:40前")
        bot.expect("li", "休息时间未打扰", "请于7:40前")
        bot.expect("chen", "应到2，已确认1")
        for group in (SUPPORT, CUSTOMERS):
            bot.expect(group, "钱丽已回“收到”")
        bot.nothing_more()
        await bot.until(at("25T07:40"))
        bot.expect("wang", "截至11月24日（周二）22:40尚未收到")
        bot.nothing_more()
        await bot.until(at("25T07:45"))
        bot.expect("sun", "该单位主管已知会")
        await bot.say("li", "收到")
        bot.expect("wang", "已由李工")
        bot.expect("sun", "已由李工")
        bot.forget_all()
        await bot.until(at("25T09:50"))
        assert in_groups(bot) == []


async def test_who_answers_at_night_leaves_nothing_to_say_in_the_morning(night: Scenario) -> None:
    bot = night
    await publish(bot, LATER)
    await bot.until(at("25T01:00"))
    for person in ("li", "qian"):
        await bot.say(person, "收到")
    bot.forget_all()
    await bot.until(at("25T10:00"))
    bot.expect("chen", "已全部确认")
    bot.expect(SUPPORT, "没有打扰", "李工已回“收到”", "钱丽已回“收到”")
    bot.expect(CUSTOMERS, "钱丽已回“收到”")
    bot.nothing_more()


async def test_three_notices_of_one_evening_are_one_message_in_the_morning(night: Scenario) -> None:
    bot = night
    for hour in ("上午9点半", "下午2点", "下午4点"):
        await publish(bot, LATER.replace("上午9点半", hour))
    bot.forget_all()
    await bot.until(at("25T07:30"))
    (message,) = bot.unread("li")
    assert message.text.startswith("以下3项在休息时间没有打扰")
    assert [f"{number}. 李工您好" in message.text for number in (1, 2, 3)] == [True] * 3
    await bot.until(at("25T07:40"))
    (alarm,) = [seen for seen in bot.unread("wang") if "李工" in seen.text]
    assert "以下" in alarm.text


async def test_a_bot_that_was_down_at_half_past_seven_still_says_it_in_one_message(night: Scenario) -> None:
    bot = night
    await enlarge(bot, 5, 3, 4)
    for hour in ("上午9点半", "下午2点"):
        await publish(bot, f"下周三{hour}全省防汛视频会商，各单位提前一小时到位")
    await bot.until(at("25T05:00"))
    bot.forget_all()
    bot.clock.set(at("25T07:38"))
    running = asyncio.create_task(bot.runtime.run())
    try:
        await until(lambda: len(bot.platforms["dingtalk"].seen) >= 50, within=60)
    finally:
        bot.runtime.stop()
        await running
    asked = [seen for seen in bot.platforms["dingtalk"].seen if "尚未收到" in seen.text]
    assert asked
    assert all(seen.text.startswith("以下2项在休息时间没有打扰") for seen in asked)


async def test_a_paper_sent_at_night_is_read_back_at_night(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T23:00"), platform=RichPlatform) as bot:
        platform = bot.platforms["dingtalk"]
        assert isinstance(platform, RichPlatform)
        platform.files["会议通知.docx"] = papers.as_docx(papers.FLOOD)
        await bot.say("chen", attachments=[Attachment(kind="file", ref="会议通知.docx", name="会议通知.docx")])
        bot.expect("chen", "【请核对】")


# ---- meetings


async def test_a_meeting_that_runs_at_night_is_looked_after(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T21:30")) as bot:
        await gathering.meeting(bot, number="HY-20261124-001", starts_at=at("24T22:30"))
        await bot.say("li", "已到位", group=SUPPORT[1:])
        bot.forget_all()
        await bot.until(at("24T22:00"))
        bot.expect("wang", "检查")
        bot.forget_all()
        await bot.until(at("24T22:40"))
        bot.expect("zhou", "检查")
        assert in_groups(bot) == []
        bot.forget_all()
        await bot.say("li", "电源正常，光路红灯")
        assert (await bot.fault()).level == "II"
        bot.expect("he", NUMBER)
        assert in_groups(bot) == []


# ---- noon


async def test_at_noon_only_what_cannot_wait_is_said(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T12:10")) as bot:
        await bot.say("fang", SMALL, group=CLIENT[1:])
        bot.expect(CLIENT, "休息时间", "14:00通知值班李工", "14:10前给您答复")
        bot.nothing_more()
        await bot.say("xu", "二楼会议室没声音了，会马上开始")
        bot.expect("#安川县保障群", "【故障派单】")
        bot.expect("wu", "12:20前")
        bot.forget_all()
        await publish(bot, LATER)
        bot.expect("chen", "14:00起")
        bot.forget_all()
        await bot.until(at("24T13:59"))
        assert not bot.unread("li")
        bot.forget_all()
        await bot.until(at("24T14:00"))
        (message,) = bot.unread("li")
        assert NUMBER in message.text
        assert "HY-20261202-001" in message.text
        bot.expect(SUPPORT, "【故障派单】", NUMBER)


async def test_an_operator_may_do_without_night_and_noon(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T23:00"), calendar={"night": "", "noon": ""}) as bot:
        await bot.say("fang", SMALL, group=CLIENT[1:])
        bot.expect(CLIENT, "已通知值班李工", "23:10前给您答复")
        bot.expect(SUPPORT, "【故障派单】")


# ---- whatever happens


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_at_night_groups_read_only_what_they_asked_for(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = [
        ("fang", DOWN, CLIENT[1:]),
        ("fang", SMALL, CLIENT[1:]),
        ("fang", "怎么还没人来", CLIENT[1:]),
        ("fang", "好了", CLIENT[1:]),
        ("xu", "二楼会议室没声音了，会马上开始", ""),
        ("li", "收到", ""),
        ("li", "20分钟到", ""),
        ("li", "修好了", ""),
        ("wu", "收到", ""),
        ("wang", "已知悉", ""),
        ("chen", EARLY, ""),
        ("chen", LATER, ""),
        ("chen", "确认", ""),
    ]
    async with scenario(tmp_path, start=at("24T22:00")) as bot:
        while bot.clock.now() < at("25T05:20"):
            person, text, group = chance.choice(lines)
            await bot.say(person, text, group=group)
            await bot.advance(f"{chance.choice((1, 7, 25, 90))}m")
        await bot.until(at("25T06:59"))
        rows = await bot.rows(Delivery, col(Delivery.address).contains(":group:"), col(Delivery.sent_at).is_not(None))
        state_changes = {row.kind for row in rows if row.kind.startswith("fault:")}
        assert {row.kind for row in rows} <= {"notice", "reply"} | state_changes
        assert not state_changes & {"fault:waiting", "fault:no_news", "fault:unconfirmed"}
        assert {row.address for row in rows if row.kind != "notice"} <= {"dingtalk:group:cid-linhe-client"}
        bot.forget_all()
        await bot.until(at("25T07:30"))
        read = [str(seen.address) for seen in bot.platforms["dingtalk"].seen]
        assert sorted(read) == sorted(set(read)), "one message to each address"
