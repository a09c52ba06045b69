"""The robot in callback mode: encrypted JSON in, one answer by its address out, and no pushes."""

import json
from typing import Any

import pytest

from storage.messages import Action
from storage.ports import Refused
from tests.playing import sent
from tests.simulators.wecom import Aibot, Envelope, seal, signature
from tests.wecom.bench import IN_GROUP, Bench, bench, person, serving
from tests.wecom.conftest import BOT, BOT_KEY, GROUP

GOOD: dict[str, Any] = {
    "msgid": "m1", "aibotid": BOT, "chatid": GROUP, "chattype": "group", "from": {"userid": "LiMing"},
    "msgtype": "text", "text": {"content": "@会保 没声音"},
}  # fmt: skip


def bot_of(b: Bench) -> Aibot:
    return b.simulator.world.bots[BOT]


async def post(b: Bench, body: object, **how: Any) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    status, _ = await b.simulator.callbacks.post(bot_of(b), b.simulator.callbacks.envelope(bot_of(b), raw, **how))
    return status


async def test_a_message_is_committed_answered_with_silence_and_replied_to_once() -> None:
    async with bench(robot="callback", hook=True) as b, serving(b):
        assert await b.simulator.callbacks.verify(bot_of(b))
        spoken = await b.simulator.talk.say("LiMing", "三楼没声音", GROUP)
        assert spoken.delivery is not None
        assert (spoken.delivery.statuses, spoken.delivery.reply) == ([200], b"")
        heard = await b.heard()
        assert (heard.text, heard.account) == ("三楼没声音", BOT)
        sent(await b.send(IN_GROUP, text="已受理", hints=heard.hints))
        sent(await b.send(IN_GROUP, text="请李工处理", hints=heard.hints))
        assert b.in_group() == [("response_url", "已受理"), ("webhook", "请李工处理")]


async def test_it_never_pushes_and_without_a_group_robot_says_what_is_missing() -> None:
    async with bench(app=False, robot="callback") as b, serving(b):
        await b.simulator.talk.say("LiMing", "x", GROUP)
        assert isinstance(await b.send(IN_GROUP), Refused)
        assert "Webhook" in b.adapter.trouble()


async def test_an_address_to_answer_on_a_foreign_host_is_never_called() -> None:
    async with bench(robot="callback", hook=True) as b, serving(b):
        assert await post(b, {**GOOD, "response_url": "https://evil.example/x"}) == 200
        sent(await b.send(IN_GROUP, text="已受理", hints=b.box.messages[0].hints))
        assert b.in_group() == [("webhook", "已受理")]


async def test_the_answer_address_is_used_within_its_hour() -> None:
    async with bench(robot="callback", hook=True) as b, serving(b):
        await b.simulator.talk.say("LiMing", "x", GROUP)
        hints = (await b.heard()).hints
        await b.pass_time(3600, step=600)
        sent(await b.send(IN_GROUP, text="晚了", hints=hints))
        assert b.in_group() == [("webhook", "晚了")]


async def test_a_message_that_comes_again_or_whose_first_commit_failed_counts_once() -> None:
    async with bench(robot="callback") as b, serving(b):
        b.box.broken = True
        assert await post(b, GOOD) == 503
        b.box.broken = False
        assert [await post(b, GOOD) for _ in range(2)] == [200, 200]
        assert b.box.texts == ["没声音"]


async def test_a_welcome_a_press_and_a_forgotten_stream_are_answered_in_the_response() -> None:
    async with bench(robot="callback") as b, serving(b):
        await b.simulator.talk.enter_chat("LiMing")
        assert b.to("LiMing")[0][0] == "passive"
        action = Action(label="接单", value="take:GZ-1")
        card: dict[str, Any] = {"card_type": "button_interaction", "task_id": "t1", "main_title": {"title": "报障"}}
        card["button_list"] = [{"text": action.label, "key": action.value}]
        b.simulator.robot._show(bot_of(b), "direct:LiMing", "push", "template_card", {"template_card": card})
        shown = b.simulator.direct_messages("LiMing")[-1]
        await b.simulator.talk.press("LiMing", "接单", shown)
        assert (await b.heard()).click == "take:GZ-1"
        assert "已收到" in shown.text
        assert not shown.buttons
        assert await post(b, {**GOOD, "msgtype": "stream", "stream": {"id": "S1"}}) == 200
        await b.simulator.talk.bot_event("LiMing", "feedback_event", feedback_event={"id": "f", "type": 2})
        assert len(b.box.messages) == 1


