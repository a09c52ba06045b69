"""What DingTalk's refusals mean for a message: try again, ask for a new token, or give up.

The tree adds to the port's::

    Retry
    ├── TokenDead     a new token, then once more
    ├── Throttled     too fast; carries the moment from which it is worth trying
    └── Misconfigured wrong credentials: nothing goes until somebody mends it
    Refused
    ├── QuotaGone     the month is used up on this way out
    ├── NotPermitted  the app lacks a permission
    └── SessionGone   the session webhook has ended: take another way

Codes are from the protocol notes, section 7. Texts of errors are never matched: newer deployments translate them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.common.errors import Misconfigured, NotPermitted, Throttled, TokenDead
from storage.ports import Refused, Retry, SendError, Unsure

SECOND = timedelta(seconds=1)
WEBHOOK_BLOCK = timedelta(minutes=10)
ADDRESS_BLOCK = timedelta(minutes=5)
SOON = timedelta(seconds=10)

TOKEN_CODES = {"InvalidAuthentication"}
TOKEN_ERRCODES = {33001, 40001, 40014, 41001, 42001}
QUOTA_SUFFIX = "ApiCountLimitForOrg"
THROTTLE_CODES = ("QpsLimit", "QpmLimit", "send.too.fast", "send.byToken.tooFast", "too.many.", "toomuch.msg")
CREDENTIAL_CODES = {"authFailed", "invalidClientIdOrSecret", "invalid.client"}
PERMISSION_CODES = ("AccessTokenPermissionDenied", "IpNotInWhiteList")
BUSY_CODES = {"system.busy", "system.error", "ServiceUnavailable"}

THROTTLE_ERRCODES = {90002: SECOND, 90018: SECOND, 302033: SOON, 410100: WEBHOOK_BLOCK, 130101: WEBHOOK_BLOCK}
QUOTA_ERRCODES = {90020, 90030}
BUSY_ERRCODES = {-1}
PERMISSION_ERRCODES = {60011, 60020}
SESSION_ERRCODES = {300001}
GATEWAY_TIMEOUT_ERRCODES = {15}


class QuotaGone(Refused):
    """The monthly quota is used up."""


class SessionGone(Refused):
    """The session webhook has expired or is unknown."""


def api_error(status: int, body: Mapping[str, Any], now: datetime) -> SendError:
    """What an HTTP status above 399 of the new API means. ``body`` is empty when it was no JSON."""
    code = str(body.get("code") or body.get("Code") or "")
    reason = f"{status} {code}".strip()
    if code in CREDENTIAL_CODES:
        return Misconfigured(reason)
    if status == 401 or code in TOKEN_CODES:
        return TokenDead(reason)
    if code.endswith(QUOTA_SUFFIX):
        return QuotaGone(reason)
    if any(part in code for part in THROTTLE_CODES):
        return Throttled(reason, now + (SECOND if "Limit" in code else SOON))
    if any(part in code for part in PERMISSION_CODES):
        return NotPermitted(f"{reason} {_scopes(body)}".strip())
    if status in {502, 504}:
        return Unsure(reason)
    if status >= 500 or code in BUSY_CODES or status in {408, 429}:
        return Retry(reason)
    return Refused(reason)


def oapi_error(body: Mapping[str, Any], now: datetime) -> SendError | None:
    """What the errcode of the old API means; None: it succeeded. The docs show errcode as a string once."""
    try:
        errcode = int(body.get("errcode", 0))
    except (TypeError, ValueError):
        return Retry("errcode unreadable")
    if errcode == 0:
        return None
    reason = f"errcode {errcode}"
    if errcode in TOKEN_ERRCODES or (errcode == 88 and body.get("sub_code")):
        return TokenDead(reason)
    if errcode in THROTTLE_ERRCODES:
        return Throttled(reason, now + THROTTLE_ERRCODES[errcode])
    kinds: list[tuple[set[int], type[SendError]]] = [
        (QUOTA_ERRCODES, QuotaGone),
        (PERMISSION_ERRCODES, NotPermitted),
        (SESSION_ERRCODES, SessionGone),
        (BUSY_ERRCODES, Retry),
        (GATEWAY_TIMEOUT_ERRCODES | {88}, Unsure),
    ]
    return next((kind(reason) for codes, kind in kinds if errcode in codes), Refused(reason))


def _scopes(body: Mapping[str, Any]) -> str:
    detail = body.get("accessdenieddetail")
    scopes = detail.get("requiredScopes") if isinstance(detail, Mapping) else None
    return " ".join(str(scope) for scope in scopes) if isinstance(scopes, list) else ""
