"""Talking about a fault: joining, correcting, asking, pressing, withdrawing, handing over, and two that fit."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import col

from storage.models import Fault, Meeting, Obligation, Site
from tests.scenario import Scenario, scenario
from workflows import fault as faults

CLIENT, SUPPORT, CITY = "#临河县水利局客户群", "#临河县保障群", "#江州市保障群"
NUMBER, SECOND = "GZ-20261124-001", "GZ-20261124-002"
URGENT = "三楼会议室没声音了，会马上开始"
PLAIN = "三楼会议室没声音了"
INTERNAL = ("王主任", "孙主任", "何工", "13900", "升级", "江州市")


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def reported(bot: Scenario, text: str = PLAIN) -> None:
    await bot.say("fang", text, group=CLIENT[1:])
    bot.forget_all()


async def taken(bot: Scenario, text: str = PLAIN) -> None:
    await reported(bot, text)
    await bot.say("li", "收到", group=SUPPORT[1:])
    bot.forget_all()


async def two_taken(bot: Scenario) -> None:
    """Two faults of fang's that li works on."""
    await taken(bot)
    await bot.say("fang", "投影坏了", group=CLIENT[1:])
    await bot.say("li", click=f"take:{SECOND}")
    bot.forget_all()


# ---- where


async def test_a_site_not_named_is_the_groups_own(bot: Scenario) -> None:
    await bot.say("fang", "没声音了", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "临河县水利局三楼会议室")
    assert (await bot.fault()).site_id == "S2"


async def test_without_an_own_site_one_question_is_asked_and_then_taken_up_again(bot: Scenario) -> None:
    await bot.say("chen", "没声音了，会马上开始")
    bot.expect("chen", "哪个会场", "2. 临河县水利局三楼会议室")
    bot.nothing_more()
    assert await bot.rows(Fault) == []
    await bot.say("chen", "2")
    bot.expect("chen", "【报障已受理】", NUMBER, "临河县水利局三楼会议室", "没有声音")
    fault = await bot.fault()
    assert (fault.site_id, fault.level, fault.text) == ("S2", "I", "没声音了，会马上开始")


async def test_the_place_may_be_said_in_words(bot: Scenario) -> None:
    await bot.say("chen", "没声音了")
    bot.forget_all()
    await bot.say("chen", "青石镇的")
    bot.expect("chen", "【报障已受理】", NUMBER, "青石镇政府会议室", "丁工")
    bot.expect("ding", NUMBER)
    bot.expect(SUPPORT, NUMBER)
    bot.nothing_more()


async def test_two_sites_down_are_two_faults_and_one_answer(bot: Scenario) -> None:
    await bot.say("he", "临河和安川都没有声音，会正在开", group=CITY[1:])
    bot.expect(CITY, NUMBER, SECOND)
    bot.nothing_more(CITY)
    bot.expect("li", NUMBER)
    bot.expect("wu", SECOND)
    assert {fault.level for fault in await bot.rows(Fault)} == {"I"}


async def test_a_report_in_the_support_group_is_one_message_that_calls_those_on_duty(bot: Scenario) -> None:
    await bot.say("qian", PLAIN, group=SUPPORT[1:])
    seen = bot.expect(SUPPORT, "【报障已受理】", NUMBER, "@会保 回“收到”")
    assert seen.message.mentions == ("dt-qian", "dt-li")
    assert seen.message.actions[0].value == f"take:{NUMBER}"
    bot.expect("li", NUMBER)
    bot.nothing_more()


async def test_a_running_meeting_the_bot_knows_of_makes_it_level_one(bot: Scenario) -> None:
    async with bot.ground.work() as work:
        work.session.add(
            Meeting(
                number="HY-20261124-001",
                title="会商",
                starts_at=work.now,
                state="running",
                site_ids=["S2"],
                created_at=work.now,
            )
        )
    await bot.say("fang", PLAIN, group=CLIENT[1:])
    fault = await bot.fault()
    assert (fault.level, fault.meeting) == ("I", "HY-20261124-001")
    bot.expect(CLIENT, "会议正在进行", "紧急")


# ---- the same thing again


