"""Server and bot together, from start to a clean stop."""

import asyncio
from pathlib import Path

import aiohttp

from adapters.web.server import build_app, serve
from tests.web.house import HX, house

FORM = {"as": "fang", "in": "web:group:linhe-client", "text": "没声音", "mention": "1", "nonce": "b" * 32}


async def test_it_listens_works_and_stops_with_viewers_still_there(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
        app = build_app(home.runtime)
        server = asyncio.create_task(serve(app, home.runtime, "127.0.0.1", 0, stop, port.set_result))
        base = f"http://127.0.0.1:{await port}"
        async with aiohttp.ClientSession() as browser:
            async with browser.post(f"{base}/console/say", data=FORM, headers=HX) as answer:
                assert answer.status == 200
            async with browser.get(f"{base}/console/events?as=fang&in=web:group:linhe-client") as stream:
                async with asyncio.timeout(5):
                    await stream.content.readuntil(b"\xe5\x90\xac\xe5\x88\xb0")  # 听到
                stop.set()
                async with asyncio.timeout(5):
                    await server
        assert [incoming.text for incoming in home.parrot.heard] == ["没声音"]


async def test_a_taken_port_is_an_error_that_the_command_line_can_explain(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        port = home.client.port
        assert port
        try:
            await serve(build_app(home.runtime), home.runtime, "127.0.0.1", port, asyncio.Event())
        except OSError:
            return
        raise AssertionError("listening twice on one port")
