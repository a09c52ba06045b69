"""People at their screens: the whole demo on a loopback port, each person in a browser window of their own."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Request, ViewportSize, async_playwright

from adapters.web.adapter import WebAdapter
from adapters.web.server import build_app, serve
from bot import compose
from storage.clock import SystemClock
from storage.database import Database
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from storage.settings import build_settings
from storage.work import Ground
from tests.web.house import START, place_of

LAPTOP = ViewportSize(width=1366, height=768)
PHONE = ViewportSize(width=390, height=844)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SOON = 15_000
"""Milliseconds in which something must be seen."""


def chromium() -> str:
    """The installed Chromium; without one the tests are skipped with a reason."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed: the console is not tried in a browser")
    return found


@dataclass
class Screen:
    """One person's window."""

    who: str
    base: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    """What the browser's console reported: blocked scripts, failed requests, errors of our script."""

    async def open(self, where: str = "") -> "Screen":
        """Look at a conversation; ``where``: see :func:`place_of`."""
        place = place_of(self.who, where)
        await self.page.goto(f"{self.base}/console?as={self.who}&in={place}")
        await self.page.locator("#board").wait_for(state="attached")
        return self

    async def say(self, text: str) -> None:
        """Type and press Enter."""
        await self.page.fill("#text", text)
        await self.page.press("#text", "Enter")
        await self.page.locator("#thread .mine", has_text=text).last.wait_for(timeout=SOON)

    async def press(self, label: str) -> None:
        """Press the newest button of this name in the conversation."""
        await self.page.locator("#thread .actions button", has_text=re.compile(f"^{label}$")).last.click()

    async def forward(self, label: str) -> None:
        """Push the clock, and wait until it has been pushed."""
        async with self.page.expect_response("**/console/forward", timeout=30_000) as answer:
            await self.page.locator(".push button", has_text=label).click()
        assert (await answer.value).status == 204

    async def sees(self, *parts: str) -> str:
        """Wait for a message of the bot with all these parts; returns its words."""
        found = self.page.locator("#thread .bot .bubble")
        for part in parts:
            found = found.filter(has_text=part)
        try:
            await found.last.wait_for(timeout=SOON)
        except Exception as error:
            shown = "\n".join(await self.words())
            raise AssertionError(f"{self.who} did not see {parts}; the conversation:\n{shown}") from error
        return await found.last.inner_text()

    async def words(self) -> list[str]:
        """All messages of the open conversation."""
        return [" ".join(text.split()) for text in await self.page.locator("#thread .bubble").all_inner_texts()]

    async def board(self, *parts: str) -> None:
        """Wait until one row of the board has all these parts."""
        found = self.page.locator("#board li")
        for part in parts:
            found = found.filter(has_text=part)
        await found.first.wait_for(timeout=SOON, state="attached")

    async def unread(self, person: str) -> int:
        """The badge of a person in the list."""
        badge = self.page.locator(f"#as-{person} .badge")
        return int(await badge.inner_text()) if await badge.count() else 0


@dataclass
class Desk:
    """The running demo and a browser to look at it."""

    base: str
    browser: Browser
    screens: list[Screen] = field(default_factory=list)

    async def sit(self, who: str, where: str = "", *, phone: bool = False) -> Screen:
        """A window for ``who``, opened at a group or the direct conversation."""
        context = await self.browser.new_context(viewport=PHONE if phone else LAPTOP, locale="zh-CN", has_touch=phone)
        context.set_default_timeout(SOON)
        page = await context.new_page()
        screen = Screen(who, self.base, page)
        page.on("console", lambda message: screen.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: screen.complaints.append(str(error)))
        page.on("request", lambda request: _stays_here(screen, request))
        self.screens.append(screen)
        return await screen.open(where)


def _stays_here(screen: Screen, request: Request) -> None:
    if not request.url.startswith((screen.base, "data:")):
        screen.complaints.append(f"asked another machine: {request.url}")


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """A running browser: starting one takes longer than many a test."""
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def desk(folder: Path, browser: Browser, plays: tuple[str, ...] = ("wecom",)) -> AsyncIterator[Desk]:
    """The demo at 15:10 with the sample organisation; afterwards no window may have complained.

    ``plays``: the platforms that the console plays besides its own.
    """
    settings = build_settings({"web": {"console": True, "console_platforms": list(plays)}}, {}, folder, "demo")
    database = Database(settings.database_url)
    ground = Ground(database, SystemClock(START - datetime.now(UTC)), settings)
    runtime = await compose(ground, [WebAdapter(ground, name) for name in ("web", *plays)])
    await import_tables(database, read_tables(SAMPLE), ground.clock.now(), dry_run=False)
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    app = build_app(runtime, may_push_clock=True)
    server = asyncio.create_task(serve(app, runtime, "127.0.0.1", 0, stop, port.set_result))
    try:
        running = Desk(f"http://127.0.0.1:{await port}", browser)
        yield running
        for screen in running.screens:
            await screen.page.context.close()
        assert not [line for screen in running.screens for line in screen.complaints]
    finally:
        stop.set()
        await server
        await database.close()
