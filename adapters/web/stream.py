"""Live pages: a server-sent event for every part of a page that changed.

Bubbles are appended (each event carries one, its id is the message's); all other parts are sent whole when their HTML
differs from what was sent last. A stream ends when the viewer leaves or the server stops.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from adapters.web.board import board_view
from adapters.web.changes import Changes
from adapters.web.clockface import clock_view
from adapters.web.forms import guarded
from adapters.web.forward import Forward
from adapters.web.pages import render
from adapters.web.show import apps_view, bubbles_view, people_view
from adapters.web.stage import Stage, set_stage
from adapters.web.talk import Talk
from storage.runtime import Runtime

LOOK_AGAIN = 2.0
"""Seconds after which a page is compared anew even without a change of this process."""
BEAT = 15.0
BREATH = 0.08
"""Changes within so many seconds are sent together."""
DRIFT = 0.6
"""The page's clock runs by itself; it is set anew when it would be wrong by more seconds than this."""


class Stream:
    """One open page and what it already shows."""

    def __init__(
        self, response: web.StreamResponse, runtime: Runtime, talk: Talk, forward: Forward | None, last: int = 0
    ) -> None:
        self._response = response
        self._runtime = runtime
        self._forward = forward
        self._talk = talk
        self._shown: dict[str, str] = {}
        self._clock: tuple[float, float] | None = None
        self._last = last
        self._written = 0.0

    async def refresh_board(self) -> None:
        """Send board and clock if they changed."""
        await self._part("board", render("board.html", board=await board_view(self._runtime.ground)))
        clock = await clock_view(self._runtime, self._forward)
        if self._jumped(clock["now_ms"] / 1000):
            self._shown.pop("clock", None)
        key = repr({**clock, "time": "", "now_ms": 0})
        if self._shown.get("clock") != key:
            self._shown["clock"] = key
            await self._event("clock", render("clock.html", clock=clock))

    def _jumped(self, now: float) -> bool:
        real = asyncio.get_running_loop().time()
        before, self._clock = self._clock, (now, real)
        return before is None or abs((now - before[0]) - (real - before[1])) > DRIFT

    async def refresh_chat(self, stage: Stage) -> None:
        """Send what is new for the played person; what was sent counts as seen."""
        rows = await self._talk.page(stage.talk.key, self._last)
        overview = await self._talk.overview()
        for view in bubbles_view(stage, rows, overview):
            await self._event("bubble", render("bubble.html", bubble=view), str(view["id"]))
        if rows:
            self._last = rows[-1].id or self._last
            await self._talk.mark_seen(stage.me.person_id, stage.talk.key, self._last)
            overview = await self._talk.overview()
        settled = overview.settled(stage.talk.key)
        await self._part("settled", render("settled.html", settled=settled))
        await self._part("talks", render("talks.html", apps=apps_view(stage, overview)))
        await self._part("people", render("people.html", people=people_view(stage, overview)))

    async def beat(self) -> None:
        """A comment now and then: it shows that the viewer is still there."""
        if asyncio.get_running_loop().time() - self._written > BEAT:
            await self._write(": \n\n")

    async def _part(self, name: str, html: str) -> None:
        if self._shown.get(name) != html:
            self._shown[name] = html
            await self._event(name, html)

    async def _event(self, name: str, html: str, event_id: str = "") -> None:
        lines = [f"id: {event_id}"] if event_id else []
        lines += [f"event: {name}", *(f"data: {line}" for line in html.splitlines())]
        await self._write("\n".join(lines) + "\n\n")

    async def _write(self, text: str) -> None:
        self._written = asyncio.get_running_loop().time()
        await self._response.write(text.encode())


class Streams:
    """The routes ``/console/events`` (a chat page) and ``/events`` (the dashboard)."""

    def __init__(self, runtime: Runtime, talk: Talk, forward: Forward | None, changes: Changes) -> None:
        self._runtime = runtime
        self._talk = talk
        self._forward = forward
        self._changes = changes

    def routes(self) -> list[web.RouteDef]:
        """What the application adds."""
        return [web.get("/events", guarded(self.board)), web.get("/console/events", guarded(self.chat))]

    async def board(self, request: web.Request) -> web.StreamResponse:
        """Board and clock."""
        response = await _open(request)
        stream = Stream(response, self._runtime, self._talk, self._forward)
        await self._live(stream, stream.refresh_board)
        return response

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Board, clock, and everything one person sees."""
        ground = self._runtime.ground
        await set_stage(ground, request.query)
        shown = _number(request.headers.get("Last-Event-ID", "") or request.query.get("after", ""))
        response = await _open(request)
        stream = Stream(response, self._runtime, self._talk, self._forward, shown)

        async def refresh() -> None:
            await stream.refresh_chat(await set_stage(ground, request.query))
            await stream.refresh_board()

        await self._live(stream, refresh)
        return response

    async def _live(self, stream: Stream, refresh: Callable[[], Awaitable[None]]) -> None:
        """Refresh at every change, until the server stops or the viewer has left."""
        try:
            while not self._changes.closed:
                seen = self._changes.count
                await refresh()
                await stream.beat()
                await self._changes.wait(seen, LOOK_AGAIN)
                await self._changes.pause(BREATH)
        except ConnectionResetError:
            return  # the viewer has left


async def _open(request: web.Request) -> web.StreamResponse:
    """An event stream; the last header keeps proxies from collecting it."""
    headers = {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    return response


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
