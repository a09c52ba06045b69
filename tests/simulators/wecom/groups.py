"""Groups that an app made (appchat) and group robots (webhook): two ways to speak without being able to hear."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import deque

from aiohttp import web

from tests.simulators.common.windows import Window
from tests.simulators.wecom.cards import check_card, text_of
from tests.simulators.wecom.context import ApiError, Context, Json, cut, ok
from tests.simulators.wecom.ledger import Seen
from tests.simulators.wecom.media import Media, read_form
from tests.simulators.wecom.tokens import Tokens
from tests.simulators.wecom.world import App, Group, GroupRobot

APPCHAT_KINDS = ["text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown"]
_MENTION = re.compile(r"<@([^>]+)>")


class Groups:
    """appchat/create, get and send; webhook/send and upload_media."""

    def __init__(self, context: Context, tokens: Tokens, media: Media) -> None:
        self._context, self._tokens, self._media = context, tokens, media
        limits = context.limits
        self._pace = Window(limits.webhook_per_minute, 60, context.clock, limits.webhook_block_seconds)
        self._minute = Window(limits.group_member_per_minute, 60, context.clock)
        self._day = Window(limits.group_member_per_day, 86400, context.clock)
        self._corp: deque[tuple[float, int]] = deque()
        self.dropped: list[tuple[str, str]] = []
        """Member and text of what the platform silently threw away in groups that an app made."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/cgi-bin/appchat/create", self._create),
            web.get("/cgi-bin/appchat/get", self._get),
            web.post("/cgi-bin/appchat/send", self._send),
            web.post("/cgi-bin/webhook/send", self._webhook),
            web.post("/cgi-bin/webhook/upload_media", self._webhook_upload),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        app, body = self._tokens.app_of(request), await request.json()
        users, world = body.get("userlist") or [], self._context.world
        if not 2 <= len(users) <= 2000 or len(body.get("name", "")) > 50:
            raise ApiError(40058, "invalid userlist or name")
        chat_id = body.get("chatid") or self._context.serial("chat")
        if not re.fullmatch(r"[0-9A-Za-z]{1,32}", chat_id):
            raise ApiError(40058, "invalid chatid")
        if chat_id in world.groups:
            raise ApiError(86215, "chatid exists")
        world.group(chat_id, body.get("name", ""), *users).made_by = app.agent_id
        return ok(chatid=chat_id)

    async def _get(self, request: web.Request) -> web.Response:
        app = self._tokens.app_of(request)
        group = self._own(app, request.query.get("chatid", ""))
        return ok(chat_info={"chatid": group.chat_id, "name": group.title, "userlist": sorted(group.members)})

    def _own(self, app: App, chat_id: str) -> Group:
        group = self._context.world.groups.get(chat_id)
        if group is None:
            raise ApiError(86003, "chatid unknown")
        if group.made_by != app.agent_id:
            raise ApiError(86008, "not the app's own chat")
        return group

    async def _send(self, request: web.Request) -> web.Response:
        app, body = self._tokens.app_of(request), await request.json()
        group, kind = self._own(app, str(body.get("chatid"))), str(body.get("msgtype"))
        if kind not in APPCHAT_KINDS:
            raise ApiError(40008, "invalid message type")
        text = self._text(kind, body, self._context.limits.text_bytes, str(app.agent_id))
        self._spend(len(group.members))
        seen = self._show(group.chat_id, "appchat", kind, text, body)
        keys = {user: f"{app.agent_id} {user}" for user in sorted(group.members)}
        full = [user for user, key in keys.items() if not (self._minute.admit(key) and self._day.admit(key))]
        seen.missed_by = frozenset(full)
        self.dropped += [(user, text) for user in full]
        return ok()

    def _spend(self, people: int) -> None:
        """Of the corporation: so many recipients a minute, then an error."""
        now, limit = self._context.clock(), self._context.limits.group_recipients_per_minute
        while self._corp and self._corp[0][0] <= now - 60:
            self._corp.popleft()
        if limit and sum(spent for _, spent in self._corp) + people > limit:
            raise ApiError(45009, "api freq out of limit")
        self._corp.append((now, people))

    def _text(self, kind: str, body: Json, limit: int, scope: str) -> str:
        content = body.get(kind) or {}
        if kind in ("text", "markdown", "markdown_v2"):
            if not content.get("content"):
                raise ApiError(44004, "empty content")
            return cut(content["content"], limit)
        return self._media.name_of(str(content.get("media_id")), scope)

    def _show(self, place: str, via: str, kind: str, text: str, body: Json, card: Json | None = None) -> Seen:
        listed = (body.get(kind) or {}).get("mentioned_list") or [] if kind == "text" else []
        inline = _MENTION.findall(text) if kind in ("text", "markdown") else []
        seen = Seen(self._context.clock(), place, via, kind, text, mentions=(*listed, *inline), card=card or {})
        return self._context.ledger.show(seen)

    # ---- group robots

    def _robot(self, request: web.Request) -> GroupRobot:
        robot = self._context.world.robots.get(request.query.get("key", ""))
        if robot is None:
            raise ApiError(93000, "invalid webhook url")
        if robot.stopped:
            raise ApiError(93004, "robot is stopped")
        if robot.removed:
            raise ApiError(93008, "robot is not in the group")
        return robot

    async def _webhook(self, request: web.Request) -> web.Response:
        robot = self._robot(request)
        if not await request.read():
            raise ApiError(93017, "empty body")
        body = await request.json()
        kind = str(body.get("msgtype"))
        text, card = self._webhook_content(kind, body, robot)
        if not self._pace.admit(robot.key):
            raise ApiError(45009, "api freq out of limit")
        self._show(robot.chat_id, "webhook", kind, text, body, card)
        return ok()

    def _webhook_content(self, kind: str, body: Json, robot: GroupRobot) -> tuple[str, Json]:
        limits = self._context.limits
        if kind == "template_card":
            card = check_card(body.get("template_card"), webhook=True)
            return text_of(card), card
        if kind in ("markdown", "markdown_v2"):
            text = self._text(kind, body, 1 << 20, robot.key)
            if len(text.encode()) > limits.webhook_markdown_bytes:
                raise ApiError(40058, f"{kind}.content exceed max length {limits.webhook_markdown_bytes}")
            return text, {}
        if kind == "text":
            text = self._text(kind, body, 1 << 20, robot.key)
            if len(text.encode()) > limits.webhook_text_bytes:
                raise ApiError(40058, f"text.content exceed max length {limits.webhook_text_bytes}")
            return text, {}
        if kind == "image":
            return _image(body.get("image") or {}, limits.webhook_image_bytes), {}
        if kind in ("file", "voice"):
            return self._text(kind, body, 0, robot.key), {}
        raise ApiError(40008, "invalid message type")

    async def _webhook_upload(self, request: web.Request) -> web.Response:
        robot, kind = self._robot(request), request.query.get("type", "")
        if kind not in ("file", "voice"):
            raise ApiError(40004, "invalid media type")
        name, data = await read_form(request)
        made = self._media.keep(kind, name, data, robot.key)
        return ok(type=kind, media_id=made.media_id, created_at=str(self._context.now()))


def _image(image: Json, largest: int) -> str:
    try:
        data = base64.b64decode(image.get("base64", ""), validate=True)
    except binascii.Error:
        raise ApiError(40058, "image.base64") from None
    if len(data) > largest:
        raise ApiError(93018, "image too big")
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != image.get("md5"):
        raise ApiError(301019, "md5 mismatch")
    return "image"
