"""The mail adapter: the port's methods, wired to the parts that do the work."""

import asyncio
import ssl
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from adapters.email import bounces
from adapters.email.check import Check
from adapters.email.errors import Misconfigured, NotSecure, SenderRefused
from adapters.email.letter import Letter
from adapters.email.links import Links
from adapters.email.loops import never_answer
from adapters.email.mailbox import Mailbox
from adapters.email.memory import Memory
from adapters.email.pages import Pages
from adapters.email.receive import read_message
from adapters.email.send import Load, Office, Sending
from adapters.email.smtp import Smtp
from adapters.email.threads import PLATFORM, Threads, partner_of
from adapters.email.trust import is_proven
from adapters.email.words import words
from storage.clock import sleep
from storage.messages import Address, Attachment
from storage.ports import Accept, Capabilities, CheckLine, LateFailure, Outcome, SendError, SendJob
from storage.settings import EmailSettings
from storage.work import Ground

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)

log = structlog.get_logger(__name__)


class EmailAdapter:
    """See :class:`storage.ports.Adapter`.

    ``secret`` signs Message-IDs and links. ``load`` gives the bytes of a stored file. ``context`` verifies the servers'
    certificates (tests bring their own authority).
    """

    platform = PLATFORM

    def __init__(
        self,
        settings: EmailSettings,
        ground: Ground,
        secret: bytes,
        *,
        load: Load | None = None,
        public_url: str = "",
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._settings, self._clock = settings, ground.clock
        self._own = settings.address.strip()
        self._threads = Threads(secret, self._own)
        self._links = Links(secret, public_url, self._clock)
        memory = self._memory = Memory(ground.database)
        self._smtp = Smtp(settings.smtp, self._clock, self._own.rpartition("@")[2], context)
        office = Office(self._own, ZoneInfo(ground.settings.timezone), bool(settings.imap.trusted_authserv))
        self._sending = Sending(office, self._smtp, self._threads, self._links, memory, clock=self._clock, load=load)
        self._pages = Pages(self._links, self._threads, memory, self._clock, self._own)
        self._mailbox = Mailbox(settings, ground, self.take, context=context)
        self._check = Check(settings, self._smtp, self._mailbox, public_url)
        self._accept: Accept | None = None
        self._failed: LateFailure | None = None
        self.capabilities = Capabilities(buttons=self._links.on, files=True)

    # ---- the port

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        """The pages behind the links of mails."""
        self._accept = accept
        return self._pages.routes(accept)

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled, and see that mails can go out."""
        self._accept = accept
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._mailbox.run(), name="mailbox")
                group.create_task(self._look_for_server(), name="smtp")
        finally:
            await self.close()

    async def close(self) -> None:
        """Say good-bye to the server."""
        await self._smtp.close()

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """See :class:`adapters.email.send.Sending`."""
        return await self._sending.send(job)

    def trouble(self) -> str:
        """What stops mails from going out, else from coming in."""
        problem = self._smtp.problem
        if isinstance(problem, SenderRefused):
            return words("trouble.sender", detail=problem.reason)
        if isinstance(problem, Misconfigured):
            return words("trouble.credentials", detail=problem.reason)
        if isinstance(problem, NotSecure):
            return words("trouble.insecure", detail=problem.reason)
        if problem is not None:
            return words("trouble.connection", detail=problem.reason)
        return self._mailbox.trouble()

    def ever_connected(self) -> bool:
        return self._smtp.ever_connected and self._mailbox.ever_connected()

    async def download(self, attachment: Attachment) -> bytes:
        """The bytes of what came with a mail; raises SendError."""
        return await self._mailbox.download(attachment)

    async def check(self) -> list[CheckLine]:
        return await self._check.run()

    def on_late_failure(self, tell: LateFailure) -> None:
        """Whom to tell when a mail that had left comes back."""
        self._failed = tell

    # ---- receiving

    async def take(self, letter: Letter) -> None:
        """One mail out of the mailbox: a bounce, a machine's mail, or a message."""
        if (bounce := bounces.read(letter, self._threads)) is not None:
            await self._take_bounce(bounce)
            return
        reason = never_answer(letter, self._own, self._threads)
        if reason:
            log.info("a mail is not answered", reason=reason, message_id=letter.message_id)
            return
        if self._accept is None:
            raise RuntimeError("not running")
        proven = is_proven(letter, self._settings.imap.trusted_authserv)
        incoming = read_message(letter, self._own, self._threads, self._clock.now(), proven=proven)
        place = await self._answered_in(letter) or incoming.conversation
        if not await self._accept(incoming.model_copy(update={"conversation": place})):
            await self._known(letter)

    async def _known(self, letter: Letter) -> None:
        """The mail came before. Another copy of it is not kept: what was to be forgotten would lie in the copy."""
        log.info("a mail came again", message_id=letter.message_id)
        if letter.source and await self._memory.source_of(self._own, letter.identity) != letter.source:
            await self._mailbox.forget(letter.source)

    async def _answered_in(self, letter: Letter) -> Address | None:
        """The thread of the mail of ours that is answered: some clients name only the last mail."""
        named = (*letter.in_reply_to, *reversed(letter.references))
        ours = next((found for message_id in named if (found := self._threads.read(message_id))), None)
        place = await self._memory.address_of(ours.key) if ours is not None else None
        if place is None or place.kind != "thread" or partner_of(place) != letter.sender:
            return None
        return place

    async def _take_bounce(self, bounce: bounces.Bounce) -> None:
        log.info("a bounce", key=bounce.key, status=bounce.status, failed=bounce.failed)
        if bounce.failed and bounce.key and self._failed is not None:
            await self._failed(bounce.key, bounce.reason)

    async def _look_for_server(self) -> None:
        """Log in once at the start, so that a wrong password is known before the first notice; until it works."""
        pause = FIRST_PAUSE
        while not self._smtp.ever_connected:
            try:
                await self._smtp.probe(self._own)
            except SendError as error:
                log.warning("the mail server cannot be reached", reason=error.reason)
                await sleep(self._clock, pause)
                pause = min(pause * 2, LONGEST_PAUSE)
