"""On site and checking: what the engineer, the group and everybody else see."""

from pathlib import Path

import pytest

from storage.messages import Attachment
from storage.models import CheckItem
from storage.ports import Retry
from tests.scenario import Scenario, scenario
from tests.workflows.gathering import HOME, MORNING, NUMBER, START, meeting
from tests.workflows.gathering import states as states_of

GROUP = "临河县保障群"


async def test_the_first_check_is_asked_on_arrival_in_the_group_and_directly(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位", group=GROUP)
        seen = bot.expect(f"#{GROUP}", NUMBER, HOME, "检查1/4【电源】", "@会保", "正常", "9:00前")
        assert seen.message.mentions == ("dt-li",)
        bot.expect("li", "检查1/4【电源】", absent=["@会保"])
        bot.nothing_more()
        (arrival,) = await bot.obligations(kind="arrival")
        assert (arrival.state, arrival.met_by, arrival.met_via) == ("met", "li", "dingtalk")


async def test_step_by_step_to_the_end(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4【电源】")
        await bot.say("li", "正常")
        bot.expect("li", "检查2/4【光路】")
        await bot.say("li", "正常")
        bot.expect("li", "检查3/4【终端】")
        await bot.say("li", "正常")
        bot.expect("li", f"{NUMBER} {HOME}检查完成，谢谢")
        bot.nothing_more()
        (debt,) = await bot.obligations(kind="checklist")
        assert debt.state == "met"
        assert await states_of(bot) == {"power": "ok", "link": "ok", "terminal": "ok", "shutdown": "waiting"}


async def test_several_answers_in_one_message(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4【电源】")
        await bot.say("li", "电源、光路、终端都正常")
        bot.expect("li", "检查完成，谢谢")
        bot.nothing_more()


async def test_something_abnormal_opens_a_fault_with_site_meeting_and_step(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4【电源】")
        await bot.say("li", "电源正常，光路红灯")
        bot.expect("li", "检查3/4【终端】")
        fault = await bot.fault()
        assert (fault.site_id, fault.meeting, fault.step, fault.reporter) == ("S2", NUMBER, "link", "li")
        assert "红灯" in fault.text
        await bot.say("li", "正常")
        bot.expect("li", "检查完成", "光路", fault.number)


async def test_a_group_of_the_customer_never_sees_the_questions_of_another_place(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot, ("S2", "S3"))
        await bot.say("wu", "已到位")
        bot.expect("wu", "安川县水利局二楼会议室", "检查1/4")
        bot.nothing_more()
        rows = {row.site_id: row.state for row in await bot.obligations(kind="arrival")}
        assert rows == {"S2": "open", "S3": "met"}


@pytest.mark.parametrize("text", ["还没到位", "没到位", "马上到位不了"])
async def test_a_denial_is_never_an_arrival(tmp_path: Path, text: str) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", text)
        assert [row.state for row in await bot.obligations(kind="arrival")] == ["open"]


async def test_a_button_counts_as_the_words(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        (arrival,) = await bot.obligations(kind="arrival")
        await bot.say("li", click=f"arrive:{arrival.id}")
        first = bot.expect("li", "检查1/4【电源】")
        assert [action.label for action in first.message.actions] == ["正常", "异常"]
        await bot.say("li", click=first.message.actions[0].value)
        bot.expect("li", "检查2/4【光路】")
        await bot.say("li", click=f"arrive:{arrival.id}")
        bot.expect("li", "已由李工于8:00登记到位")
        bot.nothing_more()


async def test_pressing_abnormal_asks_what_is_wrong_and_the_next_words_say_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        first = bot.expect("li", "检查1/4【电源】")
        await bot.say("li", click=first.message.actions[1].value)
        bot.expect("li", "【电源】", "请写明现象")
        bot.nothing_more()
        await bot.say("li", "机柜没电")
        bot.expect("li", "检查2/4【光路】")
        fault = await bot.fault()
        assert (fault.step, fault.text) == ("power", "机柜没电")


async def test_pressing_abnormal_by_mistake_and_saying_normal(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        first = bot.expect("li", "检查1/4【电源】")
        await bot.say("li", click=first.message.actions[1].value)
        bot.expect("li", "请写明现象")
        await bot.say("li", "正常")
        bot.expect("li", "检查2/4【光路】")
        bot.nothing_more()


async def test_what_is_missing_can_be_answered_together_and_once(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4【电源】")
        await bot.say("li", "光路正常")
        left = bot.expect("li", "光路已记。还差：电源、终端").message
        assert [question.label for question in left.questions] == ["电源", "终端"]
        assert [[o.label for o in q.options] for q in left.questions] == [["正常", "异常"]] * 2
        both = [question.options[0].value for question in left.questions]
        await bot.say("wu", click="\n".join(both))
        bot.expect("wu", "请由临河县技术维护部的人员")
        await bot.say("li", click="\n".join(both))
        bot.expect("li", "检查完成")
        await bot.say("li", click="\n".join(both))
        bot.expect("li", "以最新的一条为准")
        bot.nothing_more()


async def test_answered_together_what_is_not_right_is_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.say("li", "光路正常")
        power, terminal = bot.expect("li", "还差：电源、终端").message.questions
        bot.forget_all()
        await bot.say("li", click=f"{power.options[0].value}\n{terminal.options[1].value}")
        bot.expect("li", "【终端】", "请写明现象")
        bot.nothing_more()
        await bot.say("li", "终端黑屏")
        bot.expect("li", "检查完成", "终端")
        assert await states_of(bot) == {"power": "ok", "link": "ok", "terminal": "abnormal", "shutdown": "waiting"}


async def test_all_that_is_missing_is_right_with_one_press(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.say("li", "光路正常")
        (fine,) = bot.expect("li", "还差：电源、终端").message.actions
        bot.forget_all()
        assert (fine.label, fine.say) == ("都正常", "都正常")
        await bot.say("li", click=fine.value)
        bot.expect("li", "检查完成")


@pytest.mark.parametrize(
    "value", ["step:", "step:::", f"step:{NUMBER}:S2:gas:ok", f"step:{NUMBER}:S2:power:ok\nstep:HY-9:S2:link:ok"]
)
async def test_a_press_of_no_step_of_this_place_is_stale(tmp_path: Path, value: str) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.say("li", click=value)
        bot.expect("li", "以最新的一条为准")
        assert (await states_of(bot))["power"] == "asked"


async def test_a_colleague_is_reported_and_asked(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "赵鹏已到位", group=GROUP)
        bot.expect(f"#{GROUP}", "李工代报，已登记赵工到位")
        seen = bot.expect(f"#{GROUP}", "检查1/4【电源】")
        assert seen.message.mentions == ("dt-zhao",)
        bot.expect("zhao", "检查1/4【电源】")
        bot.nothing_more()
        (arrival,) = await bot.obligations(kind="arrival")
        assert (arrival.met_by, arrival.detail) == ("zhao", {"reported_by": "li"})


async def test_somebody_of_another_unit_is_refused_politely(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("wu", "临河已到位")
        bot.expect("wu", "请由临河县技术维护部的人员登记")
        bot.nothing_more()
        assert [row.state for row in await bot.obligations(kind="arrival")] == ["open"]


async def test_two_meetings_at_one_hour_are_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await meeting(bot, number="HY-20261125-002")
        await bot.say("li", "已到位")
        bot.expect("li", "哪一场", "1. HY-20261125-001", "2. HY-20261125-002", "3. 以上都到位了")
        bot.nothing_more()
        await bot.say("li", "2")
        bot.expect("li", "HY-20261125-002", "检查1/4")
        states = {row.meeting: row.state for row in await bot.obligations(kind="arrival")}
        assert states == {NUMBER: "open", "HY-20261125-002": "met"}


async def test_a_number_names_the_meeting(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await meeting(bot, number="HY-20261125-002")
        await bot.say("li", "HY-20261125-002 已到位")
        bot.expect("li", "HY-20261125-002", "检查1/4")
        bot.nothing_more()


async def test_a_bare_answer_while_two_places_wait_is_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await meeting(bot, number="HY-20261125-002")
        await bot.say("li", "已到位")
        await bot.say("li", "3")
        bot.forget_all()
        await bot.say("li", "正常")
        bot.expect("li", "哪一处", "1. HY-20261125-001", "2. HY-20261125-002")
        bot.nothing_more()
        await bot.say("li", "1")
        bot.expect("li", "HY-20261125-001", "检查2/4【光路】")
        bot.nothing_more()
        assert (await states_of(bot, "HY-20261125-002"))["power"] == "asked"


async def test_a_quoted_question_says_which_place_is_meant(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await meeting(bot, number="HY-20261125-002")
        await bot.say("li", "已到位")
        await bot.say("li", "3")
        question = bot.expect("li", "HY-20261125-002", "检查1/4")
        bot.forget_all()
        await bot.say("li", "正常", quote=question.text)
        bot.expect("li", "HY-20261125-002", "检查2/4")
        bot.nothing_more()


async def test_an_answer_out_of_order_says_what_is_missing_and_asks_nothing_twice(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4【电源】")
        await bot.advance("1m")
        await bot.say("li", "光路正常")
        bot.expect("li", "光路已记。还差：电源、终端")
        bot.nothing_more()
        await bot.say("li", "电源正常")
        bot.expect("li", "检查3/4【终端】")
        bot.nothing_more()


async def test_a_colleague_may_answer_in_the_group(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位", group=GROUP)
        bot.forget_all()
        await bot.say("zhao", "电源正常", group=GROUP)
        bot.expect(f"#{GROUP}", "检查2/4【光路】")
        bot.expect("zhao", "检查2/4【光路】")
        bot.nothing_more()


async def test_a_corrected_step_keeps_its_fault_until_that_is_confirmed(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.say("li", "电源正常，光路红灯")
        fault = await bot.fault()
        bot.forget_all()
        await bot.say("li", "光路正常，刚才看错了")
        bot.expect("li", "【光路】已改记正常", fault.number, "1. 已经修好", "2. 看错了，撤回", "3. 保留")
        assert (await states_of(bot))["link"] == "ok"
        assert (await bot.fault()).state == "accepted"
        bot.forget_all()
        await bot.say("li", "2")
        assert (await bot.fault()).state == "cancelled"


async def test_a_mended_step_needs_no_question(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.say("li", "电源正常，光路红灯")
        bot.forget_all()
        await bot.say("li", "光路修好了")
        assert (await bot.fault()).state == "observing"
        assert (await states_of(bot))["link"] == "ok"
        assert not [seen for seen in bot.unread("li") if "怎么处理" in seen.text or "检查2/4" in seen.text]


async def test_on_the_way_becomes_a_promise_and_a_late_one_is_told_to_the_coordinator(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "还有40分钟到")
        bot.expect("li", "预计8:40到位", "已到位")
        bot.expect("chen", "李工在路上，预计8:40到位（要求8:30前）")
        bot.nothing_more()
        (promise,) = await bot.obligations(kind="promise")
        assert (promise.site_id, promise.person_ids, promise.state) == ("S2", ["li"], "open")
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4")
        assert [row.state for row in await bot.obligations(kind="promise")] == ["met"]


async def test_a_photo_alone_is_evidence_for_the_asked_step(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4")
        await bot.say("li", attachments=[Attachment(kind="image", ref="p1")])
        bot.expect("li", "照片已收", "请回“正常”")
        bot.nothing_more()
        (power,) = await bot.rows(CheckItem, CheckItem.step == "power")
        assert (power.state, power.evidence) == ("asked", ["p1"])


async def test_a_photo_of_a_running_meeting_is_refused(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.until(START)
        await bot.advance("5m")
        bot.forget_all()
        await bot.say("li", attachments=[Attachment(kind="image", ref="p1")])
        bot.expect("li", "会议正在进行", "照片没有保存")
        bot.nothing_more()
        assert all(not item.evidence for item in await bot.rows(CheckItem))


async def test_while_the_meeting_runs_a_group_hears_nothing(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位", group=GROUP)
        await bot.until(START)
        bot.forget_all()
        await bot.say("li", "电源正常", group=GROUP)
        bot.expect("li", "检查2/4【光路】")
        bot.nothing_more()


async def test_checks_not_done_by_their_time_escalate(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.advance("61m")
        bot.expect("li", "检查应于9:00前完成")
        bot.expect("wang", "王主任", "检查应于9:00前完成", "尚未完成")
        bot.nothing_more()
        await bot.say("li", "电源、光路、终端都正常")
        bot.expect("li", "检查完成")
        bot.expect("wang", "的检查已由李工于9:01完成")
        bot.nothing_more()


async def test_shutting_down_before_the_meeting_is_not_recorded(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.say("li", "已关机断电")
        bot.expect("li", "会后进行")
        assert (await states_of(bot))["shutdown"] == "waiting"


async def test_an_outage_does_not_bring_questions_that_were_answered_meanwhile(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        bot.platforms["dingtalk"].down = Retry("down")
        await bot.say("li", "已到位")
        await bot.say("li", "电源、光路正常")
        bot.platforms["dingtalk"].down = None
        await bot.advance("1m")
        bot.expect("li", "检查3/4【终端】")
        bot.nothing_more()


async def found_bad(bot: Scenario) -> str:
    """Li has found the link bad; everything else is right."""
    await meeting(bot)
    await bot.say("li", "已到位")
    await bot.say("li", "电源正常，光路红灯")
    await bot.say("li", "终端正常")
    bot.forget_all()
    return str((await bot.fault()).number)


async def test_when_the_fault_of_a_step_is_over_the_step_is_asked_again(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        number = await found_bad(bot)
        await bot.say("li", f"{number} 修好了")
        bot.expect("li", "检查2/4【光路】", "故障已处理，请复查")
        assert (await states_of(bot))["link"] == "asked"
        bot.forget_all()
        await bot.say("li", "正常")
        bot.expect("li", "光路已记")
        bot.nothing_more()
        assert (await states_of(bot))["link"] == "ok"


async def test_a_good_check_confirms_what_was_said_to_be_mended(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        number = await found_bad(bot)
        await bot.say("li", f"{number} 修好了")
        bot.forget_all()
        await bot.say("li", click=f"step:{NUMBER}:S2:link:ok")
        assert (await bot.fault()).state == "observing"
        assert (await states_of(bot))["link"] == "ok"
        assert not [seen for seen in bot.unread("li") if "检查2/4" in seen.text or "撤回" in seen.text]
