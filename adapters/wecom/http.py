"""The addresses that WeCom calls: the app's (XML) and, in callback mode, the robot's (JSON).

401 unsigned, forged, stale or replayed · 413 too large · 400 no envelope, wrong corp, broken inside · 503 not
committed, to be delivered again · 200 committed or known already. An answer has no body, unless the robot speaks in it.
"""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from adapters.wecom.crypto import Crypto, Forged
from adapters.wecom.fields import BadPayload, Json, parse_object, text
from adapters.wecom.xml import parse_xml

LARGEST_BODY = 256 * 1024
Take = Callable[[Json], Awaitable[str]]
"""Commits, or raises; returns the plaintext of a passive reply, or an empty string."""

log = structlog.get_logger(__name__)


class Callback:
    """One address. ``is_xml`` tells the app's dialect from the robot's."""

    def __init__(self, path: str, crypto: Crypto, take: Take, *, is_xml: bool) -> None:
        self._path, self._crypto, self._take, self._is_xml = path, crypto, take, is_xml

    def routes(self) -> list[web.RouteDef]:
        return [web.get(self._path, self._verify), web.post(self._path, self._receive)]

    async def _verify(self, request: web.Request) -> web.Response:
        """An administrator saves the address: the plaintext and nothing else."""
        try:
            return web.Response(body=self._crypto.echo(dict(request.query)).encode())
        except (Forged, BadPayload) as error:
            raise self._refused(error) from None

    async def _receive(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        try:
            sealed = self._sealed(await _read(request))
            body = self._parse(self._crypto.open(query, sealed))
            reply = await self._take(body)
        except (Forged, BadPayload) as error:
            raise self._refused(error) from None
        except web.HTTPException:
            raise
        except Exception as error:  # not committed: no 200, whatever the reason
            log.exception("a callback was not committed", path=self._path)
            raise web.HTTPServiceUnavailable from error
        self._crypto.used(query)
        if not reply:
            return web.Response()
        return web.json_response(self._crypto.seal(reply, query.get("nonce", "")))

    def _sealed(self, raw: bytes) -> str:
        try:
            decoded = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise BadPayload("utf-8") from None
        sealed = text(parse_xml(decoded), "Encrypt") if self._is_xml else text(parse_object(decoded) or {}, "encrypt")
        if not sealed:
            raise BadPayload("envelope")
        return sealed

    def _parse(self, plain: str) -> Json:
        if self._is_xml:
            return parse_xml(plain)
        body = parse_object(plain)
        if body is None:
            raise BadPayload("json")
        return body

    def _refused(self, error: Exception) -> web.HTTPException:
        log.warning("wecom callback refused", path=self._path, reason=str(error))
        return web.HTTPUnauthorized() if isinstance(error, Forged) else web.HTTPBadRequest()


async def _read(request: web.Request) -> bytes:
    """The body, never more of it than allowed, whatever Content-Length says."""
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            log.warning("wecom callback refused", path=request.path, reason="too large")
            raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, len(raw))
    return bytes(raw)
