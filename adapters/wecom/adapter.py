"""The WeCom adapter: the port's methods, wired to the parts that do the work."""

import asyncio
import json
import random
from contextlib import suppress
from datetime import timedelta

import aiohttp
import structlog
from aiohttp import web

from adapters.common.backoff import Backoff
from adapters.common.errors import Misconfigured
from adapters.common.pace import PATIENCE
from adapters.common.presses import DoublePresses
from adapters.wecom import files
from adapters.wecom.aibot import LongConnection
from adapters.wecom.cards import Cards
from adapters.wecom.check import Check
from adapters.wecom.clicks import Click, read_aibot_click, read_app_click
from adapters.wecom.client import Client
from adapters.wecom.crypto import Crypto
from adapters.wecom.fields import Json, part, text
from adapters.wecom.http import Callback, Take
from adapters.wecom.memory import Memory, message_keys
from adapters.wecom.presses import Presses
from adapters.wecom.receive import PLATFORM, app_account, check_receiver, read_aibot, read_app
from adapters.wecom.render import BOT_CARD_TEXT, notice_card
from adapters.wecom.replies import Replies
from adapters.wecom.send import USERS_PER_CALL, Load, Sending
from adapters.wecom.streams import SOON, Streams
from adapters.wecom.ways import Ways
from adapters.wecom.words import words
from storage.clock import Clock, sleep
from storage.database import Database
from storage.messages import Address, Attachment, Incoming
from storage.ports import Accept, Capabilities, CheckLine, Outcome, SendError, SendJob
from storage.settings import AibotSettings, WeComSettings

LOOK_EVERY = timedelta(minutes=10)
COMMIT_PAUSES = (0.5, 1, 2, 4, 8, 15, 30, 30, 60, 60, 120, 240)
"""The long connection knows no acknowledgement: what cannot be committed at once is kept in hand and tried again."""

log = structlog.get_logger(__name__)


