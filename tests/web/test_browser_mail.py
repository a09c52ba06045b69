"""Mail in the console, in a browser: a fault reported by mail, a formal notice attached, answers in their threads."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.web.desk import SOON, Desk, Screen, desk, started

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with started() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def room(tmp_path: Path, browser: Browser) -> AsyncIterator[Desk]:
    async with desk(tmp_path, browser, plays=("email",)) as running:
        yield running


async def mail(screen: Screen, subject: str, text: str = "", attach: str = "") -> None:
    """Write a new mail; afterwards its thread is open."""
    await screen.page.fill("#subject", subject)
    await screen.page.fill("#text", text)
    if attach:
        await screen.page.select_option("#photo", attach)
    await screen.page.click("#send")
    await screen.page.locator("#thread .mine .title", has_text=subject).wait_for(timeout=SOON)


async def reply(screen: Screen, text: str) -> None:
    """Answer in the open thread, as with the keys of a mail program."""
    await screen.page.fill("#text", text)
    await screen.page.press("#text", "Control+Enter")
    await screen.page.locator("#thread .mine", has_text=text).last.wait_for(timeout=SOON)


async def open_mail(screen: Screen, subject: str) -> None:
    """Open the newest thread with these words in its subject."""
    await screen.page.locator(".talks ul.email a", has_text=subject).first.click(timeout=SOON)
    await screen.page.locator("#chat-heading", has_text=subject).wait_for(timeout=SOON)


async def test_a_fault_by_mail_is_answered_in_its_thread(room: Desk) -> None:
    fang = await room.sit("fang", "email:direct:fang@linhe.example.org", phone=True)
    await mail(fang, "三楼会议室没声音", "会马上开始，请尽快处理")
    said = await fang.sees("已受理", "三楼会议室")
    number = re.search(r"GZ-\d{8}-\d{3}", said)
    assert number
    assert f"Re: [{number[0]}] 三楼会议室没声音" in said
    assert "huibao@example.org> → fang@linhe.example.org" in said
    li = await room.sit("li")
    await li.sees(number[0], "三楼会议室")
    await li.press("接单")
    await fang.sees("已接单", "李工")
    await li.say("修好了，换了音频线")
    await fang.sees("请确认", number[0])
    await reply(fang, "好了，有声音了")
    await fang.sees("已恢复", number[0])


async def test_a_formal_notice_by_mail_is_confirmed_in_the_thread_and_acknowledged_by_reply(room: Desk) -> None:
    chen = await room.sit("chen", "email:direct:chen@sheng.example.org")
    await mail(chen, "请安排会议保障", "通知见附件", attach="notice")
    await chen.page.locator("#thread .mine .paper", has_text="会议通知.docx").wait_for()
    said = await chen.sees("请核对", "全省防汛视频会商会", "联调", "水办防〔2026〕12号")
    number = re.search(r"HY-\d{8}-\d{3}", said)
    assert number
    await reply(chen, "确认")
    await chen.sees(number[0], "已发布")
    li = await room.sit("li", "email:direct:li@linhe.example.org")
    await open_mail(li, number[0])
    await li.sees("【会议保障通知】", "依据：《江南省水利厅办公室关于召开全省防汛视频会商会的通知》")
    await reply(li, "收到")
    await chen.board(number[0], "已回复 1/8")


async def test_a_scan_is_said_to_be_one(room: Desk) -> None:
    chen = await room.sit("chen", "email:direct:chen@sheng.example.org")
    await mail(chen, "会议通知", attach="scan")
    await chen.sees("没有可以读取的文字", "写给我")


async def test_enter_makes_a_new_line_in_a_mail(room: Desk) -> None:
    li = await room.sit("li", "email:direct:li@linhe.example.org")
    await li.page.fill("#text", "第一行")
    await li.page.press("#text", "Enter")
    assert await li.page.input_value("#text") == "第一行\n"
