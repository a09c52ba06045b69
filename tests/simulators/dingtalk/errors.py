"""The two shapes of refusal: the new API (HTTP 4xx with a code) and the old (HTTP 200 with an errcode)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

QPS = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
MONTHLY = "Forbidden.AccessDenied.ApiCountLimitForOrg"
NO_SCOPE = "Forbidden.AccessDenied.AccessTokenPermissionDenied"


class ApiError(Exception):
    """A refusal of the new API."""

    def __init__(self, status: int, code: str, message: str = "", **extra: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.extra = status, code, message, extra

    def response(self) -> web.Response:
        body = {"code": self.code, "requestid": "0F5-SIM", "message": self.message or self.code, **self.extra}
        return web.json_response(body, status=self.status)


class OapiError(Exception):
    """A refusal of the old API."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode, self.errmsg = errcode, errmsg

    def response(self) -> web.Response:
        return web.json_response({"errcode": self.errcode, "errmsg": self.errmsg})


def invalid(code: str, message: str = "") -> ApiError:
    return ApiError(400, code, message)
