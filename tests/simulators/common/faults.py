"""Faults a test orders for the next calls of one API."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

X5_PAGE = (
    "<html><body><script>var punish = "
    '{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"0000"}</script></body></html>'
)


@dataclass
class Fault:
    """What happens to one call instead of (or after) its normal answer."""

    status: int = 500
    body: Mapping[str, Any] | None = None
    html: str | None = None
    after_delivery: bool = False
    drop: bool = False
    """Cut the TCP connection without any answer."""
    hang: bool = False
    """Do not answer until `release` is called."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()

    def response(self) -> web.Response:
        if self.html is not None:
            return web.Response(status=self.status, text=self.html, content_type="text/html")
        return web.json_response(dict(self.body or {"code": "system.error", "message": "fault"}), status=self.status)


class Faults:
    """Queues of faults, by the end of the path: `next("groupMessages/send", status=504, after_delivery=True)`."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Fault]] = defaultdict(deque)
        self._all: list[Fault] = []

    def next(
        self,
        api: str,
        *,
        status: int = 500,
        body: Mapping[str, Any] | None = None,
        code: str = "",
        errcode: int | None = None,
        html: str | None = None,
        after_delivery: bool = False,
        drop: bool = False,
        hang: bool = False,
        times: int = 1,
    ) -> Fault:
        """Order a fault for the next `times` calls whose path ends in `api`; the last one is returned.

        `code` makes a body of the new API, `errcode` one of the old (which answers HTTP 200 even for errors).
        """
        if errcode is not None:
            body, status = {"errcode": errcode, "errmsg": "fault"}, 200
        elif code:
            body = {"code": code, "message": "fault", "requestid": "FA017"}
        fault = Fault()
        for _ in range(times):
            fault = Fault(status, body, html, after_delivery, drop, hang)
            self._queues[api].append(fault)
            self._all.append(fault)
        return fault

    def blocked_page(self, api: str) -> Fault:
        """The HTML page that a blocked address gets instead of JSON."""
        return self.next(api, status=200, html=X5_PAGE)

    def take(self, path: str) -> Fault | None:
        for api, queue in self._queues.items():
            if queue and path.endswith(api):
                return queue.popleft()
        return None

    def clear(self) -> None:
        """Heal: forget what is still queued and let go of what hangs."""
        self._queues.clear()
        for fault in self._all:
            fault.release()
