"""Words that say little: a polite “好的” mends nothing, “发错了，还没好” takes back, grades are thanked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario

CLIENT, SUPPORT = "#临河县水利局客户群", "#临河县保障群"
NUMBER = "GZ-20261124-001"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        await running.say("fang", "三楼会议室没声音了", group=CLIENT[1:])
        await running.say("zhao", "我来", group=SUPPORT[1:])
        running.forget_all()
        yield running


async def test_a_polite_word_of_the_one_relieved_does_not_say_it_is_mended(bot: Scenario) -> None:
    await bot.say("li", "赵工别跑了，我去看看", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("zhao", "好的", group=SUPPORT[1:])
    bot.nothing_more()
    assert (await bot.fault()).state == "accepted"


async def test_a_colleagues_mended_taken_back_leaves_it_with_its_owner(bot: Scenario) -> None:
    await bot.say("li", "三楼会议室修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("li", "刚才发错了", group=SUPPORT[1:])
    bot.expect(CLIENT, "【更正】", "赵工仍在处理")
    bot.expect(SUPPORT, "已撤回", "仍由赵工处理")
    assert (await bot.fault()).owner == "zhao"


async def test_a_mistake_with_its_reason_is_taken_back_too(bot: Scenario) -> None:
    await bot.say("zhao", "修好了", group=SUPPORT[1:])
    bot.forget_all()
    await bot.say("zhao", "发错了，还没好", group=SUPPORT[1:])
    bot.expect(CLIENT, "【更正】", "赵工仍在处理")
    assert (await bot.fault()).state == "accepted"


async def test_a_reporter_who_spoke_too_soon_has_it_sent_out_again(bot: Scenario) -> None:
    await bot.say("zhao", "修好了", group=SUPPORT[1:])
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", "发错了，还没好", group=CLIENT[1:])
    bot.expect(CLIENT, "【重新处理】", NUMBER)
    assert (await bot.fault()).state == "open"


@pytest.mark.parametrize("text", ["5分", "非常满意", "很满意，谢谢"])
async def test_a_grade_after_the_end_is_thanked_for_and_kept(bot: Scenario, text: str) -> None:
    await bot.say("zhao", "修好了", group=SUPPORT[1:])
    await bot.say("fang", "好了", group=CLIENT[1:])
    bot.forget_all()
    await bot.say("fang", text)
    bot.expect("fang", NUMBER, "感谢您的评价")
    bot.nothing_more()


@pytest.mark.parametrize("text", ["没事了，自己调好了", "不用了，已经好了"])
async def test_withdrawing_drops_the_question_where_it_is(tmp_path: Path, text: str) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "会议室投影坏了", group="集客联络群")
        bot.expect("#集客联络群", "请问是哪个会场")
        bot.forget_all()
        await bot.say("chen", text, group="集客联络群")
        bot.expect("#集客联络群", "好的", "不登记")
        bot.nothing_more()
        await bot.say("chen", "1", group="集客联络群")
        bot.nothing_more()
