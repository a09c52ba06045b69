"""The loopback server under every simulator: it listens, records what is asked, does harm on demand, keeps time."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tests.simulators.common.faults import Fault, Faults
from tests.simulators.common.schedule import Schedule

PUMP_SECONDS = 0.005
LARGEST_REQUEST = 1 << 26


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    json: dict[str, Any]
    raw: bytes = field(repr=False, default=b"")


class Server(ABC):
    """Use as `async with`. `answering`: what stands between the faults and the routes, outermost first."""

    def __init__(self, schedule: Schedule, faults: Faults) -> None:
        self.faults, self._schedule = faults, schedule
        self.calls: list[Call] = []
        self.base_url = ""
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        self._port = 0

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Everything that can be asked."""

    @abstractmethod
    def answering(self) -> list[Middleware]:
        """How refusals are told."""

    @abstractmethod
    async def drop(self) -> None:
        """Cut every connection that is open."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of what outlives an outage."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        await self.close()

    async def start(self) -> None:
        """Listen; after a stop, on the same port again: an outage that ends."""
        app = web.Application(
            middlewares=[self._record, self._inject, *self.answering()], client_max_size=LARGEST_REQUEST
        )
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}"
        self._pump = asyncio.create_task(self._keep_time(), name="simulator")

    async def stop(self) -> None:
        """The platform is gone: every connection drops, every call is refused."""
        self.faults.clear()
        await self.drop()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def tick(self) -> int:
        """Run what is due by the clock now (it also happens by itself within a few milliseconds)."""
        return await self._schedule.run_due()

    def calls_of(self, api: str) -> list[Call]:
        """Requests whose path ends in `api`, oldest first."""
        return [call for call in self.calls if call.path.endswith(api)]

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
        if request.headers.get("Upgrade", "").lower() == "websocket":
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


def _parse(raw: bytes) -> dict[str, Any]:
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
