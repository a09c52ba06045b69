"""A notice to two counties that has just been published: what tests of answers, echoes and buttons start from."""

from tests.scenario import Scenario

NOTICE = "明天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位"
NUMBER = "HY-20261125-001"


async def published(bot: Scenario) -> None:
    """The notice goes out, and everybody has read what there was to read."""
    await bot.say("chen", NOTICE)
    await bot.say("chen", "确认")
    await bot.advance("40s")
    bot.forget_all()
