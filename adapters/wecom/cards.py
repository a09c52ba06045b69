"""Cards that were shown: what they are about, and the codes that let them be brought up to date.

Every send and every press gives a code that works once within three days; one update reaches everybody whose card came
with that send. The state takes the place of the buttons: such a card can be updated no more, so whoever has been shown
what their press led to is left out later. What a former process showed stands in the outbox.
"""

import uuid
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from adapters.wecom.client import Client
from adapters.wecom.fields import Json
from adapters.wecom.memory import Memory, Shown, values_of
from adapters.wecom.render import APP_CARD_TEXT, notice_card, title
from adapters.wecom.words import words
from storage.messages import Outgoing
from storage.ports import SendError

CODE_LASTS = timedelta(hours=71)
REMEMBERED = 3000

log = structlog.get_logger(__name__)


class Cards:
    """Those of the app. A name is what the messages call the matter: a later one with that name replaces the state."""

    def __init__(self, client: Client, memory: Memory | None, link: str) -> None:
        """``link``: where a card leads that has nothing to press any more."""
        self._client, self._memory, self._link = client, memory, link
        self._born = client.clock.now()
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Task and user of cards that show what their press has led to."""
        self._shown: OrderedDict[str, Shown] = OrderedDict()

    @staticmethod
    def new_task() -> str:
        """An id that no card of the app has had."""
        return f"hb-{uuid.uuid4().hex}"

    def remember(self, task: str, message: Outgoing, users: Sequence[str], code: str) -> None:
        """A card was shown to these people."""
        name = message.card or message.about
        codes = [code] if code else []
        now = self._client.clock.now()
        self._keep(Shown(task, name, title(message), tuple(users), now, codes, values_of(message)))

    def _keep(self, shown: Shown) -> None:
        self._shown[shown.task] = shown
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def pressed(self, task: str, user: str, code: str, state: str) -> None:
        """Show on the card of whoever pressed it what the press has led to; not known yet: that it was received."""
        if not state:
            await self._update([user], code, {"button": {"replace_name": words("message.click_received")}})
            return
        told = task, user.casefold()
        self._told[told] = None
        shown = self._shown.get(task)
        if shown is None and self._memory is not None and self._looks_back:
            shown = await self._memory.card_of(task, user, self._client.clock.now() - CODE_LASTS)
        if not await self._update([user], code, self._face(task, shown.heading if shown else "", state)):
            self._told.pop(told, None)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    async def named(self, about: str, name: str) -> list[Shown]:
        """Every card of the matter that goes by this name."""
        if self._memory is not None and self._looks_back:
            for shown in await self._memory.cards_about(about, name, self._client.clock.now() - CODE_LASTS):
                if shown.task not in self._shown:
                    self._keep(shown)
        return [one for one in self._shown.values() if one.name == name]

    async def asked_before(self, message: Outgoing) -> list[Shown]:
        """Cards that asked for the same answer: a notice that has changed since, a draft that was corrected.

        Cards with a name of their own are told when their matter is settled, not before.
        """
        if message.card or not message.about or not message.actions:
            return []
        same = values_of(message)
        return [one for one in await self.named(message.about, message.about) if same & one.values]

    async def replace_by_newer(self, shown: Shown, users: Collection[str], pressing: Collection[str]) -> None:
        """These people have a newer card that asks for the same."""
        folded = {user.casefold() for user in users}
        others = [user for user in shown.users if user.casefold() not in folded]
        await self.replace_state(shown, words("card.newer"), [*pressing, *others])

    async def replace_state(self, shown: Shown, state: str, but: Collection[str] = ()) -> None:
        """Its card shows that the matter has moved on to all who have it, if there is a code left.

        ``but``: not to these, such as people who have just pressed it and will be shown what that has led to.
        """
        told = {folded for task, folded in self._told if task == shown.task} | {user.casefold() for user in but}
        users = [user for user in shown.users if user.casefold() not in told]
        if not users or not shown.codes or self._client.clock.now() - shown.at >= CODE_LASTS:
            return
        await self._update(users, shown.codes.pop(), self._face(shown.task, shown.heading, state))

    def _face(self, task: str, heading: str, state: str) -> Json:
        return {"template_card": notice_card(task, heading, state, self._link, APP_CARD_TEXT)}

    @property
    def _looks_back(self) -> bool:
        """Codes of a former process may still work."""
        return self._client.clock.now() - self._born < CODE_LASTS

    async def _update(self, users: Sequence[str], code: str, face: Json) -> bool:
        """Never a reason to fail: the words have been said already."""
        agent_id = self._client.settings.agent_id
        body = {"userids": list(users), "agentid": agent_id, "response_code": code, **face}
        try:
            await self._client.call("POST", "message/update_template_card", body)
        except SendError as error:
            log.warning("a card was not updated", reason=error.reason)
            return False
        return True
