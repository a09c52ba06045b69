"""Stream mode: staying connected. A replacement is opened before the old connection is let go.

What can happen to a connection and what is done:

=================  ===================================================================================
``disconnect``     open the next one at once; the old one is read on until the server closes it
closed, aborted    open the next one after 1, 2, 4 … 30, 60 s with jitter; a connection that held resets this
zombie             no frame of any kind for 100 s (pongs do not count): the same as ``disconnect``
half-open          WebSocket pings notice it; if not, it is a zombie
wrong credentials  told to operators, tried again once a minute
=================  ===================================================================================
"""

import asyncio
import random
from datetime import timedelta
from urllib.parse import quote_plus, urlsplit

import aiohttp
import structlog

from adapters.common.backoff import SLOW, Backoff
from adapters.common.errors import Misconfigured
from adapters.dingtalk.errors import api_error
from adapters.dingtalk.frames import SUBSCRIPTIONS, Json, parse_object
from adapters.dingtalk.link import Handler, Link
from adapters.dingtalk.words import words
from storage.clock import Clock, sleep
from storage.ports import SendError
from storage.settings import DingTalkSettings

SILENCE = timedelta(seconds=100)
"""Frames of the server are 20–30 s apart when all is well."""
STABLE = timedelta(seconds=30)
LINGER = timedelta(seconds=15)
HEARTBEAT_SECONDS = 30.0
OPEN_SECONDS = 10.0
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=2.0)
LARGEST_FRAME = 1 << 20
USER_AGENT = "huibao/0.1"

log = structlog.get_logger(__name__)


class NotOpened(Exception):
    """No connection could be opened; ``slowly`` when trying again soon is pointless."""

    def __init__(self, detail: str, *, slowly: bool = False) -> None:
        super().__init__(detail)
        self.detail, self.slowly = detail, slowly


class Stream:
    """Keeps one live connection; ``handlers`` by topic, events under ``EVENT``."""

    def __init__(
        self,
        settings: DingTalkSettings,
        http: aiohttp.ClientSession,
        clock: Clock,
        handlers: dict[str, Handler],
        rng: random.Random | None = None,
    ) -> None:
        self._settings, self._http, self._clock, self._handlers = settings, http, clock, handlers
        self._backoff = Backoff(rng or random.Random())  # noqa: S311  spreads reconnects, keeps no secret
        self._links: dict[Link, list[asyncio.Task[None]]] = {}
        self._short_lived = 0
        self._trouble = words("trouble.starting")
        self.ever_connected = False

    def trouble(self) -> str:
        return self._trouble

    async def run(self) -> None:
        """Receive until cancelled."""
        try:
            while True:
                link = await self._open_patiently()
                await self._watch(link)
                await self._replace(link)
        finally:
            await self._shut()

    async def probe(self) -> None:
        """Register without connecting, as ``check`` does; NotOpened tells why it would not work."""
        await self._register()

    async def _open_patiently(self) -> Link:
        while True:
            try:
                return await self._open()
            except NotOpened as error:
                key = "trouble.credentials" if error.slowly else "trouble.connection"
                self._trouble = words(key, detail=error.detail)
                pause = SLOW if error.slowly else self._backoff.next()
                log.warning("dingtalk stream not opened", detail=error.detail, again_in=pause.total_seconds())
            await sleep(self._clock, pause)

    async def _open(self) -> Link:
        """Register and connect. Neither endpoint nor ticket is ever logged: they are a password for 90 s."""
        answer = await self._register()
        url = f"{answer['endpoint']}?ticket={quote_plus(answer['ticket'])}"
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                socket = await self._http.ws_connect(
                    url, heartbeat=HEARTBEAT_SECONDS, max_msg_size=LARGEST_FRAME, timeout=CLOSE_TIMEOUT
                )
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotOpened(type(error).__name__) from None
        link = Link(socket, self._handlers, self._clock)
        self._links[link] = [asyncio.create_task(link.read(), name="dingtalk stream")]
        self._trouble = ""
        self.ever_connected = True
        log.info("dingtalk stream opened")
        return link

    async def _register(self) -> dict[str, str]:
        body = {
            "clientId": self._settings.client_id,
            "clientSecret": self._settings.client_secret.get_secret_value(),
            "subscriptions": list(SUBSCRIPTIONS),
            "ua": USER_AGENT,
        }
        url = f"{self._settings.api_base}/v1.0/gateway/connections/open"
        headers = {"Accept": "application/json"}  # without it the gateway answers XML
        try:
            async with self._http.post(url, json=body, headers=headers, timeout=TIMEOUT) as answer:
                status, raw = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotOpened(type(error).__name__) from None
        return self._registered(status, parse_object(raw) or {})

    def _registered(self, status: int, answer: Json) -> dict[str, str]:
        if status >= 400:
            error: SendError = api_error(status, answer, self._clock.now())
            raise NotOpened(error.reason, slowly=status == 401 or isinstance(error, Misconfigured))
        endpoint, ticket = answer.get("endpoint"), answer.get("ticket")
        if not isinstance(endpoint, str) or not isinstance(ticket, str):
            raise NotOpened("no endpoint in the answer")
        if self._settings.api_base.startswith("https:") and urlsplit(endpoint).scheme != "wss":
            raise NotOpened("endpoint is not wss")
        return {"endpoint": endpoint, "ticket": ticket}

    async def _watch(self, link: Link) -> None:
        """Return when the link wants to be replaced."""
        while not link.leaving.is_set():
            silent_at = link.last_frame + SILENCE
            if self._clock.now() >= silent_at:
                link.leave("silent")
                return
            await self._clock.wait(link.leaving, silent_at)

    async def _replace(self, link: Link) -> None:
        """Prepare for the next connection: the old one lingers in the background, a broken one costs a pause."""
        log.info("dingtalk stream leaves", reason=link.reason, age=link.age.total_seconds())
        self._links[link].append(asyncio.create_task(self._let_go(link), name="dingtalk stream lingers"))
        self._short_lived = 0 if link.age >= STABLE else self._short_lived + 1
        if not self._short_lived:
            self._backoff.reset()
        if link.reason == "closed":
            self._trouble = words("trouble.connection", detail=link.reason)
        if link.reason == "closed" or self._short_lived > 1:
            await sleep(self._clock, self._backoff.next())

    async def _let_go(self, link: Link) -> None:
        await self._clock.wait(link.gone, self._clock.now() + LINGER)
        await link.finish()
        for task in self._links.pop(link):
            if task is not asyncio.current_task():
                task.cancel()

    async def _shut(self) -> None:
        """Clean stop: acknowledge what is in hand, close, end all tasks."""
        links, self._links = self._links, {}
        for link, tasks in links.items():
            for task in tasks[1:]:
                task.cancel()
            await link.finish()
        tasks = [task for group in links.values() for task in group]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
