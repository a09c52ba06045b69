"""HTTP callback mode: posting to our URL as the platform does, and as a forger would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.webhooks import sign
from tests.simulators.dingtalk.world import App


@dataclass(frozen=True)
class Answer:
    """What our side said; status 0 means it did not answer at all."""

    status: int
    body: bytes = b""

    @property
    def json(self) -> Json | None:
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    @property
    def silent(self) -> bool:
        """The answer says nothing into the chat."""
        return str((self.json or {}).get("msgtype", "empty")) == "empty"


class Callbacks:
    """Keeps what it posted, so that a test can replay it byte for byte."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._session: aiohttp.ClientSession | None = None
        self.posted: list[tuple[str, bytes, dict[str, str]]] = []

    async def robot_message(
        self, app: App, body: bytes, *, secret: str | None = None, age: float = 0, signature: str | None = None
    ) -> Answer:
        """Post a robot message. `secret` signs with a wrong one, `age` seconds ago, `signature` is sent as it is."""
        timestamp = str(self._context.now_ms() - int(age * 1000))
        good = sign(app.client_secret if secret is None else secret, timestamp)
        headers = {"timestamp": timestamp, "sign": good if signature is None else signature}
        return await self.post(app.robot_url, body, headers)

    async def unsigned(self, app: App, body: bytes) -> Answer:
        return await self.post(app.robot_url, body, {})

    async def replay(self, index: int = -1) -> Answer:
        """The same bytes with the same headers once more."""
        url, body, headers = self.posted[index]
        return await self._send(url, body, headers)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        full = {"Content-Type": "application/json; charset=utf-8", **headers}
        self.posted.append((url, body, full))
        return await self._send(url, body, full)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                return Answer(response.status, await response.read())
        except aiohttp.ClientError:
            return Answer(0)
