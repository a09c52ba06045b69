"""Whether the process lives and works, and its figures."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from adapters.web.server import HEALTH
from storage.models import Obligation
from storage.ports import Accept
from tests.fakes import FakePlatform
from tests.web.house import START, House, house


@dataclass
class Shaky(FakePlatform):
    """A platform whose connection the test decides about."""

    connected: bool = False
    complaint: str = ""

    def trouble(self) -> str:
        return self.complaint

    def ever_connected(self) -> bool:
        return self.connected

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        async def take(request: web.Request) -> web.StreamResponse:
            return web.Response(text=f"{len(await request.read())}")

        return [web.post("/shaky/robot", take)]


async def ready(home: House) -> tuple[int, dict[str, object]]:
    async with home.client.get("/readyz") as answer:
        return answer.status, await answer.json()


async def test_a_working_process_is_alive_and_ready(home: House) -> None:
    async with home.client.get("/healthz") as answer:
        assert answer.status == 200
    assert await ready(home) == (200, {"status": "ok", "degraded": {}})


async def test_not_ready_before_every_platform_has_connected_once(tmp_path: Path) -> None:
    platform = Shaky("dingtalk")
    async with house(tmp_path, more=(platform,)) as home:
        status, report = await ready(home)
        assert (status, report["waiting"]) == (503, ["dingtalk"])
        platform.connected = True
        assert (await ready(home))[0] == 200


async def test_a_platform_that_never_connects_holds_it_up_for_15_seconds_only(tmp_path: Path) -> None:
    async with house(tmp_path, more=(Shaky("dingtalk"),)) as home:
        home.clock.advance(timedelta(seconds=14.9))
        assert (await ready(home))[0] == 503
        home.clock.advance(timedelta(seconds=0.1))
        assert (await ready(home))[0] == 200


async def test_a_platform_lost_later_is_named_and_the_process_stays_ready(tmp_path: Path) -> None:
    platform = Shaky("dingtalk", connected=True, complaint="钉钉连接中断")
    async with house(tmp_path, more=(platform,)) as home:
        assert await ready(home) == (200, {"status": "ok", "degraded": {"dingtalk": "钉钉连接中断"}})


async def test_an_engine_that_does_not_fire_is_not_ready(home: House) -> None:
    """Somebody's deadline passed and nobody was told: traffic and alarms must know."""
    await home.add(Obligation(kind="fault_ack", unit_id="X1", due_at=START, next_at=START, opened_at=START))
    home.clock.advance(timedelta(minutes=2))
    status, report = await ready(home)
    assert (status, report["failed"]) == (503, ["engine"])


async def test_a_lost_database_is_not_ready_but_alive(home: House) -> None:
    database = home.runtime.ground.database
    await database.close()
    path = Path(str(database.url.database))
    path.rename(path.with_suffix(".gone"))
    path.mkdir()
    status, report = await ready(home)
    assert (status, report["failed"]) == (503, ["database"])
    async with home.client.get("/healthz") as answer:
        assert answer.status == 200


async def test_while_stopping_nothing_new_is_taken(tmp_path: Path) -> None:
    """Platforms try again later; taking and then dying would lose the message."""
    async with house(tmp_path, more=(Shaky("dingtalk", connected=True),)) as home:
        app = home.client.app
        assert app is not None
        app[HEALTH].stopping = True
        assert (await ready(home))[0] == 503
        async with home.client.post("/shaky/robot", data=b"x") as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"]
        async with home.client.get("/healthz") as answer:
            assert answer.status == 200


async def test_a_body_over_one_mebibyte_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path, more=(Shaky("dingtalk", connected=True),)) as home:
        for size, status in ((1024 * 1024, 200), (1024 * 1024 + 1, 413)):
            async with home.client.post("/shaky/robot", data=_pieces(size)) as answer:
                assert answer.status == status


async def _pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose size is not announced."""
    for at in range(0, size, 2**16):
        yield b"x" * min(2**16, size - at)


async def figures(home: House) -> dict[str, float]:
    async with home.client.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = (await answer.text()).splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


async def test_figures_follow_the_work(home: House) -> None:
    await home.say("fang", "linhe-client", "报障：没声音")
    found = await figures(home)
    assert found['huibao_inbox_messages{state="done"}'] == 1
    assert found['huibao_outbox_messages{platform="web",state="delivered"}'] == 1
    assert found['huibao_obligations{kind="fault_ack",state="open"}'] == 1
    assert found["huibao_obligations_unmet"] == 1
    assert found["huibao_deadlines_overdue"] == 0
    assert found['huibao_platform_up{platform="web"}'] == 1


async def test_lateness_is_how_long_the_oldest_deadline_waits(home: House) -> None:
    await home.add(Obligation(kind="fault_ack", unit_id="X1", due_at=START, next_at=START, opened_at=START))
    home.clock.advance(timedelta(seconds=42))
    found = await figures(home)
    assert found["huibao_deadlines_overdue"] == 1
    assert found["huibao_deadline_lateness_seconds"] == 42


async def test_strangers_cannot_grow_the_figures(home: House) -> None:
    """Paths are counted by route, not as typed."""
    before = len(await figures(home))
    for number in range(20):
        async with home.client.get(f"/nothing/{number}") as answer:
            assert answer.status == 404
    assert len(await figures(home)) <= before + 4
