"""gettoken, and who may call what with the token it gives."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from tests.simulators.common.windows import Window
from tests.simulators.wecom.context import ApiError, Context, ok
from tests.simulators.wecom.world import App


@dataclass(eq=False)
class Token:
    value: str
    app: App
    expires: float
    invalid: bool = False


class Tokens:
    """One token for each secret; the same until it expires, unless it was invalidated."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._current: dict[int, Token] = {}
        self._all: dict[str, Token] = {}
        self._asking = Window(context.limits.token_calls_per_hour, 3600, context.clock)
        self._calls = Window(context.limits.calls_per_minute, 60, context.clock, 60)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/cgi-bin/gettoken", self._get), web.get("/cgi-bin/getcallbackip", self._addresses)]

    def invalidate(self, agent_id: int, *, renew: bool = True) -> None:
        """The platform drops a token early; without `renew` it keeps handing out the dead one."""
        token = self._current[agent_id]
        token.invalid = True
        if renew:
            del self._current[agent_id]

    def app_of(self, request: web.Request) -> App:
        """The calling app, or the refusal."""
        given = request.query.get("access_token", "")
        token = self._all.get(given)
        if not given:
            raise ApiError(41001, "access_token missing")
        if token is None or token.invalid:
            raise ApiError(40014, "invalid access_token")
        if token.expires <= self._context.clock():
            raise ApiError(42001, "access_token expired")
        app = token.app
        if app.disabled:
            raise ApiError(50003, "app is disabled")
        if app.trusted is not None and self._context.caller not in app.trusted:
            raise ApiError(60020, "not allow to access from your ip")
        if any(request.path.endswith(path) for path in app.forbidden):
            raise ApiError(48002, "api forbidden")
        if not self._calls.admit(request.path):
            raise ApiError(45009, "api freq out of limit")
        return app

    async def _get(self, request: web.Request) -> web.Response:
        if not self._asking.admit(self._context.caller):
            raise ApiError(45009, "api freq out of limit")
        if request.query.get("corpid") != self._context.world.corp_id:
            raise ApiError(40013, "invalid corpid")
        secret = request.query.get("corpsecret")
        app = next((app for app in self._context.world.apps.values() if app.secret == secret), None)
        if app is None:
            raise ApiError(40001, "invalid credential")
        token = self._current.get(app.agent_id)
        if token is None or token.expires <= self._context.clock():
            seconds = self._context.limits.token_seconds
            token = Token(self._context.serial("tok-"), app, self._context.clock() + seconds)
            self._current[app.agent_id] = self._all[token.value] = token
        left = int(token.expires - self._context.clock())
        return ok(access_token=token.value, expires_in=left)

    async def _addresses(self, request: web.Request) -> web.Response:
        self.app_of(request)
        return ok(ip_list=["127.0.0.1"])
