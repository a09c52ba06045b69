"""An OpenAI-compatible endpoint on this machine: answers what the test tells it to, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


class ChatModelServer:
    """``answer``: the text of the model, or None for a refusal without text; ``hang``: never answers."""

    def __init__(self) -> None:
        self.answer: str | None = "{}"
        self.status = 200
        self.raw: bytes | None = None
        self.hang = False
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("Authorization", ""))
        if self.hang:
            await asyncio.Event().wait()
        if self.raw is not None:
            return web.Response(body=self.raw, content_type="application/json")
        body = {"choices": [{"message": {"role": "assistant", "content": self.answer}}]}
        return web.json_response(body, status=self.status)

    def says(self, intent: str, **values: str) -> None:
        self.answer = json.dumps({"intent": intent, "values": values}, ensure_ascii=False)

    @property
    def said_to(self) -> str:
        """The last message the model was shown."""
        return str(self.asked[-1]["messages"][-1]["content"])


@asynccontextmanager
async def chat_model() -> AsyncIterator[ChatModelServer]:
    server = ChatModelServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.handle)
    async with TestServer(app) as running:
        server.url = str(running.make_url("/v1"))
        yield server
