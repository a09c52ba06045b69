"""On site and checking: what the engineer, the group and everybody else see."""

from pathlib import Path

from tests.scenario import scenario
from tests.workflows.gathering import HOME, MORNING, NUMBER, meeting, states

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
        assert await states(bot) == {"power": "ok", "link": "ok", "terminal": "ok", "shutdown": "waiting"}


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
