"""Sending without a token: the session webhook of one message, and custom robots of one group."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from dataclasses import dataclass

from aiohttp import web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import OapiError
from tests.simulators.dingtalk.ledger import Seen, direct
from tests.simulators.dingtalk.webhook_bodies import Parsed, mentions, parse
from tests.simulators.dingtalk.world import App, CustomRobot, Group, Person


@dataclass(frozen=True)
class Session:
    app: App
    person: Person
    group: Group | None
    expires_at: float

    @property
    def place(self) -> str:
        return self.group.conversation_id if self.group else direct(self.person.user_id)


def sign(secret: str, timestamp: str) -> str:
    """Base64 of HMAC-SHA256 over "timestamp\\nsecret", keyed with the secret; before url-encoding."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Webhooks:
    """`/robot/sendBySession` and `/robot/send`; always HTTP 200, the errcode tells."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sessions: dict[str, Session] = {}
        self._seen_uuids: set[tuple[str, str]] = set()
        self.caller_address = "203.0.113.7"
        """What an IP allow-list sees: on loopback every caller looks alike, so a test says it."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/robot/sendBySession", self._by_session), web.post("/robot/send", self._custom)]

    def open_session(self, app: App, person: Person, group: Group | None) -> tuple[str, int]:
        """A reply address for one message and when it expires, in milliseconds."""
        session = self._context.serial("session")
        expires_at = self._context.clock() + self._context.limits.session_seconds
        self._sessions[session] = Session(app, person, group, expires_at)
        return f"{self._context.base_url}/robot/sendBySession?session={session}", int(expires_at * 1000)

    def show(self, parsed: Parsed, body: Json, place: str, via: str) -> Seen:
        group = self._context.world.groups.get(place)
        limit = self._context.limits.mentions_per_message
        people, everyone = mentions(parsed, body, group, self._context.world, limit)
        seen = Seen(
            self._context.clock(), place, via, parsed.kind, parsed.text, parsed.title,
            mentions=people, mention_all=everyone, buttons=parsed.buttons,
        )  # fmt: skip
        return self._context.ledger.show(seen)

    async def _by_session(self, request: web.Request) -> web.Response:
        session = self._sessions.get(request.query.get("session", ""))
        if session is None or session.expires_at <= self._context.clock():
            raise OapiError(300001, "session 不存在")
        body = await self._body(request)
        parsed = parse(body)
        if session.group and session.group.disbanded:
            raise OapiError(400013, "群已被解散")
        self._count_month()
        self.show(parsed, body, session.place, "sessionWebhook")
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _custom(self, request: web.Request) -> web.Response:
        if "application/json" not in request.headers.get("Content-Type", ""):
            raise OapiError(43004, "无效的HTTP HEADER Content-Type")
        robot = self._context.world.robots.get(request.query.get("access_token", ""))
        if robot is None:
            legacy = self._context.limits.legacy_codes
            raise OapiError(300001, "token is not exist") if legacy else OapiError(400101, "access_token不存在")
        body = await self._body(request)
        parsed = parse(body)
        self._check_usable(robot)
        self._check_security(robot, request, parsed)
        self._check_rate(robot)
        self._count_month()
        if not self._repeated(robot, body):
            self.show(parsed, body, robot.conversation_id, "customWebhook")
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _body(self, request: web.Request) -> Json:
        raw = await request.read()
        if len(raw) > self._context.limits.webhook_bytes:
            newer = "description: body 大小不合法;solution:请保持大小在 20000bytes 以内"
            plain = "message too long, exceed 20000 bytes"
            raise OapiError(460101, newer if self._context.limits.localized else plain)
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise OapiError(40035, "缺少参数 json") from error
        if not isinstance(body, dict):
            raise OapiError(40035, "缺少参数 json")
        return body

    def _check_usable(self, robot: CustomRobot) -> None:
        group = self._context.world.groups.get(robot.conversation_id)
        if robot.disabled:
            raise OapiError(400102, "机器人已停用")
        if group is None or group.disbanded:
            raise OapiError(400013, "群已被解散")

    def _check_security(self, robot: CustomRobot, request: web.Request, parsed: Parsed) -> None:
        if robot.keywords and not any(word in parsed.title + parsed.text for word in robot.keywords):
            raise self._refused("keywords not in content", "关键词不匹配")
        if robot.secret:
            self._check_sign(robot, request)
        address = ipaddress.ip_address(self.caller_address)
        if robot.networks and not any(address in ipaddress.ip_network(net, strict=False) for net in robot.networks):
            raise self._refused(f"ip {address} not in whitelist", "来源IP不在白名单")

    def _check_sign(self, robot: CustomRobot, request: web.Request) -> None:
        timestamp = request.query.get("timestamp", "")
        skew = self._context.limits.sign_skew_seconds
        if not timestamp.isdigit() or abs(int(timestamp) / 1000 - self._context.clock()) > skew:
            raise self._refused("invalid timestamp", "时间戳不合法")
        if not hmac.compare_digest(sign(robot.secret, timestamp), request.query.get("sign", "")):
            raise self._refused("sign not match", "机器人发送签名不匹配")

    def _refused(self, plain: str, localized: str) -> OapiError:
        if self._context.limits.localized:
            return OapiError(310000, f"description:{localized};solution:请检查设置;link:https://open.dingtalk.com")
        return OapiError(310000, plain)

    def _check_rate(self, robot: CustomRobot) -> None:
        if self._context.throttles.custom_webhook(robot.token):
            return
        if self._context.limits.legacy_codes:
            raise OapiError(130101, "send too fast, exceed 20 times per minute")
        raise OapiError(410100, "发送速度太快而限流")

    def _count_month(self) -> None:
        if not self._context.throttles.push():
            raise OapiError(90030, "webhook over limit")

    def _repeated(self, robot: CustomRobot, body: Json) -> bool:
        uuid = str(body.get("msgUuid") or "")
        if not uuid:
            return False
        if (robot.token, uuid) in self._seen_uuids:
            return True
        self._seen_uuids.add((robot.token, uuid))
        return False
