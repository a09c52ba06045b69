"""One message being answered: who wrote it, where, what it means, and how to answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from intents.reading import Reading
from storage.messages import Action, Incoming, Outgoing, Question, Urgency
from storage.models import Expectation, Group, Person
from storage.outbox import post
from storage.work import Work

ASK_LIFETIME = timedelta(hours=12)


@dataclass
class Turn:
    """``numbers``: ticket and meeting numbers the message points at (its own text first, then what it quotes).
    ``expectations``: what the bot still awaits from this person, this conversation first, newest first.
    """

    work: Work
    incoming: Incoming
    person: Person
    group: Group | None
    reading: Reading
    numbers: tuple[str, ...] = ()
    expectations: list[Expectation] = field(default_factory=list)
    said: int = 0

    @property
    def direct(self) -> bool:
        """A private conversation, where the bot may be more talkative than in a group."""
        return self.incoming.conversation.kind != "group"

    @property
    def via(self) -> str:
        """The platform the message came by."""
        return self.incoming.platform

    @property
    def key(self) -> str:
        """Stable name of this message, for dedupe keys."""
        return f"{self.incoming.platform}:{self.incoming.account}:{self.incoming.message_id}"

    @property
    def mention(self) -> tuple[str, ...]:
        """The sender's account, for answers in a group."""
        return () if self.direct else (self.incoming.sender.account,)

    def slot(self, name: str, default: Any = None) -> Any:
        """A slot of the reading."""
        return self.reading.slots.get(name, default)

    def audit(self, what: str, about: str = "", **detail: Any) -> None:
        """Record an act of the sender."""
        self.work.audit(what, about=about, who=self.person.person_id, via=self.via, **detail)

    async def reply(
        self,
        text: str,
        *,
        about: str = "",
        title: str = "",
        actions: Sequence[Action] = (),
        questions: Sequence[Question] = (),
        mention: bool = True,
    ) -> None:
        """Answer in the same conversation, mentioning the sender in a group."""
        message = Outgoing(
            text=text,
            title=title,
            about=about,
            urgency=Urgency.ANSWER,
            actions=tuple(actions),
            questions=tuple(questions),
            mentions=self.mention if mention else (),
        )
        self.said += 1
        await post(
            self.work,
            self.incoming.conversation,
            message,
            key=f"reply:{self.key}:{self.said}",
            kind="reply",
            hints=self.incoming.hints,
        )

    async def expect(
        self,
        kind: str,
        about: str = "",
        *,
        person: Person | None = None,
        conversation: str = "",
        step: str = "",
        options: Sequence[dict[str, Any]] = (),
        pending: dict[str, Any] | None = None,
    ) -> Expectation:
        """Remember what was asked; an older question of the same kind about the same thing is replaced."""
        return await expect(
            self.work,
            person or self.person,
            kind,
            about,
            conversation=conversation or str(self.incoming.conversation),
            step=step,
            options=options,
            pending=pending,
        )


async def expect(
    work: Work,
    person: Person,
    kind: str,
    about: str = "",
    *,
    conversation: str,
    step: str = "",
    options: Sequence[dict[str, Any]] = (),
    pending: dict[str, Any] | None = None,
) -> Expectation:
    """Remember what the bot asked ``person`` (see :class:`Expectation`)."""
    await forget(work, about, kind, person.person_id)
    row = Expectation(
        person_id=person.person_id,
        conversation=conversation,
        kind=kind,
        about=about,
        step=step,
        options=list(options),
        pending=pending or {},
        asked_at=work.now,
        expires_at=work.now + ASK_LIFETIME,
    )
    work.session.add(row)
    await work.session.flush()
    return row


async def forget(work: Work, about: str, kind: str = "", person_id: str = "") -> None:
    """Close open questions about a subject (of one kind, of one person, when given)."""
    query = select(Expectation).where(Expectation.about == about, Expectation.state == "open")
    if kind:
        query = query.where(Expectation.kind == kind)
    if person_id:
        query = query.where(Expectation.person_id == person_id)
    for row in (await work.session.exec(query)).all():
        row.state = "closed"
        work.session.add(row)


async def open_expectations(work: Work, person_id: str, conversation: str) -> list[Expectation]:
    """What is still awaited from a person: asked in this conversation first, then elsewhere; newest first."""
    query = (
        select(Expectation)
        .where(Expectation.person_id == person_id, Expectation.state == "open")
        .order_by(col(Expectation.id).desc())
    )
    rows = [row for row in (await work.session.exec(query)).all() if not row.expires_at or row.expires_at > work.now]
    return sorted(rows, key=lambda row: row.conversation != conversation)
