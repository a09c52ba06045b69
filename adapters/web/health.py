"""``/healthz`` and ``/readyz``: the process lives; the work is being done."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storage.runtime import Runtime

FIRST_CONNECTION = timedelta(seconds=15)
"""A platform that has not connected by then no longer keeps the process from being ready."""
ENGINE_MAY_LAG = timedelta(seconds=30)
"""A deadline that lies unfired for so long means that the engine does not work."""
ANSWER_WITHIN = 3.0

log = structlog.get_logger(__name__)


class Health:
    """Answers both routes. ``stopping`` is set when the process shuts down."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._now: Callable[[], datetime] = runtime.ground.clock.now
        self._started = self._now()
        self.stopping = False

    def routes(self) -> list[web.RouteDef]:
        """What the application adds."""
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _request: web.Request) -> web.Response:
        """200 while the process answers at all."""
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """200 or 503, with what is wrong by name."""
        failed = await self._failed()
        report: dict[str, Any] = {"status": "ok", "degraded": self._degraded()}
        waiting = self._waiting()
        if failed or waiting:
            report |= {"status": "unavailable", "failed": failed, "waiting": waiting}
        return web.json_response(report, status=503 if failed or waiting else 200)

    async def _failed(self) -> list[str]:
        if self.stopping:
            return ["shutdown"]
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                async with self._runtime.ground.database.read() as session:
                    await session.connection()
                    await (await session.connection()).execute(text("SELECT 1"))
                due = await self._runtime.engine.next_due()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("database does not answer", error=type(error).__name__)
            return ["database"]
        return ["engine"] if due is not None and self._now() - due > ENGINE_MAY_LAG else []

    def _waiting(self) -> list[str]:
        if self._now() - self._started >= FIRST_CONNECTION:
            return []
        return [adapter.platform for adapter in self._runtime.adapters if not adapter.ever_connected()]

    def _degraded(self) -> dict[str, str]:
        troubles = {adapter.platform: adapter.trouble() for adapter in self._runtime.adapters}
        return {platform: trouble for platform, trouble in troubles.items() if trouble}
