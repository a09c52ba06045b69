"""Story one as each person sees it: reported, taken, mended, confirmed. Any message nobody expected fails the test."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from storage.models import Identity, Obligation, Person
from tests.scenario import Scenario, scenario

CLIENT, SUPPORT, CITY = "#临河县水利局客户群", "#临河县保障群", "#江州市保障群"
NUMBER = "GZ-20261124-001"
URGENT = "三楼会议室没声音了，会马上开始"
PLAIN = "三楼会议室没声音了"
INTERNAL = ("王主任", "孙主任", "何工", "1390000", "I级", "升级", "江州市")
"""What a client group never reads."""


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def report(bot: Scenario, text: str = URGENT) -> None:
    await bot.say("fang", text, group=CLIENT[1:])


async def taken(bot: Scenario, text: str = PLAIN) -> None:
    """A fault that li has taken, with everything said so far forgotten."""
    await report(bot, text)
    await bot.say("li", "收到", group=SUPPORT[1:])
    bot.forget_all()


async def test_an_urgent_report_reaches_everyone_who_must_know_at_once(bot: Scenario) -> None:
    await report(bot)
    seen = bot.expect(
        CLIENT,
        "【报障已受理】",
        NUMBER,
        "临河县水利局三楼会议室",
        "没有声音",
        "紧急",
        "李工",
        "15:20前",
        "96311",
        absent=INTERNAL,
    )
    assert seen.message.mentions == ("dt-fang",)
    group = bot.expect(SUPPORT, NUMBER, "李工", "15:20前", "@会保 回“收到”", absent=("1390000",))
    assert group.message.mentions == ("dt-li",)
    assert [action.value for action in group.message.actions] == [f"take:{NUMBER}", f"hand:{NUMBER}"]
    alone = bot.expect("li", "李工您好", NUMBER, "方芳", "13900000011", "15:20前")
    assert alone.message.actions == group.message.actions
    bot.expect("wang", "王主任您好", NUMBER, "李工", "15:20前")
    assert bot.expect(CITY, "I级故障", NUMBER).message.mentions == ("dt-he",)
    bot.expect("he", "何工您好", NUMBER)
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.level, fault.state, fault.site_id, fault.unit_id, fault.reporter) == ("I", "open", "S2", "X1", "fang")
    (debt,) = await bot.obligations(fault=NUMBER)
    assert (debt.kind, debt.unit_id, debt.site_id, debt.state) == ("fault_ack", "X1", "S2", "open")
    assert debt.due_at - fault.created_at == timedelta(minutes=10)


async def test_a_plain_report_tells_the_people_on_duty_and_nobody_above(bot: Scenario) -> None:
    await report(bot, PLAIN)
    bot.expect(CLIENT, "【报障已受理】", NUMBER, "没有声音", "一般", "李工", "15:20前")
    bot.expect(SUPPORT, NUMBER)
    bot.expect("li", NUMBER)
    bot.nothing_more()
    assert (await bot.fault()).level == "III"


async def test_an_emergency_that_does_not_stop_the_meeting_is_told_to_the_city_but_not_to_the_supervisor(
    bot: Scenario,
) -> None:
    await report(bot, "话筒有杂音，会正在开，急")
    assert (await bot.fault()).level == "II"
    bot.expect(CITY, "II级故障", NUMBER)
    bot.expect("he", NUMBER)
    bot.nothing_more("wang")


async def test_who_took_it_is_said_to_reporter_groups_and_everyone_told_and_counts_from_when_it_was_written(
    bot: Scenario,
) -> None:
    await report(bot)
    bot.forget_all()
    written = bot.clock.now()
    await bot.advance("5s")
    await bot.say("li", "收到", group=SUPPORT[1:], written_at=written)
    bot.expect(CLIENT, "【已接单】", NUMBER, "李工", "16:10前", absent=INTERNAL)
    bot.expect(SUPPORT, NUMBER, "李工已于15:10接单")
    bot.expect(CITY, NUMBER, "李工")
    bot.expect("wang", NUMBER, "李工")
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.state, fault.owner, fault.acked_at) == ("accepted", "li", written)
    debt = (await bot.obligations(fault=NUMBER, kind="fault_ack"))[0]
    assert (debt.state, debt.met_by, debt.met_via, debt.met_at) == ("met", "li", "dingtalk", written)


async def test_taking_by_button_in_a_direct_chat_answers_there_too(bot: Scenario) -> None:
    await report(bot, PLAIN)
    bot.forget_all()
    await bot.say("li", click=f"take:{NUMBER}")
    bot.expect("li", NUMBER, "请在17:10前告知进展")
    bot.expect(SUPPORT, "李工已于15:10接单")
    bot.expect(CLIENT, "【已接单】", "李工")
    bot.nothing_more()


async def test_a_fault_is_taken_once_and_the_second_helps(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("zhao", click=f"take:{NUMBER}")
    bot.expect("zhao", "已由李工于15:10接单", "协助")
    bot.nothing_more()
    fault = await bot.fault()
    assert fault.owner == "li"
    assert fault.extra["helpers"] == ["zhao"]


async def test_two_who_say_received_at_the_same_time_both_learn_who_has_it(bot: Scenario) -> None:
    await report(bot, PLAIN)
    bot.forget_all()
    await bot.say("li", "收到", group=SUPPORT[1:], settle=False)
    await bot.say("zhao", "我来", group=SUPPORT[1:])
    bot.expect(SUPPORT, "李工已于15:10接单")
    assert bot.expect(SUPPORT, "已由李工", "协助").message.mentions == ("dt-zhao",)
    bot.expect(CLIENT, "【已接单】", "李工")
    bot.nothing_more()


async def test_somebody_of_another_unit_cannot_take_it(bot: Scenario) -> None:
    await report(bot, PLAIN)
    bot.forget_all()
    await bot.say("wu", click=f"take:{NUMBER}")
    bot.expect("wu", "暂无权限", NUMBER)
    bot.nothing_more()
    assert (await bot.fault()).state == "open"


async def test_mended_asks_the_reporter_where_it_was_reported_and_directly(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    bot.expect(CLIENT, NUMBER, "正常了吗", "@会保 回“好了”", absent=INTERNAL)
    bot.expect("fang", "方芳您好", NUMBER, "回“好了”", absent=("@会保",))
    bot.expect(SUPPORT, NUMBER, "已请方芳确认")
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.state, fault.resolved_at) == ("resolved", bot.clock.now())


async def test_confirmed_ends_it_for_everyone_and_a_week_later_it_is_closed(bot: Scenario) -> None:
    await taken(bot, URGENT)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.expect(CLIENT, "【已恢复】", NUMBER, "12月1日", absent=INTERNAL)
    for place in (SUPPORT, CITY, "wang", "li"):
        bot.expect(place, "【已恢复】", NUMBER, "方芳已确认")
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.state, fault.closed_at) == ("observing", bot.clock.now())
    owed = {row.kind for row in await bot.rows(Obligation, Obligation.state == "open")}
    assert owed == {"observation", "fault_report"}
    await bot.say("li", f"{NUMBER} 故障报告已提交")
    bot.expect("li", NUMBER, "报告", "已登记")
    await bot.advance("7d")
    bot.nothing_more()
    assert (await bot.fault()).state == "closed"
    assert all(row.state in ("met", "cancelled") for row in await bot.rows(Obligation))


async def test_a_direct_good_after_the_question_confirms_too(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("fang", "可以了，谢谢")
    bot.expect("fang", "【已恢复】", NUMBER)
    bot.expect(CLIENT, "【已恢复】", NUMBER)
    bot.expect(SUPPORT, "【已恢复】")
    bot.expect("li", "【已恢复】")
    bot.nothing_more()


async def test_still_broken_reopens_it_with_a_new_clock(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.advance("3m")
    await bot.say("fang", "还是没声音", group=CLIENT[1:])
    bot.expect(CLIENT, "【重新处理】", NUMBER, "李工", "15:23前", absent=INTERNAL)
    bot.expect(SUPPORT, "未恢复", NUMBER, "15:23前", "@会保 回“收到”")
    bot.expect("li", "未恢复", NUMBER, "15:23前")
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.state, fault.resolved_at, fault.closed_at) == ("open", None, None)
    debts = await bot.obligations(fault=NUMBER, kind="fault_ack")
    assert [debt.state for debt in debts] == ["met", "open"]
    await bot.say("li", "收到", group=SUPPORT[1:])
    assert (await bot.fault()).state == "accepted"


async def test_the_same_thing_in_the_week_of_watching_reopens_the_same_number(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    await bot.say("fang", "好了", group=CLIENT[1:])
    await bot.advance("1d")
    bot.forget_all()
    await bot.say("fang", "三楼会议室又没声音了", group=CLIENT[1:])
    bot.expect(CLIENT, NUMBER, "又出现", "李工")
    bot.expect(SUPPORT, "未恢复", NUMBER)
    bot.expect("li", NUMBER)
    bot.nothing_more()
    await bot.advance("9d")
    assert (await bot.fault()).state == "open"


async def test_an_unconfirmed_fix_is_asked_about_once_more(bot: Scenario) -> None:
    await taken(bot)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.advance("31m")
    bot.expect(CLIENT, NUMBER, "正常了吗", "@会保 回“好了”")
    bot.expect("fang", NUMBER, "正常了吗")
    bot.nothing_more()
    assert (await bot.fault()).state == "resolved"
    await bot.advance("1d")
    bot.forget_all()
    await bot.say("fang", "好了")
    bot.expect("fang", "【已恢复】", NUMBER)
    assert (await bot.fault()).state == "observing"


async def test_a_colleague_in_the_same_group_may_say_that_it_works(bot: Scenario) -> None:
    async with bot.ground.work() as work:
        work.session.add(Person(person_id="shi", name="石岩", unit_id="X1", roles=["client"]))
        work.session.add(Identity(platform="dingtalk", account="dt-shi", person_id="shi"))
        await work.count("organisation")
    await bot.learn()
    await taken(bot)
    await bot.say("li", "修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("shi", "好了", group=CLIENT[1:])
    bot.expect(CLIENT, "【已恢复】", NUMBER)
    assert (await bot.fault()).state == "observing"
