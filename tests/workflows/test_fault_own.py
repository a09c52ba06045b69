"""The engineer on duty reports a fault himself: he has it, and nobody makes him take it from himself."""

from pathlib import Path

from tests.scenario import scenario
from tests.workflows.gathering import MORNING, meeting

GROUP = "临河县保障群"
CLIENTS = "临河县水利局客户群"


async def test_the_engineer_on_duty_who_reports_has_taken_it(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "三楼会议室投影不亮了", group=GROUP)
        bot.expect(f"#{GROUP}", "【报障已登记】", "由李工处理", "不用再接单", "@会保 回“修好了”")
        bot.nothing_more()
        fault = await bot.fault()
        assert (fault.state, fault.owner) == ("accepted", "li")
        (ack,) = await bot.obligations(kind="fault_ack")
        assert (ack.state, ack.met_by, ack.met_via) == ("met", "li", "dingtalk")
        await bot.advance("40m")
        bot.nothing_more()


async def test_others_hear_of_it_as_ever(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "三楼会议室没有声音，会马上开始")
        bot.expect("li", "由您处理", "不用再接单")
        bot.expect(f"#{GROUP}", "【故障登记】", "李工报障并处理")
        bot.expect("wang", "I级", "李工已接单")
        bot.expect("#江州市保障群", "I级故障通报", "李工已接单")
        bot.expect("he", "李工已接单")
        bot.nothing_more()


async def test_his_word_that_it_is_mended_is_the_reporters_word(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "三楼会议室投影不亮了", group=GROUP)
        bot.forget_all()
        await bot.say("li", "修好了", group=GROUP)
        bot.expect(f"#{GROUP}", "【已恢复】")
        bot.nothing_more()
        assert (await bot.fault()).state == "observing"


async def test_a_colleague_who_is_not_on_duty_reports_to_whoever_is(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("zhao", "三楼会议室投影不亮了", group=GROUP)
        bot.expect(f"#{GROUP}", "请李工在15:20前@会保 回“收到”接单")
        assert (await bot.fault()).state == "open"


async def test_a_fault_found_by_a_check_is_his_own(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.say("li", "电源正常，光路红灯")
        bot.expect("li", "光路", "已登记由您处理", "不用再接单")
        bot.expect(f"#{GROUP}", "【故障登记】", "李工报障并处理")
        assert (await bot.fault()).state == "accepted"
        assert [row.state for row in await bot.obligations(kind="fault_ack")] == ["met"]


async def test_who_mended_it_is_not_asked_whether_it_works_when_a_client_reported_too(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "三楼会议室投影不亮了", group=GROUP)
        await bot.say("fang", "三楼会议室投影不亮", group=CLIENTS)
        bot.forget_all()
        await bot.say("li", "修好了", group=GROUP)
        bot.expect(f"#{CLIENTS}", "【请确认】", "现在正常了吗")
        bot.expect("fang", "现在正常了吗")
        bot.expect(f"#{GROUP}", "李工反馈已处理好，已请")
        bot.nothing_more()
