"""Files: codes in messages that turn into short-lived URLs, and uploads that turn into media ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.multipart import BodyPartReader

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import OapiError, invalid
from tests.simulators.dingtalk.robot_messages import check_robot
from tests.simulators.dingtalk.tokens import Tokens
from tests.simulators.dingtalk.world import App

ENDINGS = {
    "image": ("jpg", "gif", "png", "bmp"),
    "voice": ("amr", "mp3", "wav"),
    "video": ("mp4",),
    "file": ("doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"),
}


@dataclass(frozen=True)
class Upload:
    media_id: str
    kind: str
    name: str
    data: bytes


class Media:
    """messageFiles/download, the download itself, media/upload."""

    def __init__(self, context: Context, tokens: Tokens, app_of: Callable[[web.Request], App]) -> None:
        self._context, self._tokens, self._app_of = context, tokens, app_of
        self._by_code: dict[str, bytes] = {}
        self._urls: dict[str, tuple[bytes, float]] = {}
        self.uploads: dict[str, Upload] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1.0/robot/messageFiles/download", self._url),
            web.get("/download/{name}", self._download),
            web.post("/media/upload", self._upload),
        ]

    def put(self, data: bytes, code: str = "") -> str:
        """A file somebody sends; the download code that a message carries for it."""
        code = code or self._context.serial("code-")
        self._by_code[code] = data
        return code

    async def _url(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        check_robot(self._app_of(request), body)
        data = self._by_code.get(str(body.get("downloadCode")))
        if data is None:
            raise invalid("invalidParameter.downloadCode")
        name = self._context.serial("f") + ".file"
        expires = self._context.clock() + self._context.limits.download_url_seconds
        self._urls[name] = (data, expires)
        return web.json_response({"downloadUrl": f"{self._context.base_url}/download/{name}?Expires={int(expires)}"})

    async def _download(self, request: web.Request) -> web.Response:
        data, expires = self._urls.get(request.match_info["name"], (b"", 0.0))
        if expires <= self._context.clock():
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>", content_type="text/xml")
        return web.Response(body=data, content_type="application/octet-stream")

    async def _upload(self, request: web.Request) -> web.Response:
        self._tokens.check_old(request.query.get("access_token", ""))
        kind, name, data = await _read_form(request, request.query.get("type", ""))
        if kind not in ENDINGS or not name:
            raise OapiError(40035, "缺少参数 type 或 media")
        if name.rsplit(".", 1)[-1].lower() not in ENDINGS[kind]:
            raise OapiError(40005, "不合法的文件类型")
        if len(data) > self._largest(kind):
            raise OapiError(40006, "不合法的文件大小")
        upload = Upload("@" + self._context.serial("lADP"), kind, name, data)
        self.uploads[upload.media_id] = upload
        answer = {"type": kind, "media_id": upload.media_id, "created_at": self._context.now_ms()}
        return web.json_response({"errcode": 0, "errmsg": "ok", **answer})

    def _largest(self, kind: str) -> int:
        limits = self._context.limits
        return {"image": limits.image_bytes, "voice": limits.voice_bytes}.get(kind, limits.file_bytes)


async def _read_form(request: web.Request, kind: str) -> tuple[str, str, bytes]:
    name, data = "", b""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "type":
            kind = (await part.read()).decode()
        elif part.name == "media":
            name, data = part.filename or "", bytes(await part.read())
    return kind, name, data
