"""Mail as the only platform, for real: a mailbox on an IMAP server, mails out through an SMTP server, people who write.

The adapter receives as in a running bot; the rest is moved step by step with the clock in the test's hand.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

from sqlmodel import func, select

from adapters.email.adapter import EmailAdapter
from bot import compose
from storage.clock import ManualClock
from storage.database import Database
from storage.models import InboxRow
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.runtime import Runtime
from storage.settings import build_settings
from storage.work import Ground
from tests.email.letters import BOT, SECRET
from tests.playing import until
from tests.scenario import START, Scenario
from tests.simulators.email.imap import PASSWORD, USER, ImapServer, imap_server
from tests.simulators.email.smtp import Mail, SmtpServer, smtp_server

TRUSTED = "mx.example.org"
LOOKS = 2500
"""How often a mail is looked for, 20 ms apart: a minute on a busy machine."""


def letter(
    sender: str,
    text: str,
    *,
    message_id: str,
    date: str,
    subject: str = "",
    answers: Mail | None = None,
    proven: bool = True,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """A mail as the provider puts it into the mailbox; ``proven``: it says that the sender is who he says."""
    message = EmailMessage(policy=SMTP)
    if proven:
        domain = sender.partition("@")[2]
        message["Authentication-Results"] = f"{TRUSTED}; dmarc=pass header.from={domain}"
    if answers is not None:
        subject = f"回复：{answers.message['Subject']}"
        message["In-Reply-To"] = message["References"] = str(answers.message["Message-ID"])
    message["From"], message["To"], message["Subject"] = sender, BOT, subject
    message["Date"], message["Message-ID"] = date, message_id
    message.set_content(text)
    for name, data in (files or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


class Life(Scenario):
    """``say`` of a scenario is :meth:`write` here: a mail into the mailbox. What people read is :meth:`reads`."""

    def __init__(self, runtime: Runtime, clock: ManualClock, smtp: SmtpServer, imap: ImapServer) -> None:
        super().__init__(runtime, clock, {})
        self.smtp, self.imap = smtp, imap
        self._read: set[int] = set()
        self._letters = 0

    async def write(
        self,
        person: str,
        text: str,
        *,
        subject: str = "",
        answers: Mail | None = None,
        proven: bool = True,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """``person`` (a person_id) sends a mail; it is handled when this returns."""
        self._letters += 1
        raw = letter(
            await self.account(person, "email"),
            text,
            message_id=f"<life-{self._letters}@client.example.org>",
            date=format_datetime(self.clock.now()),
            subject=subject,
            answers=answers,
            proven=proven,
            files=files,
        )
        before = await self._received()
        await self.imap.deliver(raw, arrived=self.clock.now())
        for look in range(LOOKS):
            if await self._received() > before:
                break
            await asyncio.sleep(0.02)
            if look % 100 == 99:  # a connection that was lost is made anew, and the pause before that is the clock's
                self.clock.advance(timedelta(seconds=10))
        assert await self._received() > before, "the mail did not come in"
        await self.settle()

    async def _received(self) -> int:
        [rows] = await self.ground.database.peek(select(func.count()).select_from(InboxRow))
        return int(rows[0][0])

    def unread_mails(self, person: str) -> list[Mail]:
        """Mails of a person that no test has looked at."""
        mine = self._accounts[person]
        return [one for one in self.smtp.mails if id(one) not in self._read and mine & set(one.recipients)]

    def reads(self, person: str, *parts: str) -> Mail:
        """The person's first unread mail with all these parts in subject or text; it is read then."""
        for one in self.unread_mails(person):
            if all(part in f"{one.message['Subject']}\n{one.text}" for part in parts):
                self._read.add(id(one))
                return one
        shown = "\n".join(f"  {one.message['Subject']}: {one.text}" for one in self.unread_mails(person))
        others = sorted({address for one in self.smtp.mails for address in one.recipients})
        raise AssertionError(
            f"{person} did not read {parts}; unread:\n{shown or '  (nothing)'}\nwho got mail: {others}"
        )

    def read_all(self) -> None:
        """Everybody has read everything so far."""
        self._read |= {id(one) for one in self.smtp.mails}

    def nothing_unread(self, *people: str) -> None:
        """These people (everybody, when none is named) have no mail left to read."""
        left = [(name, one.message["Subject"]) for name in people or self._accounts for one in self.unread_mails(name)]
        assert not left, left

    async def learn(self) -> None:
        """Read who has which address."""
        async with self.ground.look() as work:
            org = work.org
        self._accounts = {one: set(org.accounts(one, "email")) for one in org.people}
        await super().learn()


@asynccontextmanager
async def life(folder: Path) -> AsyncIterator[Life]:
    """A bot with the sample organisation, and mail as its only platform."""
    async with smtp_server() as smtp, imap_server() as imap:
        email = {
            "address": parseaddr(BOT)[1],
            "smtp": {"host": "127.0.0.1", "port": smtp.port, "tls": "none"},
            "imap": {
                "host": "127.0.0.1",
                "port": imap.port,
                "tls": "none",
                "username": USER,
                "password": PASSWORD,
                "trusted_authserv": TRUSTED,
            },
        }
        settings = build_settings({"email": email}, {}, folder, "test")
        clock, database = ManualClock(START), Database(settings.database_url)
        ground = Ground(database, clock, settings)
        assert settings.email is not None
        adapter = EmailAdapter(settings.email, ground, SECRET, public_url="https://huibao.example.org")
        try:
            runtime = await compose(ground, [adapter])
            await import_tables(database, read_tables(SAMPLE), clock.now(), dry_run=False)
            receiving = asyncio.create_task(adapter.run(runtime.inbox.accept))
            running = Life(runtime, clock, smtp, imap)
            await running.learn()
            try:
                await until(adapter.ever_connected)
                yield running
            finally:
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)
        finally:
            await database.close()
