"""The server: all parts behind one loopback address, and the few verbs that tests use most."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from types import TracebackType

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.simulators.dingtalk.faults import Fault
from tests.simulators.dingtalk.schedule import Clock, ManualClock
from tests.simulators.wecom.callbacks import Callbacks
from tests.simulators.wecom.context import ApiError, Json, make_context
from tests.simulators.wecom.gateway import Gateway
from tests.simulators.wecom.groups import Groups
from tests.simulators.wecom.ledger import Seen
from tests.simulators.wecom.limits import Limits
from tests.simulators.wecom.media import Media
from tests.simulators.wecom.messages import Messages
from tests.simulators.wecom.robot import Robot
from tests.simulators.wecom.talk import Talk
from tests.simulators.wecom.tokens import Tokens

PUMP_SECONDS = 0.005


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    json: Json
    raw: bytes = field(repr=False, default=b"")


class WeComSimulator:
    """A WeCom on 127.0.0.1. Use as `async with`; the clock gives seconds since the epoch and never waits."""

    def __init__(self, clock: Clock | None = None, limits: Limits | None = None, seed: int = 7) -> None:
        self.context = make_context(clock or ManualClock(), limits or Limits(), seed)
        self.limits, self.world = self.context.limits, self.context.world
        self.ledger, self.faults = self.context.ledger, self.context.faults
        self.calls: list[Call] = []
        self.tokens = Tokens(self.context)
        self.media = Media(self.context, self.tokens)
        self.messages = Messages(self.context, self.tokens, self.media)
        self.groups = Groups(self.context, self.tokens, self.media)
        self.robot = Robot(self.context, self.media)
        self.gateway = Gateway(self.context, self.robot.work)
        self.callbacks = Callbacks(self.context)
        self.talk = Talk(self.context, self.callbacks, self.gateway, self.robot, self.messages, self.media)
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        return self.context.base_url

    @property
    def ws_url(self) -> str:
        return self.base_url.replace("http", "ws", 1)

    async def __aenter__(self) -> WeComSimulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        await self.callbacks.close()

    async def start(self) -> None:
        """Listen; after a stop, on the same port again: an outage that ends."""
        app = web.Application(middlewares=[self._record, self._inject, self._answer_refusals], client_max_size=1 << 26)
        parts = (self.tokens, self.media, self.messages, self.groups, self.gateway, self.talk)
        app.add_routes([route for part in parts for route in part.routes()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.context.base_url = f"http://127.0.0.1:{self._port}"
        self._pump = asyncio.create_task(self._keep_time(), name="wecom simulator")

    async def stop(self) -> None:
        """The platform is gone: every connection drops, every call is refused."""
        self.faults.clear()
        await self.gateway.abort_all()
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

    def group_messages(self, chat_id: str) -> list[Seen]:
        return self.ledger.in_group(chat_id)

    def direct_messages(self, user_id: str) -> list[Seen]:
        return self.ledger.in_direct(user_id)

    async def _keep_time(self) -> None:
        running: set[asyncio.Task[int]] = set()
        while True:
            # A job may wait for our answer, which may wait for the clock: the next round must not wait for the job.
            task = asyncio.create_task(self.tick())
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.sleep(PUMP_SECONDS)

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/":
            return await handler(request)
        raw = b"" if request.content_type.startswith("multipart/") else await request.read()
        self.calls.append(Call(request.method, request.path, dict(request.query), _parse(raw), raw))
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
        try:
            return await handler(request)
        except ApiError as refusal:
            return self.context.answer(refusal)
        except json.JSONDecodeError:
            return self.context.answer(ApiError(47001, "Warning: wrong json format."))


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
