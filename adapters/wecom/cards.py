"""Cards that were shown: what they are about, and the codes that let them be brought up to date.

Every send and every press gives a code that works once within three days. They live in memory: after a restart a card
stays as it is until somebody presses it, which gives a new code, and the answer to that press brings it up to date.
"""

import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from adapters.wecom.client import Client
from adapters.wecom.render import APP_CARD_TEXT, done_card, plain, shortened
from adapters.wecom.render import TITLE_LENGTH as HEADING
from storage.messages import Outgoing
from storage.ports import SendError

CODE_LASTS = timedelta(hours=71)
REMEMBERED = 3000

log = structlog.get_logger(__name__)


@dataclass
class Shown:
    """One card on the screens of those it was sent to."""

    task: str
    name: str
    heading: str
    users: tuple[str, ...]
    at: datetime
    codes: list[str] = field(default_factory=list)


class Cards:
    """Those of the app. A name is what the messages call the matter: a later one with that name replaces the state."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shown: OrderedDict[str, Shown] = OrderedDict()

    @staticmethod
    def new_task() -> str:
        """An id that no card of the app has had."""
        return f"hb-{uuid.uuid4().hex}"

    def remember(self, task: str, message: Outgoing, users: Sequence[str], code: str) -> None:
        """A card was shown to these people."""
        name = message.card or message.about
        heading = message.title or plain(message).strip().splitlines()[0]
        codes = [code] if code else []
        shown = Shown(task, name, shortened(heading, HEADING), tuple(users), self._client.clock.now(), codes)
        self._shown[task] = shown
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def pressed(self, task: str, user: str, code: str, state: str) -> None:
        """Show on the card of whoever pressed it what the press has led to."""
        shown = self._shown.get(task)
        await self._update(task, shown.heading if shown else "", [user], code, state)

    async def replace_state(self, message: Outgoing) -> None:
        """The matter has moved on: every card of that name shows it, as far as there is a code left."""
        now = self._client.clock.now()
        for shown in [one for one in self._shown.values() if one.name == message.card and one.codes]:
            code = shown.codes.pop()
            if now - shown.at < CODE_LASTS:
                await self._update(shown.task, shown.heading, shown.users, code, plain(message))

    async def _update(self, task: str, heading: str, users: Sequence[str], code: str, state: str) -> None:
        """Never a reason to fail: the words have been said already."""
        body = {
            "userids": list(users),
            "agentid": self._client.settings.agent_id,
            "response_code": code,
            "template_card": done_card(task, heading, state, APP_CARD_TEXT),
        }
        try:
            await self._client.call("POST", "message/update_template_card", body)
        except SendError as error:
            log.warning("a card was not updated", reason=error.reason)
