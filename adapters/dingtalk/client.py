"""Calling DingTalk: one place for tokens, pace, quotas, time-outs and the meaning of errors."""

import json
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog

from adapters.common.bodies import read_limited
from adapters.common.errors import NotPermitted, Throttled, TokenDead
from adapters.common.pace import PATIENCE, Pace
from adapters.dingtalk.errors import ADDRESS_BLOCK, QuotaGone, api_error, oapi_error
from adapters.dingtalk.limits import CALLS, CHINA, Count, Quota
from adapters.dingtalk.token import Tokens
from adapters.dingtalk.words import words
from storage.clock import Clock
from storage.messages import Urgency
from storage.ports import Retry, SendError, Unsure
from storage.settings import DingTalkSettings

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5, sock_read=8)
LARGEST_ANSWER = 1 << 20
Json = dict[str, Any]

log = structlog.get_logger(__name__)


class Client:
    """All calls raise SendError; what they return is the platform's JSON."""

    def __init__(
        self,
        settings: DingTalkSettings,
        http: aiohttp.ClientSession,
        clock: Clock,
        count: Count,
        patience: timedelta = PATIENCE,
    ) -> None:
        self.settings, self.http, self.clock = settings, http, clock
        self.tokens = Tokens(settings, http, clock)
        self.api_quota = Quota("api", settings.monthly_api, clock, count)
        self.push_quota = Quota("push", settings.monthly_push, clock, count)
        self._pace = Pace(clock, CALLS)
        self._patience = patience
        self._blocked_until: datetime | None = None
        self._missing: dict[str, str] = {}

    @property
    def robot_code(self) -> str:
        return self.settings.robot_code or self.settings.client_id

    def trouble(self) -> str:
        """What operators should know about calling, or empty."""
        if self._blocked_until and self.clock.now() < self._blocked_until:
            return words("trouble.blocked", until=f"{self._blocked_until.astimezone(CHINA):%H:%M}")
        if self._missing:
            return words("trouble.permission", detail=" ".join(self._missing.values()))
        return self.api_quota.warning() or self.push_quota.warning()

    async def flush(self) -> None:
        """Write the monthly counts: the process ends."""
        await self.api_quota.flush()
        await self.push_quota.flush()

    async def api(
        self, method: str, path: str, body: Json | None = None, *, query: dict[str, str] | None = None,
        urgency: Urgency = Urgency.NOTICE, optional: bool = False,
    ) -> Json:  # fmt: skip
        """Call the new API. ``optional``: operators are not told when the app lacks the permission."""
        await self.api_quota.check(urgency)
        self._refuse_while_blocked()
        try:
            answer = await self._persevering(method, path, body, query)
        except QuotaGone:
            self.api_quota.used_up()
            raise
        except NotPermitted as error:
            if not optional:
                self._missing[path] = error.reason
            raise
        self._missing.pop(path, None)
        return answer

    async def webhook(self, url: str, body: Json, urgency: Urgency) -> Json:
        """Post to a session webhook or a custom robot."""
        await self.push_quota.check(urgency)
        try:
            answer = await self._old("POST", url, data=_dump(body), headers={"Content-Type": "application/json"})
        except QuotaGone:
            self.push_quota.used_up()
            raise
        await self.push_quota.spend()
        return answer

    async def oapi_form(self, path: str, query: dict[str, str], form: "FormMaker") -> Json:
        """Post a form to the old API, with the token in the query as it wants it."""
        for last in (False, True):
            token = await self.tokens.get()
            params = {**query, "access_token": token}
            try:
                return await self._old("POST", self.settings.oapi_base + path, params=params, data=form.make())
            except TokenDead:
                self.tokens.drop(token)
                if last:
                    raise
        raise AssertionError("unreachable")

    async def _persevering(self, method: str, path: str, body: Json | None, query: dict[str, str] | None) -> Json:
        """Call; once more with a new token when it was refused, and once more when the second was full after all."""
        tried: set[type[SendError]] = set()
        while True:
            token = await self.tokens.get()
            await self._pace.admit(f"{method} {path}", self._patience)
            try:
                return await self._api_once(token, method, path, body, query)
            except TokenDead:
                self.tokens.drop(token)
                if TokenDead in tried:
                    raise
                tried.add(TokenDead)
            except Throttled as error:
                self._pace.block(f"{method} {path}", error.not_before or self.clock.now())
                if Throttled in tried or not self._patience:
                    raise
                tried.add(Throttled)

    async def _api_once(
        self, token: str, method: str, path: str, body: Json | None, query: dict[str, str] | None
    ) -> Json:
        self._refuse_while_blocked()
        headers = {"x-acs-dingtalk-access-token": token, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = self.settings.api_base + path
        data = None if body is None else _dump(body)
        status, raw = await self._request(method, url, data=data, params=query, headers=headers)
        answer = self._parse(status, raw)
        error = api_error(status, answer, self.clock.now()) if status >= 400 else None
        if not _uncounted(error):
            await self.api_quota.spend()
        if error is not None:
            raise error
        return answer

    async def _old(self, method: str, url: str, **options: Any) -> Json:
        self._refuse_while_blocked()
        status, raw = await self._request(method, url, **options)
        answer = self._parse(status, raw)
        error = api_error(status, answer, self.clock.now()) if status >= 400 else oapi_error(answer, self.clock.now())
        if error is not None:
            raise error
        return answer

    async def _request(self, method: str, url: str, **options: Any) -> tuple[int, bytes]:
        """Status and body. No connection: Retry, nothing was written; anything later: Unsure."""
        try:
            async with self.http.request(method, url, timeout=TIMEOUT, allow_redirects=False, **options) as response:
                return response.status, await read_limited(response, LARGEST_ANSWER)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Retry(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unsure(type(error).__name__) from error

    def _parse(self, status: int, raw: bytes) -> Json:
        """The JSON object; a page instead of one, with status 200, is how a blocked address is told."""
        try:
            value = json.loads(raw)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        if status < 400:
            self._blocked_until = self.clock.now() + ADDRESS_BLOCK
            log.warning("dingtalk answered with a page, pausing", seconds=ADDRESS_BLOCK.total_seconds())
            raise Retry("address blocked", self._blocked_until)
        return {}

    def _refuse_while_blocked(self) -> None:
        if self._blocked_until:  # never longer than this: the clock may have been set back since
            self._blocked_until = min(self._blocked_until, self.clock.now() + ADDRESS_BLOCK)
        if self._blocked_until and self.clock.now() < self._blocked_until:
            raise Retry("address blocked", self._blocked_until)


class FormMaker:
    """A file to upload; a form can be sent only once, so it is made anew for each try."""

    def __init__(self, name: str, data: bytes) -> None:
        self._name, self._data = name, data

    def make(self) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("media", self._data, filename=self._name)
        return form


def _uncounted(error: SendError | None) -> bool:
    """Throttled and unauthenticated calls do not count towards the month."""
    return isinstance(error, Retry | QuotaGone) and not isinstance(error, Unsure)


def _dump(body: Json) -> bytes:
    # Not aiohttp's json=: its escapes would double the size of Chinese text, and sizes are limited.
    return json.dumps(body, ensure_ascii=False).encode()
