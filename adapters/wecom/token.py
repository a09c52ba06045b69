"""The access token: fetched once for all who ask at the same time, renewed before its end, dropped when refused."""

import asyncio
import json
from datetime import datetime, timedelta

import aiohttp

from adapters.wecom.errors import Misconfigured, Throttled, api_error, http_error
from storage.clock import Clock
from storage.ports import Refused, Retry
from storage.settings import WeComSettings

EARLY = timedelta(minutes=5)
SAME_AGAIN = timedelta(seconds=30)
"""The platform may hand out the very token it refuses; asking at once again would only count against us."""
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class Tokens:
    """One token for the app. Errors are Retry; Misconfigured when the credentials are wrong."""

    def __init__(self, settings: WeComSettings, http: aiohttp.ClientSession, clock: Clock) -> None:
        self._settings, self._http, self._clock = settings, http, clock
        self._value = self._refused = ""
        self._renew_at = clock.now()
        self._not_before: datetime | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """A token that is valid as far as we know."""
        async with self._lock:
            if not self._value or self._clock.now() >= self._renew_at:
                await self._fetch()
            return self._value

    def drop(self, token: str) -> None:
        """``token`` was refused; a newer one, fetched meanwhile by another call, stays."""
        if token == self._value:
            self._value, self._refused = "", token

    async def _fetch(self) -> None:
        if self._not_before is not None and self._clock.now() < self._not_before:
            raise Retry("token refused", self._not_before)
        answer = await self._ask()
        error = api_error(answer, self._clock.now())
        if error is None and not isinstance(answer.get("access_token"), str):
            error = Retry("no token in the answer")
        if isinstance(error, Throttled):
            self._not_before = error.not_before
        if isinstance(error, Refused):
            raise Misconfigured(error.reason)
        if error is not None:
            raise error
        self._keep(answer)

    async def _ask(self) -> dict[str, object]:
        secret = self._settings.agent_secret.get_secret_value()
        query = {"corpid": self._settings.corp_id, "corpsecret": secret}
        url = f"{self._settings.api_base}/cgi-bin/gettoken"
        try:
            async with self._http.get(url, params=query, timeout=TIMEOUT) as response:
                status, raw = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Retry(f"token: {type(error).__name__}") from None
        if status >= 400:
            raise Retry(http_error(status).reason)
        return _json(raw)

    def _keep(self, answer: dict[str, object]) -> None:
        self._value = str(answer["access_token"])
        self._not_before = None
        if self._value == self._refused:
            self._not_before = self._clock.now() + SAME_AGAIN
        seconds = answer.get("expires_in")
        lasts = timedelta(seconds=seconds if isinstance(seconds, int) and seconds > 0 else 7200)
        self._renew_at = self._clock.now() + max(lasts - EARLY, lasts / 2)


def _json(raw: bytes) -> dict[str, object]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {"errcode": -1}
    return value if isinstance(value, dict) else {"errcode": -1}
