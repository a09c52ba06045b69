"""DingTalk's access token."""

import aiohttp

from adapters.common.bodies import json_object
from adapters.common.errors import Misconfigured
from adapters.common.token import Token
from adapters.dingtalk.errors import api_error
from storage.clock import Clock
from storage.ports import Retry
from storage.settings import DingTalkSettings

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class Tokens(Token):
    """By key and secret of the app."""

    def __init__(self, settings: DingTalkSettings, http: aiohttp.ClientSession, clock: Clock) -> None:
        super().__init__(clock)
        self._settings, self._http = settings, http

    async def _fetch(self) -> None:
        url = f"{self._settings.api_base}/v1.0/oauth2/accessToken"
        secret = self._settings.client_secret.get_secret_value()
        body = {"appKey": self._settings.client_id, "appSecret": secret}
        try:
            async with self._http.post(url, json=body, timeout=TIMEOUT) as response:
                status, raw = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Retry(f"token: {type(error).__name__}") from error
        answer = json_object(raw)
        if status == 200 and isinstance(answer.get("accessToken"), str):
            self._keep(str(answer["accessToken"]), answer.get("expireIn"))
            return
        refusal = api_error(status, answer, self._clock.now())
        raise refusal if isinstance(refusal, Retry) else Misconfigured(refusal.reason)
