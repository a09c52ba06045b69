"""Cards that were shown: what they are about, and the codes that let them be brought up to date.

Every send and every press gives a code that works once within three days. What a former process showed stands in the
outbox.
"""

import uuid
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta

import structlog

from adapters.wecom.client import Client
from adapters.wecom.memory import Memory, Shown
from adapters.wecom.render import APP_CARD_TEXT, done_card, plain, title
from storage.messages import Outgoing
from storage.ports import SendError

CODE_LASTS = timedelta(hours=71)
REMEMBERED = 3000

log = structlog.get_logger(__name__)


class Cards:
    """Those of the app. A name is what the messages call the matter: a later one with that name replaces the state."""

    def __init__(self, client: Client, memory: Memory | None) -> None:
        self._client, self._memory = client, memory
        self._born = client.clock.now()
        self._shown: OrderedDict[str, Shown] = OrderedDict()

    @staticmethod
    def new_task() -> str:
        """An id that no card of the app has had."""
        return f"hb-{uuid.uuid4().hex}"

    def remember(self, task: str, message: Outgoing, users: Sequence[str], code: str) -> None:
        """A card was shown to these people."""
        name = message.card or message.about
        codes = [code] if code else []
        self._keep(Shown(task, name, title(message), tuple(users), self._client.clock.now(), codes))

    def _keep(self, shown: Shown) -> None:
        self._shown[shown.task] = shown
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def pressed(self, task: str, user: str, code: str, state: str) -> None:
        """Show on the card of whoever pressed it what the press has led to."""
        shown = self._shown.get(task)
        if shown is None and self._memory is not None and self._looks_back:
            shown = await self._memory.card_of(task, user, self._client.clock.now() - CODE_LASTS)
        await self._update(task, shown.heading if shown else "", [user], code, state)

    async def named(self, message: Outgoing) -> list[Shown]:
        """Every card of the matter whose state ``message`` tells."""
        if self._memory is not None and self._looks_back:
            for shown in await self._memory.cards_about(message, self._client.clock.now() - CODE_LASTS):
                if shown.task not in self._shown:
                    self._keep(shown)
        return [one for one in self._shown.values() if one.name == message.card]

    async def replace_state(self, shown: Shown, message: Outgoing) -> None:
        """The matter has moved on: a card of it shows it, if there is a code left."""
        code = shown.codes.pop() if shown.codes else ""
        if code and self._client.clock.now() - shown.at < CODE_LASTS:
            await self._update(shown.task, shown.heading, shown.users, code, plain(message))

    @property
    def _looks_back(self) -> bool:
        """Codes of a former process may still work."""
        return self._client.clock.now() - self._born < CODE_LASTS

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
