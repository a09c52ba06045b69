"""The published client of intelligent robots is satisfied by the simulator: it hears, answers, uploads, downloads."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from wecom_aibot_sdk import WSClient, generate_req_id

from tests.simulators.wecom import WeComSimulator
from tests.wecom.conftest import BOT, BOT_SECRET, GROUP, until

Frame = dict[str, Any]


class Quiet:
    """The client prints to the terminal unless it is given another ear."""

    def debug(self, message: str, *args: object) -> None: ...
    def info(self, message: str, *args: object) -> None: ...
    def warn(self, message: str, *args: object) -> None: ...
    def error(self, message: str, *args: object) -> None: ...


def client(simulator: WeComSimulator, secret: str = BOT_SECRET, **options: Any) -> Any:
    return WSClient(BOT, secret, ws_url=simulator.ws_url, logger=Quiet(), **options)


@pytest.fixture
async def sdk(simulator: WeComSimulator) -> AsyncIterator[Any]:
    made = client(simulator)
    await made.connect()
    try:
        await until(simulator.gateway.live)
        yield made
    finally:
        await made.disconnect()


async def test_it_hears_and_answers_with_a_stream(sdk: Any, simulator: WeComSimulator) -> None:
    async def answer(frame: Frame) -> None:
        stream = generate_req_id("stream")
        await sdk.reply_stream(frame, stream, "正在查", False)
        await sdk.reply_stream(frame, stream, "一切正常", True)

    sdk.on("message.text", answer)
    await simulator.talk.say("LiMing", "状态", GROUP)
    await until(lambda: [s for s in simulator.group_messages(GROUP) if s.via == "reply" and s.finished])
    assert simulator.group_messages(GROUP)[-1].text == "一切正常"


async def test_it_welcomes_and_hears_clicks(sdk: Any, simulator: WeComSimulator) -> None:
    pressed: list[Frame] = []

    async def welcome(frame: Frame) -> None:
        await sdk.reply_welcome(frame, {"msgtype": "text", "text": {"content": "您好"}})

    sdk.on("event.enter_chat", welcome)
    sdk.on("event.template_card_event", pressed.append)
    await simulator.talk.enter_chat("LiMing")
    await until(lambda: simulator.direct_messages("LiMing"))
    await simulator.talk.say("LiMing", "x")
    card = {
        "card_type": "button_interaction", "task_id": "t1", "main_title": {"title": "报障"},
        "button_list": [{"text": "接单", "key": "take"}],
    }  # fmt: skip
    await sdk.send_message("LiMing", {"chat_type": 1, "msgtype": "template_card", "template_card": card})
    await simulator.talk.press("LiMing", "接单", simulator.direct_messages("LiMing")[-1])
    await until(lambda: pressed)
    await sdk.update_template_card(
        pressed[0],
        {"card_type": "text_notice", "task_id": "t1", "main_title": {"title": "已接单"},
         "card_action": {"type": 1, "url": "https://example.org"}},
    )  # fmt: skip
    assert simulator.direct_messages("LiMing")[-1].text == "已接单"


async def test_it_uploads_in_chunks_and_opens_what_people_send(sdk: Any, simulator: WeComSimulator) -> None:
    data = bytes(range(256)) * 5000
    made = await sdk.upload_media(data, type="file", filename="月报.docx")
    media_id = made["media_id"] if isinstance(made, dict) else made.media_id
    assert simulator.media.stored[media_id].data == data
    url, key = simulator.media.link(b"photo of the rack", "机柜.jpg")
    got = await sdk.download_file(url, key)
    assert (got["buffer"], got["filename"]) == (b"photo of the rack", "机柜.jpg")


async def test_it_gives_up_when_another_takes_over(sdk: Any, simulator: WeComSimulator) -> None:
    gone: list[str] = []
    sdk.on("disconnected", gone.append)
    other = client(simulator)
    await other.connect()
    try:
        await until(lambda: gone)
        assert len(simulator.gateway.live()) == 1
    finally:
        await other.disconnect()


async def test_it_understands_a_wrong_secret(simulator: WeComSimulator) -> None:
    errors: list[Any] = []
    made = client(simulator, "wrong", max_auth_failure_attempts=1)
    made.on("error", errors.append)
    await made.connect()
    await until(lambda: errors)
    await made.disconnect()
    assert "853000" in str(errors) or "Authentication" in str(errors)
    await asyncio.sleep(0)
