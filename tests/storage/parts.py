"""Parts to test the ground with: a ground on a given database, messages, logic that only records."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from storage.clock import Clock, ManualClock
from storage.database import Database
from storage.messages import Address, Incoming, Outgoing, Sender, Urgency
from storage.models import Delivery, InboxRow, Obligation, Timer
from storage.obligations import Rung, open_obligation
from storage.outbox import post
from storage.runtime import Logic
from storage.sender import Renderer
from storage.settings import build_settings
from storage.work import Ground, Work

NOW = datetime(2026, 11, 24, 7, 10, tzinfo=UTC)
GROUP = Address(platform="fake", kind="group", id="g1")
LI = Address(platform="fake", kind="direct", id="li")
MARK = "【补发】"


def ground_on(database: Database, clock: Clock | None = None) -> Ground:
    return Ground(database, clock or ManualClock(NOW), build_settings({}, {}, Path(), "test"))


def incoming(number: object, text: str = "收到", *, place: Address = GROUP, written_at: datetime = NOW) -> Incoming:
    return Incoming(
        platform=place.platform,
        account="bot",
        message_id=str(number),
        conversation=place,
        sender=Sender(account="li"),
        text=text,
        written_at=written_at,
    )


async def rows(ground: Ground, model: type[Any], *conditions: Any) -> list[Any]:
    async with ground.database.read() as session:
        return list((await session.exec(select(model).where(*conditions).order_by(model.id))).all())


async def inbox_states(ground: Ground) -> dict[str, str]:
    return {row.message_id: row.state for row in await rows(ground, InboxRow)}


async def say(
    ground: Ground,
    text: str,
    *,
    to: Address = GROUP,
    about: str = "",
    urgency: Urgency = Urgency.NOTICE,
    renderer: str = "",
    hints: Mapping[str, str] | None = None,
    key: str = "",
) -> None:
    async with ground.work() as work:
        message = Outgoing(text=text, about=about, urgency=urgency)
        await post(work, to, message, key=key or text, renderer=renderer, hints=hints)


async def deliveries(ground: Ground) -> list[Delivery]:
    return await rows(ground, Delivery)


async def states(ground: Ground) -> dict[str, str]:
    return {row.message["text"].removeprefix(MARK): row.state for row in await deliveries(ground)}


async def owe(ground: Ground, unit: str, due_at: datetime, ladder: Mapping[str, int]) -> int:
    """Open a debt of ``unit`` with rungs by minutes from the due time; its id."""
    async with ground.work() as work:
        rungs = [Rung(name, timedelta(minutes=after)) for name, after in ladder.items()]
        debt = Obligation(kind="notice_ack", unit_id=unit, due_at=due_at, opened_at=work.now)
        open_obligation(work, debt, rungs)
    return debt.id or 0


async def debts(ground: Ground) -> list[Obligation]:
    return await rows(ground, Obligation)


@dataclass
class Recorder:
    """Logic that records what it is called with. ``broken``: texts, units and timers that make it raise."""

    handled: list[str] = field(default_factory=list)
    buried: list[int] = field(default_factory=list)
    fired: list[tuple[str, str, datetime]] = field(default_factory=list)
    late: list[bool] = field(default_factory=list)
    timed: list[str] = field(default_factory=list)
    failed: list[tuple[str, bool]] = field(default_factory=list)
    stuck: list[tuple[str, int]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    nobody: set[str] = field(default_factory=set)
    renderers: dict[str, Renderer] = field(default_factory=dict)

    async def handle(self, work: Work, message: Incoming) -> None:
        if message.text in self.broken:
            raise ZeroDivisionError(message.text)
        self.handled.append(message.message_id)
        await self.answer(work, message)

    async def answer(self, work: Work, message: Incoming) -> None:
        """Override for a workflow that does something."""

    async def bury(self, work: Work, row: InboxRow) -> None:
        if "bury" in self.broken:
            raise ZeroDivisionError
        self.buried.append(row.id or 0)

    async def escalate(self, work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
        if obligation.unit_id in self.broken:
            raise ZeroDivisionError(obligation.unit_id)
        self.late.append(late)
        self.fired.append((obligation.unit_id, rung, work.now))
        return rung not in self.nobody

    async def timer(self, work: Work, timer: Timer) -> None:
        if timer.key in self.broken:
            raise ZeroDivisionError(timer.key)
        self.timed.append(timer.key)

    async def fail(self, work: Work, row: Delivery, final: bool) -> None:
        if "fail" in self.broken:
            raise ZeroDivisionError
        self.failed.append((row.message["text"], final))

    async def keep_failing(self, work: Work, row: Obligation | Timer, tries: int) -> None:
        if "stuck" in self.broken:
            raise ZeroDivisionError
        self.stuck.append((row.key if isinstance(row, Timer) else row.unit_id, tries))

    @property
    def rungs(self) -> list[tuple[str, str]]:
        return [(unit, rung) for unit, rung, _ in self.fired]

    def logic(self) -> Logic:
        return Logic(self.handle, self.bury, self.escalate, {"tick": self.timer}, self.renderers, self.fail, MARK)


async def until(condition: Any, within: float = 5.0) -> None:
    """Let the loop run until ``condition()`` holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what is waited for may be any state of the world
            await asyncio.sleep(0.005)
