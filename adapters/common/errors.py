"""Outcomes of sending that every platform has, besides the port's own."""

from storage.ports import Refused, Retry


class Throttled(Retry):
    """Too fast; carries the moment from which it is worth trying."""


class TokenDead(Retry):
    """The access token is no longer accepted: once more with a new one."""


class Misconfigured(Retry):
    """The platform does not want us as we are configured: nothing goes until somebody mends it."""


class NotPermitted(Refused):
    """The platform does not let us do this."""
