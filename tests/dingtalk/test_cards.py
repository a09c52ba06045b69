"""Cards: shown where there is a template, pressed once, brought up to date, and never a reason to lose words."""

import asyncio
from typing import Any

from storage.messages import Action
from storage.ports import job_key
from tests.dingtalk.bench import IN_GROUP, bench, dump, person, serving
from tests.dingtalk.conftest import GROUP, until
from tests.playing import sent
from tests.simulators.dingtalk import DingTalkSimulator
from tests.simulators.dingtalk.cards import Card
from tests.simulators.dingtalk.clicks import card_sign

TAKE = Action(label="我来处理", value="take:GZ-1", say="我来处理 GZ-1")
SHOWN: dict[str, Any] = {"text": "三楼会议室没有声音", "title": "报障", "card": "fault:GZ-1", "actions": (TAKE,)}


def only_card(simulator: DingTalkSimulator) -> Card:
    (card,) = simulator.cards.cards.values()
    return card


async def test_buttons_come_as_a_card_that_mentions() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        outcome = sent(await b.send(IN_GROUP, mentions=("wangfang",), **SHOWN))
        (shown,) = b.simulator.group_messages(GROUP)
        assert (shown.via, shown.mentions, shown.key) == ("card", ("wangfang",), outcome.provider_id)
        assert only_card(b.simulator).public["content"] == "三楼会议室没有声音"


async def test_a_press_is_a_message_answered_in_time_for_the_one_who_pressed() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        await b.connect()
        sent(await b.send(IN_GROUP, **SHOWN))
        card = only_card(b.simulator)
        click = await b.simulator.clicks.click("wangfang", card.out_track_id, "take:GZ-1", {"value": "take:GZ-1"})
        heard = await b.heard()
        await until(lambda: click.push and click.push.succeeded)
        assert (await b.simulator.clicks.settle(click)).succeeded
        assert (heard.click, heard.sender.account, heard.conversation) == ("take:GZ-1", "wangfang", IN_GROUP)
        assert card.view("wangfang")["receipt"] == "已收到，正在处理"
        assert card.view("liming").get("receipt") is None
        assert card.view("wangfang")["content"] == "三楼会议室没有声音"


async def test_a_double_press_is_one_and_a_later_one_is_another() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        await b.connect()
        sent(await b.send(IN_GROUP, **SHOWN))
        track = only_card(b.simulator).out_track_id
        await b.simulator.clicks.click("wangfang", track, "take:GZ-1", times=2, legacy=True)
        await until(lambda: len([push for push in b.simulator.pushes.all if push.succeeded]) == 2)
        assert len(b.box.messages) == 1
        await b.pass_time(11)
        await b.simulator.clicks.click("wangfang", track, "take:GZ-1")
        await b.heard(2)


async def test_a_press_that_cannot_be_committed_is_not_confirmed() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        await b.connect()
        sent(await b.send(IN_GROUP, **SHOWN))
        b.box.broken = True
        click = await b.simulator.clicks.click("wangfang", only_card(b.simulator).out_track_id, "take:GZ-1")
        await asyncio.sleep(0.05)
        await b.pass_time(3)
        assert (await b.simulator.clicks.settle(click)).failed


async def test_a_later_message_is_said_and_the_card_follows_by_key() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        sent(await b.send(IN_GROUP, **SHOWN))
        card = only_card(b.simulator)
        card.public["extra"] = "kept"
        sent(await b.send(IN_GROUP, text="李工已接单", title="报障", card="fault:GZ-1"))
        assert card.public["content"] == "李工已接单"
        assert card.public["buttons"] == "[]"
        assert card.public["extra"] == "kept"
        assert b.simulator.group_messages(GROUP)[-1].text == "报障\n李工已接单"


async def test_a_card_without_a_name_goes_by_the_key_it_was_sent_with() -> None:
    nameless = {name: value for name, value in SHOWN.items() if name != "card"}
    async with bench(card_template_id="tpl.schema") as b:
        sent(await b.send(person("liming"), key=job_key(7), **nameless))
        sent(await b.send(person("liming"), text="已由王芳处理", title="报障", card=job_key(7), silent=True))
        card = only_card(b.simulator)
        assert (card.public["content"], card.public["buttons"]) == ("已由王芳处理", "[]")


async def test_a_card_that_is_there_already_is_updated_after_a_restart() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        sent(await b.send(IN_GROUP, **SHOWN))
        sent(await b.send(IN_GROUP, **{**SHOWN, "text": "再次提醒"}))
        assert only_card(b.simulator).public["content"] == "再次提醒"


async def test_words_go_where_a_card_cannot() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        b.simulator.cards.failing_spaces[GROUP] = "robot is not in the group"
        sent(await b.send(IN_GROUP, **SHOWN))
        assert b.simulator.group_messages(GROUP)[-1].text == "报障\n三楼会议室没有声音"
        sent(await b.send(person("liming"), **{**SHOWN, "text": "长" * 500}))
        assert b.simulator.direct_messages("liming")[-1].kind == "sampleMarkdown"


async def test_card_callbacks_over_http_need_the_signature_and_are_not_replayed() -> None:
    secrets: dict[str, Any] = {"card_template_id": "tpl.schema", "card_callback_secret": "cardSecret"}
    async with bench(receive="http", **secrets) as b, serving(b) as base:
        b.simulator.world.apps["dingfakeappkey01"].card_secret = "cardSecret"
        sent(await b.send(IN_GROUP, **SHOWN))
        card = only_card(b.simulator)
        assert card.callback_type == "HTTP"
        click = await b.simulator.clicks.click("wangfang", card.out_track_id, "take:GZ-1")
        assert click.succeeded
        assert (await b.heard()).click == "take:GZ-1"
        await b.pass_time(60, step=60)
        assert (await b.simulator.callbacks.replay()).status == 200
        assert len(b.box.messages) == 1
        forged = await b.simulator.callbacks.post(f"{base}/dingtalk/card", dump(click.data), {})
        assert forged.status == 401


async def test_without_a_secret_no_card_callback_over_http_is_believed() -> None:
    async with bench(receive="http", card_template_id="tpl.schema") as b, serving(b) as base:
        sent(await b.send(IN_GROUP, **SHOWN))
        for secret in ("", " "):
            b.simulator.world.apps["dingfakeappkey01"].card_secret = secret
            click = await b.simulator.clicks.click("wangfang", only_card(b.simulator).out_track_id, "take:GZ-1")
            assert click.failed
        stamp = str(int(b.clock.now().timestamp() * 1000))
        headers = {"x-ddpaas-signature-timestamp": stamp, "x-ddpaas-signature": card_sign("", stamp)}
        forged = await b.simulator.callbacks.post(f"{base}/dingtalk/card", dump(click.data), headers)
        assert forged.status == 401, "an empty secret is one that everybody knows"
        assert not b.box.messages


async def test_in_http_mode_the_bot_registers_where_clicks_go_by_itself() -> None:
    secrets: dict[str, Any] = {"card_template_id": "tpl.schema", "card_callback_secret": "cardSecret"}
    async with bench(receive="http", **secrets) as b, serving(b) as base:
        b.adapter._public_url = base  # the port of a test server is known only now
        await b.connect()
        b.simulator.world.apps["dingfakeappkey01"].card_url = "http://127.0.0.1:9/nowhere"
        sent(await b.send(IN_GROUP, **SHOWN))
        assert (await b.simulator.clicks.click("wangfang", only_card(b.simulator).out_track_id, "take:GZ-1")).succeeded
        assert (await b.heard()).click == "take:GZ-1"
