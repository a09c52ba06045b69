"""What is known of a notice besides answers: who has read it."""

from pathlib import Path

from storage.models import Delivery
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario
from tests.workflows.test_notice import NUMBER, publish


def platform_of(bot: Scenario) -> RichPlatform:
    platform = bot.platforms["dingtalk"]
    assert isinstance(platform, RichPlatform)
    return platform


async def sends_to(bot: Scenario, person: str) -> list[str]:
    rows = await bot.rows(Delivery, Delivery.person_id == person, Delivery.kind == "notice")
    return [row.provider_id for row in sorted(rows, key=lambda row: row.id or 0)]


async def has_read(bot: Scenario, person: str) -> None:
    """The person opens the newest notice in private; the bot gets to know."""
    platform_of(bot).read.add(((await sends_to(bot, person))[-1], f"dt-{person}"))
    await bot.advance("61s")
    bot.forget_all()


async def test_units_that_have_read_and_not_answered_are_named_to_the_coordinator(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await publish(bot)
        await has_read(bot, "li")
        await bot.say("chen", "谁还没回")
        bot.expect("chen", "尚未收到回复", "其中已读未回：临河县技术维护部")
        await bot.say("chen", "谁还没回", group="集客联络群")
        bot.expect("#集客联络群", "回复情况", absent=["已读"])
        await bot.say("li", "收到")
        bot.forget_all()
        await bot.say("chen", "谁还没回")
        bot.expect("chen", "已确认", absent=["已读未回"])


async def test_having_read_an_earlier_version_is_not_having_read_this_one(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await publish(bot)
        await has_read(bot, "li")
        await publish(bot, f"{NUMBER} 改到上午10点")
        await bot.say("chen", "谁还没回")
        bot.expect("chen", "尚未收到回复", absent=["已读未回"])
