"""The WebSocket of intelligent robots: subscribing, one connection for each robot, acks, and every way it can fail."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.simulators.common.windows import Window
from tests.simulators.wecom.context import ApiError, Context, Json
from tests.simulators.wecom.world import Aibot

Work = Callable[["Connection", str, Json, str], Json]


@dataclass
class WsFault:
    """What happens to one command: refused, its ack lost though it worked, or its ack late."""

    errcode: int = 0
    lose_ack: bool = False
    delay: float = 0


@dataclass(eq=False)
class Connection:
    """One client. `lost`: the subscription is gone while TCP is up; `half_open`: nothing reaches the client."""

    request: web.Request
    socket: web.WebSocketResponse
    bot: Aibot | None = None
    kicked: bool = False
    lost: bool = False
    half_open: bool = False
    mute_pings: bool = False
    pings: int = 0
    garbage: list[str] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return bool(self.bot) and not (self.kicked or self.lost or self.socket.closed)

    async def send(self, frame: Json, junk: str = "") -> None:
        """`junk`: control characters in front of the JSON."""
        if not self.half_open and not self.socket.closed:
            try:
                await self.socket.send_str(junk + json.dumps(frame, ensure_ascii=False))
            except ConnectionError:
                self.half_open = True

    async def raw(self, text: str) -> None:
        await self.socket.send_str(text)

    async def close(self) -> None:
        await self.socket.close()

    async def abort(self) -> None:
        """Gone without a close frame: the client sees 1006."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Gateway:
    """`work` does a command of a subscribed connection and returns the body of its ack, or raises ApiError."""

    def __init__(self, context: Context, work: Work) -> None:
        self._context, self._work = context, work
        self.connections: list[Connection] = []
        self.frames: list[Json] = []
        self.subscriptions: list[str] = []
        self._faults: dict[str, deque[WsFault]] = defaultdict(deque)
        self._pace = Window(context.limits.subscribes_per_minute, 60, context.clock, 60)
        self._held: list[tuple[Connection, Json]] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self._open)]

    def live(self, bot_id: str = "") -> list[Connection]:
        found = [c for c in self.connections if c.live]
        return [c for c in found if c.bot and bot_id in ("", c.bot.bot_id)]

    def fault(self, cmd: str, *, errcode: int = 0, lose_ack: bool = False, delay: float = 0, times: int = 1) -> None:
        """Order a fault for the next commands of this name."""
        self._faults[cmd].extend(WsFault(errcode, lose_ack, delay) for _ in range(times))

    def hold_acks(self) -> None:
        """Keep acks back until `release_acks`, which sends them in the wrong order."""
        self._held = []

    async def release_acks(self) -> None:
        held, self._held = self._held or [], None
        for connection, ack in reversed(held):
            await connection.send(ack)

    def of(self, cmd: str) -> list[Json]:
        """Frames that clients sent with this command."""
        return [frame for frame in self.frames if frame.get("cmd") == cmd]

    async def push(self, bot: Aibot, cmd: str, body: Json, *, req_id: str, junk: str = "") -> int:
        """Send a callback to whoever is subscribed now; nobody: it is lost, nothing is replayed."""
        live = self.live(bot.bot_id)
        for connection in live:
            await connection.send({"cmd": cmd, "headers": {"req_id": req_id}, "body": body}, junk)
        return len(live)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        connection = Connection(request, socket)
        self.connections.append(connection)
        async for message in socket:
            if message.type is WSMsgType.TEXT and not connection.half_open:
                await self._take(connection, str(message.data))
        connection.lost = True
        return socket

    async def _take(self, connection: Connection, text: str) -> None:
        try:
            frame = json.loads(text)
            cmd, req_id = frame["cmd"], frame["headers"]["req_id"]
        except (ValueError, KeyError, TypeError):
            connection.garbage.append(text)
            return
        self.frames.append(frame)
        fault = self._faults[cmd].popleft() if self._faults[cmd] else WsFault()
        ack: Json = {"headers": {"req_id": req_id}, "errcode": 0, "errmsg": "ok"}
        try:
            if fault.errcode:
                raise ApiError(fault.errcode, "fault")
            body = await self._do(connection, cmd, req_id, frame.get("body") or {})
            if body is None:
                return
            if body:
                ack["body"] = body
        except ApiError as error:
            ack |= {"errcode": error.errcode, "errmsg": error.errmsg}
        await self._answer(connection, ack, fault)

    async def _answer(self, connection: Connection, ack: Json, fault: WsFault) -> None:
        if fault.lose_ack:
            return
        if self._held is not None:
            self._held.append((connection, ack))
        elif fault.delay:
            self._context.schedule.after(fault.delay, lambda: connection.send(ack))
        else:
            await connection.send(ack)

    async def _do(self, connection: Connection, cmd: str, req_id: str, body: Json) -> Json | None:
        """The body of the ack; None: no ack at all."""
        if len(req_id.encode()) > 256:
            raise ApiError(40058, "req_id too long")
        if cmd == "aibot_subscribe":
            return await self._subscribe(connection, body)
        if cmd == "ping":
            connection.pings += 1
            return None if connection.mute_pings else {}
        if connection.bot is None or connection.lost or connection.kicked:
            raise ApiError(846609, "aibot websocket not subscribed")
        return self._work(connection, cmd, body, req_id)

    async def _subscribe(self, connection: Connection, body: Json) -> Json:
        bot_id = str(body.get("bot_id"))
        self.subscriptions.append(bot_id)
        bot = self._context.world.bots.get(bot_id)
        if bot is None or bot.secret != body.get("secret") or bot.receive != "websocket":
            raise ApiError(853000, "invalid bot_id or secret")
        if connection.bot is not None or not self._pace.admit(bot_id):
            raise ApiError(45009, "api freq out of limit")
        for other in self.live(bot_id):
            await self.kick(other)
        connection.bot = bot
        return {}

    async def kick(self, connection: Connection) -> None:
        """A newer connection has taken over: told at once, closed later, half alive meanwhile."""
        bot_id = connection.bot.bot_id if connection.bot else ""
        body = {
            "msgid": self._context.serial("m-"), "create_time": self._context.now(), "aibotid": bot_id,
            "msgtype": "event", "event": {"eventtype": "disconnected_event"},
        }  # fmt: skip
        frame = {"cmd": "aibot_event_callback", "headers": {"req_id": self._context.serial("REQ-")}, "body": body}
        await connection.send(frame)
        connection.kicked = True
        self._context.schedule.after(self._context.limits.close_kicked_after, connection.close)

    async def abort_all(self) -> None:
        for connection in self.connections:
            await connection.abort()
        await asyncio.sleep(0)
