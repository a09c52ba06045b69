"""What WeCom needs to be remembered outlives the process: codes of cards, and how much somebody has been sent."""

from pathlib import Path

from sqlmodel import select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery
from storage.outbox import post
from storage.recall import recall
from tests.wecom.conftest import until
from tests.wecom.live import Live, live, stage

CLIENTS, COUNTY = "wr-linhe-client", "wr-linhe"
REPORT = "三楼会议室没声音了，会马上开始"
LI = Address(platform="wecom", kind="direct", id="wc-li")


async def test_a_card_of_a_former_life_shows_who_took_the_fault(tmp_path: Path) -> None:
    async with stage(tmp_path) as platform:
        async with platform.life() as bot:
            await bot.say("fang", REPORT, CLIENTS)
            (card,) = [seen for seen in platform.simulator.direct_messages("wc-li") if seen.buttons]
            heading = card.card["main_title"]["title"]
        async with platform.life() as bot:
            await bot.say("li", "收到，20分钟到", COUNTY)
            await until(lambda: not card.buttons)
            assert "李工" in card.text
            assert card.card["main_title"]["title"] == heading
        async with platform.life() as bot:
            spent = len(platform.simulator.calls_of("message/update_template_card"))
            assert spent == len({call.json["response_code"] for call in updates(bot)}), "each code once"


async def test_a_card_of_a_former_life_that_is_pressed_keeps_its_heading(tmp_path: Path) -> None:
    async with stage(tmp_path) as platform:
        async with platform.life() as bot:
            await bot.say("fang", REPORT, CLIENTS)
            (card,) = [seen for seen in platform.simulator.direct_messages("wc-li") if seen.buttons]
            heading = card.card["main_title"]["title"]
        async with platform.life() as bot:
            await bot.press("li", "接单", card)
            await until(lambda: not card.buttons)
            assert "李工已于15:10接单" in card.text
            assert card.card["main_title"]["title"] == heading


def updates(bot: Live) -> list:  # type: ignore[type-arg]
    return bot.simulator.calls_of("message/update_template_card")


async def tell(bot: Live, number: int) -> None:
    async with bot.runtime.ground.work() as work:
        message = Outgoing(text=f"第{number}条", about=f"HY-{number}", urgency=Urgency.NOTICE)
        await post(work, LI, message, key=f"k{number}")


async def test_what_a_former_life_sent_counts_so_that_nothing_is_dropped(tmp_path: Path) -> None:
    async with stage(tmp_path) as platform:
        async with platform.life() as bot:
            for number in range(30):
                await tell(bot, number)
            await bot.runtime.step()
            assert len(platform.simulator.direct_messages("wc-li")) == 30
        async with platform.life() as bot:
            for number in range(30, 35):
                await tell(bot, number)
            await bot.runtime.step()
            assert not platform.simulator.messages.dropped
            await bot.advance(2)
            assert not platform.simulator.messages.dropped
            assert len(platform.simulator.direct_messages("wc-li")) == 35


async def test_a_message_with_a_card_can_be_recalled(tmp_path: Path) -> None:
    async with live(tmp_path) as bot:
        await bot.say("fang", REPORT, CLIENTS)
        (card,) = [seen for seen in bot.simulator.direct_messages("wc-li") if seen.buttons]
        async with bot.runtime.ground.work() as work:
            (row,) = (await work.session.exec(select(Delivery).where(Delivery.address == str(LI)))).all()
            await recall(work, row)
        await bot.runtime.step()
        assert card.recalled