async def test_a_second_report_joins_and_its_reporter_hears_the_result_too(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("qian", "三楼会议室还是没有声音", group=SUPPORT[1:])
    bot.expect(SUPPORT, NUMBER, "李工已接单", "并入")
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.number, fault.reporters) == (NUMBER, ["fang", "qian"])
    await bot.say("li", "修好了")
    bot.forget_all()
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.expect(SUPPORT, "【已恢复】", NUMBER)
    bot.expect(CLIENT, "【已恢复】", NUMBER)
    bot.expect("li", "【已恢复】")
    bot.nothing_more()


async def test_another_matter_at_the_same_site_is_another_fault(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("fang", "投影坏了", group=CLIENT[1:])
    bot.expect(CLIENT, SECOND, "投影机")


async def test_a_second_report_that_is_worse_raises_the_level_and_tells_those_above(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("fang", URGENT, group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "紧急", absent=INTERNAL)
    bot.expect("li", NUMBER, "现为I级")
    bot.expect(SUPPORT, NUMBER, "现为I级")
    bot.expect("wang", NUMBER, "I级")
    bot.expect(CITY, NUMBER)
    bot.expect("he", NUMBER)
    bot.nothing_more()
    assert (await bot.fault()).level == "I"


# ---- corrections


async def test_a_corrected_room_is_told_to_everyone_who_was_told(bot: Scenario) -> None:
    await reported(bot, URGENT)
    await bot.say("fang", "不是三楼，是二楼会议室", group=CLIENT[1:])
    bot.expect(CLIENT, "已更正", NUMBER, "二楼会议室")
    for place in (SUPPORT, "li", "wang", CITY):
        bot.expect(place, "【更正】", NUMBER, "二楼会议室")
    bot.nothing_more()
    assert len(await bot.rows(Fault)) == 1


async def test_a_corrected_site_of_another_unit_moves_the_fault_there(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("fang", "说错了，是安川县水利局没声音", group=CLIENT[1:])
    bot.expect(CLIENT, "已更正", NUMBER, "安川县水利局", "吴工")
    bot.expect("wu", NUMBER, "安川县水利局")
    bot.expect("#安川县保障群", NUMBER)
    bot.expect("li", "无需再跟进")
    bot.expect(SUPPORT, "无需再跟进")
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.site_id, fault.unit_id, fault.state) == ("S3", "X2", "open")
    states = [(row.unit_id, row.state) for row in await bot.obligations(fault=NUMBER)]
    assert states == [("X1", "cancelled"), ("X2", "open")]


async def test_a_corrected_symptom(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("fang", "说错了，是话筒有杂音", group=CLIENT[1:])
    bot.expect(CLIENT, "已更正", "话筒有杂音")
    bot.expect("li", "【更正】", "话筒有杂音")
    bot.expect(SUPPORT, "【更正】", "话筒有杂音")
    bot.nothing_more()


# ---- asking and pressing


async def test_asking_is_answered_with_the_state_and_the_next_word(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("fang", "修得怎么样了", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "李工已接单", "17:10前", absent=INTERNAL)
    bot.nothing_more()


async def test_pressing_before_anybody_took_it_pushes_those_on_duty(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("fang", "怎么还没人来", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "待接单", "15:20前", "已再次提醒李工", absent=INTERNAL)
    bot.expect("li", NUMBER, "催问", "接单")
    bot.nothing_more()
    await bot.say("fang", "怎么还没人来", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER)
    bot.nothing_more()


async def test_pressing_after_the_time_has_passed_reaches_the_supervisor(bot: Scenario) -> None:
    await reported(bot)
    await bot.advance("11m")
    bot.forget_all()
    await bot.say("fang", "怎么还没人来", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "待接单", "已再次提醒李工、赵工", absent=INTERNAL)
    bot.expect("li", NUMBER, "催问")
    bot.expect("zhao", NUMBER, "催问")
    bot.expect("wang", NUMBER, "已过约定时间")
    bot.nothing_more()


async def test_pressing_a_taken_fault_asks_its_owner_for_news(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("fang", "怎么还没人来", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "李工已接单", "已再次提醒李工")
    bot.expect("li", NUMBER, "催问", "预计时间")
    bot.nothing_more()


async def test_a_client_of_another_unit_learns_nothing_about_it(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("xu", f"{NUMBER} 修得怎么样了")
    bot.expect("xu", "没有找到", absent=("声音", "临河"))
    bot.nothing_more()


# ---- withdrawing


async def test_withdrawing_tells_everyone_who_was_told(bot: Scenario) -> None:
    await taken(bot, URGENT)
    await bot.say("fang", "没事了，插头松了", group=CLIENT[1:])
    bot.expect(CLIENT, "已撤回", NUMBER, absent=INTERNAL)
    for place in (SUPPORT, "li", "wang", CITY):
        bot.expect(place, "【已撤回】", NUMBER, "插头松了")
    bot.nothing_more()
    assert (await bot.fault()).state == "cancelled"
    assert not await bot.rows(Obligation, col(Obligation.closed_at).is_(None))
    await bot.advance("3h")
    bot.nothing_more()


async def test_somebody_else_cannot_withdraw_it(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("xu", f"{NUMBER} 没事了，不用修了")
    bot.expect("xu", "暂无权限")
    bot.nothing_more()
    assert (await bot.fault()).state == "open"


# ---- two that fit


async def test_a_bare_mended_that_fits_two_is_asked_about_and_counts_from_when_it_was_written(bot: Scenario) -> None:
    await two_taken(bot)
    await bot.say("li", "修好了")
    bot.expect("li", "哪一张", f"1. {NUMBER}", f"2. {SECOND}")
    bot.nothing_more()
    written = bot.clock.now()
    await bot.advance("2m")
    await bot.say("li", "1")
    bot.expect(CLIENT, NUMBER, "正常了吗")
    resolved = {fault.number: fault.resolved_at for fault in await bot.rows(Fault)}
    assert resolved == {NUMBER: written, SECOND: None}


async def test_a_number_wins(bot: Scenario) -> None:
    await two_taken(bot)
    await bot.say("li", f"{SECOND} 修好了")
    states = {fault.number: fault.state for fault in await bot.rows(Fault)}
    assert states == {NUMBER: "accepted", SECOND: "resolved"}


async def test_a_quoted_number_wins(bot: Scenario) -> None:
    await two_taken(bot)
    await bot.say("li", "修好了", quote=f"李工您好：{NUMBER} 临河县水利局三楼会议室")
    states = {fault.number: fault.state for fault in await bot.rows(Fault)}
    assert states == {NUMBER: "resolved", SECOND: "accepted"}


async def test_the_words_may_tell_which(bot: Scenario) -> None:
    await two_taken(bot)
    await bot.say("li", "投影修好了")
    states = {fault.number: fault.state for fault in await bot.rows(Fault)}
    assert states == {NUMBER: "accepted", SECOND: "resolved"}


async def test_good_answers_what_was_asked_and_with_two_questions_open_it_asks(bot: Scenario) -> None:
    await two_taken(bot)
    await bot.say("li", f"{NUMBER} 修好了")
    await bot.say("li", f"{SECOND} 修好了")
    bot.forget_all()
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.expect(CLIENT, "哪一张", NUMBER, SECOND)
    bot.expect("fang", "哪一张", NUMBER, SECOND)
    bot.nothing_more()
    await bot.say("fang", "1", group=CLIENT[1:])
    assert sorted(fault.state for fault in await bot.rows(Fault)) == ["observing", "resolved"]
    bot.forget_all()
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.expect(CLIENT, "【已恢复】")
    assert {fault.state for fault in await bot.rows(Fault)} == {"observing"}


async def test_an_unknown_number_is_said_to_be_unknown(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "GZ-20261124-077 修好了")
    bot.expect("li", "没有找到 GZ-20261124-077")
    bot.nothing_more()


# ---- handing over


async def test_handing_over_releases_the_old_one_and_the_new_one_must_take_it(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "转给赵工", group=SUPPORT[1:])
    bot.expect(SUPPORT, "已转给赵工", "15:20前")
    bot.expect("zhao", "李工", NUMBER, "15:20前", "收到")
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.state, fault.owner) == ("open", None)
    debts = await bot.obligations(fault=NUMBER, state="open")
    assert [(debt.kind, debt.person_ids) for debt in debts] == [("fault_ack", ["zhao"])]
    await bot.say("zhao", "收到")
    bot.expect(CLIENT, "【已接单】", "赵工")
    assert (await bot.fault()).owner == "zhao"


async def test_handing_over_without_a_name_asks_whom(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", click=f"hand:{NUMBER}")
    bot.expect("li", "转给谁", "1. 赵鹏")
    await bot.say("li", "赵鹏")
    bot.expect("li", "已转给赵工")
    bot.expect("zhao", NUMBER)


async def test_a_supervisor_may_hand_over_and_the_old_one_is_told(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("wang", "这个转给赵鹏")
    bot.expect("wang", "已转给赵工")
    bot.expect("li", "王主任", "赵工", "无需再跟进")
    bot.expect("zhao", NUMBER)


async def test_a_client_cannot_hand_over(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("fang", f"{NUMBER} 转给赵鹏", group=CLIENT[1:])
    bot.expect(CLIENT, "暂无权限")
    bot.nothing_more()


# ---- help


async def test_an_engineers_call_for_help_goes_to_the_supervisor_and_the_city(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "请求支援，带一台终端过来", group=SUPPORT[1:])
    bot.expect(SUPPORT, NUMBER, "已转告王主任、何工")
    bot.expect("wang", NUMBER, "终端")
    bot.expect("he", NUMBER, "终端")
    bot.nothing_more()


async def test_a_clients_wish_goes_to_those_on_duty(bot: Scenario) -> None:
    await bot.say("fang", "拜托借一台投影机给我们顶两天", group=CLIENT[1:])
    bot.expect(CLIENT, "已转告李工", absent=INTERNAL)
    bot.expect("li", "方芳", "投影机")
    bot.nothing_more()


# ---- what the engineer learns


async def test_the_engineer_reads_what_happened_before_and_when_a_device_is_to_be_replaced(bot: Scenario) -> None:
    for _ in range(2):
        await bot.say("fang", "投影机坏了", group=CLIENT[1:])
        await bot.say("li", "收到", group=SUPPORT[1:])
        await bot.say("li", "换了灯泡，修好了", group=SUPPORT[1:])
        await bot.say("fang", "好了", group=CLIENT[1:])
        await bot.advance("8d")
    bot.forget_all()
    await bot.say("fang", "投影机坏了", group=CLIENT[1:])
    bot.expect("li", "近期", "换了灯泡", "3次故障", "更换")
    bot.expect(CLIENT, "【报障已受理】", absent=("近期", "更换"))


# ---- from the checklist


async def test_an_abnormal_check_opens_a_fault_with_site_meeting_and_step(bot: Scenario) -> None:
    start = datetime.fromisoformat("2026-11-24T15:40:00+08:00")
    incoming = await bot.say("li", "你好")
    bot.forget_all()
    async with bot.ground.work() as work:
        meeting = Meeting(
            number="HY-20261124-001",
            title="会商",
            starts_at=start,
            state="published",
            site_ids=["S2"],
            created_at=work.now,
        )
        work.session.add(meeting)
        await work.session.flush()
        site = await work.session.get_one(Site, "S2")
        person = work.org.people["li"]
        args = (work, meeting, site, "link", "光路红灯", "fiber", "no_signal", person, incoming)
        fault = await faults.open_from_check(*args)
        again = await faults.open_from_check(*args)
        assert fault.number == again.number
        assert faults.describe(work, fault)["place"] == "临河县水利局三楼会议室"
    await bot.settle()
    row = await bot.fault()
    assert (row.meeting, row.site_id, row.step, row.level) == ("HY-20261124-001", "S2", "link", "I")
    bot.expect("li", NUMBER, "光路没有信号", "会议即将开始")
    bot.expect("wang", NUMBER)


# ---- numbers with few words


async def test_a_numbered_good_confirms_and_a_numbered_complaint_reopens_that_fault(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("fang", f"{NUMBER} 好了", group=CLIENT[1:])
    bot.expect(CLIENT, "【已恢复】", NUMBER)
    bot.forget_all()
    await bot.say("fang", f"{NUMBER} 还是用不了", group=CLIENT[1:])
    assert len(await bot.rows(Fault)) == 1
    assert (await bot.fault()).state == "open"
    bot.expect("li", NUMBER, "未恢复")


async def test_a_numbered_question_is_not_a_confirmation(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("fang", f"{NUMBER} 好了吗", group=CLIENT[1:])
    assert (await bot.fault()).state == "accepted"


async def test_a_polite_word_does_not_confirm_that_it_works(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        client = "临河县水利局客户群"
        await bot.say("fang", "三楼会议室没声音了", group=client)
        await bot.say("li", "收到")
        await bot.say("li", "修好了")
        await bot.say("fang", "好的，谢谢", group=client)
        assert (await bot.fault()).state == "resolved"
        await bot.say("fang", "好了，谢谢", group=client)
        assert (await bot.fault()).state == "observing"
