"""The access token: fetched once for all who ask at the same time, renewed before its end, dropped when refused."""

import asyncio
import json
from datetime import timedelta

import aiohttp

from adapters.dingtalk.errors import Misconfigured, api_error
from storage.clock import Clock
from storage.ports import Retry
from storage.settings import DingTalkSettings

EARLY = timedelta(minutes=5)
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class Tokens:
    """One token for the app. Errors are Retry; Misconfigured when the credentials are wrong."""

    def __init__(self, settings: DingTalkSettings, http: aiohttp.ClientSession, clock: Clock) -> None:
        self._settings, self._http, self._clock = settings, http, clock
        self._value = ""
        self._renew_at = clock.now()
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
            self._value = ""

    async def _fetch(self) -> None:
        url = f"{self._settings.api_base}/v1.0/oauth2/accessToken"
        secret = self._settings.client_secret.get_secret_value()
        body = {"appKey": self._settings.client_id, "appSecret": secret}
        try:
            async with self._http.post(url, json=body, timeout=TIMEOUT) as response:
                status, raw = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Retry(f"token: {type(error).__name__}") from error
        answer = _json(raw)
        if status == 200 and isinstance(answer.get("accessToken"), str):
            self._keep(answer)
            return
        refusal = api_error(status, answer, self._clock.now())
        raise refusal if isinstance(refusal, Retry) else Misconfigured(refusal.reason)

    def _keep(self, answer: dict[str, object]) -> None:
        self._value = str(answer["accessToken"])
        seconds = answer.get("expireIn")
        lasts = timedelta(seconds=seconds if isinstance(seconds, int) else 7200)
        self._renew_at = self._clock.now() + max(lasts - EARLY, lasts / 2)


def _json(raw: bytes) -> dict[str, object]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
