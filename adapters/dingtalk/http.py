"""HTTP mode: the two addresses that DingTalk posts to.

401 unsigned, forged or older than an hour · 413 too large · 400 no UTF-8, no JSON object, no message ·
503 not committed, to be delivered again · 200 committed or known already; the answer never speaks into the chat.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiohttp import web

from adapters.dingtalk.frames import BadPayload, Json, parse_object
from adapters.dingtalk.signature import card_sign, robot_sign, verified
from storage.clock import Clock
from storage.settings import DingTalkSettings

LARGEST_BODY = 256 * 1024
T = TypeVar("T")
SILENT = {"msgtype": "empty"}
TakeMessage = Callable[[Json], Awaitable[None]]
TakeClick = Callable[[Json, str, bytes], Awaitable[Json]]

log = structlog.get_logger(__name__)


class HttpMode:
    """``take_message`` and ``take_click`` commit, or raise."""

    def __init__(
        self, settings: DingTalkSettings, clock: Clock, take_message: TakeMessage, take_click: TakeClick
    ) -> None:
        self._settings, self._clock = settings, clock
        self._take_message, self._take_click = take_message, take_click

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/dingtalk/robot", self._robot), web.post("/dingtalk/card", self._card)]

    async def _robot(self, request: web.Request) -> web.Response:
        raw = await _read(request)
        timestamp, given = request.headers.get("timestamp", ""), request.headers.get("sign", "")
        secret = self._settings.client_secret.get_secret_value()
        self._verify(secret, robot_sign(secret, timestamp), given, timestamp)
        await _commit(self._take_message(_parse(raw)))
        return web.json_response(SILENT)

    async def _card(self, request: web.Request) -> web.Response:
        raw = await _read(request)
        timestamp = request.headers.get("x-ddpaas-signature-timestamp", "")
        given = request.headers.get("x-ddpaas-signature", "")
        secret = self._settings.card_callback_secret.get_secret_value()
        self._verify(secret, card_sign(secret, timestamp), given, timestamp)
        return web.json_response(await _commit(self._take_click(_parse(raw), timestamp, raw)))

    def _verify(self, secret: str, expected: str, given: str, timestamp: str) -> None:
        """Without a secret of ours nobody can prove anything: refused too."""
        if not secret or not verified(expected, given, timestamp, self._clock.now()):
            log.warning("dingtalk callback refused", reason="signature")
            raise web.HTTPUnauthorized


async def _read(request: web.Request) -> bytes:
    """The body, never more of it than allowed, whatever Content-Length says."""
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, len(raw))
    return bytes(raw)


def _parse(raw: bytes) -> Json:
    try:
        body = parse_object(raw.decode("utf-8"))
    except UnicodeDecodeError:
        body = None
    if body is None:
        raise web.HTTPBadRequest
    return body


async def _commit(taking: Awaitable[T]) -> T:
    try:
        return await taking
    except BadPayload as error:
        log.warning("dingtalk callback refused", reason=str(error))
        raise web.HTTPBadRequest from error
    except Exception as error:  # not committed: no 200, whatever the reason
        log.exception("a callback was not committed")
        raise web.HTTPServiceUnavailable from error
