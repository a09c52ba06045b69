"""The bot's own words come back: forwarded, or copied with the answer behind them."""

from pathlib import Path

from tests.scenario import Scenario, scenario

CLIENTS = "临河县水利局客户群"
COPY = "【报障已受理】GZ-20261124-001 临河县水利局三楼会议室：大屏黑屏（一般）。已通知值班李工，15:20前给您答复。"


async def reported(bot: Scenario) -> None:
    await bot.say("fang", "三楼会议室大屏黑屏了", group=CLIENTS)
    bot.forget_all()


async def test_a_copy_in_a_group_says_nothing_new(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await reported(bot)
        for text in (COPY, f"[转发] {COPY}"):
            await bot.say("fang", text, group=CLIENTS)
        bot.nothing_more()


async def test_a_copy_in_private_asks_how_it_stands(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await reported(bot)
        await bot.say("li", COPY)
        bot.expect("li", "GZ-20261124-001", "待接单")
        bot.nothing_more()


async def test_words_behind_a_copy_answer_it(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await reported(bot)
        await bot.say("li", f"{COPY}收到")
        bot.expect("li", "已登记由您处理")
        assert (await bot.fault()).owner == "li"
