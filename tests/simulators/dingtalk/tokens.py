"""Access tokens: one per app, the same while valid and prolonged by each call, forced out when a test says so."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import QPS, ApiError, OapiError
from tests.simulators.dingtalk.world import App


@dataclass
class Token:
    value: str
    app: App
    expires_at: float
    revoked: bool = False


class Tokens:
    """The three token calls and the checks of the two API families."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tokens: dict[str, Token] = {}
        self._current: dict[str, Token] = {}
        self.issued = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1.0/oauth2/accessToken", self._new),
            web.post("/v1.0/oauth2/{corp_id}/token", self._corp),
            web.get("/gettoken", self._old),
        ]

    def invalidate(self, client_id: str) -> None:
        """The token in use dies now, in the middle of whatever the client does."""
        current = self._current.pop(client_id, None)
        if current:
            current.revoked = True

    def check_new(self, value: str) -> App:
        """The app behind a header token, or the HTTP 400 that a dead one gets."""
        token = self._tokens.get(value)
        if token is None or token.revoked or token.expires_at <= self._context.clock():
            raise ApiError(400, "InvalidAuthentication", "不合法的access_token")
        return token.app

    def check_old(self, value: str) -> App:
        """The app behind a query token, or the errcode that a missing, unknown or expired one gets."""
        if not value:
            raise OapiError(41001, "缺少access_token参数")
        token = self._tokens.get(value)
        if token is None or token.revoked:
            raise OapiError(40014, "不合法的access_token")
        if token.expires_at <= self._context.clock():
            raise OapiError(42001, "access_token超时")
        return token.app

    async def _new(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        app = self._app(body.get("appKey"), body.get("appSecret"))
        if app is None:
            raise ApiError(400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        token = self._issue(app)
        return web.json_response({"accessToken": token.value, "expireIn": self._left(token)})

    async def _corp(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        app = self._app(body.get("client_id"), body.get("client_secret"))
        wanted = request.match_info["corp_id"]
        if app is None or app.corp_id != wanted or body.get("grant_type") != "client_credentials":
            raise ApiError(400, "invalid.client")
        token = self._issue(app)
        return web.json_response({"access_token": token.value, "expires_in": self._left(token)})

    async def _old(self, request: web.Request) -> web.Response:
        app = self._app(request.query.get("appkey"), request.query.get("appsecret"))
        if app is None:
            raise OapiError(40089, "不合法的corpid或corpsecret")
        token = self._issue(app)
        answer = {"errcode": 0, "errmsg": "ok", "access_token": token.value, "expires_in": self._left(token)}
        return web.json_response(answer)

    def _app(self, client_id: object, secret: object) -> App | None:
        app = self._context.world.apps.get(str(client_id))
        return app if app and app.client_secret == secret else None

    def _issue(self, app: App) -> Token:
        if not self._context.throttles.token_call(app.client_id):
            raise ApiError(403, QPS, "too many token calls")
        now = self._context.clock()
        token = self._current.get(app.client_id)
        if token is None or token.expires_at <= now:
            self.issued += 1
            token = Token(self._context.serial("token-"), app, 0)
            self._tokens[token.value] = self._current[app.client_id] = token
        token.expires_at = now + self._context.limits.token_seconds
        return token

    def _left(self, token: Token) -> int:
        return int(token.expires_at - self._context.clock())
