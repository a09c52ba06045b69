"""What was queued by day and is still here when night begins (an outage): groups are left alone all the same."""

from pathlib import Path

from storage.messages import Address, Outgoing, Urgency
from storage.outbox import post
from storage.ports import Retry
from tests.scenario import Scenario, scenario
from tests.workflows.test_night import CLIENT, DOWN, NUMBER, at, in_groups

BOSSES = Address(platform="dingtalk", kind="group", id="cid-zhuguan")


async def tell_bosses(bot: Scenario, text: str, about: str) -> None:
    async with bot.ground.work() as work:
        await post(work, BOSSES, Outgoing(text=text, about=about, urgency=Urgency.NOTICE), key=about)
    await bot.settle()


async def test_what_an_outage_held_back_past_ten_does_not_reach_a_group_at_night(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T21:55")) as bot:
        bot.platforms["dingtalk"].down = Retry("connection refused")
        for number in range(2):
            await tell_bosses(bot, f"第{number}条", about=f"HY-{number}")
        await bot.until(at("24T22:02"))
        bot.platforms["dingtalk"].down = None
        await bot.until(at("25T07:29"))
        assert in_groups(bot) == []
        await bot.until(at("25T07:31"))
        [said] = in_groups(bot)
        assert "第0条" in said
        assert "第1条" in said


async def test_a_grave_fault_that_an_outage_held_back_is_told_at_night(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T21:55")) as bot:
        bot.platforms["dingtalk"].down = Retry("connection refused")
        await bot.say("fang", DOWN, group=CLIENT[1:])
        await bot.until(at("24T22:01"))
        bot.platforms["dingtalk"].down = None
        await bot.until(at("24T22:06"))
        bot.expect("li", NUMBER)


async def test_an_answer_asked_for_just_before_ten_still_comes(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T21:59")) as bot:
        bot.platforms["dingtalk"].down = Retry("connection refused")
        await bot.say("fang", "有哪些会议", group=CLIENT[1:])
        await bot.until(at("24T22:01"))
        bot.platforms["dingtalk"].down = None
        await bot.until(at("24T22:03"))
        assert len(in_groups(bot)) == 1


async def test_an_answer_that_comes_too_late_to_be_awaited_does_not_wake_the_group(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T21:55")) as bot:
        bot.platforms["dingtalk"].down = Retry("connection refused")
        await bot.say("fang", "有哪些会议", group=CLIENT[1:])
        await bot.until(at("24T22:06"))
        bot.platforms["dingtalk"].down = None
        await bot.until(at("24T22:20"))
        assert in_groups(bot) == []
