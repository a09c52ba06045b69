"""An answer given in private is echoed in the groups in which the unit was asked; one given there needs no echo."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.ports import Retry
from tests.scenario import WECOM, Scenario, scenario
from tests.workflows.opening import published

DESK, LINHE, ANCHUAN = "集客联络群", "临河县保障群", "安川县保障群"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        await published(running)
        yield running


async def test_an_answer_in_private_is_echoed_in_the_units_own_group(bot: Scenario) -> None:
    await bot.say("li", "收到")
    echo = bot.expect(f"#{LINHE}", "临河县技术维护部 李工已回“收到”（HY-20261125-001）", absent=["139"])
    assert (echo.message.mentions, echo.message.actions) == ((), ())
    for elsewhere in (f"#{ANCHUAN}", f"#{DESK}", "#临河县水利局客户群", "#主管群"):
        assert bot.unread(elsewhere) == []


async def test_an_answer_in_the_group_needs_no_echo(bot: Scenario) -> None:
    await bot.say("li", "收到", group=LINHE)
    await bot.advance("40s")
    assert bot.unread(f"#{LINHE}") == []


async def test_several_within_thirty_seconds_are_one_line(bot: Scenario) -> None:
    await bot.say("li", "收到")
    bot.expect(f"#{LINHE}", "李工已回")
    await bot.advance("5s")
    await bot.say("qian", "收到")
    assert bot.unread(f"#{LINHE}") == []
    await bot.advance("26s")
    bot.expect(f"#{LINHE}", "临河县集客部 钱丽已回“收到”", absent=["李工"])
    assert bot.unread(f"#{LINHE}") == []


async def test_a_difficulty_is_echoed_as_one(bot: Scenario) -> None:
    await bot.say("li", click="trouble:HY-20261125-001")
    bot.expect(f"#{LINHE}", "李工已回“收到”，有困难")


async def test_an_answer_taken_back_before_its_echo_is_not_echoed(bot: Scenario) -> None:
    await bot.say("li", "收到")
    bot.expect(f"#{LINHE}", "李工已回")
    await bot.say("qian", "收到")
    await bot.advance("3s")
    await bot.say("qian", "刚才发错了")
    await bot.advance("40s")
    assert bot.unread(f"#{LINHE}") == []


async def test_an_echo_that_waits_is_not_said_once_the_answer_is_taken_back(bot: Scenario) -> None:
    platform, group = bot.platforms["dingtalk"], await bot.group_address(LINHE, "dingtalk")
    platform.outcomes[group] = Retry("busy")
    await bot.say("li", "收到")
    await bot.say("li", "刚才发错了")
    del platform.outcomes[group]
    await bot.advance("1m")
    assert not [seen for seen in bot.unread(f"#{LINHE}") if "已回" in seen.text]


async def test_an_echoed_answer_taken_back_is_put_right_in_the_group(bot: Scenario) -> None:
    await bot.say("li", "收到")
    bot.expect(f"#{LINHE}", "李工已回")
    await bot.say("li", "刚才发错了")
    bot.expect(f"#{LINHE}", "李工刚才的回复已撤回，仍待回复")
    await bot.say("li", "收到")
    await bot.advance("31s")
    bot.expect(f"#{LINHE}", "李工已回“收到”")


async def test_every_platforms_group_hears_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        await published(bot)
        await bot.say("li", "收到", platform="wecom")
        for group in (LINHE, "临河县保障群（企业微信）"):
            bot.expect(f"#{group}", "李工已回“收到”")
