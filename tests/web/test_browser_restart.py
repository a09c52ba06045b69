"""A page of the demo outlives the server it came from: it says so, finds its way back, and has missed nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.acceptance.process import PATIENCE, ROOT, clean_environment, free_port
from tests.web.desk import LAPTOP, started

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AWAY = 45_000
"""Milliseconds in which a page must have noticed that the server is back: the starting of a process included."""


@asynccontextmanager
async def demo(port: int, data: Path) -> AsyncIterator[None]:
    """``bot.py demo`` in a process of its own, ready; killed at the end."""
    words = ("demo", "--port", str(port), "--data", str(data))
    pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "bot.py"), *words, stdout=pipe, stderr=none, env=clean_environment()
    )
    try:
        async with asyncio.timeout(PATIENCE):
            assert process.stdout is not None
            assert f":{port}/" in (await process.stdout.readline()).decode()
        yield
    finally:
        process.kill()
        await process.wait()


async def say(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.press("#text", "Enter")


async def test_a_page_finds_its_way_back_to_a_server_that_was_killed(tmp_path: Path) -> None:
    port = free_port()
    place = f"http://127.0.0.1:{port}/console?as={{}}&in=web:group:linhe-client"
    async with started() as browser:
        fang, other = [await (await browser.new_context(viewport=LAPTOP)).new_page() for _ in range(2)]
        async with demo(port, tmp_path):
            await fang.goto(place.format("fang"))
            await say(fang, "三楼会议室没声音了，会马上开始")
            await fang.locator("#thread .bot", has_text="已受理").wait_for()
        await fang.locator("#notice", has_text="断开").wait_for()
        await say(fang, "在吗")
        assert await fang.input_value("#text") == "在吗", "what could not be sent stays in the box"
        async with demo(port, tmp_path):
            await fang.locator("#notice").wait_for(state="hidden", timeout=AWAY)
            await other.goto(place.format("li"))
            await say(other, "我在路上")
            await fang.locator("#thread .bubble", has_text="我在路上").wait_for()
            assert await fang.locator("#thread .bot", has_text="已受理").count() == 1
            assert await fang.locator("#thread .mine").count() == 1
