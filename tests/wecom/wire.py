"""Clients as small as the protocol allows, to test the simulator with: bare calls, one socket, raw frames."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from tests.simulators.wecom import WeComSimulator
from tests.simulators.wecom.world import Receiver
from tests.wecom.conftest import AGENT, BOT, BOT_SECRET, SECRET

Json = dict[str, Any]


async def get(http: aiohttp.ClientSession, simulator: WeComSimulator, api: str, **query: str) -> Json:
    async with http.get(f"{simulator.base_url}/cgi-bin/{api}", params=query) as response:
        assert response.status == 200, "failures are HTTP 200 as well"
        value: Json = await response.json()
        return value


async def token(http: aiohttp.ClientSession, simulator: WeComSimulator, secret: str = SECRET) -> Json:
    return await get(http, simulator, "gettoken", corpid=simulator.world.corp_id, corpsecret=secret)


async def call(http: aiohttp.ClientSession, simulator: WeComSimulator, api: str, **body: object) -> Json:
    """One authorised POST."""
    access = (await token(http, simulator))["access_token"]
    return await post(http, f"{simulator.base_url}/cgi-bin/{api}?access_token={access}", body)


async def post(http: aiohttp.ClientSession, url: str, body: object) -> Json:
    async with http.post(url, data=io.BytesIO(json.dumps(body).encode())) as response:
        assert response.status == 200
        value: Json = await response.json()
        return value


async def send(http: aiohttp.ClientSession, simulator: WeComSimulator, users: str, text: str, **more: object) -> Json:
    body = {"touser": users, "msgtype": "text", "agentid": AGENT, "text": {"content": text}, **more}
    return await call(http, simulator, "message/send", **body)


class Socket:
    """One raw connection to the robot's gateway."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._count = 0

    async def tell(self, cmd: str, body: object = None, req_id: str = "") -> str:
        self._count += 1
        req_id = req_id or f"{cmd}_{self._count}"
        frame = {"cmd": cmd, "headers": {"req_id": req_id}}
        await self.socket.send_str(json.dumps(frame | ({"body": body} if body is not None else {})))
        return req_id

    async def hear(self) -> Json:
        frame: Json = json.loads(await self.socket.receive_str(timeout=5), strict=False)
        return frame

    async def ask(self, cmd: str, body: object = None, req_id: str = "") -> Json:
        """Send and take the next frame, which must be the ack."""
        sent = await self.tell(cmd, body, req_id)
        ack = await self.hear()
        assert ack["headers"]["req_id"] == sent
        assert "cmd" not in ack
        return ack

    async def code(self, cmd: str, body: object = None, req_id: str = "") -> int:
        return int((await self.ask(cmd, body, req_id))["errcode"])


@asynccontextmanager
async def robot_socket(
    http: aiohttp.ClientSession, simulator: WeComSimulator, *, subscribe: bool = True
) -> AsyncIterator[Socket]:
    async with http.ws_connect(simulator.ws_url) as raw:
        socket = Socket(raw)
        if subscribe:
            assert await socket.code("aibot_subscribe", {"bot_id": BOT, "secret": BOT_SECRET}) == 0
        yield socket


@asynccontextmanager
async def receiver(target: Receiver, answer: Any) -> AsyncIterator[list[web.Request]]:
    """A callback address of ours; `answer(request, body)` gives the response. The requests that came."""
    came: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        came.append(request)
        response: web.StreamResponse = await answer(request, body)
        return response

    app = web.Application()
    app.router.add_route("*", "/callback", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    target.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    try:
        yield came
    finally:
        await runner.cleanup()
