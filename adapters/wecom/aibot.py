"""The intelligent robot's long connection: staying subscribed, one connection at a time.

What can happen to it and what is done:

=====================  ==============================================================================
closed, aborted        open the next one after 1, 2, 4 … 30, 60 s with jitter; one that held resets this
two pings unanswered   the same
846609                 the subscription is lost while the socket lives: open another at once
taken over             another client uses the same robot: say so, wait 30–60 s, then try again; a
                       shorter pause would make two bots throw each other out for ever
853000                 wrong credentials: told to operators, tried again once a minute
45009 on subscribing   wait out the minute
=====================  ==============================================================================

No pause is longer than ninety seconds. Messages that come while nobody is connected are lost; the platform says so.
"""

import asyncio
import random
from datetime import timedelta

import aiohttp
import structlog

from adapters.common.backoff import SLOW, Backoff
from adapters.common.errors import Misconfigured, Throttled
from adapters.wecom.fields import Json, part, text
from adapters.wecom.link import CALLBACK, EVENT, Handler, Link
from adapters.wecom.words import words
from storage.clock import Clock, sleep
from storage.ports import Retry, SendError
from storage.settings import AibotSettings

OPEN_SECONDS = 10.0
STABLE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(seconds=90)
KICKED_PAUSE = (30.0, 60.0)
LARGEST_FRAME = 1 << 20
CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=2.0)

log = structlog.get_logger(__name__)


class LongConnection:
    """Keeps the robot subscribed; ``on_message`` and ``on_event`` get what people do."""

    def __init__(
        self,
        settings: AibotSettings,
        http: aiohttp.ClientSession,
        clock: Clock,
        on_message: Handler,
        on_event: Handler,
        rng: random.Random,
    ) -> None:
        self._settings, self._http, self._clock, self._rng = settings, http, clock, rng
        self._on_event = on_event
        self._handlers: dict[str, Handler] = {CALLBACK: on_message, EVENT: self._event}
        self._backoff = Backoff(rng)
        self._link: Link | None = None
        self._subscribed = False
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble = words("trouble.starting")
        self.ever_connected = False

    def trouble(self) -> str:
        return self._trouble

    async def ask(self, cmd: str, body: Json, request: str = "") -> Json:
        """One command on the present connection; SendError."""
        if self._link is None or not self._subscribed:
            raise Retry("not connected")
        return await self._link.ask(cmd, body, request)

    async def run(self) -> None:
        """Receive until cancelled."""
        try:
            while True:
                pause = await self._connected()
                if pause:
                    await sleep(self._clock, min(pause, LONGEST_PAUSE))
        finally:
            await self._shut()

    async def probe(self) -> None:
        """Subscribe and leave, as ``check`` does; SendError tells why it would not work.

        It takes the connection over from whoever has it, unless that is ourselves.
        """
        if self._link is None:
            await self._open()
            await self._shut()

    async def _connected(self) -> timedelta:
        """One connection from beginning to end; how long to wait before the next."""
        try:
            link = await self._open()
        except SendError as error:
            return self._not_opened(error)
        self._trouble, self.ever_connected = "", True
        log.info("wecom robot subscribed")
        await self._clock.wait(link.leaving, None)
        age = self._clock.now() - link.opened_at
        log.info("wecom robot's connection ends", reason=link.reason, age=age.total_seconds())
        await self._shut()
        return self._ended(link.reason, age)

    def _not_opened(self, error: SendError) -> timedelta:
        wrong, throttled = isinstance(error, Misconfigured), isinstance(error, Throttled)
        key = "trouble.robot_credentials" if wrong else "trouble.connection"
        self._trouble = words(key, detail=error.reason)
        pause = SLOW + timedelta(seconds=self._rng.uniform(1, 20)) if wrong or throttled else self._backoff.next()
        log.warning("wecom robot not subscribed", reason=error.reason, again_in=pause.total_seconds())
        return pause

    def _ended(self, reason: str, age: timedelta) -> timedelta:
        if age >= STABLE:
            self._backoff.reset()
        if reason == "kicked":
            self._trouble = words("trouble.kicked")
            pause = timedelta(seconds=self._rng.uniform(*KICKED_PAUSE))
            log.warning("another client has taken over the robot", again_in=pause.total_seconds())
            return pause
        self._trouble = words("trouble.connection", detail=reason)
        if reason == "not subscribed" and age >= STABLE:
            return timedelta()
        return self._backoff.next()

    async def _open(self) -> Link:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                socket = await self._http.ws_connect(
                    self._settings.ws_url, max_msg_size=LARGEST_FRAME, timeout=CLOSE_TIMEOUT, heartbeat=45.0
                )
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Retry(type(error).__name__) from None
        link = Link(socket, self._handlers, self._clock)
        self._tasks = [asyncio.create_task(link.read(), name="wecom robot reads")]
        self._link = link
        secret = self._settings.secret.get_secret_value()
        try:
            await link.ask("aibot_subscribe", {"bot_id": self._settings.bot_id, "secret": secret})
        except BaseException:
            await self._shut()
            raise
        self._subscribed = True
        self._tasks.append(asyncio.create_task(link.beat(), name="wecom robot pings"))
        return link

    async def _event(self, body: Json, request: str) -> None:
        if text(part(body, "event"), "eventtype") == "disconnected_event":
            if self._link is not None:
                self._link.leave("kicked")
            return
        await self._on_event(body, request)

    async def _shut(self) -> None:
        """Let what is in hand be committed, close, end the tasks."""
        link, tasks, self._link, self._tasks, self._subscribed = self._link, self._tasks, None, [], False
        if link is not None:
            await link.finish()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
