"""How the bot last read each person in each conversation: kept for “为什么” and for corrections."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlmodel import col, select

from intents.reading import Context, Reading
from storage.learning import LastReading
from storage.messages import Incoming
from storage.models import InboxRow, Person
from storage.work import Work
from workflows.turn import Turn

LONGEST = 400
EVIDENCE = 8
LOOK_BACK = 60
"""How many messages of a conversation are looked through for a quoted one."""

Again = Callable[[str, Context], list[Reading]]
"""What a text would be taken to mean now."""


async def remember(
    work: Work, incoming: Incoming, person: Person, context: Context, readings: Sequence[Reading]
) -> None:
    """Replace what was remembered of this person in this conversation."""
    key = (person.person_id, str(incoming.conversation))
    row = await work.session.get(LastReading, key)
    row = row or LastReading(person_id=key[0], conversation=key[1], text="", at=work.now)
    row.text, row.at = incoming.text[:LONGEST], work.now
    row.context, row.readings = _surroundings(context), [_told(reading) for reading in readings]
    work.session.add(row)


def _surroundings(context: Context) -> dict[str, Any]:
    return {
        "now": context.now.isoformat(),
        "role": context.role,
        "chat": context.chat,
        "expecting": context.expecting,
        "step": context.step,
    }


def _told(reading: Reading) -> dict[str, Any]:
    """A reading as it is kept: evidence as pairs of rule and words."""
    return {
        "intent": reading.intent,
        "act": reading.act,
        "confidence": reading.confidence,
        "why": [[one.rule, one.text[:LONGEST]] for one in reading.why[:EVIDENCE]],
    }


async def meant(turn: Turn, role: str, again: Again) -> LastReading | None:
    """The reading that a person asks about or corrects: of the message quoted when somebody here wrote it, else of
    the person's own last one here. A quoted message that was read longer ago is read again.
    """
    quote = turn.incoming.quote
    place = str(turn.incoming.conversation)
    said = await _quoted(turn, quote.text.strip()) if quote is not None else None
    if said is None:
        return await turn.work.session.get(LastReading, (turn.person.person_id, place))
    writer = turn.work.org.person_at(said.platform, said.sender.account) or turn.person
    kept = await turn.work.session.get(LastReading, (writer.person_id, place))
    if kept is not None and kept.text == said.text[:LONGEST]:
        return kept
    context = Context(turn.work.local(said.written_at), role, "direct" if turn.direct else "group")
    return LastReading(
        person_id=writer.person_id,
        conversation=place,
        text=said.text[:LONGEST],
        context=_surroundings(context),
        readings=[_told(reading) for reading in again(said.text, context)],
        at=turn.work.now,
    )


async def _quoted(turn: Turn, text: str) -> Incoming | None:
    """The message of this conversation that holds the quoted words; None for words of the bot."""
    query = (
        select(InboxRow.payload)
        .where(InboxRow.state == "done", InboxRow.conversation == str(turn.incoming.conversation))
        .order_by(col(InboxRow.id).desc())
        .limit(LOOK_BACK)
    )
    for payload in (await turn.work.session.exec(query)).all():
        if text and str(payload["text"]).strip() in (text, text.partition(" ")[2]):
            return Incoming.model_validate(payload)
    return None
