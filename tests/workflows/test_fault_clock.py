"""What time does to a fault: silence walks the ladder, promises are kept or asked about, and word comes on time."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario

CLIENT, SUPPORT, CITY, BOSSES = "#临河县水利局客户群", "#临河县保障群", "#江州市保障群", "#主管群"
NUMBER = "GZ-20261124-001"
URGENT = "三楼会议室没声音了，会马上开始"
PLAIN = "三楼会议室没声音了"
INTERNAL = ("王主任", "孙主任", "何工", "备件", "13900", "升级", "主管")


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def taken(bot: Scenario, text: str = URGENT) -> None:
    await bot.say("fang", text, group=CLIENT[1:])
    await bot.say("li", "收到", group=SUPPORT[1:])
    bot.forget_all()


async def test_silence_walks_the_ladder_and_the_reporter_hears_only_when_word_comes(bot: Scenario) -> None:
    await bot.say("fang", PLAIN, group=CLIENT[1:])
    bot.forget_all()
    await bot.advance("5m")
    bot.expect("zhao", "备班", NUMBER, "15:20前")
    bot.nothing_more()
    await bot.advance("2m")
    bot.expect("li", "尚未有人接单", NUMBER)
    bot.nothing_more()
    await bot.advance("3m")
    bot.expect("wang", "王主任您好", NUMBER)
    bot.expect(CLIENT, NUMBER, "仍在为您协调", "15:30前", absent=INTERNAL)
    bot.nothing_more()
    await bot.advance("5m")
    bot.expect("sun", "孙主任您好", NUMBER)
    bot.nothing_more()
    await bot.advance("5m")
    bot.expect(BOSSES, "尚无人接单", NUMBER)
    bot.expect(CLIENT, NUMBER, "16:00前", absent=INTERNAL)
    bot.nothing_more()


async def test_a_late_taking_gives_everyone_alarmed_the_all_clear_once(bot: Scenario) -> None:
    await bot.say("fang", PLAIN, group=CLIENT[1:])
    await bot.advance("16m")
    bot.forget_all()
    await bot.say("zhao", "我来", group=SUPPORT[1:])
    bot.expect("wang", NUMBER, "赵工", "15:26接单")
    bot.expect("sun", NUMBER, "赵工", "15:26接单")
    bot.expect(SUPPORT, "赵工已于15:26接单")
    bot.expect(CLIENT, "【已接单】", "赵工", absent=INTERNAL)
    bot.nothing_more()
    debt = (await bot.obligations(fault=NUMBER, kind="fault_ack"))[0]
    assert (debt.state, debt.met_by) == ("breached", "zhao")


async def test_everyone_alarmed_hears_how_it_ended(bot: Scenario) -> None:
    await bot.say("fang", PLAIN, group=CLIENT[1:])
    await bot.advance("16m")
    await bot.say("zhao", "我来", group=SUPPORT[1:])
    await bot.say("zhao", "修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("fang", "好了", group=CLIENT[1:])
    for place in ("wang", "sun", "zhao", SUPPORT):
        bot.expect(place, "【已恢复】", NUMBER)
    bot.expect(CLIENT, "【已恢复】", NUMBER, absent=INTERNAL)
    bot.nothing_more()


async def test_without_news_the_reporter_hears_so_on_time_and_then_the_supervisor(bot: Scenario) -> None:
    await taken(bot)
    await bot.advance("55m")
    bot.expect("li", NUMBER, "进展", "16:10前")
    bot.nothing_more()
    await bot.advance("5m")
    bot.expect(CLIENT, NUMBER, "暂无新进展", "下次17:10前", absent=INTERNAL)
    bot.nothing_more()
    await bot.advance("15m")
    bot.expect("wang", NUMBER, "进展", "尚未收到")
    bot.nothing_more()


async def test_news_is_passed_on_in_words_for_the_client_and_moves_the_next_word(bot: Scenario) -> None:
    await taken(bot)
    await bot.advance("20m")
    await bot.say("li", "终端已重启，还在排查音频线", group=SUPPORT[1:])
    bot.expect(CLIENT, "【处理进展】", NUMBER, "李工反馈", "还在排查音频线", "下次16:30前", absent=INTERNAL)
    bot.expect(SUPPORT, NUMBER, "已转告方芳", "16:30前")
    bot.nothing_more()
    await bot.advance("45m")
    bot.nothing_more()
    first, second = await bot.obligations(fault=NUMBER, kind="progress")
    assert (first.state, first.met_by, second.state) == ("met", "li", "open")


async def test_what_a_client_must_not_read_is_said_plainly(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "还在排查，备件库没货，先找何工13900000006借一台", group=SUPPORT[1:])
    bot.expect(CLIENT, "【处理进展】", "正在处理", absent=INTERNAL)


async def test_a_leaders_meeting_hears_every_quarter_of_an_hour(bot: Scenario) -> None:
    await bot.say("fang", "三楼会议室没声音了，厅长正在讲话，会正在开", group=CLIENT[1:])
    await bot.say("li", "收到", group=SUPPORT[1:])
    bot.expect(CLIENT, "【已接单】", "15:25前")


async def test_a_time_said_in_words_is_a_promise_first_the_owner_then_the_supervisor_is_told(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "20分钟到", group=SUPPORT[1:])
    bot.expect(CLIENT, "【处理进展】", NUMBER, "预计15:30前到现场", absent=INTERNAL)
    bot.expect(SUPPORT, NUMBER, "已转告方芳")
    await bot.advance("20m")
    bot.expect("li", NUMBER, "15:30", "新时间")
    bot.nothing_more()
    (promise,) = await bot.obligations(fault=NUMBER, kind="promise")
    assert (promise.state, promise.person_ids) == ("breached", ["li"])
    await bot.advance("10m")
    bot.expect("wang", NUMBER, "约定15:30", "尚无消息")
    bot.nothing_more()
    await bot.say("li", "到现场了，正在看", group=SUPPORT[1:])
    bot.expect("wang", NUMBER, "15:40", "给出消息")
    bot.expect(CLIENT, "【处理进展】", "到现场了")
    bot.expect(SUPPORT, NUMBER, "已转告")
    bot.nothing_more()


async def test_a_kept_promise_disturbs_nobody(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "20分钟到", group=SUPPORT[1:])
    await bot.advance("15m")
    await bot.say("li", "到现场了，正在看", group=SUPPORT[1:])
    bot.forget_all()
    await bot.advance("30m")
    bot.nothing_more()
    (promise,) = await bot.obligations(fault=NUMBER, kind="promise")
    assert (promise.state, promise.met_by) == ("met", "li")
    (onsite,) = await bot.obligations(fault=NUMBER, kind="onsite")
    assert onsite.state == "met"


async def test_a_new_time_replaces_the_old_one(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "20分钟到", group=SUPPORT[1:])
    await bot.advance("10m")
    await bot.say("li", "堵车，还要30分钟到", group=SUPPORT[1:])
    bot.forget_all()
    await bot.advance("25m")
    bot.nothing_more()
    await bot.advance("5m")
    bot.expect("li", NUMBER, "15:50")


async def test_a_promise_given_with_the_taking_is_said_with_it(bot: Scenario) -> None:
    await bot.say("fang", PLAIN, group=CLIENT[1:])
    bot.forget_all()
    await bot.say("li", "收到，20分钟到", group=SUPPORT[1:])
    bot.expect(CLIENT, "【已接单】", "李工", "预计15:30前到现场")
    bot.expect(SUPPORT, "李工已于15:10接单")
    bot.nothing_more()


async def test_news_about_a_fault_nobody_took_takes_it(bot: Scenario) -> None:
    await bot.say("fang", PLAIN, group=CLIENT[1:])
    bot.forget_all()
    await bot.say("li", "20分钟到", group=SUPPORT[1:])
    assert (await bot.fault()).owner == "li"
    bot.expect(CLIENT, "【已接单】", "李工", "预计15:30前到现场")
    bot.expect(SUPPORT, "李工已于15:10接单")
    bot.nothing_more()


async def test_the_written_report_is_owed_in_three_days_and_asked_for(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.forget_all()
    (debt,) = await bot.obligations(fault=NUMBER, kind="fault_report")
    assert debt.due_at - bot.clock.now() == timedelta(days=3)
    await bot.advance("3d")
    bot.expect("li", NUMBER, "书面报告")
    bot.expect("wang", NUMBER, "书面报告")
    bot.nothing_more()


async def test_level_one_owes_being_there_and_being_back_with_the_figures_of_the_profile(bot: Scenario) -> None:
    await taken(bot)
    created = (await bot.fault()).created_at
    due = {row.kind: row.due_at - created for row in await bot.obligations(fault=NUMBER, state="open")}
    assert due == {"progress": timedelta(hours=1), "onsite": timedelta(hours=2), "restore": timedelta(hours=24)}


async def test_small_faults_count_working_hours(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=datetime.fromisoformat("2026-11-27T17:00:00+08:00")) as bot:
        await taken(bot, PLAIN)
        (debt,) = await bot.obligations(kind="progress")
        assert bot.clock.now().astimezone(debt.due_at.tzinfo) < debt.due_at
        assert debt.due_at == datetime.fromisoformat("2026-11-30T10:30:00+08:00")


async def test_a_fault_reported_before_a_restart_escalates_afterwards_and_the_answer_in_time_still_counts(
    bot: Scenario,
) -> None:
    await bot.say("fang", PLAIN, group=CLIENT[1:])
    bot.forget_all()
    written = bot.clock.now() + timedelta(minutes=9)
    bot.clock.set(bot.clock.now() + timedelta(minutes=12))
    await bot.say("li", "收到", group=SUPPORT[1:], written_at=written)
    debt = (await bot.obligations(fault=NUMBER, kind="fault_ack"))[0]
    assert (debt.state, debt.met_at) == ("met", written)


async def test_how_soon_somebody_is_there_follows_the_contract_and_is_said_plainly(tmp_path: Path) -> None:
    async with scenario(tmp_path, policy={"onsite": {"within": "90m"}}) as bot:
        await taken(bot)
        (onsite,) = await bot.obligations(fault=NUMBER, kind="onsite")
        assert onsite.due_at == datetime.fromisoformat("2026-11-24T16:40:00+08:00")
        await bot.advance("90m")
        bot.expect("wang", NUMBER, "李工应于16:40前到场", "尚未收到到场消息")
        await bot.say("li", "到现场了，正在看", group=SUPPORT[1:])
        bot.expect("wang", NUMBER, "李工已于16:40到场")
