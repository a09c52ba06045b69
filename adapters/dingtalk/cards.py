"""Interactive cards: shown once, then updated by key as the matter moves on.

A card's id follows from its name and place, so that after a restart it is found again without a table.
"""

import hashlib
from collections import OrderedDict

import structlog

from adapters.dingtalk.client import Client, Json
from adapters.dingtalk.render import card_data, title
from storage.messages import Address, Outgoing, Urgency
from storage.ports import Refused, SendError, Sent

ID_PREFIX = "huibao-"
REMEMBERED = 5000
BY_KEY = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
# The default replaces all data of the card, which would drop every value we do not repeat.

log = structlog.get_logger(__name__)


class Cards:
    """Usable when the configuration names a template."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._places: OrderedDict[str, Address] = OrderedDict()

    @property
    def on(self) -> bool:
        return bool(self._client.settings.card_template_id)

    def place_of(self, out_track_id: str) -> Address | None:
        """Where we showed this card, as far as this process remembers."""
        return self._places.get(out_track_id)

    def can_show(self, message: Outgoing) -> bool:
        return self.on and bool(message.actions) and card_data(message) is not None

    async def show(self, address: Address, message: Outgoing, key: str) -> Sent:
        """Create and deliver; a card that is there already is brought up to date instead. Raises SendError."""
        out_track_id = card_id(message.card or key, address)
        self._remember(out_track_id, address)
        body = {
            "cardTemplateId": self._client.settings.card_template_id,
            "outTrackId": out_track_id,
            "callbackType": "STREAM" if self._client.settings.receive == "stream" else "HTTP",
            "cardData": {"cardParamMap": card_data(message) or {}},
            "userIdType": 1,
            **self._space(address, message),
        }
        if body["callbackType"] == "HTTP":
            body["callbackRouteKey"] = self._route_key
        try:
            answer = await self._client.api(
                "POST", "/v1.0/card/instances/createAndDeliver", body, urgency=message.urgency
            )
        except Refused as error:
            if "cardAlreadyExist" not in error.reason:
                raise
            await self._update(out_track_id, message)
            return Sent()
        return Sent(_carrier(answer))

    async def register_callback(self, public_url: str) -> None:
        """HTTP mode: tell DingTalk where clicks go and what to sign them with. Raises SendError."""
        secret = self._client.settings.card_callback_secret.get_secret_value()
        if not self.on or not public_url or not secret:
            return
        body = {
            "callbackRouteKey": self._route_key,
            "callbackUrl": f"{public_url.rstrip('/')}/dingtalk/card",
            "apiSecret": secret,
            "forceUpdate": True,
        }
        await self._client.api("POST", "/v1.0/card/callbacks/register", body)

    @property
    def _route_key(self) -> str:
        return ID_PREFIX + self._client.robot_code

    async def refresh(self, address: Address, message: Outgoing) -> None:
        """Bring the card of an earlier message to the new state; a card that was never shown is none of ours."""
        try:
            await self._update(card_id(message.card, address), message)
        except SendError as error:
            if "cardNotExist" not in error.reason:
                log.warning("a card was not updated", reason=error.reason)

    async def _update(self, out_track_id: str, message: Outgoing) -> None:
        data = card_data(message) or {"title": title(message), "buttons": "[]"}
        body = {"outTrackId": out_track_id, "cardData": {"cardParamMap": data}, "cardUpdateOptions": BY_KEY}
        await self._client.api("PUT", "/v1.0/card/instances", body, urgency=Urgency.NOTICE)

    def _space(self, address: Address, message: Outgoing) -> Json:
        robot = self._client.robot_code
        alert = {"alertContent": title(message), "notificationOff": False}
        if address.kind == "direct":
            return {
                "openSpaceId": f"dtv1.card//IM_ROBOT.{address.id}",
                "imRobotOpenSpaceModel": {"supportForward": False, "notification": alert},
                "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": robot},
            }
        people = {"@ALL": "@ALL"} if message.mention_all else {person: person for person in message.mentions}
        return {
            "openSpaceId": f"dtv1.card//IM_GROUP.{address.id}",
            "imGroupOpenSpaceModel": {"supportForward": False, "notification": alert},
            "imGroupOpenDeliverModel": {"robotCode": robot, "atUserIds": people},
        }

    def _remember(self, out_track_id: str, address: Address) -> None:
        self._places[out_track_id] = address
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)


def card_id(name: str, address: Address) -> str:
    """The outTrackId of a card in one place."""
    return ID_PREFIX + hashlib.sha256(f"{name}\n{address}".encode()).hexdigest()[:40]


def _carrier(answer: Json) -> str:
    """The id of the one delivery, or Refused: a failed delivery comes inside a success."""
    result = answer.get("result")
    results = result.get("deliverResults") if isinstance(result, dict) else None
    for delivered in results if isinstance(results, list) else []:
        if not delivered.get("success"):
            raise Refused(f"card not delivered: {delivered.get('errorMsg', '')}")
        return str(delivered.get("carrierId") or "")
    raise Refused("card not delivered")