class WeComAdapter:
    """See :class:`storage.ports.Adapter`.

    ``load`` gives the bytes of a stored file; ``database`` has the outbox of former processes. ``own_url`` is where
    this bot's own server may be running: ``check`` asks there first, lest it take the robot's connection away from it.
    ``patience`` is how long a send may wait for its place under a limit before it returns ``Retry``: zero on a clock
    that stands still.
    """

    platform = PLATFORM

    def __init__(
        self,
        settings: WeComSettings,
        http: aiohttp.ClientSession,
        clock: Clock,
        *,
        load: Load | None = None,
        database: Database | None = None,
        public_url: str = "",
        own_url: str = "",
        patience: timedelta = PATIENCE,
        rng: random.Random | None = None,
    ) -> None:
        self._settings, self._clock, self._public_url = settings, clock, public_url
        self._bot = settings.aibot or AibotSettings()
        rng = rng or random.Random()  # noqa: S311  spreads retries, keeps no secret
        self._client = Client(settings, http, clock, patience)
        self._replies = Replies(settings.api_base, clock)
        by_socket = settings.aibot is not None and self._bot.receive == "websocket"
        self._connection = (
            LongConnection(self._bot, http, clock, self._robot_message, self._robot_event, rng) if by_socket else None
        )
        self._presses = Presses(clock)
        self._soon = min(patience, SOON)
        self._streams = Streams(clock, patience)
        memory = Memory(database) if database else None
        self._ways = Ways(self._client, self._connection, self._replies, self._streams, memory)
        self._cards = Cards(self._client, memory, public_url)
        self._sending = Sending(self._ways, self._replies, self._cards, self._presses, load)
        self._check = Check(self._client, self._connection, memory, public_url, own_url)
        self._double_clicks, self._one_click = DoublePresses(), asyncio.Lock()
        self._accept: Accept | None = None
        self._kept: set[asyncio.Task[None]] = set()
        self._backoff = Backoff(rng)
        self._reached, self._token_trouble = False, ""
        self._callback_key = b""
        self.capabilities = Capabilities(
            mention=True,
            buttons=True,
            recall=self._client.has_app,
            files=True,
            batch=USERS_PER_CALL if self._client.has_app else 1,
        )

    # ---- the port

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        """The app's address, and in callback mode the robot's; only where token and key are configured."""
        self._accept = accept
        app, bot = self._settings, self._bot
        listed = self._callback(
            "/wecom/app", app.callback_token.get_secret_value(), app.callback_aes_key.get_secret_value(),
            app.corp_id, self._take_app, is_xml=True,
        )  # fmt: skip
        if app.aibot is not None and bot.receive == "callback":
            token, key = bot.token.get_secret_value(), bot.aes_key.get_secret_value()
            listed += self._callback("/wecom/aibot", token, key, "", self._take_robot, is_xml=False)
        return listed

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled."""
        self._accept = accept
        try:
            async with asyncio.TaskGroup() as group:
                if self._connection is not None:
                    group.create_task(self._connection.run(), name="wecom robot")
                group.create_task(self._look_now_and_then(), name="wecom app")
        finally:
            self._presses.stop()
            for task in self._kept:
                task.cancel()

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """See :class:`adapters.wecom.send.Sending`."""
        return await self._sending.send(job)

    def trouble(self) -> str:
        """The worst thing first: not hearing, then not calling, then single places and people."""
        robot = self._connection.trouble() if self._connection else ""
        return robot or self._client.trouble() or self._token_trouble or self._ways.trouble()

    def ever_connected(self) -> bool:
        connected = self._connection.ever_connected if self._connection else False
        return connected or self._reached or not (self._connection or self._client.has_app)

    async def check(self) -> list[CheckLine]:
        return await self._check.run()

    async def download(self, attachment: Attachment) -> bytes:
        """The bytes of a received attachment; raises SendError."""
        return await files.download(self._client, attachment, self._callback_key)

    async def recall(self, address: Address, provider_id: str) -> bool:
        """Take back what the app sent, from everybody who got it in the same call; raises SendError.

        What went into groups, or by the robot, stays: the platform offers no way.
        """
        keys = message_keys(provider_id) if address.kind == "direct" else []
        for key in keys:
            await self._client.call("POST", "message/recall", {"msgid": key})
        return bool(keys)

    # ---- the app

    def _callback(
        self, path: str, token: str, key: str, receive_id: str, take: Take, *, is_xml: bool
    ) -> list[web.RouteDef]:
        try:
            crypto = Crypto(token, key, receive_id, self._clock)
        except ValueError:
            if token or key:
                log.error("a wecom callback is not configured right, see check", path=path)
            return []
        if not is_xml:
            self._callback_key = crypto.key
        return Callback(path, crypto, take, is_xml=is_xml).routes()

    async def _take_app(self, body: Json) -> str:
        corp, agent, now = self._settings.corp_id, self._settings.agent_id, self._clock.now()
        if text(body, "MsgType") != "event":
            await self._commit(read_app(body, corp, agent, now))
        elif text(body, "Event") == "template_card_event":
            click = read_app_click(body, corp, agent, app_account(corp, agent), now)
            if await self._take_click(click):
                self._presses.take(click, lambda state: self._cards.pressed(click.task, click.user, click.code, state))
        else:
            check_receiver(body, corp, agent)
        return ""

    # ---- the robot

    async def _robot_message(self, body: Json, request: str) -> None:
        """From the long connection: there is nobody to deliver it again, so it is kept until it is committed."""
        incoming = self._from_robot(body, request=request)
        try:
            await self._commit(incoming)
        except Exception as error:  # noqa: BLE001  whatever it is, the message must not be lost for it
            log.warning("a message was not committed, trying again", error=type(error).__name__)
            task = asyncio.create_task(self._persevere(incoming), name="wecom keeps a message")
            self._kept.add(task)
            task.add_done_callback(self._kept.discard)

    async def _robot_event(self, body: Json, request: str) -> None:
        kind = text(part(body, "event"), "eventtype")
        if kind == "enter_chat" and self._connection is not None:
            await self._connection.ask("aibot_respond_welcome_msg", _welcome(), request)
        elif kind == "template_card_event":
            click = read_aibot_click(body, self._bot.bot_id, self._clock.now())
            await self._take_click(click)
            if click.value:
                self._presses.take(click, lambda state: self._show_on_robots_card(click, state, request))

    async def _show_on_robots_card(self, click: Click, state: str, request: str) -> None:
        if self._connection is None:
            return
        card = self._settled(click, state)
        body = {"response_type": "update_template_card", "template_card": card}
        try:
            await self._connection.ask("aibot_respond_update_msg", body, request)
        except SendError as error:
            log.warning("a card was not updated", reason=error.reason)

    def _settled(self, click: Click, state: str) -> Json:
        state = state or words("message.click_received")
        return notice_card(click.task, "", state, self._public_url, BOT_CARD_TEXT)

    async def _take_robot(self, body: Json) -> str:
        """From a callback: the plaintext of the passive answer."""
        kind = text(body, "msgtype")
        if kind == "stream":
            return _dump(self._streams.poll(text(part(body, "stream"), "id")))
        if kind != "event":
            return await self._take_robots_message(body)
        event = text(part(body, "event"), "eventtype")
        if event == "enter_chat":
            return _dump(_welcome())
        if event != "template_card_event":
            return ""
        click = read_aibot_click(body, self._bot.bot_id, self._clock.now())
        await self._take_click(click)
        if not click.value:
            return ""
        card = self._settled(click, await self._presses.soon(click, self._soon))
        return _dump({"response_type": "update_template_card", "userids": [click.user], "template_card": card})

    async def _take_robots_message(self, body: Json) -> str:
        """Open its stream first: the answer may be quicker than the commit's return."""
        stream = self._streams.id_of(text(body, "msgid"))
        incoming = self._from_robot(body, url=text(body, "response_url"), stream=stream)
        self._streams.begin(stream, incoming.sender.account, alone=incoming.conversation.kind == "direct")
        await self._commit(incoming)
        first = await self._streams.first(stream)
        return _dump(first) if first else ""

    def _from_robot(self, body: Json, *, request: str = "", url: str = "", stream: str = "") -> Incoming:
        incoming = read_aibot(body, self._bot.bot_id, self._clock.now())
        self._ways.spoken(incoming.conversation)
        hints = self._replies.hints(incoming.conversation, request=request, url=url, stream=stream)
        return incoming.model_copy(update={"hints": hints})

    # ---- committing

    async def _take_click(self, click: Click) -> bool:
        """True when somebody pressed something, and not the same again."""
        if not click.value:
            log.info("a card was sent in with nothing chosen", task=click.task)
            return False
        now = self._clock.now()
        async with self._one_click:
            if self._double_clicks.is_one(click.fingerprint, now):
                return False
            hints = self._replies.hints(click.place, url=click.url)
            await self._commit(click.incoming(hints))
            self._double_clicks.committed(click.fingerprint, now)
            return True

    async def _persevere(self, incoming: Incoming) -> None:
        """On its own, for the connection it came by may end meanwhile."""
        for seconds in COMMIT_PAUSES:
            await sleep(self._clock, timedelta(seconds=seconds))
            try:
                await self._commit(incoming)
            except Exception as error:  # noqa: BLE001  as above
                log.warning("a message was not committed, trying again", error=type(error).__name__)
            else:
                return
        log.error("a message is lost: it could not be committed", message_id=incoming.message_id)

    async def _commit(self, incoming: Incoming) -> None:
        if self._accept is None:
            raise RuntimeError("not running")
        if not await self._accept(incoming):
            log.info("a message came again", message_id=incoming.message_id)

    async def _look_now_and_then(self) -> None:
        """Whether the app can call at all, and from this address: known before the first message has to go."""
        while self._client.has_app:
            pause = LOOK_EVERY
            try:
                await self._client.tokens.get()
                self._reached, self._token_trouble = True, ""
                self._backoff.reset()
                with suppress(SendError):  # what is wrong stands in the client's trouble then
                    await self._client.call("GET", "getcallbackip")
            except SendError as error:
                key = "trouble.credentials" if isinstance(error, Misconfigured) else "trouble.app_connection"
                self._token_trouble = words(key, detail=error.reason)
                pause = self._backoff.next()
            await sleep(self._clock, pause)


def _welcome() -> Json:
    return {"msgtype": "text", "text": {"content": words("message.welcome")}}


def _dump(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False)
