"""A person the bot does not know gets one polite sentence, and can do nothing."""

from pathlib import Path

from storage.models import Fault, Sighting
from tests.scenario import scenario


async def test_a_stranger_is_answered_politely_once_and_listed(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("mallory", "三楼会议室没声音了，会马上开始", group="临河县水利局客户群")
        bot.expect("#临河县水利局客户群", "还没有登记")
        await bot.say("mallory", "听到没有", group="临河县水利局客户群")
        bot.nothing_more()
        assert await bot.rows(Fault) == []
        assert [row.account for row in await bot.rows(Sighting)] == ["mallory"]
