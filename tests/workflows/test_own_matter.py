"""What somebody says about a fault of their own is heard, and handing over is not taking."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario

CLIENT, SUPPORT = "临河县水利局客户群", "临河县保障群"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        await running.say("fang", "三楼会议室没声音了", group=CLIENT)
        yield running


@pytest.mark.parametrize("text", ["没事了 我自己调好了", "算了不修了，等换新的"])
async def test_a_chatty_word_of_the_reporter_withdraws_the_fault(bot: Scenario, text: str) -> None:
    await bot.say("fang", text, group=CLIENT)
    assert (await bot.fault()).state == "cancelled"


async def test_who_hands_a_fault_over_is_not_booked_as_having_taken_it(bot: Scenario) -> None:
    await bot.say("li", "转给赵工", group=SUPPORT)
    assert (await bot.fault()).owner != "li"
