"""From a message to the workflows: who speaks, what it means, and which workflow answers.

Order: strangers get a polite sentence · who is not proven may report a fault and nothing else · a click is an act by
itself · an answer to a numbered question · everything else by intent. Several acts in one message are handled in the
order written. What is not understood is silence in a group and a short help in private.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from intents.reading import Reading
from storage.directory import Directory
from storage.messages import Address, Incoming, Outgoing, Urgency
from storage.models import InboxRow, Person, Sighting, Timer
from storage.outbox import post, post_person
from storage.work import Work
from workflows import (
    ack,
    checklist,
    choices,
    desk,
    fault,
    fault_continue,
    fault_progress,
    fault_score,
    guess,
    helper,
    learning,
    meeting,
    meeting_standin,
    paper,
    reminder_cards,
    secrecy,
    status,
    unproven,
    why,
)
from workflows.reader import Reader, numbers_in
from workflows.turn import Turn, open_expectations
from workflows.vocabulary import Vocabulary
from workflows.words import Words

WORDS = Words("router")
AGAIN_AFTER = timedelta(hours=12)
CLICK = Reading("click", {}, 1.0, "act")
DIFFICULT = ("none", "assist.request", "ack")
"""What a difficulty is read as when nothing is known of the notice that asks for it."""

Handler = Callable[[Turn], Awaitable[None]]

INTENTS: Mapping[str, Handler] = {
    "ack": ack.acknowledge,
    "arrive": checklist.arrive,
    "checklist.report": checklist.report,
    "fault.report": fault.report,
    "fault.query": fault_progress.query,
    "fault.urge": fault_progress.urge,
    "fault.update": fault_progress.update,
    "fault.resolve": fault_progress.resolve,
    "fault.confirm": fault_progress.confirm,
    "fault.reject": fault_progress.reject,
    "fault.cancel": fault_progress.cancel,
    "score": fault_score.score,
    "assist.request": fault_progress.assist,
    "assign": meeting_standin.assign,
    "meeting.notice": meeting.draft,
    "meeting.change": meeting.change,
    "meeting.cancel": meeting.cancel,
    "meeting.query": meeting.query,
    "duty.query": desk.duty,
    "help": desk.help_,
    "consult": desk.consult,
}
CLICKS: Mapping[str, Handler] = {
    "ack": ack.clicked,
    "trouble": ack.clicked,
    "take": fault_progress.clicked,
    "hand": fault_progress.clicked,
    "arrive": checklist.clicked,
    "step": checklist.clicked,
    "publish": meeting.clicked,
    reminder_cards.KNOWN: ack.known_clicked,
    choices.PICKED: choices.clicked,
}
"""By the part of an action's value before the first colon."""


class Router:
    """Answers one message inside its unit of work."""

    def __init__(self, org: Directory, vocabulary: Vocabulary, has_helper: bool = False) -> None:
        self.reader = Reader(org, vocabulary)
        self._has_helper = has_helper

    async def handle(self, work: Work, incoming: Incoming) -> None:
        """Do everything this message asks for."""
        work.heard = incoming
        incoming = work.org.as_registered(incoming)
        if await secrecy.refused(work, incoming):
            return
        person = work.org.person_at(incoming.platform, incoming.sender.account)
        group = work.org.group_at(incoming.conversation)
        await _note_unknown(work, incoming, person)
        if person is None:
            await _greet_stranger(work, incoming)
            return
        turn = Turn(work, incoming, person, group, CLICK, numbers_in(incoming.click or incoming.text))
        if not incoming.sender.verified:
            if not await unproven.handle(turn, self.reader):
                await helper.help_shortly(turn)
            return
        turn.expectations = await open_expectations(work, person.person_id, str(incoming.conversation))
        if incoming.click:
            await self._click(turn)
        elif not await desk.command(turn) and not await self._taught(turn) and not await choices.answer(turn):
            await self._read(turn)
        await _say_where(turn)

    async def paper_ready(self, work: Work, timer: Timer) -> None:
        """The files of a message that brought a formal notice are there."""
        await paper.on_ready(self.reader, work, timer)

    async def _taught(self, turn: Turn) -> bool:
        """Words about the bot's own reading: why it read so, that it read wrongly, another name of a place."""
        return await why.command(turn, self.reader.again) or await learning.command(turn, self.reader)

    async def _click(self, turn: Turn) -> None:
        if turn.incoming.way:
            turn.work.audit(
                "click.elsewhere",
                about=turn.numbers[0] if turn.numbers else "",
                who=turn.person.person_id,
                via=turn.incoming.way,
                value=turn.incoming.click,
            )
        handler = CLICKS.get(turn.incoming.click.partition(":")[0])
        if handler is None:
            await turn.reply(WORDS("stale_button"))
        else:
            await handler(turn)

    async def _read(self, turn: Turn) -> None:
        quote = turn.incoming.quote
        if quote is not None:
            turn.numbers = tuple(dict.fromkeys((*turn.numbers, *numbers_in(quote.text))))
        explained = await ack.trouble_detail(turn)
        if await paper.pasted(turn, self.reader) or await status.command(turn):
            return
        readings = await self.reader.read(turn.work, turn.incoming, turn.person, turn.group, turn.expectations)
        intents = {reading.intent for reading in readings}
        if await meeting.overhear(turn, intents) or await paper.offered(turn, intents):
            return
        for reading in readings:
            if explained and reading.intent != "fault.report":
                continue
            one = replace(turn, reading=reading, said=turn.said, also=frozenset(intents))
            if reading.intent in DIFFICULT and await ack.difficulty(one):
                explained = True  # what else the answer says is what is difficult
            else:
                await self._act(one)
            turn.said = one.said

    async def _act(self, turn: Turn) -> None:
        if turn.reading.intent in ("fault.resolve", "fault.confirm", "ack") and await checklist.all_in_one(turn):
            pass  # “已到位，全部正常”
        elif await fault_continue.continued(turn):
            pass  # said in few words, but a fault of the speaker's goes on with it
        elif turn.reading.act == "ask" and turn.reading.intent == "none":
            await desk.ask_back(turn)
        elif turn.reading.act == "ignore" or turn.reading.intent not in INTENTS:
            if turn.direct and not turn.incoming.attachments and turn.reading.intent == "none":
                open_ = self._has_helper and guess.is_open(turn.reading)
                await (helper.wanted(turn) if open_ else helper.help_shortly(turn))
        elif guess.is_one(turn.reading):
            await guess.ask(turn, turn.reading)
        else:
            await INTENTS[turn.reading.intent](turn)


