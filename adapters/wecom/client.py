"""Calling WeCom's REST side: one place for the token, time-outs and the meaning of errors.

Addresses carry the token and the keys of robots: they are never logged, nor do they stand in any error.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
import structlog

from adapters.common.bodies import read_limited
from adapters.common.errors import Misconfigured, NotPermitted, TokenDead
from adapters.common.pace import PATIENCE
from adapters.wecom.errors import Untrusted, api_error, http_error
from adapters.wecom.fields import Json, parse_object
from adapters.wecom.token import Tokens
from adapters.wecom.words import words
from storage.clock import Clock
from storage.ports import Refused, Retry, SendError, Unsure
from storage.settings import WeComSettings

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5, sock_read=8)
LARGEST_ANSWER = 1 << 20
MakeForm = Callable[[], aiohttp.FormData]
"""A form can be sent only once, so it is made anew for each try."""

log = structlog.get_logger(__name__)


class Client:
    """All calls raise SendError; what they return is the platform's JSON."""

    def __init__(
        self, settings: WeComSettings, http: aiohttp.ClientSession, clock: Clock, patience: timedelta = PATIENCE
    ) -> None:
        self.settings, self.http, self.clock, self.patience = settings, http, clock, patience
        self.tokens = Tokens(settings, http, clock)
        self._wrong: SendError | None = None
        self._missing: dict[str, str] = {}

    @property
    def has_app(self) -> bool:
        """The configuration names a self-built app that can send."""
        return bool(self.settings.corp_id and self.settings.agent_id and self.settings.agent_secret.get_secret_value())

    def trouble(self) -> str:
        """What operators should know about calling, or empty."""
        if isinstance(self._wrong, Untrusted):
            return words("trouble.untrusted", address=self._wrong.address)
        if self._wrong is not None:
            return words("trouble.credentials", detail=self._wrong.reason)
        if self._missing:
            return words("trouble.permission", detail=" ".join(sorted(set(self._missing.values()))))
        return ""

    async def call(
        self, method: str, path: str, body: Json | None = None, *, query: dict[str, str] | None = None,
        form: MakeForm | None = None,
    ) -> Json:  # fmt: skip
        """Call with the app's token; once more with a new one when it was refused."""
        answer = await self._keep_books(path, lambda: self._authorised(method, path, body, query, form))
        return _object(answer)

    async def download(self, path: str, query: dict[str, str], largest: int) -> bytes:
        """A file; the platform tells errors as JSON in its place."""
        return await self._keep_books(path, lambda: self._authorised("GET", path, None, query, None, largest))

    async def get(self, url: str, largest: int) -> bytes:
        """A file from elsewhere, without the token."""
        status, _, raw = await self._request("GET", url, largest)
        if status != 200:
            raise Refused(f"http {status}") if status in {403, 404, 410} else Retry(f"http {status}")
        return raw

    async def post(self, url: str, body: Json | None = None, form: MakeForm | None = None) -> Json:
        """Post to a group robot or a response address, which carry their own key."""
        return _object(await self._once("POST", url, body, {}, form, LARGEST_ANSWER))

    async def _keep_books(self, path: str, work: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            answer = await work()
        except Misconfigured as error:
            self._wrong = error
            raise
        except NotPermitted as error:
            self._missing[path] = f"{path.rpartition('/cgi-bin/')[2]}: {error.reason}"
            raise
        self._wrong = None
        self._missing.pop(path, None)
        return answer

    async def _authorised(
        self, method: str, path: str, body: Json | None, query: dict[str, str] | None, form: MakeForm | None,
        largest: int = LARGEST_ANSWER,
    ) -> bytes:  # fmt: skip
        url = f"{self.settings.api_base}/cgi-bin/{path}"
        for last in (False, True):
            token = await self.tokens.get()
            try:
                return await self._once(method, url, body, {**(query or {}), "access_token": token}, form, largest)
            except TokenDead:
                self.tokens.drop(token)
                if last:
                    raise
        raise AssertionError("unreachable")

    async def _once(
        self, method: str, url: str, body: Json | None, query: dict[str, str], form: MakeForm | None, largest: int
    ) -> bytes:
        data = form() if form is not None else None if body is None else dump(body)
        headers = {} if form is not None else {"Content-Type": "application/json"}
        status, kind, raw = await self._request(method, url, largest, data=data, params=query, headers=headers)
        if status >= 400:
            raise http_error(status)
        answer = parse_object(raw) if "json" in kind or raw.startswith(b"{") else None
        error = api_error(answer, self.clock.now()) if answer is not None else None
        if error is not None:
            raise error
        return raw

    async def _request(self, method: str, url: str, largest: int, **options: object) -> tuple[int, str, bytes]:
        """Status, type and body. No connection: Retry, nothing was written; anything later: Unsure."""
        sending = {"timeout": TIMEOUT, "allow_redirects": False, **options}
        try:
            async with self.http.request(method, url, **sending) as response:  # type: ignore[arg-type]
                return response.status, response.content_type, await read_limited(response, largest)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Retry(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unsure(type(error).__name__) from None


def _object(raw: bytes) -> Json:
    answer = parse_object(raw)
    if answer is None:
        raise Retry("the answer is no JSON")
    return answer


def dump(body: Json) -> bytes:
    """JSON as the platform wants it: it refuses escapes of Chinese characters (40033)."""
    return json.dumps(body, ensure_ascii=False).encode()
