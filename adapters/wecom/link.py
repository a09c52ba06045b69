"""One long connection of the intelligent robot: frames in, commands out, each with the ack that belongs to it."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
import structlog

from adapters.common.crew import Crew
from adapters.wecom.errors import NotSubscribed, api_error
from adapters.wecom.fields import BadPayload, Json, parse_object, part, text
from storage.clock import Clock, sleep
from storage.ports import Retry, Unsure

ACK_WITHIN = timedelta(seconds=5)
HEARTBEAT = timedelta(seconds=30)
MISSED_PINGS = 2
CALLBACK, EVENT = "aibot_msg_callback", "aibot_event_callback"
Handler = Callable[[Json, str], Awaitable[None]]
"""Gets the body and the request id of a callback, and commits what it carries."""

log = structlog.get_logger(__name__)


class Link:
    """``leaving`` is set when the connection is of no more use; ``reason`` says why."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, handlers: dict[str, Handler], clock: Clock) -> None:
        self._socket, self._handlers, self._clock = socket, handlers, clock
        self._waiting: dict[str, tuple[asyncio.Event, list[Json]]] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._crew = Crew()
        self.opened_at = clock.now()
        self.leaving = asyncio.Event()
        self.reason = ""

    def leave(self, reason: str) -> None:
        """Want a replacement; the first reason counts. Whoever waits for an ack waits no longer."""
        if not self.leaving.is_set():
            self.reason = reason
            self.leaving.set()
        for event, _ in self._waiting.values():
            event.set()

    async def ask(self, cmd: str, body: Json | None = None, request: str = "") -> Json:
        """Send a command and return the body of its ack; SendError otherwise. One at a time for each request id.

        ``request``: the id of the callback that is answered; without it the command gets one of its own.
        """
        req_id = request or f"{cmd}_{int(self._clock.now().timestamp() * 1000)}_{secrets.token_hex(4)}"
        turn = self._turns.setdefault(req_id, asyncio.Lock())
        try:
            async with turn:
                ack = await self._exchange(cmd, req_id, body)
        finally:
            if not turn.locked():
                self._turns.pop(req_id, None)
        error = api_error(ack, self._clock.now())
        if isinstance(error, NotSubscribed):
            self.leave("not subscribed")
        if error is not None:
            raise error
        return part(ack, "body")

    async def _exchange(self, cmd: str, req_id: str, body: Json | None) -> Json:
        if self.leaving.is_set():
            raise Retry("not connected")
        event, acks = asyncio.Event(), list[Json]()
        self._waiting[req_id] = (event, acks)
        frame = {"cmd": cmd, "headers": {"req_id": req_id}} | ({} if body is None else {"body": body})
        try:
            try:
                await self._socket.send_str(json.dumps(frame, ensure_ascii=False))
            except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
                self.leave("closed")
                raise Retry("not connected") from error
            await self._clock.wait(event, self._clock.now() + ACK_WITHIN)
        finally:
            self._waiting.pop(req_id, None)
        if not acks:
            raise Unsure("no ack")
        return acks[0]

    async def read(self) -> None:
        """Take frames in until the connection ends. Callbacks are handled side by side, as they come."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(str(message.data))
        finally:
            self.leave("closed")

    async def beat(self) -> None:
        """Ping every thirty seconds; two unanswered in a row mean that nobody is there."""
        missed = 0
        while missed < MISSED_PINGS:
            await sleep(self._clock, HEARTBEAT)
            try:
                await self.ask("ping")
                missed = 0
            except NotSubscribed:
                return
            except Retry:
                missed += 1
        self.leave("silent")

    async def finish(self) -> None:
        """Let what is in hand be committed, then close; bounded, for a peer that has stopped answering."""
        self.leave("closed")
        await self._crew.finish()
        await self._socket.close()

    async def _take(self, raw: str) -> None:
        frame = parse_object(raw)
        if frame is None:
            log.warning("wecom sent a frame that is none", size=len(raw))
            return
        cmd, req_id = text(frame, "cmd"), text(part(frame, "headers"), "req_id")
        if not cmd:
            if waiting := self._waiting.get(req_id):
                waiting[1].append(frame)
                waiting[0].set()
            return
        handler = self._handlers.get(cmd)
        if handler is None:
            log.info("wecom sent an unknown command", cmd=cmd)
            return
        await self._crew.start(self._work(handler, part(frame, "body"), req_id), f"wecom {cmd}")

    async def _work(self, handler: Handler, body: Json, req_id: str) -> None:
        try:
            await handler(body, req_id)
        except BadPayload as error:
            log.warning("wecom sent a body that is none", reason=str(error))
        except Exception:  # one frame's trouble must not end the connection
            log.exception("a frame was not committed")