async def test_a_picture_is_opened_with_the_callbacks_key() -> None:
    async with bench(robot="callback") as b, serving(b):
        url, _ = b.simulator.media.link(b"photo of the rack", "a.jpg", BOT_KEY)
        await b.simulator.talk.send("LiMing", {"msgtype": "image", "image": {"url": url}})
        assert await b.adapter.download((await b.heard()).attachments[0]) == b"photo of the rack"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b"null",
        b"<xml><MsgId>1</MsgId></xml>",
        b'{"a":' * 3000,
        b"\xff\xfe",
        {},
        {**GOOD, "msgid": ""},
        {**GOOD, "msgid": ["m"]},
        {**GOOD, "from": "LiMing"},
        {**GOOD, "from": {}},
        {**GOOD, "chatid": None},
        {**GOOD, "chatid": {"a": 1}},
        {**GOOD, "aibotid": "other"},
        {**GOOD, "msgtype": "event", "event": {"eventtype": "template_card_event"}},
    ],
)
async def test_json_of_the_wrong_shape_is_refused_and_stored_nowhere(body: object) -> None:
    async with bench(robot="callback") as b, serving(b):
        assert await post(b, body) == 400
        assert not b.box.messages


async def test_envelopes_of_the_wrong_shape_and_keys_are_refused() -> None:
    async with bench(robot="callback") as b, serving(b):
        good = b.simulator.callbacks.envelope(bot_of(b), json.dumps(GOOD).encode())
        for body in (b"", b"[]", b'{"encrypt":5}', b'{"encrypt":{"a":1}}', b"<xml/>", b"{" * 9000):
            assert (await b.simulator.callbacks.post(bot_of(b), Envelope(good.query, "", body)))[0] in (400, 401)
        corp = seal(BOT_KEY, json.dumps(GOOD).encode(), "wwcorp123")
        assert await post(b, b"", encrypt=corp) == 400, "the robot's receive id is empty"
        query = {**good.query, "msg_signature": signature("guess", "1", "2", good.encrypt)}
        assert (await b.simulator.callbacks.post(bot_of(b), Envelope(query, "", good.body)))[0] == 401
        assert await post(b, GOOD, age=601) == 401
        assert (await b.simulator.callbacks.post(bot_of(b), good))[0] == 200
        assert (await b.simulator.callbacks.post(bot_of(b), good))[0] == 401, "replayed"
        assert len(b.box.messages) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"text": None},
        {"text": "bare"},
        {"text": {"content": 5}},
        {"msgtype": ["x"]},
        {"create_time": "soon"},
        {"text": {"content": "a\x00b\ud800c"}},
        {"msgtype": "mixed", "mixed": {"msg_item": [1, None, {"msgtype": "text"}]}},
        {"quote": "x"},
        {"msgtype": "image", "image": {"url": 5}},
    ],
)
async def test_oddities_inside_a_placed_message_are_lived_with(changes: dict[str, object]) -> None:
    async with bench(robot="callback") as b, serving(b):
        assert await post(b, json.dumps({**GOOD, **changes}).encode()) == 200
        assert len(b.box.messages) == 1
        b.box.messages[0].model_dump_json().encode()


async def test_only_the_addresses_of_what_is_configured_exist() -> None:
    async with bench() as b:
        assert {route.path for route in b.adapter.routes(b.box.accept)} == {"/wecom/app"}
    async with bench(app=False, robot="callback") as b:
        assert {route.path for route in b.adapter.routes(b.box.accept)} == {"/wecom/aibot"}
    async with bench(callback_aes_key="short") as b:
        assert b.adapter.routes(b.box.accept) == []
        sent(await b.send(person("LiMing")))
