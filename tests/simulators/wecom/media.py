"""Files: uploads that give media ids, ids that people's messages carry, and encrypted links that live five minutes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web
from aiohttp.multipart import BodyPartReader

from tests.simulators.wecom.context import ApiError, Context, ok
from tests.simulators.wecom.crypto import aes, key_of, pad
from tests.simulators.wecom.tokens import Tokens

LARGEST = {"image": 10 * 1024 * 1024, "voice": 2 * 1024 * 1024, "video": 10 * 1024 * 1024, "file": 20 * 1024 * 1024}


@dataclass(frozen=True)
class Stored:
    """`scope`: who may use it, an agent id, a robot's key or a bot id."""

    media_id: str
    kind: str
    name: str
    data: bytes
    scope: str
    at: float


@dataclass(frozen=True)
class Link:
    data: bytes
    name: str
    key: bytes
    expires: float


class Media:
    """media/upload, media/get, and the download links of intelligent robots."""

    def __init__(self, context: Context, tokens: Tokens) -> None:
        self._context, self._tokens = context, tokens
        self.stored: dict[str, Stored] = {}
        self._links: dict[str, Link] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/cgi-bin/media/upload", self._upload),
            web.get("/cgi-bin/media/get", self._get),
            web.get("/aibot-media/{name}", self._download),
        ]

    def keep(self, kind: str, name: str, data: bytes, scope: str) -> Stored:
        """Store what was uploaded, or refuse it for its size."""
        if kind not in LARGEST:
            raise ApiError(40004, "invalid media type")
        if len(data) <= 5 or len(data) > min(LARGEST[kind], self._context.limits.file_bytes):
            raise ApiError(40006, "invalid media size")
        made = Stored(self._context.serial("MID-"), kind, name, data, scope, self._context.clock())
        self.stored[made.media_id] = made
        return made

    def name_of(self, media_id: str, scope: str) -> str:
        """The file's name, when this one may send it and it is younger than three days."""
        found = self.stored.get(media_id)
        too_old = found and self._context.clock() - found.at > self._context.limits.media_seconds
        if found is None or found.scope != scope or too_old:
            raise ApiError(40007, "invalid media_id")
        return found.name

    def put(self, data: bytes, name: str, scope: str, kind: str = "file") -> str:
        """A file that a person sends to an app; its media id."""
        return self.keep(kind, name, data, scope).media_id

    def link(self, data: bytes, name: str, aes_key: str = "") -> tuple[str, str]:
        """Address and key of a file sent to an intelligent robot; `aes_key`: the callback's, else one of its own."""
        key = key_of(aes_key) if aes_key else hashlib.sha256(name.encode()).digest()
        path = self._context.serial("f")
        expires = self._context.clock() + self._context.limits.media_url_seconds
        self._links[path] = Link(data, name, key, expires)
        return f"{self._context.base_url}/aibot-media/{path}", base64.b64encode(key).decode().rstrip("=")

    async def _download(self, request: web.Request) -> web.Response:
        link = self._links.get(request.match_info["name"])
        if link is None or link.expires <= self._context.clock():
            return web.Response(status=403, text="expired")
        disposition = f"attachment; filename=\"x\"; filename*=UTF-8''{quote(link.name)}"
        sealed = aes(link.key, pad(link.data), encrypt=True)
        return web.Response(body=sealed, headers={"Content-Disposition": disposition})

    async def _upload(self, request: web.Request) -> web.Response:
        app = self._tokens.app_of(request)
        name, data = await read_form(request)
        made = self.keep(request.query.get("type", ""), name, data, str(app.agent_id))
        return ok(type=made.kind, media_id=made.media_id, created_at=str(self._context.now()))

    async def _get(self, request: web.Request) -> web.Response:
        app = self._tokens.app_of(request)
        media_id = request.query.get("media_id", "")
        self.name_of(media_id, str(app.agent_id))
        found = self.stored[media_id]
        headers = {"Content-Disposition": f'attachment; filename="{quote(found.name)}"'}
        return web.Response(body=found.data, content_type="application/octet-stream", headers=headers)


async def read_form(request: web.Request) -> tuple[str, bytes]:
    """File name and bytes of the field `media`."""
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "media":
            return part.filename or "", bytes(await part.read())
    raise ApiError(41005, "media data missing")
