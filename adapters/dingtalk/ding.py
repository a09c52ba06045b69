"""DING for urgent steps: in the app, next time by SMS, then by phone call; once in three minutes about one matter.

What the edition or its quota does not give is replaced by the next weaker way; an edition without DING switches
it off for a day. The ordinary message is always sent as well, so nothing hangs on DING.
"""

from datetime import datetime, timedelta

import structlog

from adapters.common.errors import NotPermitted
from adapters.dingtalk.client import Client
from adapters.dingtalk.render import plain
from storage.messages import Address, Outgoing
from storage.ports import Refused, SendError

APP, SMS, PHONE = 1, 2, 3
PAUSE = timedelta(minutes=3)
STEP_FORGOTTEN = timedelta(hours=2)
OFF_FOR = timedelta(days=1)
LONGEST = 500
VOICE = "Standard_Female_Voice"

log = structlog.get_logger(__name__)


class Ding:
    """Remembers how often somebody was rung up about something, to go one way further each time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rung: dict[tuple[Address, str], tuple[int, datetime]] = {}
        self._off_until: datetime | None = None

    @property
    def on(self) -> bool:
        off = self._off_until is not None and self._client.clock.now() < self._off_until
        return self._client.settings.ding and not off

    async def ring(self, address: Address, message: Outgoing) -> str:
        """Ring one person; the DING's id, or empty when no way was open or it has just rung about this."""
        for way in range(self._next_way(address, message.about), 0, -1):
            if not self.on:
                return ""
            ding_id = await self._try(way, address, message)
            if ding_id:
                return ding_id
        return ""

    def _next_way(self, address: Address, about: str) -> int:
        now = self._client.clock.now()
        self._rung = {key: rung for key, rung in self._rung.items() if now - rung[1] < STEP_FORGOTTEN}
        last, at = self._rung.get((address, about), (0, now - STEP_FORGOTTEN))
        if now - at < PAUSE:
            return 0
        way = min(last + 1, PHONE)
        self._rung[address, about] = (way, now)
        return way

    async def _try(self, way: int, address: Address, message: Outgoing) -> str:
        body = {
            "robotCode": self._client.robot_code,
            "remindType": way,
            "receiverUserIdList": [address.id],
            "content": plain(message)[:LONGEST],
        }
        if way == PHONE:
            body["callVoice"] = VOICE
        try:
            answer = await self._client.api(
                "POST", "/v1.0/robot/ding/send", body, urgency=message.urgency, optional=True
            )
        except NotPermitted as error:
            self._switch_off(error)
            return ""
        except SendError as error:
            log.warning("a DING was not sent", way=way, reason=error.reason)
            return ""
        failed = answer.get("failedList")
        return "" if failed else str(answer.get("openDingId") or "")

    def _switch_off(self, error: Refused) -> None:
        self._off_until = self._client.clock.now() + OFF_FOR
        log.warning("this edition has no DING, switched off for a day", reason=error.reason)
