"""One WebSocket of the stream gateway: its state, its pings and the answers that come back on it."""

from __future__ import annotations

import asyncio
import enum
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.world import App

Topics = frozenset[tuple[str, str]]
Ack = Json


class State(enum.Enum):
    LIVE = "live"
    LEAVING = "leaving"  # `disconnect` was sent: nothing is delivered any more
    ZOMBIE = "zombie"  # WebSocket pings are answered, nothing else happens
    HALF_OPEN = "half-open"  # TCP is there, nobody reads or answers
    DEAD = "dead"


@dataclass(eq=False)
class Connection:
    """Server side of one connection."""

    context: Context
    app: App
    topics: Topics
    socket: web.WebSocketResponse
    request: web.Request
    on_ack: Callable[[Ack], None]
    id: str = ""
    state: State = State.LIVE
    opened_at: float = 0
    died_at: float | None = None
    unanswered_pings: dict[str, str] = field(default_factory=dict)
    wrong_pongs: list[Json] = field(default_factory=list)
    garbage: list[str] = field(default_factory=list)

    def wants(self, kind: str, topic: str) -> bool:
        return (kind, topic) in self.topics or (kind, "*") in self.topics

    async def send(self, frame: Json) -> None:
        """Write one frame; into the void where the peer is not really there."""
        if self.state in (State.LIVE, State.LEAVING) and not self.socket.closed:
            try:
                await self.socket.send_str(json.dumps(frame, ensure_ascii=False))
            except ConnectionError:
                self._die()

    async def send_system(self, topic: str, data: Json) -> str:
        message_id = self.context.serial("sys-")
        headers = {
            "topic": topic,
            "messageId": message_id,
            "contentType": "application/json",
            "time": str(self.context.now_ms()),
        }
        await self.send({"specVersion": "1.0", "type": "SYSTEM", "headers": headers, "data": json.dumps(data)})
        return message_id

    def start_timers(self) -> None:
        limits = self.context.limits
        if limits.ping_every:
            self.context.schedule.after(limits.ping_every, self._ping)
        if limits.connection_lifetime:
            self.context.schedule.after(limits.connection_lifetime, self._expire)

    async def leave(self, reason: str, *, grace: float | None = None) -> None:
        """Announce the end: no more deliveries from now on, TCP is closed after the grace time."""
        if self.state is not State.LIVE:
            return
        await self.send_system("disconnect", {"reason": reason})
        self.state = State.LEAVING
        seconds = self.context.limits.disconnect_grace if grace is None else grace
        self.context.schedule.after(seconds, self.close)

    async def close(self) -> None:
        """A clean close (1000)."""
        self._die()
        if not self.socket.closed:
            await self.socket.close()

    async def abort(self) -> None:
        """Gone without a close frame: the client sees 1006."""
        self._die()
        if self.request.transport is not None:
            self.request.transport.abort()

    async def read(self) -> None:
        """Take in everything the client sends until it goes."""
        async for message in self.socket:
            if self.state is State.HALF_OPEN:
                continue
            if message.type is WSMsgType.PING:
                await self.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._take(str(message.data))
        if self.state is State.HALF_OPEN:
            await asyncio.sleep(0)
        self._die()

    def _take(self, text: str) -> None:
        try:
            frame = json.loads(text)
            message_id = frame["headers"]["messageId"]
        except (ValueError, KeyError, TypeError):
            self.garbage.append(text)
            return
        if message_id in self.unanswered_pings:
            expected = self.unanswered_pings.pop(message_id)
            if json.loads(frame.get("data") or "null") != {"opaque": expected}:
                self.wrong_pongs.append(frame)
        else:
            self.on_ack(frame)

    def _die(self) -> None:
        if self.state is not State.DEAD:
            self.state = State.DEAD
            self.died_at = self.context.clock()

    async def _ping(self) -> None:
        if self.state is State.DEAD:
            return
        if self.state is State.LIVE:
            opaque = self.context.serial("opaque-")
            message_id = await self.send_system("ping", {"opaque": opaque})
            self.unanswered_pings[message_id] = opaque
        self.context.schedule.after(self.context.limits.ping_every, self._ping)

    async def _expire(self) -> None:
        await self.leave("connection is expired")
