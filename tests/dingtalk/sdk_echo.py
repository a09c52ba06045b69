"""The official client as a program of its own: it answers each robot message through the session webhook.

Started by a test with DINGTALK_OPENAPI_ENDPOINT set (the client reads it at import). It blocks its loop and cannot be
cancelled, so it lives in another process and is killed.
"""

import asyncio
import sys
from typing import Any

import dingtalk_stream
import websockets.exceptions  # noqa: F401  the client uses the lazy submodule without importing it


class Echo(dingtalk_stream.ChatbotHandler):  # type: ignore[misc]  # the library ships no types
    """Reads the text with the library's own parser and says it back."""

    async def process(self, callback: Any) -> tuple[int, str]:
        message = dingtalk_stream.ChatbotMessage.from_dict(callback.data)
        self.reply_text(f"echo: {message.text.content.strip()} @{message.sender_staff_id}", message)
        return dingtalk_stream.AckMessage.STATUS_OK, "OK"


class CardEcho(dingtalk_stream.CallbackHandler):  # type: ignore[misc]  # the library ships no types
    """Answers a card click with a refresh for the clicker."""

    async def process(self, callback: Any) -> tuple[int, dict[str, Any]]:
        message = dingtalk_stream.CardCallbackMessage.from_dict(callback.data)
        action = message.content["cardPrivateData"]["actionIds"][0]
        return dingtalk_stream.AckMessage.STATUS_OK, {"userPrivateData": {"cardParamMap": {"pressed": action}}}


def main(client_id: str, client_secret: str) -> None:
    client = dingtalk_stream.DingTalkStreamClient(dingtalk_stream.Credential(client_id, client_secret))
    client.get_host_ip = lambda: "127.0.0.1"  # the original needs a route to the internet
    client.register_callback_handler(dingtalk_stream.ChatbotMessage.TOPIC, Echo())
    client.register_callback_handler(dingtalk_stream.CallbackHandler.TOPIC_CARD_CALLBACK, CardEcho())
    asyncio.run(client.start())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
