"""One stream connection: reads frames, has them handled, acknowledges what was committed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
import structlog

from adapters.common.crew import Crew
from adapters.dingtalk.frames import BAD, OK, STATUS_SUCCESS, UNKNOWN_TOPIC, BadPayload, Frame, Json, ack, parse_frame
from adapters.dingtalk.frames import response as callback_response
from storage.clock import Clock

PING, DISCONNECT = "ping", "disconnect"
Handler = Callable[[Frame], Awaitable[Json | None]]
"""Commits what the frame carries and returns the callback's response; no answer goes out when it raises."""

log = structlog.get_logger(__name__)


class Link:
    """``leaving`` is set when a replacement is wanted, ``gone`` when nothing can come any more."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, handlers: dict[str, Handler], clock: Clock) -> None:
        self._socket, self._handlers, self._clock = socket, handlers, clock
        self._crew = Crew()
        self._opened_at = self.last_frame = clock.now()
        self.leaving = asyncio.Event()
        self.gone = asyncio.Event()
        self.reason = ""

    @property
    def age(self) -> timedelta:
        return self._clock.now() - self._opened_at

    def leave(self, reason: str) -> None:
        """Want a replacement; the first reason counts."""
        if not self.leaving.is_set():
            self.reason = reason
            self.leaving.set()

    async def read(self) -> None:
        """Take frames in until the connection ends. Frames are handled side by side, in the order they were started."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(str(message.data))
        finally:
            self.leave("closed")
            self.gone.set()

    async def finish(self) -> None:
        """Let what is in hand be acknowledged, then close; bounded, for a peer that has stopped answering."""
        await self._crew.finish()
        await self._socket.close()

    async def _take(self, text: str) -> None:
        frame = parse_frame(text)
        if frame is None:
            log.warning("dingtalk sent a frame that is none", size=len(text))
            return
        self.last_frame = self._clock.now()
        await self._crew.start(self._work(frame), f"dingtalk {frame.topic}")

    async def _work(self, frame: Frame) -> None:
        try:
            answer = await self._answer(frame)
        except BadPayload as error:
            log.warning("dingtalk sent a body that is none", topic=frame.topic, error=str(error))
            answer = ack(frame, callback_response(None), BAD)
        except Exception:  # no answer: the platform may deliver it again, and nothing was promised
            log.exception("a frame was not committed", topic=frame.topic)
            return
        try:
            await self._socket.send_str(answer)
        except (aiohttp.ClientError, ConnectionError, RuntimeError):
            log.info("an answer came too late for its connection", topic=frame.topic)

    async def _answer(self, frame: Frame) -> str:
        if frame.kind == "SYSTEM":
            if frame.topic == DISCONNECT:
                self.leave("disconnect")
            return ack(frame, frame.raw_data if frame.topic == PING else "{}")
        handler = self._handlers.get("EVENT" if frame.kind == "EVENT" else frame.topic)
        if handler is None:
            return ack(frame, callback_response(None), OK if frame.kind == "EVENT" else UNKNOWN_TOPIC)
        result = await handler(frame)
        return ack(frame, STATUS_SUCCESS if frame.kind == "EVENT" else callback_response(result))
