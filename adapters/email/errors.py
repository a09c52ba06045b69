"""What a mail server's refusals mean for a mail: try again, or give up.

The tree adds to the port's::

    Retry
    ├── Misconfigured      wrong name or password: nothing goes until somebody mends it
    │   └── SenderRefused  our own address may not send there: that says nothing about whom a mail is for
    └── NotSecure          the server does not offer the encryption that is configured; never sent without

Reasons carry the server's code and words, cut short, so that an operator can look them up.
"""

import re
import ssl
from typing import Literal

import aiosmtplib

from adapters.email.words import words
from storage.ports import Refused, Retry, SendError, Unsure

LONGEST_REASON = 120
Stage = Literal["MAIL", "RCPT", "DATA"]
"""Who it is from, whom it is for, what it says."""
_ABOUT_US = re.compile(
    r"\b5\.1\.[78]\b|\b5\.7\.60\b|relay|send as this sender"
    r"|not owned by|sender address rejected|must (?:be same|equal)",
    re.IGNORECASE,
)
"""Servers that say only later that our address may not send (RFC 3463: bad sender)."""
LOGIN_CODES = {530, 534, 535, 538}
"""The server wants another login (RFC 4954): that is our configuration and says nothing about the address."""


class Misconfigured(Retry):
    """The server does not let us in."""


class SenderRefused(Misconfigured):
    """The server does not take mail from our address."""


class NotSecure(Retry):
    """No connection as safe as configured."""


def connect_error(error: Exception) -> SendError:
    """Why there is no connection. Never final for a mail: it waits until the server is back or mended."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return NotSecure(short(getattr(cause, "verify_message", "") or cause.reason or "TLS"))
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Misconfigured(short(f"{error.code} {error.message}"))
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Retry(short(f"{error.code} {error.message}"))
    if "STARTTLS" in str(error):
        return NotSecure(short(str(error)))
    return Retry(short(str(error) or type(error).__name__))


def command_error(error: Exception, stage: Stage) -> SendError:
    """What became of one mail. 4xx: again; a connection lost once it was written may have delivered it.

    5xx is final for whom it is for, once he has been named. Before that, or when the server says so, it is about us;
    and what is refused after the words is refused for them, not for his address.
    """
    written = stage == "DATA"
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        reason = short(str(error) or type(error).__name__)
        return Unsure(reason) if written else Retry(reason)
    reason = short(f"{error.code} {error.message}")
    if error.code in LOGIN_CODES:
        return Misconfigured(reason)
    if error.code < 0 or error.code == 421:
        return Unsure(reason) if written and error.code < 0 else Retry(reason)
    if error.code < 500:
        return Retry(reason)
    if stage == "MAIL" or _ABOUT_US.search(reason):
        return SenderRefused(reason)
    return Refused(words("refused.content", detail=reason) if written else reason)


def short(reason: str) -> str:
    """One line of a length that fits a sentence."""
    return " ".join(reason.split())[:LONGEST_REASON]
