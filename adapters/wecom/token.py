"""WeCom's access token: the platform may hand out the very one it refuses, and counts who asks too often."""

from datetime import datetime, timedelta

import aiohttp

from adapters.common.bodies import json_object
from adapters.common.errors import Misconfigured, Throttled
from adapters.common.token import Token
from adapters.wecom.errors import api_error, http_error
from storage.clock import Clock
from storage.ports import Refused, Retry
from storage.settings import WeComSettings

SAME_AGAIN = timedelta(seconds=30)
"""How long not to ask again after the same token came."""
BUSY = {"errcode": -1}
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class Tokens(Token):
    """By corp id and secret of the app."""

    def __init__(self, settings: WeComSettings, http: aiohttp.ClientSession, clock: Clock) -> None:
        super().__init__(clock)
        self._settings, self._http = settings, http
        self._not_before: datetime | None = None

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
        self._keep(str(answer["access_token"]), answer.get("expires_in"))
        again = self._value == self._refused
        self._not_before = self._clock.now() + SAME_AGAIN if again else None

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
        return json_object(raw) or dict(BUSY)
