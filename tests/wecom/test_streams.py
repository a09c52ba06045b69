"""The robot in callback mode speaks in the responses to the platform's calls: streams, asked for until finished."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from tests.playing import sent
from tests.simulators.wecom import Limits, Seen, Spoken
from tests.wecom.bench import IN_GROUP, Bench, bench, person, serving
from tests.wecom.conftest import BOT, GROUP

TAKE = {"label": "接单", "value": "take:GZ-1", "say": "接单"}


@asynccontextmanager
async def robot(limits: Limits | None = None, **how: Any) -> AsyncIterator[Bench]:
    """A robot in callback mode, as patient as in earnest."""
    how = {"hook": True, "patience": timedelta(seconds=5), **how}
    async with bench(limits, robot="callback", **how) as b, serving(b):
        yield b


async def said(b: Bench, words: str = "三楼没声音", group: str = GROUP) -> tuple[dict[str, str], asyncio.Task[Spoken]]:
    """Somebody writes; what answers it, and the platform's call that is not answered yet."""
    number = len(b.box.messages) + 1
    speaking = asyncio.create_task(b.simulator.talk.say("LiMing", words, group))
    return (await b.heard(number)).hints, speaking


def bubbles(b: Bench, place: str = GROUP) -> list[Seen]:
    seen = b.simulator.group_messages(place) if place == GROUP else b.simulator.direct_messages(place)
    return [one for one in seen if one.via == "passive"]


async def test_a_quick_answer_stands_in_the_response_and_the_stream_is_finished_when_it_was_fetched() -> None:
    async with robot() as b:
        hints, speaking = await said(b)
        sending = asyncio.create_task(b.send(IN_GROUP, text="已受理 GZ-1", hints=hints))
        await speaking
        (bubble,) = bubbles(b)
        assert (bubble.text, bubble.finished) == ("已受理 GZ-1", False)
        assert not sending.done(), "not before the platform asks again"
        await b.pass_time(3)
        sent(await sending)
        assert bubble.finished
        assert b.in_group() == [("passive", "已受理 GZ-1")]


async def test_a_group_is_left_in_peace_and_a_late_answer_comes_by_its_address() -> None:
    async with robot() as b:
        hints, speaking = await said(b)
        await b.pass_time(0.8, step=0.1)
        delivery = (await speaking).delivery
        assert delivery is not None
        assert (delivery.statuses, delivery.reply) == ([200], b"")
        sent(await b.send(IN_GROUP, text="已受理", hints=hints))
        assert b.in_group() == [("response_url", "已受理")]


async def test_a_person_sees_that_it_works_and_then_all_answers_in_one_bubble() -> None:
    async with robot() as b:
        hints, speaking = await said(b, group="")
        await b.pass_time(0.8, step=0.1)
        await speaking
        (bubble,) = bubbles(b, "LiMing")
        assert bubble.text == "正在处理…"
        both = [asyncio.create_task(b.send(person("LiMing"), text=text, hints=hints)) for text in ("一", "二")]
        await b.pass_time(4, step=0.5)
        for sending in both:
            sent(await sending)
        assert (bubble.text, bubble.finished) == ("一\n\n二", True)
        sent(await b.send(person("LiMing"), text="三", hints=hints))
        assert b.to("LiMing")[-1] == ("response_url", "三")


async def test_a_stream_that_nobody_answers_is_finished_in_seconds() -> None:
    async with robot() as b:
        _, speaking = await said(b, group="")
        await b.pass_time(8, step=0.5)
        await speaking
        (bubble,) = bubbles(b, "LiMing")
        assert (bubble.text, bubble.finished) == ("已收到，正在处理", True)


async def test_whoever_writes_again_and_again_is_heard_every_time() -> None:
    """What a person writes while three answers are open does not reach us: none is kept open for long then."""
    async with robot() as b:
        for number in range(8):
            speaking = asyncio.create_task(b.simulator.talk.say("LiMing", f"第{number}句"))
            await b.heard(number + 1)
            await b.pass_time(1, step=0.1)
            await speaking
        await b.pass_time(8, step=0.5)
        assert all(bubble.finished for bubble in bubbles(b, "LiMing"))


async def test_words_that_the_platform_does_not_fetch_take_another_way() -> None:
    async with robot(Limits(stream_poll_every=60)) as b:
        hints, speaking = await said(b)
        sending = asyncio.create_task(b.send(IN_GROUP, text="已受理", hints=hints))
        await speaking
        await b.pass_time(6, step=0.5)
        sent(await sending)
        assert b.in_group()[-1] == ("response_url", "已受理")


async def test_a_message_that_comes_again_is_answered_with_the_same_stream() -> None:
    async with robot() as b:
        hints, speaking = await said(b)
        sending = asyncio.create_task(b.send(IN_GROUP, text="已受理", hints=hints))
        spoken = await speaking
        again = await b.simulator.talk.repeat(spoken)
        assert b.simulator.callbacks.passive(again) == {
            "msgtype": "stream",
            "stream": {"id": bubbles(b)[0].stream, "finish": False, "content": "已受理"},
        }
        await b.pass_time(3)
        sent(await sending)
        assert b.box.texts == ["三楼没声音"]


async def test_more_than_a_bubble_holds_takes_another_way() -> None:
    async with robot() as b:
        hints, speaking = await said(b)
        first = asyncio.create_task(b.send(IN_GROUP, text="长" * 5000, hints=hints))
        await speaking
        second = asyncio.create_task(b.send(IN_GROUP, text="短" * 5000, hints=hints))
        await b.pass_time(3)
        sent(await first)
        sent(await second)
        assert [way for way, _ in b.in_group()] == ["passive", "response_url"]


async def test_a_stream_of_another_life_is_finished_at_once() -> None:
    async with robot() as b:
        bot = b.simulator.world.bots[BOT]
        body = b'{"msgid":"p1","aibotid":"AIB1","from":{"userid":"LiMing"},"msgtype":"stream","stream":{"id":"gone"}}'
        delivery = await b.simulator.callbacks.deliver(bot, body)
        reply = b.simulator.callbacks.passive(delivery)
        assert reply is not None
        assert reply["stream"]["finish"]
        assert not b.box.messages


async def test_a_card_answers_in_a_chat_of_two_and_shows_what_the_press_has_led_to() -> None:
    async with robot(app=False) as b:
        hints, speaking = await said(b, group="")
        await b.pass_time(0.8, step=0.1)
        await speaking
        sent(await b.send(person("LiMing"), text="三楼没声音", title="报障", actions=[TAKE], hints=hints))
        card = b.simulator.direct_messages("LiMing")[-1]
        assert (card.via, [label for label, _ in card.buttons]) == ("response_url", ["接单"])
        pressing = asyncio.create_task(b.simulator.talk.press("LiMing", "接单", card))
        heard = await b.heard(2)
        sent(await b.send(person("LiMing"), text="GZ-1 由李工接单", hints=heard.hints))
        await pressing
        assert "由李工接单" in card.text
        assert not card.buttons


async def test_a_press_that_is_not_answered_soon_is_confirmed_on_the_card() -> None:
    async with robot(app=False) as b:
        hints, speaking = await said(b, group="")
        await b.pass_time(0.8, step=0.1)
        await speaking
        sent(await b.send(person("LiMing"), text="三楼没声音", title="报障", actions=[TAKE], hints=hints))
        card = b.simulator.direct_messages("LiMing")[-1]
        pressing = asyncio.create_task(b.simulator.talk.press("LiMing", "接单", card))
        await b.heard(2)
        await b.pass_time(0.8, step=0.1)
        await pressing
        assert "已收到" in card.text
        assert not card.buttons
