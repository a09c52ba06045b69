"""Presses on cards, of the app and of the robot: an :class:`Incoming` with ``click`` set."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from adapters.wecom.fields import BadPayload, Json, items, moment, part, text
from adapters.wecom.receive import PLATFORM, check_receiver, direct, placed
from storage.messages import Address, Incoming, Sender

SUBMIT = "submit"
"""Key of the button that sends what was chosen in a card; the choices are the value then, one a line."""
CARD, USER, PLACE = "wecom_card", "wecom_user", "wecom_place"


@dataclass(frozen=True)
class Click:
    """One press: who, on which card, what; ``code`` lets an app update the card once, ``url`` takes one answer."""

    account: str
    user: str
    task: str
    value: str
    place: Address
    at: datetime
    code: str = ""
    serial: str = ""
    url: str = ""

    @property
    def fingerprint(self) -> tuple[str, str, str]:
        return self.user, self.task, self.value

    @property
    def message_id(self) -> str:
        """The same for every delivery of the same press. A second is too coarse, so everything known goes in."""
        known = [self.user, self.at.isoformat(), self.task, self.value, self.code, self.serial]
        return "click-" + hashlib.sha256(json.dumps(known).encode()).hexdigest()[:40]

    def incoming(self, ways: dict[str, str]) -> Incoming:
        """The message it amounts to, with the ``ways`` back. The user id is the platform's word: it is verified."""
        return Incoming(
            platform=PLATFORM,
            account=self.account,
            message_id=self.message_id,
            conversation=self.place,
            sender=Sender(account=self.user),
            written_at=self.at,
            click=self.value,
            hints={**ways, CARD: self.task, USER: self.user, PLACE: str(self.place)},
        )


def read_app_click(body: Json, corp_id: str, agent_id: int, account: str, now: datetime) -> Click:
    """A press on a card of the app. BadPayload when it says nothing."""
    check_receiver(body, corp_id, agent_id)
    user, task = text(body, "FromUserName"), text(body, "TaskId")
    chosen = [
        option
        for item in items(part(body, "SelectedItems"), "SelectedItem")
        for option in _listed(part(item, "OptionIds").get("OptionId"))
    ]
    value = _value(text(body, "EventKey"), chosen)
    if not user or not task or not text(body, "EventKey"):
        raise BadPayload("user, task or key missing")
    at = min(moment(body.get("CreateTime")) or now, now)
    return Click(account, user, task, value, direct(user), at, code=text(body, "ResponseCode"))


def read_aibot_click(body: Json, bot_id: str, now: datetime) -> Click:
    """A press on a card of the robot: the particulars are one level deeper than the event."""
    user, place = placed(body, bot_id)
    detail = part(part(body, "event"), "template_card_event")
    chosen = [
        option
        for item in items(part(detail, "selected_items"), "selected_item")
        for option in _listed(part(item, "option_ids").get("option_id"))
    ]
    value, task = _value(text(detail, "event_key"), chosen), text(detail, "task_id")
    if not text(detail, "event_key") or not task:
        raise BadPayload("task or key missing")
    at = min(moment(body.get("create_time")) or now, now)
    return Click(bot_id, user, task, value, place, at, serial=text(body, "msgid"), url=text(body, "response_url"))


def _listed(value: object) -> list[str]:
    """Texts of a list, or of the single one that XML makes no list of."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _value(key: str, chosen: list[str]) -> str:
    """A button carries its value; a card to choose from, the options chosen."""
    return "\n".join(option for option in chosen if option) if key == SUBMIT else key
