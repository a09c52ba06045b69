"""The optional outside helper: what the rules leave open, in a private chat, may be proposed and is then asked about.

The question to the helper runs beside the ordered handling and outside of any transaction. What is asked stands in the
table of timers: when nothing has come of it in time, or the process was down, the writer gets the usual short help.
"""

import asyncio
from datetime import timedelta
from typing import Protocol

from sqlmodel import col, select

from intents.proposal import Proposal, checked, masked
from intents.reading import Context, Reading
from storage.messages import Incoming, Outgoing, Urgency
from storage.models import Timer
from storage.outbox import post
from storage.timers import drop_timer, set_timer
from storage.work import Ground, Work
from storage.worker import Worker
from workflows import guess
from workflows.reader import Reader, numbers_in, role_of
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("router")
KIND = "helper"
PATIENCE = timedelta(seconds=5)
AT_ONCE = 4
"""So many messages are asked about at a time."""


class Adviser(Protocol):
    """Whoever can be asked what a message may mean."""

    async def propose(self, text: str) -> str | None:
        """An answer about the masked text (see intents/proposal.py), within three seconds, or None."""
        ...


async def wanted(turn: Turn) -> None:
    """Have the helper asked about this message."""
    payload = {"message": turn.incoming.model_dump(mode="json"), "person": turn.person.person_id}
    await set_timer(turn.work, f"{KIND}:{turn.key}", KIND, turn.work.now + PATIENCE, payload=payload)


async def on_timer(work: Work, timer: Timer) -> None:
    """Nothing came of it: the short help after all."""
    turn = _turn(work, timer)
    if turn is not None:
        await help_shortly(turn)


async def help_shortly(turn: Turn) -> None:
    """A short help in private, at most once an hour."""
    message = Outgoing(text=WORDS("not_understood"), urgency=Urgency.ANSWER)
    key = f"help:{turn.person.person_id}:{turn.work.now:%Y%m%d%H}"
    await post(turn.work, turn.incoming.conversation, message, key=key, kind="help", hints=turn.incoming.hints)


def _turn(work: Work, timer: Timer) -> Turn | None:
    incoming = Incoming.model_validate(timer.payload["message"])
    person = work.org.people.get(str(timer.payload["person"]))
    if person is None:
        return None
    return Turn(work, incoming, person, None, Reading("none"), numbers_in(incoming.text))


class Helper(Worker):
    """A part of the running bot: asks about messages as they are put down."""

    def __init__(self, ground: Ground, adviser: Adviser, reader: Reader) -> None:
        super().__init__(ground, "timer")
        self._adviser = adviser
        self._reader = reader
        self._asked: set[str] = set()

    async def _round(self) -> int | None:
        waiting = [] if self._stopping else await self._waiting()
        await asyncio.gather(*(self._settle(timer) for timer in waiting))
        return len(waiting) or None

    async def _waiting(self) -> list[Timer]:
        async with self._ground.look() as work:
            query = select(Timer).where(Timer.kind == KIND, col(Timer.due_at) > work.now).order_by(col(Timer.due_at))
            rows = (await work.session.exec(query)).all()
        self._asked &= {row.key for row in rows}
        fresh = [row for row in rows if row.key not in self._asked][:AT_ONCE]
        self._asked.update(row.key for row in fresh)
        return fresh

    async def _settle(self, timer: Timer) -> None:
        proposal = await self._proposal(timer)
        async with self._ground.work() as work:
            row = await work.session.get(Timer, timer.key)
            turn = _turn(work, timer)
            if row is None or turn is None:
                return
            await drop_timer(work, timer.key)
            reading = self._read(turn, proposal) if proposal else None
            turn.audit("helper.asked", proposed=reading.intent if reading else "")
            await (guess.ask(turn, reading) if reading else help_shortly(turn))

    async def _proposal(self, timer: Timer) -> Proposal | None:
        text = str(timer.payload["message"]["text"])
        async with self._ground.look() as work:
            asked = masked(text, [person.name for person in work.org.people.values()])
        answer = await self._adviser.propose(asked.text)
        return checked(answer, asked) if answer else None

    def _read(self, turn: Turn, proposal: Proposal) -> Reading | None:
        moment = turn.work.local(turn.incoming.written_at)
        context = Context(moment, role_of(turn.person, None), "direct")
        return self._reader.assume(turn.incoming.text, context, proposal)
