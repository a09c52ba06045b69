"""A bot behind a real loopback server for the web tests: sample organisation, console on, the clock in the test's hand.

Its logic is a parrot: it answers every message in its conversation, so that these tests do not depend on any workflow.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from sqlmodel import SQLModel

from adapters.web.adapter import WebAdapter
from adapters.web.server import build_app
from adapters.web.sight import played
from storage.clock import ManualClock
from storage.console import ConsoleMessage
from storage.database import Database
from storage.messages import Action, Incoming, Outgoing, Urgency
from storage.models import Delivery, InboxRow, Obligation, Timer
from storage.obligations import DUE, Rung, open_obligation
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.outbox import post
from storage.ports import Adapter
from storage.runtime import Logic, Runtime
from storage.settings import build_settings
from storage.work import Ground, Work

START = datetime.fromisoformat("2026-11-24T15:10:00+08:00")
TOKEN = "open-sesame"
HX = {"HX-Request": "true"}
NUMBER = "GZ-20261124-001"
TAKE = Action(label="我来", value=f"take:{NUMBER}", say="我来")


@dataclass
class Parrot:
    """Answers what it hears, remembers it, and opens a debt when it hears 报障."""

    heard: list[Incoming] = field(default_factory=list)
    fired: list[datetime] = field(default_factory=list)

    async def handle(self, work: Work, incoming: Incoming) -> None:
        self.heard.append(incoming)
        words = incoming.text or incoming.click or "图片"
        message = Outgoing(text=f"听到：{words}", about=NUMBER, urgency=Urgency.ANSWER, actions=(TAKE,), card=NUMBER)
        await post(work, incoming.conversation, message, key=f"parrot:{incoming.message_id}")
        if "报障" in incoming.text:
            debt = Obligation(
                kind="fault_ack",
                unit_id="X1",
                site_id="S2",
                person_ids=["li"],
                fault=NUMBER,
                due_at=work.now + timedelta(minutes=10),
                opened_at=work.now,
            )
            ladder = [Rung("nudge", timedelta(minutes=-3)), Rung(DUE, timedelta()), Rung("upper", timedelta(minutes=5))]
            open_obligation(work, debt, ladder)

    async def escalate(self, work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
        self.fired.append(work.now)
        return True

    async def bury(self, work: Work, row: InboxRow) -> None:
        return None

    async def give_up(self, work: Work, row: Delivery, final: bool) -> None:
        return None

    async def on_timer(self, work: Work, timer: Timer) -> None:
        self.fired.append(work.now)

    def logic(self) -> Logic:
        return Logic(self.handle, self.bury, self.escalate, {"bell": self.on_timer}, {}, self.give_up, "（补发）")


def place_of(who: str, where: str) -> str:
    """A conversation with its platform as it is, a web group by its name, or (empty) the direct chat."""
    if ":" in where:
        return where
    return f"web:group:{where}" if where else f"web:direct:{who}"


@dataclass
class House:
    """The running bot, seen from a browser."""

    runtime: Runtime
    clock: ManualClock
    parrot: Parrot
    client: TestClient[Any, Any]

    async def say(self, who: str, where: str, text: str, *, mention: bool = True, **extra: str) -> int:
        """Post the input box as ``who``; returns the status. ``where``: see :func:`place_of`."""
        place = place_of(who, where)
        form = {"as": who, "in": place, "text": text, "nonce": f"{len(text) + hash((who, text)) % 10**9:032d}"}
        form |= {"mention": "1"} if mention else {}
        async with self.client.post("/console/say", data=form | extra, headers=HX) as answer:
            await answer.text()
        await self.runtime.step()
        return answer.status

    async def page(self, path: str) -> str:
        """A page's HTML."""
        async with self.client.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()

    async def get(self, path: str, token: str = TOKEN) -> tuple[int, Any]:
        """Status and JSON of a read API page."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.client.get(path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def add(self, *rows: SQLModel) -> None:
        """Put rows into the tables."""
        async with self.runtime.ground.database.write() as session:
            session.add_all(rows)

    async def shown(self, conversation: str) -> list[str]:
        """What a conversation shows."""
        async with self.runtime.ground.database.read() as session:
            from sqlmodel import col, select

            query = select(ConsoleMessage).where(ConsoleMessage.conversation == conversation)
            return [row.text for row in (await session.exec(query.order_by(col(ConsoleMessage.id)))).all()]


def _consoles(ground: Ground) -> list[WebAdapter]:
    return [WebAdapter(ground, name) for name in played(ground.settings)]


@asynccontextmanager
async def house(
    folder: Path,
    *,
    token: str = TOKEN,
    console: bool = True,
    push: bool = True,
    more: tuple[Adapter, ...] = (),
    plays: tuple[str, ...] = (),
) -> AsyncIterator[House]:
    """A house with the sample organisation in it. ``plays``: platforms that the console plays."""
    web = {"console": console, "api_token": token, "console_platforms": list(plays)}
    settings = build_settings({"web": web}, {}, folder, "test")
    clock, database, parrot = ManualClock(START), Database(settings.database_url), Parrot()
    ground = Ground(database, clock, settings)
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    await import_tables(database, read_tables(SAMPLE), clock.now(), dry_run=False)
    runtime = Runtime(ground, [*_consoles(ground), *more], parrot.logic())
    client = TestClient(TestServer(build_app(runtime, may_push_clock=push)))
    await client.start_server()
    try:
        yield House(runtime, clock, parrot, client)
    finally:
        await client.close()
        await database.close()
