"""The DingTalk adapter: the port's methods, wired to the parts that do the work."""

import asyncio
import random
from datetime import timedelta

import aiohttp
import structlog
from aiohttp import web

from adapters.common.backoff import Backoff
from adapters.common.errors import Misconfigured
from adapters.common.pace import PATIENCE
from adapters.common.presses import DoublePresses
from adapters.dingtalk import clicks, files, receipts
from adapters.dingtalk.cards import Cards
from adapters.dingtalk.check import Check
from adapters.dingtalk.client import Client
from adapters.dingtalk.ding import Ding
from adapters.dingtalk.frames import CARD_TOPIC, ROBOT_TOPIC, BadPayload, Frame, Json
from adapters.dingtalk.http import HttpMode
from adapters.dingtalk.limits import Count, CountInMemory
from adapters.dingtalk.link import Handler
from adapters.dingtalk.receive import PLATFORM, QUOTA_HINT, read_message
from adapters.dingtalk.send import USERS_PER_CALL, Load, Sending
from adapters.dingtalk.sessions import Sessions
from adapters.dingtalk.stream import Stream
from adapters.dingtalk.words import words
from storage.clock import Clock, sleep
from storage.messages import Address, Attachment, Incoming, Quote
from storage.ports import Accept, Capabilities, CheckLine, Outcome, SendError, SendJob
from storage.settings import DingTalkSettings

LOOK_EVERY = timedelta(minutes=10)

log = structlog.get_logger(__name__)


class DingTalkAdapter:
    """See :class:`storage.ports.Adapter`.

    ``count`` keeps the monthly figures over restarts. ``load`` gives the bytes of a stored file. ``patience`` is how
    long a send may wait for its place under the rate limit before it returns ``Retry``: zero on a clock that stands
    still.
    """

    platform = PLATFORM

    def __init__(
        self,
        settings: DingTalkSettings,
        http: aiohttp.ClientSession,
        clock: Clock,
        *,
        count: Count | None = None,
        load: Load | None = None,
        public_url: str = "",
        patience: timedelta = PATIENCE,
        rng: random.Random | None = None,
    ) -> None:
        self._settings, self._clock, self._public_url = settings, clock, public_url
        self._client = Client(settings, http, clock, count or CountInMemory(), patience)
        self._sessions = Sessions(settings.oapi_base, clock)
        self._cards = Cards(self._client)
        self._sending = Sending(self._client, self._sessions, self._cards, Ding(self._client), load)
        self._double_clicks = DoublePresses()
        self._one_click = asyncio.Lock()
        self._accept: Accept | None = None
        handlers: dict[str, Handler] = {ROBOT_TOPIC: self._robot_frame, CARD_TOPIC: self._card_frame}
        self._stream = Stream(settings, http, clock, handlers, rng)
        self._http_mode = HttpMode(settings, clock, self._take_message, self._take_posted_click)
        self._check = Check(self._client, self._stream, public_url)
        self._backoff = Backoff(rng or random.Random())  # noqa: S311  spreads retries, keeps no secret
        self._reached = False
        self._token_trouble = ""
        self.capabilities = Capabilities(
            mention=True,
            buttons=True,
            read_receipts=True,
            recall=True,
            files=True,
            urgent_call=settings.ding,
            batch=USERS_PER_CALL,
            batch_buttons=not settings.card_template_id,
        )

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        """The callback addresses, in HTTP mode only: in stream mode nobody has a reason to call them."""
        if self._settings.receive != "http":
            return []
        self._accept = accept
        return self._http_mode.routes()

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled. In HTTP mode there is nothing to do but to look whether DingTalk is there."""
        self._accept = accept
        try:
            if self._settings.receive == "stream":
                await self._stream.run()
            else:
                await self._look_now_and_then()
        finally:
            await self._client.flush()

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """See :class:`adapters.dingtalk.send.Sending`."""
        return await self._sending.send(job)

    def trouble(self) -> str:
        """The worst thing first: not receiving, then not calling, then the quota."""
        receiving = self._stream.trouble() if self._settings.receive == "stream" else self._token_trouble
        return receiving or self._client.trouble()

    def ever_connected(self) -> bool:
        return self._stream.ever_connected or self._reached

    async def check(self) -> list[CheckLine]:
        return await self._check.run()

    async def download(self, attachment: Attachment) -> bytes:
        """The bytes of a received attachment; raises SendError."""
        return await files.download(self._client, attachment)

    async def recall(self, address: Address, provider_id: str) -> bool:
        """Take a sent message back; raises SendError."""
        return await receipts.recall(self._client, address, provider_id)

    async def readers(self, address: Address, provider_id: str) -> frozenset[str]:
        """Who has read a sent message; raises SendError."""
        return await receipts.readers(self._client, address, provider_id)

    # ---- receiving

    async def _robot_frame(self, frame: Frame) -> None:
        if frame.data is None:
            raise BadPayload("no JSON object")
        await self._take_message(frame.data)

    async def _card_frame(self, frame: Frame) -> Json:
        if frame.data is None:
            raise BadPayload("no JSON object")
        return await self._take_click(frame.data, frame.message_id)

    async def _take_message(self, body: Json) -> None:
        """Commit a robot message; a known one changes nothing."""
        incoming = read_message(body, self._client.robot_code, self._clock.now())
        hints = self._sessions.take(
            body.get("sessionWebhook"), body.get("sessionWebhookExpiredTime"), incoming.conversation
        )
        if QUOTA_HINT in incoming.hints:
            self._client.push_quota.used_up()
        quote = self._with_words(incoming.quote)
        await self._commit(incoming.model_copy(update={"hints": {**incoming.hints, **hints}, "quote": quote}))
        await self._client.push_quota.spend()

    def _with_words(self, quote: Quote | None) -> Quote | None:
        """A quote of our own message with what it said, when the platform left that out."""
        if quote is None or quote.text:
            return quote
        return quote.model_copy(update={"text": self._sending.text_of(quote.message_id)})

    async def _take_posted_click(self, body: Json, timestamp: str, raw: bytes) -> Json:
        return await self._take_click(body, clicks.body_id(timestamp, raw))

    async def _take_click(self, body: Json, message_id: str) -> Json:
        now = self._clock.now()
        click = clicks.read_click(body, self._cards.place_of)
        async with self._one_click:
            if not self._double_clicks.is_one(click.fingerprint, now):
                await self._commit(click.incoming(self._client.robot_code, message_id, now))
                self._double_clicks.committed(click.fingerprint, now)
        return clicks.answer()

    async def _commit(self, incoming: Incoming) -> None:
        if self._accept is None:
            raise RuntimeError("not running")
        new = await self._accept(incoming)
        if not new:
            log.info("a message came again", message_id=incoming.message_id)

    async def _look_now_and_then(self) -> None:
        while True:
            pause = LOOK_EVERY
            try:
                await self._client.tokens.get()
                if not self._reached:
                    await self._cards.register_callback(self._public_url)
                self._reached, self._token_trouble = True, ""
                self._backoff.reset()
            except SendError as error:
                key = "trouble.credentials" if isinstance(error, Misconfigured) else "trouble.connection"
                self._token_trouble = words(key, detail=error.reason)
                pause = self._backoff.next()
            await sleep(self._clock, pause)