async def _say_where(turn: Turn) -> None:
    """A question of a group was answered in private, and all that came of it was said in the group: say so."""
    message = Outgoing(text=WORDS("said_in_group"), urgency=Urgency.ANSWER)
    for place in turn.untold:
        await post(turn.work, place, message, key=f"where:{turn.key}", kind="reply")


@choices.resumes(guess.NAME)
async def _guess_answered(turn: Turn, pending: dict[str, Any], picked: str) -> None:
    """Yes: what was guessed is done as if it had been said plainly; no: nothing is."""
    if picked != "yes":
        await turn.reply(guess.WORDS("dropped"))
    else:
        confirmed = guess.meant(turn, pending)
        await INTENTS[confirmed.reading.intent](confirmed)


async def _note_unknown(work: Work, incoming: Incoming, person: Person | None) -> None:
    """Remember unbound groups and unknown senders for the operator's list."""
    unbound = incoming.conversation.kind == "group" and work.org.group_at(incoming.conversation) is None
    if unbound:
        await _sight(work, "group", incoming.platform, incoming.conversation.id, incoming.conversation_name)
    if person is None:
        await _sight(work, "sender", incoming.platform, incoming.sender.account, incoming.sender.name)


async def _sight(work: Work, kind: str, platform: str, account: str, name: str) -> None:
    row = await work.session.get(Sighting, (kind, platform, account))
    row = row or Sighting(kind=kind, platform=platform, account=account, last_seen=work.now)
    row.name, row.last_seen = name or row.name, work.now
    work.session.add(row)


async def _greet_stranger(work: Work, incoming: Incoming) -> None:
    """One polite sentence per stranger and half day; authority fails closed."""
    half_day = int(work.now.timestamp() // AGAIN_AFTER.total_seconds())
    account = incoming.sender.account or incoming.sender.name
    place = incoming.conversation
    if place.kind == "thread":  # every mail begins one: the sentence is for the person
        place = Address(platform=place.platform, kind="direct", id=account)
    await post(
        work,
        place,
        Outgoing(text=WORDS("stranger"), urgency=Urgency.ANSWER, mentions=(account,) if account else ()),
        key=f"stranger:{incoming.platform}:{account}:{half_day}",
        kind="stranger",
        hints=incoming.hints,
    )


async def bury(work: Work, row: InboxRow) -> None:
    """A message could not be handled at all: its writer and the operators hear of it."""
    work.heard = incoming = Incoming.model_validate(row.payload)
    text = WORDS("dead_letter", platform=incoming.platform, who=incoming.sender.name, id=row.id)
    work.audit("message.dead", about=str(row.id), detail=row.error)
    await post(
        work,
        incoming.conversation,
        Outgoing(text=WORDS("dead_answer"), urgency=Urgency.ANSWER),
        key=f"dead:{row.id}",
        hints=incoming.hints,
    )
    for admin in work.org.with_role("admin"):
        await post_person(work, admin, Outgoing(text=text, urgency=Urgency.ESCALATION), key=f"dead-alarm:{row.id}")
