"""In quiet hours routine words wait, and hold nothing else up."""

from datetime import datetime
from pathlib import Path

from storage.messages import Address, Outgoing, Urgency
from storage.outbox import post
from tests.scenario import scenario

NIGHT = datetime.fromisoformat("2026-11-24T23:00:00+08:00")
ZHU = Address(platform="dingtalk", kind="group", id="cid-zhuguan")
NO_NIGHT = {"night": "", "noon": ""}


async def test_routine_words_wait_for_the_morning_and_escalations_do_not(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=NIGHT, calendar={"quiet_hours": "22:00-07:30", **NO_NIGHT}) as bot:
        async with bot.ground.work() as work:
            await post(work, ZHU, Outgoing(text="小结", about="HY-1"), key="one")
            await post(work, ZHU, Outgoing(text="急", about="HY-1", urgency=Urgency.ESCALATION), key="two")
        await bot.settle()
        bot.expect("#主管群", "急")
        bot.nothing_more()
        await bot.until(datetime.fromisoformat("2026-11-25T07:30:00+08:00"))
        bot.expect("#主管群", "小结")


async def test_outside_quiet_hours_nothing_waits(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=NIGHT, calendar={"quiet_hours": "12:00-14:00", **NO_NIGHT}) as bot:
        async with bot.ground.work() as work:
            await post(work, ZHU, Outgoing(text="小结"), key="one")
        await bot.settle()
        bot.expect("#主管群", "小结")
