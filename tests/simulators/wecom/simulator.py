"""The server: all parts behind one loopback address, and the few verbs that tests use most."""

from __future__ import annotations

import json

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tests.simulators.common.schedule import Clock, ManualClock
from tests.simulators.common.server import Server
from tests.simulators.wecom.callbacks import Callbacks
from tests.simulators.wecom.context import ApiError, make_context
from tests.simulators.wecom.gateway import Gateway
from tests.simulators.wecom.groups import Groups
from tests.simulators.wecom.ledger import Seen
from tests.simulators.wecom.limits import Limits
from tests.simulators.wecom.media import Media
from tests.simulators.wecom.messages import Messages
from tests.simulators.wecom.robot import Robot
from tests.simulators.wecom.talk import Talk
from tests.simulators.wecom.tokens import Tokens


class WeComSimulator(Server):
    """A WeCom on 127.0.0.1. Use as `async with`; the clock gives seconds since the epoch and never waits."""

    def __init__(self, clock: Clock | None = None, limits: Limits | None = None, seed: int = 7) -> None:
        self.context = make_context(clock or ManualClock(), limits or Limits(), seed)
        super().__init__(self.context.schedule, self.context.faults)
        self.limits, self.world, self.ledger = self.context.limits, self.context.world, self.context.ledger
        self.tokens = Tokens(self.context)
        self.media = Media(self.context, self.tokens)
        self.messages = Messages(self.context, self.tokens, self.media)
        self.groups = Groups(self.context, self.tokens, self.media)
        self.robot = Robot(self.context, self.media)
        self.gateway = Gateway(self.context, self.robot.work)
        self.callbacks = Callbacks(self.context)
        self.talk = Talk(self.context, self.callbacks, self.gateway, self.robot, self.messages, self.media)

    @property
    def ws_url(self) -> str:
        return self.base_url.replace("http", "ws", 1)

    async def start(self) -> None:
        await super().start()
        self.context.base_url = self.base_url

    async def drop(self) -> None:
        await self.gateway.abort_all()

    async def close(self) -> None:
        await self.callbacks.close()

    def routes(self) -> list[web.RouteDef]:
        parts = (self.tokens, self.media, self.messages, self.groups, self.gateway, self.talk)
        return [route for part in parts for route in part.routes()]

    def answering(self) -> list[Middleware]:
        return [self._answer_refusals]

    def group_messages(self, chat_id: str) -> list[Seen]:
        return self.ledger.in_group(chat_id)

    def direct_messages(self, user_id: str) -> list[Seen]:
        return self.ledger.in_direct(user_id)

    @web.middleware
    async def _answer_refusals(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as refusal:
            return self.context.answer(refusal)
        except json.JSONDecodeError:
            return self.context.answer(ApiError(47001, "Warning: wrong json format."))
