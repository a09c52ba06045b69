"""Several at once: who is told, which is meant, and what is only half mended."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from adapters.llm.client import ChatModel
from storage.models import Fault
from storage.settings_llm import LlmSettings
from tests.scenario import Scenario, scenario
from tests.simulators.chat_model import chat_model

CLIENT, SUPPORT = "#临河县水利局客户群", "#临河县保障群"
FIRST, SECOND = "GZ-20261124-001", "GZ-20261124-002"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def reported(bot: Scenario, *texts: str) -> None:
    for text in texts or ("三楼会议室没声音",):
        await bot.say("fang", text, group=CLIENT[1:])
    bot.forget_all()


async def states(bot: Scenario) -> list[str]:
    return [row.state for row in sorted(await bot.rows(Fault), key=lambda row: row.number)]


async def test_who_was_alarmed_before_it_was_handed_over_hears_who_took_it(bot: Scenario) -> None:
    await reported(bot)
    await bot.advance("11m")
    await bot.say("wang", "让赵鹏去")
    bot.forget_all()
    await bot.say("zhao", "收到")
    bot.expect("wang", "王主任您好", FIRST, "赵工已于15:21接单")
    bot.nothing_more("wang")


async def test_who_was_alarmed_hears_once_who_took_it(bot: Scenario) -> None:
    await reported(bot)
    await bot.advance("11m")
    bot.forget_all()
    await bot.say("li", "收到", group=SUPPORT[1:])
    bot.expect("wang", FIRST, "李工", "接单")
    bot.nothing_more("wang")
    bot.expect("zhao", FIRST, "李工", "接单")
    bot.nothing_more("zhao")


@pytest.mark.parametrize("text", ["三楼会议室没声音，我看看", "三楼会议室没声音"])
async def test_the_one_on_duty_who_says_it_too_has_it(bot: Scenario, text: str) -> None:
    await reported(bot)
    await bot.say("li", text, group=SUPPORT[1:])
    bot.expect(SUPPORT, FIRST, "李工已于15:10接单")
    bot.expect(CLIENT, "【已接单】", FIRST)
    bot.nothing_more()
    fault = await bot.fault()
    assert (fault.owner, fault.reporters) == ("li", ["fang"])
    await bot.say("li", text, group=SUPPORT[1:])
    bot.nothing_more()


async def test_a_colleague_who_only_says_it_too_joins(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("zhao", "三楼会议室没声音", group=SUPPORT[1:])
    bot.expect(SUPPORT, "已并入此单")
    assert (await bot.fault()).state == "open"


async def two(bot: Scenario) -> None:
    await reported(bot, "三楼会议室投影黑屏", "三楼会议室麦克风没声")
    for number in (FIRST, SECOND):
        await bot.say("li", click=f"take:{number}")
    bot.forget_all()


@pytest.mark.parametrize("text", ["都修好了", "全修好了", "两个都弄好了"])
async def test_all_mended_means_all(bot: Scenario, text: str) -> None:
    await two(bot)
    await bot.say("li", text, group=SUPPORT[1:])
    assert await states(bot) == ["resolved", "resolved"]
    bot.expect(CLIENT, "【请确认】", FIRST)
    bot.expect(CLIENT, "【请确认】", SECOND)
    await bot.say("fang", "都好了，谢谢", group=CLIENT[1:])
    assert await states(bot) == ["observing", "observing"]


async def test_the_question_offers_all_and_counts_from_the_oldest(bot: Scenario) -> None:
    await two(bot)
    await bot.say("li", "修好了")
    bot.expect("li", f"1. {FIRST}", f"2. {SECOND}", "3. 以上都是")
    await bot.say("li", "3")
    assert await states(bot) == ["resolved", "resolved"]


async def test_a_state_names_who_is_to_confirm(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("li", "修好了")
    bot.forget_all()
    await bot.say("wang", "怎么样了")
    bot.expect("wang", "李工已处理，待方芳确认")


# ---- one of two things


async def both(bot: Scenario) -> None:
    await reported(bot, "三楼会议室投影黑屏，话筒也没声")
    await bot.say("li", "收到", group=SUPPORT[1:])
    bot.forget_all()


async def test_an_engineer_who_mended_one_of_two_things_is_asked_about_the_other(bot: Scenario) -> None:
    await both(bot)
    await bot.say("li", "话筒修好了")
    bot.expect("li", FIRST, "投影机", "也修好了吗", "1. 都好了", "2. 只有话筒好了")
    bot.nothing_more()
    await bot.say("li", "2")
    bot.expect(CLIENT, "【处理进展】", "话筒修好了")
    assert await states(bot) == ["accepted"]


async def test_a_reporter_for_whom_one_of_two_things_works_is_asked_too(bot: Scenario) -> None:
    await both(bot)
    await bot.say("li", "都修好了")
    await bot.say("fang", "投影还是黑的", group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", "话筒好了", group=CLIENT[1:])
    bot.expect(CLIENT, FIRST, "投影机", "也好了吗", "1. 都好了", "2. 只有话筒好了")
    assert await states(bot) == ["open"]
    bot.forget_all()
    await bot.say("fang", "2", group=CLIENT[1:])
    bot.expect(CLIENT, FIRST, "投影机", "继续处理")
    assert await states(bot) == ["open"]
    await bot.say("fang", "话筒好了，投影也好了", group=CLIENT[1:])
    assert await states(bot) == ["observing"]


# ---- a question is open


async def test_who_presses_while_asked_whether_it_is_a_report_means_yes(tmp_path: Path) -> None:
    async with chat_model() as server, aiohttp.ClientSession() as http:
        settings = LlmSettings.model_validate({"base_url": server.url, "api_key": "k-1", "model": "m"})
        async with scenario(tmp_path, adviser=ChatModel(settings, http, within=0.3)) as bot:
            server.says("fault.report")
            await bot.say("fang", "那只大家伙今天又闹脾气，谁来哄哄它")
            bot.expect("fang", "您是想报障吗")
            await bot.say("fang", "怎么还没人来")
            bot.expect("fang", "【报障已受理】", FIRST)


async def test_good_once_more_after_the_end_is_answered_with_the_state(bot: Scenario) -> None:
    await reported(bot)
    await bot.say("li", "修好了")
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", "没问题了")
    bot.expect("fang", FIRST, "已恢复", absent=["没有找到"])
