"""How fast the bus is: accepting, handling, sending, firing, sealing; and beside a bare aiohttp echo."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
from aiohttp import web

from storage.audit import Sealer
from storage.clock import SystemClock
from storage.database import Database
from storage.messages import Address, Incoming, Outgoing, Urgency
from storage.migrate import migrate
from storage.models import Obligation
from storage.outbox import post
from storage.ports import Outcome, SendJob, Sent
from storage.runtime import Runtime
from storage.work import Ground, Work
from tests.fakes import FakePlatform
from tests.storage.parts import Recorder, ground_on, incoming

PARALLEL = 16
REQUESTS = 2000
ROWS = 1000


class Quiet(FakePlatform):
    """Takes everything, keeps nothing."""

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        return dict.fromkeys(job.addresses, Sent())


class Reply(Recorder):
    """One answer for each message."""

    async def handle(self, work: Work, message: Incoming) -> None:
        text = Outgoing(text="收到", urgency=Urgency.ANSWER)
        await post(work, message.conversation, text, key=message.message_id)


@asynccontextmanager
async def fresh() -> AsyncIterator[Ground]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/bench.db")
        await migrate(database)
        yield ground_on(database, SystemClock())
        await database.close()


def place(number: int) -> Address:
    return Address(platform="fake", kind="direct", id=str(number % 100))


async def hits_per_second(handler: Callable[[web.Request], Awaitable[web.Response]]) -> float:
    """Requests a second that a handler answers, ``PARALLEL`` at a time."""
    app = web.Application()
    app.router.add_post("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    left = iter(range(REQUESTS))

    async def client(session: aiohttp.ClientSession) -> None:
        for number in left:
            async with session.post(url, json={"id": number, "text": "没声音了"}) as response:
                assert response.status == 200

    async with aiohttp.ClientSession() as session:
        started = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(PARALLEL)))
        taken = time.perf_counter() - started
    await runner.cleanup()
    return REQUESTS / taken


async def echo(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


async def accepted() -> float:
    async with fresh() as ground:
        runtime = Runtime(ground, [], Reply().logic())

        async def handler(request: web.Request) -> web.Response:
            body = await request.json()
            await runtime.inbox.accept(incoming(body["id"], body["text"], place=place(body["id"])))
            return web.json_response({})

        return await hits_per_second(handler)


async def answered() -> float:
    """The whole way: HTTP in, committed, handled, answer committed, sent, recorded."""
    async with fresh() as ground:
        runtime = Runtime(ground, [Quiet("fake")], Reply().logic())
        started = time.perf_counter()
        for at in range(0, ROWS, 100):
            numbers = range(at, at + 100)
            await asyncio.gather(*(runtime.inbox.accept(incoming(n, place=place(n))) for n in numbers))
        await runtime.step()
        return ROWS / (time.perf_counter() - started)


async def handled() -> float:
    async with fresh() as ground:
        runtime = Runtime(ground, [], Reply().logic())
        await asyncio.gather(*(runtime.inbox.accept(incoming(n, place=place(n))) for n in range(ROWS)))
        started = time.perf_counter()
        await runtime.dispatcher.step()
        return ROWS / (time.perf_counter() - started)


async def sent() -> float:
    async with fresh() as ground:
        async with ground.work() as work:
            for n in range(ROWS):
                await post(work, place(n), Outgoing(text=str(n), about=str(n)), key=str(n))
        runtime = Runtime(ground, [Quiet("fake")], Reply().logic())
        started = time.perf_counter()
        await runtime.senders[0].step()
        return ROWS / (time.perf_counter() - started)


async def fired() -> float:
    async with fresh() as ground:
        async with ground.work() as work:
            due = work.now - timedelta(seconds=1)
            ladder = [{"rung": "due", "after_s": 0}]
            work.session.add_all(
                Obligation(
                    kind="notice_ack", unit_id=str(n), due_at=due, next_at=due, ladder=ladder, opened_at=work.now
                )
                for n in range(ROWS)
            )
        runtime = Runtime(ground, [], Reply().logic())
        started = time.perf_counter()
        assert await runtime.engine.step() == ROWS
        return ROWS / (time.perf_counter() - started)


async def sealed() -> float:
    async with fresh() as ground:
        async with ground.work() as work:
            for n in range(5 * ROWS):
                work.audit("fault.taken", about=f"GZ-{n}", who="li", text="我来")
        sealer = Sealer(ground)
        started = time.perf_counter()
        assert await sealer.step() == 5 * ROWS
        return 5 * ROWS / (time.perf_counter() - started)


async def run() -> dict[str, str]:
    """The figures of this benchmark."""
    bare = await hits_per_second(echo)
    kept = await accepted()
    figures = {"bare aiohttp echo /s": bare, "accepted, committed /s": kept}
    parts = {
        "handled": handled,
        "sent": sent,
        "accepted, handled, answered": answered,
        "fired": fired,
        "sealed": sealed,
    }
    for name, part in parts.items():
        figures[f"{name} /s"] = await part()
    shown = {name: f"{rate:,.0f}" for name, rate in figures.items()}
    whole = figures["accepted, handled, answered /s"]
    return shown | {"accept ÷ echo": f"{kept / bare:.2f}", "whole way ÷ echo": f"{whole / bare:.2f}"}


if __name__ == "__main__":
    for what, figure in asyncio.run(run()).items():
        print(f"{what}: {figure}")
