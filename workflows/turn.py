"""One message being answered: who wrote it, where, what it means, and how to answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from intents.reading import Reading
from storage.messages import Action, Address, Incoming, Outgoing, Question, Urgency
from storage.models import Expectation, Group, Person
from storage.outbox import cancel_queued, post
from storage.work import Work
from workflows import manners
from workflows.words import Words

IN_GROUP = [(re.compile(rule["find"]), rule["put"]) for rule in Words("turn").get("in_group")]
ASK_LIFETIME = timedelta(hours=12)
ALONE = "alone"
"""In what waits for an answer: the private chats where the same was asked, as text."""
CALLED = "called"
"""… and the account of who was asked in the group: it is the one to mention there."""
STAY = "stay"
"""In what waits for an answer: an answer in private is dealt with there."""
PROMPT = "prompt"
"""The kind of a private copy of a question."""


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
    untold: list[Address] = field(default_factory=list)
    """The private chat in which a question of a group was answered, until something has been said there."""
    also: frozenset[str] = frozenset()
    """Every intent that the whole message was read as, this one among them."""
    called: str = ""
    """The sender's account where the turn goes on, when it is not the one that wrote."""

    def __post_init__(self) -> None:
        """Whoever wrote is awake, and is answered at once (``manners.py``)."""
        self.work.heard = self.incoming

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
        return () if self.direct else (self.called or self.incoming.sender.account,)

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
            text=text if self.direct else with_mention(text),
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

    @property
    def alone(self) -> list[Address]:
        """Where the sender can be asked in private what is asked in this group; empty in private."""
        return [] if self.direct else self.work.org.addresses(self.person.person_id, {self.via})

    async def ask(
        self, in_group: str, in_private: str, *, about: str = "", title: str = "", actions: Sequence[Action] = ()
    ) -> None:
        """Say what awaits an answer of the sender: in a group also in private, where no mention is needed."""
        await self.reply(in_private if self.direct else in_group, about=about, title=title, actions=actions)
        message = Outgoing(text=in_private, title=title, about=about, urgency=Urgency.ANSWER, actions=tuple(actions))
        for place in self.alone:
            key = f"reply:{self.key}:{self.said}"
            await post(self.work, place, message, key=key, kind=PROMPT, person_id=self.person.person_id)
            self.untold.clear()

    def asked_here(self, kind: str) -> list[Expectation]:
        """Open questions of a kind that were put to the sender in this conversation, newest first."""
        here = str(self.incoming.conversation)
        return [row for row in self.expectations if (row.kind, row.state) == (kind, "open") and here in places_of(row)]

    async def take_up(self, row: Expectation) -> None:
        """Go on where the question was put: its answer in private is for the group that waits for it. A group that went
        to sleep meanwhile is left alone."""
        await cancel_queued(self.work, row.person_id, row.about, (PROMPT,))
        here, there = self.incoming.conversation, Address.parse(row.conversation)
        if there.kind != "group" or row.pending.get(STAY) or str(here) not in row.pending.get(ALONE, ()):
            return
        night = manners.hush(self.work)
        if night is not None and night.groups_sleep and row.asked_at < night.starts:
            return
        self.incoming = self.incoming.model_copy(update={"conversation": there, "hints": {}})
        self.called = row.pending.get(CALLED, "")
        self.work.heard = self.incoming
        self.group = self.work.org.group_at(there)
        self.untold.append(here)

    async def expect(
        self,
        kind: str,
        about: str = "",
        *,
        step: str = "",
        options: Sequence[dict[str, Any]] = (),
        pending: dict[str, Any] | None = None,
    ) -> Expectation:
        """Remember what was asked; an older question of the same kind about the same thing is replaced."""
        alone = [str(place) for place in self.alone]
        asked = {ALONE: alone, CALLED: self.mention[0]} if alone else {}
        return await expect(
            self.work,
            self.person,
            kind,
            about,
            conversation=str(self.incoming.conversation),
            step=step,
            options=options,
            pending={**(pending or {}), **asked},
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
    return sorted(rows, key=lambda row: conversation not in places_of(row))


def with_mention(text: str) -> str:
    """Words for a group: where they ask for an answer they say that it needs the mention."""
    for find, put in IN_GROUP:
        text = find.sub(put, text)
    return text


def places_of(row: Expectation) -> list[str]:
    """Where a question was put: in its conversation and, when that is a group, in private too."""
    return [row.conversation, *row.pending.get(ALONE, ())]
