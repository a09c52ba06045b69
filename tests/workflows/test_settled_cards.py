"""The buttons of a notice and of what was read back go once nothing is left to press, whoever settled it and where."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.models import Delivery
from storage.ports import job_key
from tests.fakes import Seen
from tests.scenario import WECOM, Scenario, scenario
from tests.workflows.opening import NOTICE, NUMBER, published
from workflows import settled_cards

LINHE, DESK = "临河县保障群", "集客联络群"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def shown(bot: Scenario, seen: Seen, platform: str = "dingtalk") -> str:
    """What the card of a message shows by now; nothing while it is as it was."""
    rows = await bot.rows(Delivery, Delivery.address == str(seen.address))
    cards = {job_key(row.id) for row in rows if row.message["text"] == seen.text}
    updates = [one for one in bot.platforms[platform].updates if one.message.card in cards]
    assert not any(one.message.actions for one in updates)
    return updates[-1].text if updates else ""


async def asked(bot: Scenario, where: str, words: str = "【会议保障通知】") -> Seen:
    """A message with something to press."""
    seen = bot.expect(where, words)
    assert seen.message.actions
    return seen


async def test_the_notice_of_a_unit_that_has_answered_has_nothing_to_press(bot: Scenario) -> None:
    await bot.say("chen", NOTICE)
    await bot.say("chen", "确认")
    own, other, group = await asked(bot, "li"), await asked(bot, "wu"), await asked(bot, f"#{LINHE}")
    await bot.say("zhao", "收到", group=LINHE)
    assert await shown(bot, own) == f"{NUMBER} 已由赵工于15:10处理，不用再回。"
    assert await shown(bot, other) == ""
    assert await shown(bot, group) == "", "the customer unit is still awaited there"
    await bot.say("qian", "收到")
    assert await shown(bot, group) == f"{NUMBER} 这里的单位都已回复。"


async def test_a_notice_that_has_changed_has_nothing_to_press(bot: Scenario) -> None:
    await bot.say("chen", NOTICE)
    await bot.say("chen", "确认")
    own = await asked(bot, "li")
    await bot.say("chen", "改到10点")
    await bot.say("chen", "确认")
    assert await shown(bot, own) == f"{NUMBER} 已有变化，不用再回。"
    assert await shown(bot, await asked(bot, "li", "【会议变更】")) == ""


@pytest.mark.parametrize("group", ["", DESK])
async def test_a_draft_confirmed_in_words_has_nothing_to_press(bot: Scenario, group: str) -> None:
    await bot.say("chen", NOTICE, group=group)
    first = await asked(bot, f"#{group}" if group else "chen", "【请核对】")
    await bot.say("chen", "改成10点", group=group)
    second = await asked(bot, f"#{group}" if group else "chen", "10:00开始")
    assert "有更新的核对" in await shown(bot, first)
    assert await shown(bot, second) == ""
    await bot.say("chen", "确认")
    assert await shown(bot, second) == f"{NUMBER} 已处理，不用再确认。"


async def test_a_change_that_is_dropped_has_nothing_to_press(bot: Scenario) -> None:
    await published(bot)
    await bot.say("chen", "改到10点")
    change = await asked(bot, "chen", "【请核对变更】")
    await bot.say("chen", "算了")
    assert "已处理" in await shown(bot, change)


async def test_an_answer_on_the_other_platform_settles_it_too(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        await bot.say("chen", NOTICE)
        await bot.say("chen", "确认")
        own = await asked(bot, "dingtalk:direct:dt-li")
        await bot.say("li", "收到", platform="wecom")
        assert "李工" in await shown(bot, own)


async def test_a_notice_to_many_units_spares_the_calls(bot: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled_cards, "LARGE", 1)
    await bot.say("chen", NOTICE)
    await bot.say("chen", "确认")
    own = await asked(bot, "li")
    await bot.say("zhao", "收到", group=LINHE)
    assert await shown(bot, own) == ""
