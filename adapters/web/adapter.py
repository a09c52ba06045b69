"""The console as a platform: what is sent to it appears in its conversations.

It is a platform of its own (``web``), and plays others where the configuration says so.
"""

import asyncio

from aiohttp import web

from adapters.email.threads import PLATFORM
from adapters.web import mail
from adapters.web.papers import paper_data
from adapters.web.photos import photo_data
from adapters.web.talk import Talk
from storage.directory import CONSOLE
from storage.messages import Address, Attachment, Outgoing
from storage.ports import Accept, Capabilities, CheckLine, Outcome, Refused, SendJob, Sent
from storage.work import Ground

ALL = Capabilities(mention=True, buttons=True, files=True, urgent_call=True, batch=20)
BY_MAIL = Capabilities(buttons=True, files=True, batch=20)


class WebAdapter:
    """The Adapter port for ``platform``: the console's own, or one that it plays with that platform's ids."""

    def __init__(self, ground: Ground, platform: str = CONSOLE) -> None:
        self.platform = platform
        self.capabilities = BY_MAIL if platform == PLATFORM else ALL
        self._ground = ground
        self._talk = Talk(ground.database, ground.clock)

    def routes(self, accept: Accept) -> list[web.RouteDef]:  # noqa: ARG002 - the console's own routes are in server.py
        """None: people write through the console's pages."""
        return []

    async def run(self, accept: Accept) -> None:  # noqa: ARG002 - nothing is fetched
        """Nothing to fetch: wait to be cancelled."""
        await asyncio.Event().wait()

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """Show the message at every address; the job's key makes a repeated send one message."""
        outcomes: dict[Address, Outcome] = {}
        message = await self._naming_people(job.message)
        for address in job.addresses:
            shown = await self._show(f"{job.key}>{address}", address, message, job.key)
            outcomes[address] = Sent(provider_id=str(shown), delivered=True)
        return outcomes

    async def _show(self, key: str, address: Address, message: Outgoing, job: str) -> int:
        if not mail.is_mail(address):
            return await self._talk.bot_says(key, str(address), message)
        place = str(mail.place_of(address, message, job))
        rows = await self._talk.page(place)
        return await self._talk.bot_says(key, place, message, subject=mail.subject(message, rows))

    async def _naming_people(self, message: Outgoing) -> Outgoing:
        """Mentions as person_ids: the console shows people, whatever platform it plays."""
        async with self._ground.look() as work:
            found = [(account, work.org.person_at(self.platform, account)) for account in message.mentions]
        named = tuple(person.person_id if person else account for account, person in found)
        return message.model_copy(update={"mentions": named})

    async def download(self, attachment: Attachment) -> bytes:
        """What is behind a simulated photo or paper; Refused for anything else."""
        data = photo_data(attachment.ref) or paper_data(attachment.ref)
        if data is None:
            raise Refused("no photo of the console's")
        return data

    def trouble(self) -> str:
        """Never any: it lives in this process."""
        return ""

    def ever_connected(self) -> bool:
        """Always."""
        return True

    async def check(self) -> list[CheckLine]:
        """Nothing to configure."""
        return [CheckLine(self.platform, True)]
