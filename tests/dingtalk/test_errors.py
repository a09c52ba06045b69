"""What each refusal of the platform means for a message: the codes of the protocol notes, one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.common.errors import Misconfigured, NotPermitted, Throttled, TokenDead
from adapters.dingtalk.errors import QuotaGone, SessionGone, api_error, oapi_error
from storage.ports import Refused, Retry, SendError, Unsure

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
FORBIDDEN = "Forbidden.AccessDenied."
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidAuthentication", TokenDead),
        (401, "", TokenDead),
        (401, "authFailed", Misconfigured),
        (400, "invalidClientIdOrSecret", Misconfigured),
        (400, "invalid.client", Misconfigured),
        (403, FORBIDDEN + "QpsLimitForAppkeyAndApi", Throttled),
        (403, FORBIDDEN + "QpmLimitForAppkeyAndApi", Throttled),
        (403, FORBIDDEN + "QpsLimitForApi", Throttled),
        (400, "send.too.fast", Throttled),
        (400, "send.byToken.tooFast", Throttled),
        (400, "too.many.group", Throttled),
        (400, "too.many.people", Throttled),
        (400, "toomuch.msg", Throttled),
        (403, FORBIDDEN + "ApiCountLimitForOrg", QuotaGone),
        (403, FORBIDDEN + "AccessTokenPermissionDenied", NotPermitted),
        (403, FORBIDDEN + "IpNotInWhiteList", NotPermitted),
        (504, "", Unsure),
        (500, "system.error", Retry),
        (400, "system.busy", Retry),
        (503, "", Retry),
        (400, "invalidParameter.robotCode.auth", Refused),
        (400, "invalidParameter.msgParam.tooLong", Refused),
        (400, "group.disbanded", Refused),
        (400, "contain.notAllowed.text", Refused),
        (400, "staffId.notExisted", Refused),
    ],
)
def test_a_refusal_of_the_new_api(status: int, code: str, kind: type[SendError]) -> None:
    assert type(api_error(status, {"code": code} if code else {}, NOW)) is kind
    assert type(api_error(status, {"Code": code} if code else {}, NOW)) is kind, "both spellings are in the field"


@pytest.mark.parametrize(
    ("body", "kind", "wait"),
    [
        ({"errcode": -1}, Retry, None),
        ({"errcode": "-1"}, Retry, None),
        ({"errcode": 15}, Unsure, None),
        ({"errcode": 88}, Unsure, None),
        ({"errcode": 88, "sub_code": "40014"}, TokenDead, None),
        *[({"errcode": code}, TokenDead, None) for code in (33001, 40001, 40014, 41001, 42001)],
        ({"errcode": 410100}, Throttled, 10 * MINUTE),
        ({"errcode": 130101}, Throttled, 10 * MINUTE),
        ({"errcode": 90018}, Throttled, timedelta(seconds=1)),
        ({"errcode": 90002}, Throttled, timedelta(seconds=1)),
        ({"errcode": 90020}, QuotaGone, None),
        ({"errcode": 90030}, QuotaGone, None),
        ({"errcode": 60011}, NotPermitted, None),
        ({"errcode": 60020}, NotPermitted, None),
        ({"errcode": 300001}, SessionGone, None),
        ({"errcode": 310000, "errmsg": "description:机器人发送签名不匹配"}, Refused, None),
        ({"errcode": 400013}, Refused, None),
        ({"errcode": 460101}, Refused, None),
        ({"errcode": {}}, Retry, None),
    ],
)
def test_an_errcode_of_the_old_api(body: dict[str, Any], kind: type[SendError], wait: timedelta | None) -> None:
    error = oapi_error(body, NOW)
    assert type(error) is kind
    assert getattr(error, "not_before", None) == (NOW + wait if wait else None)


@pytest.mark.parametrize("body", [{"errcode": 0}, {"errcode": "0", "errmsg": "ok"}, {}])
def test_what_succeeded_is_no_error(body: dict[str, Any]) -> None:
    assert oapi_error(body, NOW) is None
