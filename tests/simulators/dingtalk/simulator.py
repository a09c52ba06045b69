"""The server: all parts behind one loopback address, and the few verbs that tests use most."""

from __future__ import annotations

import json

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tests.simulators.common.faults import X5_PAGE
from tests.simulators.common.schedule import Clock, ManualClock
from tests.simulators.common.server import Server
from tests.simulators.dingtalk.callbacks import Callbacks
from tests.simulators.dingtalk.cards import Cards
from tests.simulators.dingtalk.clicks import Clicks
from tests.simulators.dingtalk.context import Json, make_context
from tests.simulators.dingtalk.ding import Dings
from tests.simulators.dingtalk.errors import NO_SCOPE, ApiError, OapiError
from tests.simulators.dingtalk.ledger import Seen
from tests.simulators.dingtalk.limits import Limits
from tests.simulators.dingtalk.media import Media
from tests.simulators.dingtalk.pushes import Push, Pushes
from tests.simulators.dingtalk.receipts import Receipts
from tests.simulators.dingtalk.robot_messages import RobotMessages
from tests.simulators.dingtalk.talk import Talk
from tests.simulators.dingtalk.tokens import Tokens
from tests.simulators.dingtalk.webhooks import Webhooks
from tests.simulators.dingtalk.world import App

OPEN_API = "/v1.0/"
WITHOUT_TOKEN = ("/v1.0/gateway/", "/v1.0/oauth2/")
APP = web.RequestKey("dingtalk_app", App)


class DingTalkSimulator(Server):
    """A DingTalk on 127.0.0.1. Use as `async with`; the clock gives seconds since the epoch and never waits."""

    def __init__(self, clock: Clock | None = None, limits: Limits | None = None, seed: int = 7) -> None:
        self.context = make_context(clock or ManualClock(), limits or Limits(), seed)
        super().__init__(self.context.schedule, self.context.faults)
        self.limits, self.world, self.ledger = self.context.limits, self.context.world, self.context.ledger
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

    async def start(self) -> None:
        await super().start()
        self.context.base_url = self.base_url

    async def drop(self) -> None:
        for connection in self.gateway.connections:
            await connection.abort()

    async def close(self) -> None:
        await self.callbacks.close()

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

    def routes(self) -> list[web.RouteDef]:
        parts = (
            self.gateway, self.tokens, self.webhooks, self.messages, self.receipts, self.cards, self.dings, self.media,
        )  # fmt: skip
        return [route for part in parts for route in part.routes()]

    def answering(self) -> list[Middleware]:
        return [self._answer_refusals, self._authorise]

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
