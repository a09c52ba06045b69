"""The simulator's WebSocket keeps WeCom's promises, and breaks the connection in every way that was reported."""

import asyncio
import hashlib
from base64 import b64decode, b64encode

import aiohttp
import pytest

from tests.simulators.common.schedule import ManualClock
from tests.simulators.wecom import Limits, WeComSimulator
from tests.simulators.wecom.context import ApiError
from tests.simulators.wecom.crypto import aes, unpad
from tests.wecom.conftest import BOT, BOT_SECRET, GROUP, populate, until
from tests.wecom.wire import Json, Socket, robot_socket

ME = {"bot_id": BOT, "secret": BOT_SECRET}


def stream(stream_id: str, content: str, *, finish: bool = False) -> Json:
    return {"msgtype": "stream", "stream": {"id": stream_id, "finish": finish, "content": content}}


def markdown(chat: str, text: str, **more: object) -> Json:
    return {"chatid": chat, "msgtype": "markdown", "markdown": {"content": text}, **more}


async def heard(simulator: WeComSimulator, socket: Socket, words: str = "状态", group: str = GROUP) -> Json:
    await simulator.talk.say("LiMing", words, group)
    return await socket.hear()


async def test_wrong_credentials_are_told_and_the_socket_stays_open(
    simulator: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    async with robot_socket(http, simulator, subscribe=False) as socket:
        assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 846609
        assert await socket.code("aibot_subscribe", {**ME, "secret": "wrong"}) == 853000
        assert await socket.code("ping") == 0
        assert await socket.code("aibot_subscribe", ME) == 0
        assert await socket.code("aibot_subscribe", ME) == 45009


async def test_it_hears_groups_only_when_mentioned_and_the_mention_stays(
    simulator: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    async with robot_socket(http, simulator) as socket:
        await simulator.talk.say("LiMing", "闲聊", GROUP, mention=False)
        await simulator.talk.send("LiMing", {"msgtype": "image", "image": {"url": "x"}}, GROUP)
        frame = await heard(simulator, socket, "三楼没声音")
        body = frame["body"]
        assert body["text"]["content"] == "@会保 三楼没声音"
        assert (body["chattype"], body["chatid"], body["from"]) == ("group", GROUP, {"userid": "LiMing"})
        single = await heard(simulator, socket, "你好", "")
        assert "chatid" not in single["body"]


async def test_a_reply_echoes_the_id_and_a_stream_replaces_its_bubble(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    async with robot_socket(http, simulator) as socket:
        req_id = (await heard(simulator, socket))["headers"]["req_id"]
        for content in ("查", "查到了"):
            assert await socket.code("aibot_respond_msg", stream("s1", content), req_id) == 0
        assert await socket.code("aibot_respond_msg", stream("s1", "查到了：好", finish=True), req_id) == 0
        assert simulator.group_messages(GROUP)[-1].text == "查到了：好"
        assert len(simulator.group_messages(GROUP)) == 2
        assert await socket.code("aibot_respond_msg", stream("s1", "又"), req_id) == 846608
        assert await socket.code("aibot_respond_msg", stream("s2", "另一条"), req_id) == 0
        sim_clock.advance(361)
        assert await socket.code("aibot_respond_msg", stream("s2", "晚了"), req_id) == 846608
        assert await socket.code("aibot_respond_msg", stream("s3", "x" * 20_481), req_id) == 40058
        assert await socket.code("aibot_respond_msg", stream("s3", "x"), "unknown") == 846605
        assert await socket.code("aibot_respond_welcome_msg", {"msgtype": "text"}, req_id) == 846605
        sim_clock.advance(24 * 3600)
        assert await socket.code("aibot_respond_msg", stream("s4", "x"), req_id) == 846605


async def test_pictures_and_cards_in_streams_are_for_the_other_mode(
    simulator: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    async with robot_socket(http, simulator) as socket:
        req_id = (await heard(simulator, socket))["headers"]["req_id"]
        body = stream("s1", "x", finish=True)
        body["stream"]["msg_item"] = [{"msgtype": "image", "image": {}}]
        assert await socket.code("aibot_respond_msg", body, req_id) == 40058
        assert await socket.code("aibot_respond_msg", {"msgtype": "stream_with_template_card"}, req_id) == 40008
        assert await socket.code("aibot_respond_msg", {"msgtype": "text"}, req_id) == 40008


async def test_a_push_needs_somebody_to_have_spoken_there_and_the_exact_id(
    simulator: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    async with robot_socket(http, simulator) as socket:
        assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 93006
        await heard(simulator, socket)
        assert await socket.code("aibot_send_msg", markdown(GROUP, "通知", chat_type=2)) == 0
        assert await socket.code("aibot_send_msg", markdown(GROUP.lower(), "x", chat_type=2)) == 93006
        assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=1)) == 93006
        card = {"chatid": GROUP, "chat_type": 2, "msgtype": "template_card", "template_card": {}}
        assert await socket.code("aibot_send_msg", card) == 40058
        assert [seen.via for seen in simulator.group_messages(GROUP)] == ["person", "push"]


async def test_without_a_chat_type_a_group_is_tried_first(
    simulator: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    simulator.world.group("LiMing", "名字像人的群", "wangfang")
    async with robot_socket(http, simulator) as socket:
        await heard(simulator, socket, "x", "LiMing")
        await heard(simulator, socket, "x", "")
        assert await socket.code("aibot_send_msg", markdown("LiMing", "给谁的")) == 0
        assert simulator.group_messages("LiMing")[-1].text == "给谁的"
        assert await socket.code("aibot_send_msg", markdown("LiMing", "给人的", chat_type=1)) == 0
        assert simulator.direct_messages("LiMing")[-1].text == "给人的"


async def test_replies_and_pushes_share_thirty_a_minute_in_a_conversation(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    async with robot_socket(http, simulator) as socket:
        req_id = (await heard(simulator, socket))["headers"]["req_id"]
        for number in range(15):
            assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 0
            assert await socket.code("aibot_respond_msg", stream(f"s{number}", "x", finish=True), req_id) == 0
        assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 45009
        sim_clock.advance(60)
        assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 0


async def test_a_conversation_takes_a_thousand_an_hour(sim_clock: ManualClock) -> None:
    simulator = WeComSimulator(sim_clock, Limits(conversation_per_minute=0))
    populate(simulator)
    bot = simulator.world.bots[BOT]
    simulator.robot.spoken.add((BOT, GROUP))
    for _ in range(1000):
        simulator.robot.push(bot, markdown(GROUP, "x", chat_type=2))
    with pytest.raises(ApiError, match="45009"):
        simulator.robot.push(bot, markdown(GROUP, "x", chat_type=2))
    sim_clock.advance(3600)
    simulator.robot.push(bot, markdown(GROUP, "x", chat_type=2))


async def test_the_newer_connection_wins_and_the_older_one_is_half_alive(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    async with robot_socket(http, simulator) as old, robot_socket(http, simulator) as new:
        told = await old.hear()
        assert told["body"]["event"] == {"eventtype": "disconnected_event"}
        assert await old.code("ping") == 0
        assert await old.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 846609
        assert (await heard(simulator, new))["cmd"] == "aibot_msg_callback"
        sim_clock.advance(3)
        assert (await old.socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


async def test_a_lost_subscription_looks_alive_and_nothing_is_replayed(
    simulator: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    async with robot_socket(http, simulator) as socket:
        simulator.gateway.live()[0].lost = True
        assert (await simulator.talk.say("LiMing", "没人听见", GROUP)).reached == 0
        assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 846609
        assert await socket.code("ping") == 0
    async with robot_socket(http, simulator) as socket:
        assert (await heard(simulator, socket, "新的"))["body"]["text"]["content"] == "@会保 新的"


async def test_acks_can_be_late_lost_and_out_of_order(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    async with robot_socket(http, simulator) as socket:
        await heard(simulator, socket)
        simulator.gateway.fault("aibot_send_msg", lose_ack=True)
        await socket.tell("aibot_send_msg", markdown(GROUP, "一", chat_type=2))
        simulator.gateway.fault("aibot_send_msg", delay=7)
        late = await socket.tell("aibot_send_msg", markdown(GROUP, "二", chat_type=2))
        await until(lambda: len(simulator.group_messages(GROUP)) == 3)
        sim_clock.advance(7)
        assert (await socket.hear())["headers"]["req_id"] == late
        simulator.gateway.hold_acks()
        first, second = await socket.tell("ping"), await socket.tell("ping")
        await until(lambda: len(simulator.gateway._held or []) == 2)
        await simulator.gateway.release_acks()
        assert [(await socket.hear())["headers"]["req_id"] for _ in range(2)] == [second, first]
        simulator.gateway.live()[0].mute_pings = True
        await socket.tell("ping")
        simulator.gateway.fault("aibot_send_msg", errcode=846609)
        assert await socket.code("aibot_send_msg", markdown(GROUP, "x", chat_type=2)) == 846609


async def test_a_connection_can_die_without_a_word_or_only_seem_to_live(
    simulator: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    async with robot_socket(http, simulator) as socket:
        await simulator.gateway.live()[0].abort()
        assert (await socket.socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert socket.socket.close_code == 1006
    async with robot_socket(http, simulator) as socket:
        simulator.gateway.live()[0].half_open = True
        await socket.tell("ping")
        with pytest.raises(asyncio.TimeoutError):
            await socket.socket.receive(timeout=0.05)


async def test_strange_frames_can_be_sent(simulator: WeComSimulator, http: aiohttp.ClientSession) -> None:
    async with robot_socket(http, simulator) as socket:
        await simulator.talk.say("LiMing", "x", GROUP, junk="\x01\x02")
        assert (await socket.socket.receive_str(timeout=5)).startswith("\x01\x02{")
        await simulator.talk.bot_event("LiMing", "feedback_event", feedback_event={"id": "f", "type": 1})
        assert (await socket.hear())["body"]["event"]["eventtype"] == "feedback_event"
        assert await socket.code("aibot_dance") == 846601


async def test_welcomes_and_card_updates_have_five_seconds(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    hello = {"msgtype": "text", "text": {"content": "您好"}}
    async with robot_socket(http, simulator) as socket:
        await simulator.talk.enter_chat("LiMing")
        welcome = (await socket.hear())["headers"]["req_id"]
        assert await socket.code("aibot_respond_msg", stream("s", "x"), welcome) == 846605
        assert await socket.code("aibot_respond_welcome_msg", hello, welcome) == 0
        sim_clock.advance(6)
        assert await socket.code("aibot_respond_welcome_msg", hello, welcome) == 846605


async def test_a_card_is_replaced_whole_under_its_task_id(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    card: Json = {
        "card_type": "button_interaction", "task_id": "t1", "main_title": {"title": "报障"},
        "button_list": [{"text": "接单", "key": "take"}],
    }  # fmt: skip
    async with robot_socket(http, simulator) as socket:
        await heard(simulator, socket, "x", "")
        body = {"chatid": "LiMing", "chat_type": 1, "msgtype": "template_card", "template_card": card}
        assert await socket.code("aibot_send_msg", body) == 0
        shown = simulator.direct_messages("LiMing")[-1]
        await simulator.talk.press("LiMing", "接单", shown)
        event = await socket.hear()
        assert event["body"]["event"]["template_card_event"]["event_key"] == "take"
        req_id = event["headers"]["req_id"]
        update: Json = {"response_type": "update_template_card", "template_card": {**card, "task_id": "other"}}
        assert await socket.code("aibot_respond_update_msg", update, req_id) == 42016
        update["template_card"] = {"card_type": "text_notice", "task_id": "t1", "main_title": {"title": "已接单"}}
        assert await socket.code("aibot_respond_update_msg", update, req_id) == 42045
        update["template_card"]["card_action"] = {"type": 1, "url": "https://example.org"}
        assert await socket.code("aibot_respond_update_msg", update, req_id) == 0
        assert (shown.text, shown.buttons) == ("已接单", ())
        sim_clock.advance(6)
        assert await socket.code("aibot_respond_update_msg", update, req_id) == 846605, "five seconds are over"


async def test_a_file_goes_up_in_chunks_of_any_order(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    data = bytes(range(256)) * 3000
    init = {
        "type": "file", "filename": "a.docx", "total_size": len(data), "total_chunks": 2,
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }  # fmt: skip
    halves = {0: data[: 512 * 1024], 1: data[512 * 1024 :]}
    async with robot_socket(http, simulator) as socket:
        for order, code in (((1, 0, 0), 0), ((0,), 40058)):
            upload_id = (await socket.ask("aibot_upload_media_init", init))["body"]["upload_id"]
            for index in order:
                chunk = {"chunk_index": index, "base64_data": b64encode(halves[index]).decode()}
                assert await socket.code("aibot_upload_media_chunk", {"upload_id": upload_id, **chunk}) == 0
            done = await socket.ask("aibot_upload_media_finish", {"upload_id": upload_id})
            assert done["errcode"] == code
        upload_id = (await socket.ask("aibot_upload_media_init", init))["body"]["upload_id"]
        sim_clock.advance(1801)
        assert await socket.code("aibot_upload_media_finish", {"upload_id": upload_id}) == 40058
        assert await socket.code("aibot_upload_media_init", {**init, "total_size": 21 << 20}) == 40058


async def test_a_received_file_is_encrypted_and_its_link_lives_five_minutes(
    simulator: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    url, key = simulator.media.link(b"the photo", "现场 照片.jpg")
    async with http.get(url) as response:
        raw = b64decode(key + "=")
        assert unpad(aes(raw, await response.read(), encrypt=False)) == b"the photo"
        assert "filename*=UTF-8''%E7%8E%B0" in response.headers["Content-Disposition"]
    sim_clock.advance(301)
    async with http.get(url) as response:
        assert response.status == 403
