"""How those who were told of a fault hear that it goes on: by title, each in their own chat."""

from pathlib import Path

from tests.scenario import scenario

CLIENTS = "临河县水利局客户群"


async def test_a_supervisor_hears_by_title_that_it_is_taken_and_broken_again(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了，会马上开始", group=CLIENTS)
        bot.expect("wang", "王主任您好")
        await bot.say("li", "收到")
        bot.expect("wang", "王主任您好：", "李工", "接单")
        await bot.say("li", "修好了")
        await bot.say("fang", "还是没声音", group=CLIENTS)
        bot.expect("wang", "王主任您好：", "仍未恢复")
        await bot.say("fang", "没事了，插头松了", group=CLIENTS)
        bot.expect("wang", "王主任您好：【已撤回】")
