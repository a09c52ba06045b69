"""The server: all parts behind one loopback address, and the few verbs that tests use most."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from types import TracebackType

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.simulators.dingtalk.callbacks import Callbacks
from tests.simulators.dingtalk.cards import Cards
from tests.simulators.dingtalk.clicks import Clicks
from tests.simulators.dingtalk.context import Json, make_context
from tests.simulators.dingtalk.ding import Dings
from tests.simulators.dingtalk.errors import NO_SCOPE, ApiError, OapiError
from tests.simulators.dingtalk.faults import X5_PAGE, Fault
from tests.simulators.dingtalk.ledger import Seen
from tests.simulators.dingtalk.limits import Limits
from tests.simulators.dingtalk.media import Media
from tests.simulators.dingtalk.pushes import Push, Pushes
from tests.simulators.dingtalk.receipts import Receipts
from tests.simulators.dingtalk.robot_messages import RobotMessages
from tests.simulators.dingtalk.schedule import Clock, ManualClock
from tests.simulators.dingtalk.talk import Talk
from tests.simulators.dingtalk.tokens import Tokens
from tests.simulators.dingtalk.webhooks import Webhooks
from tests.simulators.dingtalk.world import App

OPEN_API = "/v1.0/"
WITHOUT_TOKEN = ("/v1.0/gateway/", "/v1.0/oauth2/")
APP = web.RequestKey("dingtalk_app", App)
PUMP_SECONDS = 0.005


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    json: Json


class DingTalkSimulator:
    """A DingTalk on 127.0.0.1. Use as `async with`; the clock gives seconds since the epoch and never waits."""

    def __init__(self, clock: Clock | None = None, limits: Limits | None = None, seed: int = 7) -> None:
        self.context = make_context(clock or ManualClock(), limits or Limits(), seed)
        self.limits, self.world = self.context.limits, self.context.world
        self.ledger, self.faults = self.context.ledger, self.context.faults
        self.calls: list[Call] = []
        self.tokens = Tokens(self.context)
        self.pushes = Pushes(self.context)
        self.gateway = self.pushes.gateway
        self.webhooks = Webhooks(self.context)
        self.callbacks = Callbacks(self.context)
        self.messages = RobotMessages(self.context, _app_of)
        self.receipts = Receipts(self.context, self.messages, _app_of)
        self.cards = Cards(self.context, _app_of)
        self.clicks = Clicks(self.context, self.cards, self.pushes, self.callbacks)
        self.dings = Dings(self.context, _app_of)
        self.media = Media(self.context, self.tokens, _app_of)
        self.talk = Talk(self.context, self.pushes, self.callbacks, self.webhooks)
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        return self.context.base_url

    async def __aenter__(self) -> DingTalkSimulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        await self.callbacks.close()

    async def start(self) -> None:
        """Listen; after a stop, on the same port again: an outage that ends."""
        app = web.Application(middlewares=[self._record, self._inject, self._answer_refusals, self._authorise])
        app.add_routes([route for part in self._parts() for route in part])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.context.base_url = f"http://127.0.0.1:{self._port}"
        self._pump = asyncio.create_task(self._keep_time(), name="dingtalk simulator")

    async def stop(self) -> None:
        """The platform is gone: every connection drops, every call is refused."""
        self.faults.clear()
        for connection in self.gateway.connections:
            await connection.abort()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def tick(self) -> int:
        """Run what is due by the clock now (it also happens by itself within a few milliseconds)."""
        return await self.context.schedule.run_due()

    def calls_of(self, api: str) -> list[Call]:
        """Requests whose path ends in `api`, oldest first."""
        return [call for call in self.calls if call.path.endswith(api)]

    def seen_by(self, user_id: str) -> list[Seen]:
        return self.ledger.seen_by(user_id)

    def group_messages(self, conversation_id: str) -> list[Seen]:
        return self.ledger.in_group(conversation_id)

    def direct_messages(self, user_id: str) -> list[Seen]:
        return self.ledger.in_direct(user_id)

    async def event(self, app: App, event_type: str, data: Json) -> Push:
        """Push a subscribed event; un-acknowledged ones come again with the same event id."""
        event_id = self.context.serial("event-")
        headers = {
            "eventType": event_type,
            "eventId": event_id,
            "eventCorpId": app.corp_id,
            "eventBornTime": str(self.context.now_ms()),
            "eventUnifiedAppId": f"app-of-{app.client_id}",
        }
        return await self.pushes.push(Push(app, "EVENT", "*", data, headers))

    async def read(self, user_id: str, seen: Seen) -> None:
        """A person reads a message, and whoever subscribed to events hears of it."""
        seen.read_by.add(user_id)
        sent = self.messages.sent.get(seen.key)
        if sent is not None:
            data = {
                "userId": user_id, "robotCode": sent.app.robot_code, "processQueryKey": seen.key,
                "openConversationId": seen.place, "operatTime": self.context.now_ms(),
            }  # fmt: skip
            await self.event(sent.app, "robot_msg_read", data)

    def _parts(self) -> list[list[web.RouteDef]]:
        parts = (
            self.gateway, self.tokens, self.webhooks, self.messages, self.receipts, self.cards, self.dings, self.media,
        )  # fmt: skip
        return [part.routes() for part in parts]

    async def _keep_time(self) -> None:
        while True:
            await self.tick()
            await asyncio.sleep(PUMP_SECONDS)

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body: Json = {}
        if request.content_type == "application/json":
            body = _parse(await request.read())
        self.calls.append(Call(request.method, request.path, dict(request.query), body))
        return await handler(request)

    @web.middleware
    async def _inject(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self.faults.take(request.path)
        if fault is None:
            return await handler(request)
        if fault.after_delivery:
            await handler(request)
        return await _suffer(fault, request, handler)

    @web.middleware
    async def _answer_refusals(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self.context.throttles.address_allowed(request.remote or ""):
            return web.Response(text=X5_PAGE, content_type="text/html")
        try:
            return await handler(request)
        except (ApiError, OapiError) as refusal:
            return refusal.response()
        except json.JSONDecodeError:
            return ApiError(400, "invalidParameter.json").response()

    @web.middleware
    async def _authorise(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(OPEN_API) and not request.path.startswith(WITHOUT_TOKEN):
            app = self.tokens.check_new(request.headers.get("x-acs-dingtalk-access-token", ""))
            self.context.throttles.api_call(app.client_id, f"{request.method} {request.path}")
            for scope in app.missing_scopes:
                if f"/{scope.split('.')[0].lower()}/" in request.path:
                    detail = {"requiredScopes": [scope]}
                    raise ApiError(403, NO_SCOPE, "no permission", accessdenieddetail=detail)
            request[APP] = app
        return await handler(request)


def _app_of(request: web.Request) -> App:
    return request[APP]


def _parse(raw: bytes) -> Json:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def _suffer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if fault.drop:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    if fault.hang:
        await fault.released.wait()
        return await handler(request)
    return fault.response()
