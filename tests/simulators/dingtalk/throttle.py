"""Counting and refusing: per second, per minute with a block, per month."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta, timezone

from tests.simulators.common.schedule import Clock
from tests.simulators.common.windows import Window
from tests.simulators.dingtalk.errors import MONTHLY, QPS, ApiError
from tests.simulators.dingtalk.limits import Limits

CHINA = timezone(timedelta(hours=8))


class Throttles:
    """All counters of the platform. A throttled call does not count towards the month."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock, self._limits = clock, limits
        self.api_used: dict[str, int] = defaultdict(int)
        self.push_used: dict[str, int] = defaultdict(int)
        self._api = Window(limits.api_calls_per_second, 1.0, clock)
        self._token = Window(limits.token_calls_per_minute, 60, clock)
        self._webhook = Window(limits.webhook_per_minute, 60, clock, limits.webhook_block_seconds)
        self._address = Window(limits.ip_calls, limits.ip_window_seconds, clock, limits.ip_block_seconds)

    def address_allowed(self, address: str) -> bool:
        return self._address.admit(address)

    def api_call(self, app: str, api: str) -> None:
        """Admit one call of the new API or raise the refusal it gets."""
        if not self._api.admit(f"{app} {api}"):
            raise ApiError(403, QPS, "qps limit")
        limit = self._limits.monthly_api
        if limit and self.api_used[self._month()] >= limit:
            raise ApiError(403, MONTHLY, "monthly calls are used up")
        self.api_used[self._month()] += 1

    def token_call(self, app: str) -> bool:
        return self._token.admit(app)

    def custom_webhook(self, token: str) -> bool:
        return self._webhook.admit(token)

    def push(self) -> bool:
        """Count one webhook or stream message; False when the month is used up."""
        limit = self._limits.monthly_push
        if limit and self.push_used[self._month()] >= limit:
            return False
        self.push_used[self._month()] += 1
        return True

    def _month(self) -> str:
        return datetime.fromtimestamp(self._clock(), CHINA).strftime("%Y-%m")
