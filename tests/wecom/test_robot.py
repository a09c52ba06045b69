"""The intelligent robot on its long connection: it hears, answers, stays subscribed and never fights over the place."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from storage.messages import Action
from storage.ports import Refused, Retry, SendError, Unsure
from tests.playing import sent
from tests.simulators.wecom import Limits
from tests.wecom.bench import IN_GROUP, bench, person
from tests.wecom.conftest import BOT, BOT_SECRET, GROUP, until
from tests.wecom.wire import robot_socket

TAKE = Action(label="接单", value="take:GZ-1", say="接单")


async def test_it_hears_groups_without_its_mention_and_answers_there_at_once() -> None:
    async with bench() as b:
        await b.connect()
        hints = await b.asked("三楼没声音")
        heard = b.box.messages[0]
        assert (heard.text, heard.account, heard.conversation) == ("三楼没声音", BOT, IN_GROUP)
        sent(await b.send(IN_GROUP, text="已受理 GZ-1", hints=hints))
        (shown,) = [seen for seen in b.simulator.group_messages(GROUP) if seen.via == "reply"]
        assert (shown.kind, shown.text, shown.finished) == ("stream", "已受理 GZ-1", True)
        sent(await b.send(IN_GROUP, text="请李工处理", hints=hints))
        assert len(b.in_group()) == 2, "a second answer is a stream of its own"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("@会保 没声音", "没声音"),
        ("@会保\u2005没声音", "没声音"),
        ("三楼 @会保 没声音", "三楼 没声音"),
        ("没声音 @会保", "没声音"),
        ("@会保 请@李明 去看", "请@李明 去看"),
        ("邮箱 a@b.com 收不到", "邮箱 a@b.com 收不到"),
        ("@会保", ""),
    ],
)
async def test_only_the_mention_that_brought_it_is_taken_off(said: str, text: str) -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.talk.say("LiMing", "", GROUP, changes={"text": {"content": said}})
        assert (await b.heard()).text == text


async def test_quotes_pictures_and_voices() -> None:
    async with bench() as b:
        await b.connect()
        url, key = b.simulator.media.link(b"photo of the rack", "机柜.jpg")
        await b.simulator.talk.say(
            "LiMing", "收到", GROUP, quote={"msgtype": "text", "text": {"content": "请回复收到"}}
        )
        quote = (await b.heard(1)).quote
        assert quote is not None
        assert quote.text == "请回复收到"
        image = {"msgtype": "image", "image": {"url": url, "aeskey": key}}
        mixed = {"msg_item": [{"msgtype": "text", "text": {"content": "@会保 花屏"}}, image]}
        await b.simulator.talk.send("LiMing", {"msgtype": "mixed", "mixed": mixed}, GROUP)
        heard = await b.heard(2)
        assert (heard.text, [a.kind for a in heard.attachments]) == ("花屏", ["image"])
        assert await b.adapter.download(heard.attachments[0]) == b"photo of the rack"
        await b.simulator.talk.send("LiMing", {"msgtype": "voice", "voice": {"content": "没有声音"}})
        assert (await b.heard(3)).text == "没有声音"
        await b.simulator.talk.send("LiMing", {"msgtype": "file", "file": {"url": url, "aeskey": key}})
        heard = await b.heard(4)
        await b.pass_time(301, step=301)
        with pytest.raises(Refused):
            await b.adapter.download(heard.attachments[0])


@pytest.mark.parametrize(
    "body",
    [
        {"msgtype": "text", "text": {"content": "x"}, "from": None},
        {"msgtype": "text", "text": {"content": "x"}, "from": "LiMing"},
        {"msgtype": "text", "text": {"content": "x"}, "msgid": ""},
        {"msgtype": "text", "text": {"content": "x"}, "chatid": ""},
        {"msgtype": "text", "text": {"content": "x"}, "aibotid": "other"},
        {"msgtype": "event", "event": []},
        {"msgtype": "event", "event": {"eventtype": "template_card_event", "template_card_event": "x"}},
    ],
)
async def test_a_frame_of_the_wrong_shape_is_dropped_and_the_next_is_heard(body: dict[str, Any]) -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.talk.send("LiMing", body, GROUP)
        await b.simulator.gateway.live()[0].raw("\x00not json")
        await b.simulator.gateway.live()[0].raw('{"cmd":"aibot_new","headers":{"req_id":"1"}}')
        await b.simulator.talk.say("LiMing", "在吗", GROUP, junk="\x01\x1f")
        assert (await b.heard()).text == "在吗"
        assert len(b.box.messages) == 1


async def test_a_message_that_comes_twice_is_one_and_one_that_cannot_be_stored_is_kept_in_hand() -> None:
    async with bench() as b:
        await b.connect()
        b.box.broken = True
        spoken = await b.simulator.talk.say("LiMing", "喂", GROUP)
        await asyncio.sleep(0.05)
        b.box.broken = False
        await b.pass_time(2, step=0.5)
        await b.heard()
        bot = b.simulator.world.bots[BOT]
        assert isinstance(spoken.payload, dict)
        await b.simulator.gateway.push(bot, "aibot_msg_callback", spoken.payload, req_id="REQ-again")
        await b.asked("在吗")
        assert b.box.texts == ["喂", "在吗"]


async def test_a_message_kept_in_hand_survives_the_connection_it_came_by() -> None:
    async with bench() as b:
        await b.connect()
        b.box.broken = True
        await b.simulator.talk.say("LiMing", "喂", GROUP)
        await until(lambda: b.adapter._kept)
        await b.simulator.gateway.live()[0].abort()
        await b.pass_time(60, step=1)
        await until(b.simulator.gateway.live)
        b.box.broken = False
        await b.pass_time(70, step=5)
        assert (await b.heard()).text == "喂"


async def test_whoever_opens_the_chat_is_welcomed() -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.talk.enter_chat("LiMing")
        await until(lambda: b.to("LiMing"))
        via, text = b.to("LiMing")[0]
        assert via == "welcome"
        assert "会保" in text
        assert not b.box.messages


async def test_pushes_say_what_they_are_for_and_are_told_apart() -> None:
    async with bench(app=False) as b:
        await b.connect()
        await b.asked("x")
        await b.asked("x", "")
        sent(await b.send(IN_GROUP, text="通知"))
        sent(await b.send(person("LiMing"), text="通知"))
        bodies = [frame["body"] for frame in b.simulator.gateway.of("aibot_send_msg")]
        assert [(body["chatid"], body["chat_type"]) for body in bodies] == [(GROUP, 2), ("LiMing", 1)]


async def test_a_refused_push_is_remembered_until_somebody_speaks_there_and_operators_know() -> None:
    async with bench(app=False) as b:
        await b.connect()
        first = await b.send(IN_GROUP)
        assert isinstance(first, Refused)
        assert "@它说一句" in first.reason
        assert isinstance(await b.send(IN_GROUP), Refused)
        assert len(b.simulator.gateway.of("aibot_send_msg")) == 1, "once is enough"
        alone = await b.send(person("LiMing"))
        assert isinstance(alone, Refused)
        assert "先跟机器人说一句" in alone.reason
        assert GROUP in b.adapter.trouble()
        assert "@机器人" in b.adapter.trouble()
        await b.asked("我来说一句")
        assert not b.adapter.trouble()
        sent(await b.send(IN_GROUP, text="通知"))


async def test_words_that_are_refused_do_not_close_the_way_for_the_next() -> None:
    async with bench(app=False) as b:
        await b.connect()
        await b.asked()
        b.simulator.gateway.fault("aibot_send_msg", errcode=40058)
        refused = await b.send(IN_GROUP, text="一")
        assert isinstance(refused, Refused)
        assert refused.reason == "errcode 40058"
        sent(await b.send(IN_GROUP, text="二"))


async def test_a_refused_push_goes_by_the_groups_own_robot() -> None:
    async with bench(hook=True) as b:
        await b.connect()
        assert "请在群里@机器人说一句话" in sent(await b.send(IN_GROUP, text="通知")).advice
        assert b.in_group() == [("webhook", "通知")]
        assert not sent(await b.send(IN_GROUP, text="又一条")).advice, "once"
        assert GROUP in b.adapter.trouble()
        assert "请到群里@机器人说一句话，一次即可" in b.adapter.trouble()
        await b.asked("我来说一句")
        assert not b.adapter.trouble()


async def test_what_people_write_does_not_become_markup() -> None:
    async with bench(app=False) as b:
        await b.connect()
        hints = await b.asked()
        sent(await b.send(IN_GROUP, text="# 报障\n[点我](http://evil)\n<@all> `x`", hints=hints))
        text = b.in_group()[0][1]
        assert not text.startswith("#")
        assert "](http" not in text
        assert "<@" not in text
        assert "`" not in text


async def test_thirty_a_minute_are_kept_and_the_rest_comes_later() -> None:
    async with bench(app=False) as b:
        await b.connect()
        hints = await b.asked()
        outcomes = [await b.send(IN_GROUP, text=str(n), hints=hints if n % 2 else {}) for n in range(31)]
        late = outcomes[-1]
        assert isinstance(late, Retry)
        assert late.not_before is not None
        assert late.not_before <= b.clock.now() + timedelta(seconds=62)
        assert len(b.in_group()) == 30
        await b.pass_time(63, step=21)
        sent(await b.send(IN_GROUP, text="30"))


async def test_a_subscription_that_was_lost_is_noticed_and_healed() -> None:
    async with bench(app=False) as b:
        await b.connect()
        hints = await b.asked()
        b.simulator.gateway.live()[0].lost = True
        assert isinstance(await b.send(IN_GROUP, text="通知", hints=hints), Retry)
        await b.pass_time(2, step=0.5)
        await until(b.simulator.gateway.live)
        await until(lambda: not b.adapter.trouble())
        sent(await b.send(IN_GROUP, text="通知", hints=hints))
        assert b.in_group() == [("reply", "通知")]
        await b.asked("还在吗")


async def test_taken_over_it_waits_half_a_minute_or_more_says_so_and_never_longer_than_ninety_seconds() -> None:
    async with bench() as b:
        await b.connect()
        async with robot_socket(b.http, b.simulator, subscribe=False) as other:
            await other.tell("aibot_subscribe", {"bot_id": BOT, "secret": BOT_SECRET})
            await until(lambda: "另一个程序" in b.adapter.trouble())
            await b.pass_time(29)
            assert b.simulator.gateway.subscriptions == [BOT, BOT]
            assert isinstance(await b.send(IN_GROUP), SendError)
            await b.pass_time(61)
            await until(lambda: len(b.simulator.gateway.subscriptions) == 3)
        await until(lambda: not b.adapter.trouble())


async def test_a_connection_that_dies_is_replaced_after_a_moment() -> None:
    async with bench() as b:
        await b.connect()
        for _ in range(3):
            await b.simulator.gateway.live()[0].abort()
            await until(lambda: "中断" in b.adapter.trouble())
            await b.pass_time(5)
            await until(lambda: b.simulator.gateway.live() and not b.adapter.trouble())


async def test_a_peer_that_only_seems_to_be_there_is_left() -> None:
    async with bench() as b:
        await b.connect()
        first = b.simulator.gateway.live()[0]
        await b.pass_time(31)
        await until(lambda: first.pings)
        first.half_open = True
        await b.pass_time(80)
        await until(lambda: [c for c in b.simulator.gateway.live() if c is not first])


async def test_wrong_credentials_are_told_and_tried_once_a_minute() -> None:
    async with bench(aibot={"secret": "wrong"}) as b:
        b.running = asyncio.create_task(b.adapter.run(b.box.accept))
        await until(lambda: "bot_id 或 secret" in b.adapter.trouble())
        for _ in range(4):
            await b.pass_time(80, step=10)
            await asyncio.sleep(0.02)
        assert 4 <= len(b.simulator.gateway.subscriptions) <= 6


async def test_an_outage_of_an_hour_ends_by_itself() -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.stop()
        await until(b.adapter.trouble)
        assert isinstance(await b.send(person("LiMing")), Retry)
        await b.pass_time(3600, step=60)
        await b.simulator.start()
        for _ in range(8):
            await b.pass_time(15, step=5)
            await asyncio.sleep(0.02)
        await until(lambda: b.simulator.gateway.live() and not b.adapter.trouble())
        sent(await b.send(person("LiMing"), text="补上"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"errcode": 45009}, Retry),
        ({"errcode": -1}, Retry),
        ({"errcode": 846609}, Retry),
        ({"errcode": 40058}, Refused),
        ({"errcode": 93006}, Refused),
        ({"lose_ack": True}, Unsure),
        ({"delay": 7}, Unsure),
    ],
)
async def test_every_class_of_refusal_has_its_outcome(fault: dict[str, Any], kind: type[SendError]) -> None:
    async with bench(app=False) as b:
        await b.connect()
        await b.asked()
        b.simulator.gateway.fault("aibot_send_msg", **fault)
        sending = asyncio.create_task(b.send(IN_GROUP, text="通知"))
        await until(lambda: b.simulator.gateway.of("aibot_send_msg"))
        await asyncio.sleep(0.02)
        if not sending.done():
            b.clock.advance(timedelta(seconds=5))
        outcome = await sending
        assert isinstance(outcome, kind)
        assert isinstance(outcome, Unsure) is (kind is Unsure)


async def test_an_answer_whose_time_is_over_takes_another_way() -> None:
    async with bench(hook=True) as b:
        await b.connect()
        hints = await b.asked()
        b.simulator.gateway.fault("aibot_respond_msg", errcode=846605)
        sent(await b.send(IN_GROUP, text="一", hints=hints))
        await b.pass_time(24 * 3600, step=3600)
        await until(b.simulator.gateway.live)
        sent(await b.send(IN_GROUP, text="二", hints=hints))
        assert [way for way, _ in b.in_group()] == ["push", "push"]
        assert len(b.simulator.gateway.of("aibot_respond_msg")) == 1


async def test_acks_out_of_order_find_their_commands() -> None:
    async with bench(app=False) as b:
        await b.connect()
        await b.asked()
        b.simulator.gateway.hold_acks()
        b.simulator.gateway.fault("aibot_send_msg", errcode=40058)
        first, second = (asyncio.create_task(b.send(IN_GROUP, text=text)) for text in ("一", "二"))
        await until(lambda: len(b.simulator.gateway.of("aibot_send_msg")) == 2)
        await b.simulator.gateway.release_acks()
        assert isinstance(await first, Refused)
        sent(await second)


async def test_a_card_in_a_direct_chat_shows_what_the_press_has_led_to() -> None:
    async with bench(app=False) as b:
        await b.connect()
        await b.asked("x", "")
        sent(await b.send(person("LiMing"), text="三楼没声音", title="报障", card="GZ-1", actions=(TAKE,)))
        shown = b.simulator.direct_messages("LiMing")[-1]
        await b.simulator.talk.press("LiMing", "接单", shown)
        heard = await b.heard(2)
        assert (heard.click, heard.sender.account) == ("take:GZ-1", "LiMing")
        sent(await b.send(person("LiMing"), text="GZ-1 由李工接单。修好后请回“修好了”。", hints=heard.hints))
        await until(lambda: "由李工接单" in shown.text)
        assert shown.text == "GZ-1 由李工接单\n修好后请回“修好了”。", "each word once"
        assert not shown.buttons


async def test_what_answers_a_person_can_be_pressed_and_a_long_choice_comes_after_its_words() -> None:
    async with bench() as b:
        await b.connect()
        hints = await b.asked("我到了", "")
        sent(await b.send(person("LiMing"), text="三楼没声音", title="报障", actions=(TAKE,), hints=hints))
        options = tuple(Action(label=f"HY-20261125-00{n} 临河县 9:30", value=f"pick:7:{n}") for n in (1, 2))
        sent(await b.send(person("LiMing"), text="您到位的是哪一场？\n" * 9, actions=options, hints=hints))
        seen = [one for one in b.simulator.direct_messages("LiMing") if one.via != "person"]
        assert [(one.via, one.card.get("card_type", "")) for one in seen] == [
            ("reply", "button_interaction"), ("reply", ""), ("reply", "vote_interaction"),
        ]  # fmt: skip
        await b.simulator.talk.press_key("LiMing", "submit", seen[-1], chosen={"choice": ["pick:7:2"]})
        assert (await b.heard(2)).click == "pick:7:2"


async def test_a_press_without_an_answer_in_time_is_confirmed_within_five_seconds() -> None:
    async with bench(app=False) as b:
        await b.connect()
        await b.asked("x", "")
        sent(await b.send(person("LiMing"), text="三楼没声音", actions=(TAKE,)))
        shown = b.simulator.direct_messages("LiMing")[-1]
        await b.simulator.talk.press("LiMing", "接单", shown)
        await b.heard(2)
        await asyncio.sleep(0.02)
        await b.pass_time(3.5, step=0.5)
        await until(lambda: "已收到" in shown.text)


async def test_files_go_up_in_chunks() -> None:
    data = bytes(range(256)) * 5000

    async def load(_sha: str) -> bytes:
        return data

    async with bench(app=False, load=load) as b:
        await b.connect()
        await b.asked()
        sent(await b.send(IN_GROUP, text="月报", attachments=[{"kind": "file", "name": "月报.docx", "sha256": "x"}]))
        assert [text for _, text in b.in_group()] == ["月报", "月报.docx"]
        assert next(iter(b.simulator.media.stored.values())).data == data


async def test_subscribing_too_often_waits_out_the_minute() -> None:
    async with bench(limits=Limits(subscribes_per_minute=1)) as b:
        await b.connect()
        await b.simulator.gateway.live()[0].abort()
        await until(lambda: "中断" in b.adapter.trouble())
        await b.pass_time(40)
        assert len(b.simulator.gateway.subscriptions) == 2
        await b.pass_time(60)
        await until(b.simulator.gateway.live)
