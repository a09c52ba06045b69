"""The bot as an operator runs it: ``bot.py serve`` in a process of its own, on DingTalk's wire, in real time."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from storage.organisation.sample import SAMPLE
from tests.dingtalk.conftest import CLIENT_ID, CLIENT_SECRET
from tests.dingtalk.live import GROUPS
from tests.simulators.dingtalk import DingTalkSimulator, Seen

ROOT = Path(__file__).parents[2]
TOKEN = "read-me"
PATIENCE = 60.0
"""Seconds any process may take to end, on the slowest of machines."""
CONFIG = """
data_dir = "data"
[web]
port = {port}
api_token = "{token}"
[dingtalk]
client_id = "{client_id}"
client_secret = "{client_secret}"
robot_code = "{client_id}"
receive = "{receive}"
api_base = "{base}"
oapi_base = "{base}"
[calendar]
night = ""
noon = ""
[policy.notice_ack]
within = "{within}"
upper_after = "1s"
group_after = "2s"
[policy.fault_ack]
within = "{within}"
upper_after = "1s"
group_after = "2s"
"""


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def command(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run ``bot.py``; exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "bot.py"),
        *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean_environment(),
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(stdin)
    finally:
        await _gone(process)
    return process.returncode or 0, out.decode(), err.decode()


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Kill it unless it has ended: nothing a test started may outlive the test, or keep it waiting."""
    if process.returncode is None:
        process.kill()
        await process.wait()


def clean_environment() -> dict[str, str]:
    """The environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HUIBAO_")}


class Served:
    """A running ``serve`` with the simulator it talks to."""

    def __init__(self, config: Path, port: int, simulator: DingTalkSimulator) -> None:
        self.config, self.port, self.simulator = config, port, simulator
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it is ready."""
        words = ("serve", "--config", str(self.config))
        with (self.config.parent / "stderr.log").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "bot.py"),
                *words,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
                env=clean_environment(),
            )
        await self.until(self._ready, 60)

    async def _ready(self) -> bool:
        try:
            return (await self.get("/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    async def get(self, path: str, token: str = TOKEN) -> tuple[int, Any]:
        """GET a page of the bot: status, and the JSON of the body when it is some."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.port}{path}", headers=headers) as response,
        ):
            text = await response.text()
            return response.status, json.loads(text) if response.content_type == "application/json" else text

    async def rows(self, table: str, query: str = "") -> list[dict[str, Any]]:
        """Rows of the read API, newest first."""
        status, body = await self.get(f"/api/v1/{table}?limit=200{query}")
        assert status == 200, body
        found: list[dict[str, Any]] = body["rows"]
        return found

    async def kill(self) -> None:
        """``kill -9``."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> tuple[int, float]:
        """SIGTERM: the exit code and the seconds it took."""
        started = time.monotonic()
        return await self._end(signal.SIGTERM), time.monotonic() - started

    async def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return 0
        process.send_signal(how)
        try:
            async with asyncio.timeout(PATIENCE):
                return await process.wait()
        finally:
            await _gone(process)

    async def sees(self, where: str, *parts: str, within: float = 15) -> Seen:
        """The first message at a conversation id or a DingTalk user id that holds all parts, once it is there."""
        found: list[Seen] = []

        async def look() -> bool:
            group = where.startswith("cid")
            seen = self.simulator.group_messages(where) if group else self.simulator.direct_messages(where)
            found[:] = [entry for entry in seen if all(part in entry.text for part in parts)]
            return bool(found)

        await self.until(look, within)
        return found[0]

    async def until(self, condition: Callable[[], Any], seconds: float) -> None:
        """Wait for a condition of the outside world."""
        deadline = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < deadline, f"it did not come within {seconds} s"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def served(folder: Path, *, receive: str = "http", within: str = "10m") -> AsyncIterator[Served]:
    """A bot with the sample organisation, running and ready."""
    port = free_port()
    async with DingTalkSimulator(time.time) as simulator:
        app = simulator.world.app(CLIENT_ID, CLIENT_SECRET)
        app.receive, app.robot_url = receive, f"http://127.0.0.1:{port}/dingtalk/robot"
        for conversation, (title, members) in GROUPS.items():
            simulator.world.group(conversation, title, *(f"dt-{member}" for member in members.split()))
        config = folder / "huibao.toml"
        values = {"base": simulator.base_url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token": TOKEN}
        config.write_text(CONFIG.format(port=port, receive=receive, within=within, **values), "utf-8")
        code, _, err = await command("import", str(SAMPLE), "--config", str(config))
        assert code == 0, err
        bot = Served(config, port, simulator)
        await bot.start()
        try:
            yield bot
        finally:
            await bot.kill()
