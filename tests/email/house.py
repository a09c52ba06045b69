"""The bot with mail for real: its adapter on a loopback server, other platforms faked, the clock in the test's hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from adapters.email.adapter import EmailAdapter
from adapters.web.server import build_app
from bot import compose
from storage.clock import ManualClock
from storage.database import Database
from storage.files import file_store
from storage.messages import Address, Outgoing, Urgency
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.outbox import post
from storage.settings import build_settings
from storage.work import Ground
from tests.email.letters import BOT, SECRET
from tests.fakes import FakePlatform
from tests.scenario import DINGTALK, START, Scenario
from tests.simulators.email.smtp import SmtpServer, smtp_server

TRUSTED = "mx.example.org"


class House(Scenario):
    """A scenario whose mails are in ``smtp.mails``; ``client`` opens what links point at."""

    def __init__(self, scene: tuple[Any, ManualClock, dict[str, FakePlatform]], adapter: EmailAdapter) -> None:
        super().__init__(*scene)
        self.adapter = adapter
        self.count = 0
        """Mails received so far."""
        self.smtp: SmtpServer
        self.client: TestClient[Any, Any]

    async def post(self, address: str, text: str, *, key: str = "k", kind: str = "direct", **fields: Any) -> None:
        """Put one message into the outbox and send what is due."""
        to = Address(platform="email", kind=kind, id=address)  # type: ignore[arg-type]
        message = Outgoing.model_validate({"text": text, "urgency": Urgency.NOTICE, **fields})
        async with self.ground.work() as work:
            await post(work, to, message, key=key)
        await self.settle()


@asynccontextmanager
async def house(
    folder: Path,
    *,
    trusted: str = TRUSTED,
    public_url: str = "https://huibao.example.org",
    chat: bool = True,
    organisation: Path = SAMPLE,
    **sections: Any,
) -> AsyncIterator[House]:
    """A bot with the sample organisation. ``chat``: DingTalk (faked) is configured beside mail."""
    async with smtp_server() as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "tls": "none"}
        email = {"address": BOT, "smtp": smtp, "imap": {"trusted_authserv": trusted}}
        dingtalk = {"dingtalk": DINGTALK} if chat else {}
        settings = build_settings({**dingtalk, "email": email, **sections}, {}, folder, "test")
        clock, database = ManualClock(START), Database(settings.database_url)
        ground = Ground(database, clock, settings)
        assert settings.email is not None
        adapter = EmailAdapter(settings.email, ground, SECRET, load=file_store(settings).load, public_url=public_url)
        fakes = {name: FakePlatform(name) for name in settings.platforms - {"email"}}
        try:
            runtime = await compose(ground, [*fakes.values(), adapter])
            await import_tables(database, read_tables(organisation), clock.now(), dry_run=False)
            running = House((runtime, clock, fakes), adapter)
            running.smtp = server
            await running.learn()
            async with TestClient(TestServer(build_app(runtime))) as running.client:
                yield running
        finally:
            await adapter.close()
            await database.close()
