"""Reading the console's forms: everything a browser sends is checked here, and a bad one is refused."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

from aiohttp import web
from multidict import MultiDictProxy

from adapters.web.stage import Refusal
from adapters.web.words import words
from storage.settings import parse_duration

LONGEST_PUSH = timedelta(days=1)

Form: TypeAlias = MultiDictProxy[Any]
Page: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guarded(handler: Page) -> Page:
    """Answers a Refusal with its status, and a body that is not text with 400."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return web.Response(text=refusal.text, status=refusal.status)
        except (UnicodeDecodeError, LookupError) as error:
            if isinstance(error, LookupError) and "encoding" not in str(error):
                raise
            return web.Response(text=words()["error"]["broken"], status=400)

    return answer


async def read_form(request: web.Request) -> Form:
    """The form. A page elsewhere cannot set this header without asking first, and nobody answers that question."""
    if request.headers.get("HX-Request") != "true":
        raise Refusal(403, "origin")
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refusal(415, "broken")
    return await request.post()


def text_of(form: Form, name: str) -> str:
    """A text field; empty when it is not there."""
    value = form.get(name, "")
    if not isinstance(value, str) or "\x00" in value or "\ufffd" in value:
        raise Refusal(400, "broken")
    return value


def nonce_of(form: Form) -> str:
    """What makes a repeated post the same message."""
    nonce = text_of(form, "nonce")
    if not (nonce.isascii() and nonce.isalnum() and len(nonce) == 32):
        raise Refusal(400, "broken")
    return nonce


def span_of(form: Form) -> timedelta:
    """How far to push the clock: more than nothing, a day at most."""
    try:
        span = parse_duration(text_of(form, "by"))
    except (ValueError, OverflowError) as error:
        raise Refusal(400, "broken") from error
    if not timedelta() < span <= LONGEST_PUSH:
        raise Refusal(400, "broken")
    return span
