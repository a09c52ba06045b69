"""Somebody else is nearer: a colleague takes a fault over, and whoever had it need not come."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.models import Fault
from tests.scenario import Scenario, scenario

CLIENT, SUPPORT = "临河县水利局客户群", "临河县保障群"
NUMBER = "GZ-20261124-001"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    """A fault that 赵工 has taken and promised to see to."""
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "屏幕黑了", group=CLIENT)
        await bot.say("zhao", "我来，半小时到", group=SUPPORT)
        bot.forget_all()
        await bot.advance("5m")
        yield bot


@pytest.mark.parametrize("words", ["他那边堵，我来吧 我离得近", "赵工别跑了，我去看看", "换我处理"])
async def test_a_colleague_takes_the_fault_over(bot: Scenario, words: str) -> None:
    await bot.say("li", words, group=SUPPORT)
    bot.expect(f"#{SUPPORT}", NUMBER, "李工已于", "接单：接替赵工")
    bot.expect(f"#{CLIENT}", "【已接单】", "李工已接单", "接替赵工")
    bot.expect("zhao", "赵工您好", NUMBER, "已由李工接手，您无需再跟进")
    bot.nothing_more()
    assert (await bot.rows(Fault))[0].owner == "li"
    kinds = {row.kind: row.state for row in await bot.obligations() if row.kind in ("promise", "onsite")}
    assert set(kinds.values()) <= {"cancelled"}


async def test_who_offers_help_leaves_it_with_whoever_has_it(bot: Scenario) -> None:
    await bot.say("li", "我也来帮忙吧", group=SUPPORT)
    assert (await bot.rows(Fault))[0].owner == "zhao"


async def test_who_has_it_does_not_take_over_from_himself(bot: Scenario) -> None:
    await bot.say("zhao", "我去看看", group=SUPPORT)
    bot.nothing_more()


async def test_taken_again_after_it_came_back_says_when_it_was_taken_now(bot: Scenario) -> None:
    await bot.say("zhao", "修好了", group=SUPPORT)
    await bot.say("fang", "还是黑的", group=CLIENT)
    bot.forget_all()
    await bot.advance("3m")
    await bot.say("zhao", "收到", group=SUPPORT)
    bot.expect(f"#{SUPPORT}", NUMBER, "赵工已于15:18接单")
