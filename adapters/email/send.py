"""Sending: one mail to one address, in its thread, with a Message-ID that stays the same however often it is tried.

===========  ==========================================================================================
an answer    into the thread of the mail it answers: its subject with ``Re:``, In-Reply-To, References
a thread     words that come later in a conversation: like an answer to its latest mail
a person     a subject of its own; References to the first mail about the same number, so clients group them
===========  ==========================================================================================
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.email.links import Links
from adapters.email.loops import Caps
from adapters.email.memory import Memory
from adapters.email.render import answer_subject, html_of, one_line, subject_of, text_of
from adapters.email.smtp import Smtp
from adapters.email.threads import Threads, partner_of, shortened, thread
from adapters.email.words import words
from storage.clock import Clock
from storage.files import safe_name
from storage.messages import Address, Attachment
from storage.ports import Outcome, Refused, SendError, SendJob, Sent

Load = Callable[[str], Awaitable[bytes]]
"""Bytes of a stored file by its SHA-256."""
IDS = {"message-id", "in-reply-to", "references"}
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True)
class Place:
    """Where a mail goes. ``conversation`` is where answers to its buttons belong."""

    partner: str
    subject: str
    conversation: Address
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    answer: bool = False
    proven: bool = True


@dataclass(frozen=True)
class Office:
    """The bot's side of a mail: its mailbox, the zone its dates are in, and whether an answer by mail counts."""

    address: str
    zone: ZoneInfo
    by_reply: bool


class _Policy(EmailPolicy):
    """Message-IDs are folded between, never inside: the library encodes those longer than a line as words."""

    def fold(self, name: str, value: Any) -> str:
        if name.casefold() in IDS:
            return f"{name}: " + f"{self.linesep} ".join(str(value).split()) + self.linesep
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii") if name.casefold() in IDS else super().fold_binary(name, value)


POLICY = _Policy(linesep=SMTP.linesep)


class Sending:
    """Everything that goes out by mail."""

    def __init__(
        self,
        office: Office,
        smtp: Smtp,
        threads: Threads,
        links: Links,
        memory: Memory,
        *,
        clock: Clock,
        load: Load | None = None,
    ) -> None:
        self._office, self._smtp, self._threads = office, smtp, threads
        self._links, self._memory, self._clock, self._load = links, memory, clock, load
        self._caps = Caps(clock, memory.recent)

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """An outcome for every address; errors are returned, never raised."""
        if job.message.silent:
            return dict.fromkeys(job.addresses, Sent())
        return {address: await self._outcome(address, job) for address in job.addresses}

    async def _outcome(self, address: Address, job: SendJob) -> Outcome:
        try:
            return await self._send(address, job)
        except SendError as error:
            return error

    async def _send(self, address: Address, job: SendJob) -> Sent:
        if address.kind == "group":
            raise Refused(words("refused.place"))
        place, job = await self._place(address, job), _with_left_out(job)
        if not ADDRESS.fullmatch(place.partner):
            raise Refused(words("refused.address"))
        if place.answer and await self._caps.full_until(place.partner, proven=place.proven) is not None:
            raise Refused(words("refused.capped"))
        mail = self._mail(place, job)
        for attachment in job.message.attachments:
            await self._attach(mail, attachment)
        await self._smtp.send(self._office.address, place.partner, mail.as_bytes())
        if place.answer:
            await self._caps.count(place.partner, proven=place.proven)
        return Sent(str(mail["Message-ID"]))

    # ---- where it goes

    async def _place(self, address: Address, job: SendJob) -> Place:
        partner = partner_of(address)
        answer = "proof" in job.hints
        hints = job.hints if answer or address.kind != "thread" else await self._memory.last_hints(address)
        if "proof" in hints:
            return self._answering(address, partner, job, hints)
        first = await self._memory.first_key(address, job.message.about, job.key) if job.message.about else ""
        before = self._threads.message_id(first, job.message.about) if first else ""
        topic = job.message.about or self._threads.message_id(job.key, "")
        return Place(
            partner,
            subject_of(job.message),
            thread(partner, topic),
            in_reply_to=before,
            references=(before,) if before else (),
        )

    def _answering(self, address: Address, partner: str, job: SendJob, hints: Mapping[str, str]) -> Place:
        answered = hints.get("message_id", "")
        return Place(
            partner,
            answer_subject(hints.get("subject", ""), job.message),
            address if address.kind == "thread" else thread(partner, job.message.about or answered),
            in_reply_to=answered,
            references=tuple(shortened([*hints.get("references", "").split(), answered])),
            answer="proof" in job.hints,
            proven=hints.get("proof") == "yes",
        )

    # ---- what it is

    def _mail(self, place: Place, job: SendJob) -> EmailMessage:
        message, office = job.message, self._office
        mail = EmailMessage(policy=POLICY)
        user, _, domain = office.address.rpartition("@")
        mail["From"] = Mailbox(words("message.sender"), user, domain)
        mail["To"] = place.partner
        mail["Subject"] = one_line(place.subject, 250)
        mail["Date"] = format_datetime(self._clock.now().astimezone(office.zone))
        mail["Message-ID"] = self._threads.message_id(job.key, message.about)
        if place.in_reply_to:
            mail["In-Reply-To"] = _id(place.in_reply_to)
            mail["References"] = " ".join(_id(one) for one in place.references)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        links = self._links.of(message.actions, job.key, place.conversation)
        mail.set_content(text_of(message, links, by_reply=office.by_reply))
        mail.add_alternative(html_of(message, links, by_reply=office.by_reply), subtype="html")
        return mail

    async def _attach(self, mail: EmailMessage, attachment: Attachment) -> None:
        if self._load is None or not attachment.sha256:
            raise Refused(words("refused.file"))
        try:
            data = await self._load(attachment.sha256)
        except (OSError, ValueError) as error:
            raise Refused(words("refused.file")) from error
        mail.add_attachment(
            data, maintype="application", subtype="octet-stream", filename=safe_name(attachment.name or "file")
        )


def _with_left_out(job: SendJob) -> SendJob:
    """An answer also says what of the mail could not be taken."""
    left_out = job.hints.get("left_out", "")
    if not left_out:
        return job
    return replace(job, message=job.message.model_copy(update={"text": f"{job.message.text}\n{left_out}"}))


def _id(message_id: str) -> str:
    """A Message-ID as a header may hold it: whatever came in is cut down to what cannot end the line."""
    return "".join(char for char in message_id if char.isascii() and char.isprintable() and char != " ")
