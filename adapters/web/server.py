"""The HTTP server: health, figures, read API, console, and the routes that platforms call.

``build_app`` makes the application; ``serve`` runs it with the bot until it is told to stop.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.web.api import ReadApi
from adapters.web.changes import Changes
from adapters.web.console import Console
from adapters.web.forward import Advancing, Forward
from adapters.web.health import Health
from adapters.web.metrics import Metrics
from adapters.web.pages import HEADERS, STATIC, page
from adapters.web.stream import Streams
from adapters.web.talk import Talk
from storage.memory import keep_in_place
from storage.runtime import Runtime

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request that are read; more is answered with 413."""
FINISH_WITHIN: Final = 1.0
"""Seconds that open requests get when the server stops."""
ALWAYS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
HEALTH: Final = web.AppKey("health", Health)
CHANGES: Final = web.AppKey("changes", Changes)
FORWARD: Final = web.AppKey("forward", Forward)


def build_app(runtime: Runtime, *, may_push_clock: bool = False) -> web.Application:
    """The application of an assembled bot. ``may_push_clock``: offer fast-forward (demo only), if the clock can."""
    app = web.Application(client_max_size=MAX_BODY)
    health, metrics, changes = Health(runtime), Metrics(runtime), Changes(runtime.ground.database)
    app[HEALTH], app[CHANGES] = health, changes
    app.middlewares.extend([_counted(metrics), _secured, _open_until_stop(health)])
    app.add_routes([*health.routes(), *metrics.routes(), *ReadApi(runtime.ground).routes()])
    for adapter in runtime.adapters:
        app.add_routes(adapter.routes(runtime.inbox.accept))
    app.router.add_static("/static", STATIC)
    _add_pages(app, runtime, changes, may_push_clock)
    app.on_shutdown.append(_close)
    return app


def _add_pages(app: web.Application, runtime: Runtime, changes: Changes, may_push_clock: bool) -> None:
    """The console where it is configured, else one page that tells strangers nothing."""
    if not runtime.ground.settings.web.console:
        app.add_routes([web.get("/", _status)])
        return
    forward, clock = None, runtime.ground.clock
    if may_push_clock and isinstance(clock, Advancing):
        forward = app[FORWARD] = Forward(runtime, clock, changes)
    talk = Talk(runtime.ground.database, clock)
    app.add_routes([*Console(runtime, talk, forward).routes(), *Streams(runtime, talk, forward, changes).routes()])


async def _status(_request: web.Request) -> web.StreamResponse:
    return page("status.html")


async def _close(app: web.Application) -> None:
    """Streams end by themselves; the server need not wait for their viewers."""
    app[CHANGES].close()
    if FORWARD in app:
        await app[FORWARD].stop()


def _counted(metrics: Metrics) -> Middleware:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            metrics.count(request, status)

    return count


@web.middleware
async def _secured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Headers that keep a page to itself; static files may be kept by the browser."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
        if request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _open_until_stop(health: Health) -> Middleware:
    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        """While stopping nothing new is taken: platforms try again later."""
        if health.stopping and request.path not in ALWAYS:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        return await handler(request)

    return gate


async def serve(
    app: web.Application,
    runtime: Runtime,
    host: str,
    port: int,
    stop: asyncio.Event,
    ready: Callable[[int], None] = lambda _port: None,
) -> None:
    """Run server and bot until ``stop`` is set; then take nothing new, finish what is in hand, and return.

    ``ready`` is called with the port once it listens (``port`` 0: a free one). OSError when the port is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=FINISH_WITHIN)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        ready(int(runner.addresses[0][1]))
        await _run_until(runtime, stop, app[HEALTH])
    finally:
        await runner.cleanup()


async def _run_until(runtime: Runtime, stop: asyncio.Event, health: Health) -> None:
    keep_in_place()
    bot, told = asyncio.create_task(runtime.run()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({bot, told}, return_when=asyncio.FIRST_COMPLETED)
        health.stopping = True
        runtime.stop()
        await bot
    finally:
        told.cancel()
        bot.cancel()
