"""Signatures of HTTP callbacks and of custom robots. Compared in constant time, believed for one hour."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from adapters.dingtalk.frames import moment

WINDOW = timedelta(hours=1)


def robot_sign(secret: str, timestamp: str) -> str:
    """Of robot messages and custom robots: base64 of HMAC-SHA256 over "timestamp\\nsecret"; not url-encoded."""
    return _hmac(secret, f"{timestamp}\n{secret}")


def card_sign(secret: str, timestamp: str) -> str:
    """Of card callbacks: over the timestamp alone."""
    return _hmac(secret, timestamp)


def verified(expected: str, given: str, timestamp: str, now: datetime) -> bool:
    """Whether ``given`` is right and ``timestamp`` (milliseconds) within the hour."""
    signed_at = moment(timestamp)
    recent = signed_at is not None and abs(now - signed_at) <= WINDOW
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace")) and recent


def _hmac(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(errors="replace"), hashlib.sha256).digest()).decode()
