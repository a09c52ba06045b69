"""Both stories lived through in a browser, and what each person saw."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.web.desk import Desk, Screen, desk, started

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

NOTICE = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with started() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def room(tmp_path: Path, browser: Browser) -> AsyncIterator[Desk]:
    async with desk(tmp_path, browser) as running:
        yield running


async def no_escalations_here(client: Screen) -> None:
    """Two faces: a client's group shows neither the ladder, nor who was alarmed, nor phone numbers."""
    words = "\n".join(await client.words())
    assert not re.search(r"主任|主管|超时|尚无人|升级|1390000", words), words


async def test_story_one_a_fault(room: Desk) -> None:
    fang = await room.sit("fang", "linhe-client")
    li, wang, zhao = await room.sit("li"), await room.sit("wang"), await room.sit("zhao")
    group, stranger = await room.sit("li", "linhe"), await room.sit("wu", "anchuan")

    await fang.say("三楼会议室没声音了，会马上开始")
    said = await fang.sees("已受理", "三楼会议室", "15:20前")
    number = re.search(r"GZ-\d{8}-\d{3}", said)
    assert number
    await li.sees(number[0], "李工", "收到")
    await group.sees(number[0], "@李明", "@会保")
    await wang.sees(number[0], "I级")
    await fang.board("接单", "三楼会议室", "15:20前", "李明")
    assert await fang.unread("wu") == 0

    await fang.forward("+5分钟")
    await zhao.sees(number[0], "备班")
    assert not any("尚无人接单" in words for words in await wang.words())
    await fang.forward("+5分钟")
    await wang.sees(number[0], "尚无人接单")
    await fang.board("接单", "15:20到时")
    await no_escalations_here(fang)

    await li.press("接单")
    await li.page.locator("#thread .tap", has_text="李明 点了").wait_for()
    await fang.sees("已接单", "李工")
    await wang.sees("已由李工")
    await zhao.sees("已由李工")

    await li.say("修好了，换了音频线")
    await fang.sees("请确认", number[0])
    await fang.say("好了，有声音了")
    await fang.sees("已恢复", number[0])
    await wang.sees("已恢复", number[0])
    await fang.board(number[0], "观察中")
    await no_escalations_here(fang)
    assert await stranger.words() == []


async def test_story_two_a_notice(room: Desk) -> None:
    chen, li, wu = await room.sit("chen"), await room.sit("li"), await room.sit("wu", "anchuan")
    wang, tang, fang = await room.sit("wang"), await room.sit("tang"), await room.sit("fang", "linhe-client")

    await chen.say(NOTICE)
    said = await chen.sees("HY-", "11月25日", "9:30", "8:30前", "确认")
    number = re.search(r"HY-\d{8}-\d{3}", said)
    assert number
    assert await li.words() == []
    await chen.say("确认")
    await chen.sees(number[0], "已发布")
    for screen in (li, wu):
        await screen.sees(number[0], "15:20前", "收到")
    await chen.board(number[0], "全省防汛", "已回复 0/8")

    await wu.press("收到")
    await chen.board(number[0], "已回复 1/8")
    await chen.forward("+5分钟")
    await chen.sees(number[0], "应到8", "已确认1", "未确认7")
    await chen.forward("+5分钟")
    await wang.sees(number[0], "临河县技术维护部", "尚未收到")
    assert not any("尚未收到" in words for words in await tang.words())
    assert await fang.words() == []

    await li.say("收到")
    await wang.sees(number[0], "临河县技术维护部", "已由李工")
    await chen.board(number[0], "已回复 2/8")


async def test_story_two_goes_on_at_the_site(room: Desk) -> None:
    chen, li = await room.sit("chen"), await room.sit("li")
    await chen.say(NOTICE)
    await chen.sees("确认")
    await chen.say("确认")
    await li.sees("HY-", "收到")
    await li.say("收到")
    for label in ("+6小时", "+6小时", "+1小时", "+1小时", "+1小时", "+1小时", "+1小时"):
        await chen.forward(label)
    await li.say("已到位")
    await li.sees("检查1/4", "电源")
    await li.page.select_option("#photo", "link")
    await li.say("电源正常，光路红灯")
    await li.sees("GZ-", "光路", "三楼会议室")
    await li.sees("检查3/4", "终端")
    await li.page.locator("#thread .mine img.photo").wait_for()


async def test_one_person_on_two_platforms(room: Desk) -> None:
    """Taken in WeCom after the supervisor was alarmed: the all-clear comes on both, and old buttons are gone."""
    fang = await room.sit("fang", "wecom:group:wr-linhe-client")
    here, there = await room.sit("li"), await room.sit("li", "wecom:direct:wc-li", phone=True)
    boss, group = await room.sit("wang", "wecom:direct:wc-wang"), await room.sit("li", "linhe")

    await fang.say("三楼会议室没声音了，会马上开始")
    said = await fang.sees("已受理", "三楼会议室")
    number = re.search(r"GZ-\d{8}-\d{3}", said)
    assert number
    for screen in (here, there, group):
        await screen.sees(number[0], "三楼会议室")
        await screen.page.locator("#thread .actions button", has_text="接单").last.wait_for()
    await fang.forward("+10分钟")
    await boss.sees(number[0], "尚无人接单")

    await there.press("接单")
    await boss.sees(number[0], "已由李工")
    await boss.open()
    await boss.sees(number[0], "已由李工")
    await fang.sees("已接单", "李工")
    await fang.board("接单", "李明", "企业微信")
    for screen in (here, there, group):
        await screen.page.locator("#thread .actions button", has_text="接单").first.wait_for(state="detached")
    heard = [await screen.words() for screen in (here, there)]
    await fang.forward("+10分钟")
    assert [await screen.words() for screen in (here, there)] == heard, "nobody is reminded of what has been taken"


async def test_a_notice_on_two_platforms(room: Desk) -> None:
    """Published in one app it is answered in the other: both groups have it, and nobody is reminded of what is met."""
    chen, here = await room.sit("chen", "wecom:direct:wc-chen"), await room.sit("wu", "anchuan")
    there, boss = await room.sit("wu", "wecom:group:wr-anchuan"), await room.sit("tang", "wecom:direct:wc-tang")
    await chen.say(NOTICE)
    number = re.search(r"HY-\d{8}-\d{3}", await chen.sees("HY-", "确认"))
    assert number
    await chen.say("确认")
    for screen in (here, there):
        await screen.sees(number[0], "15:20前", "收到")
    alone = await room.sit("wu", "wecom:direct:wc-wu")
    await alone.press("收到")
    await chen.board(number[0], "已回复 1/8")
    await chen.forward("+10分钟")
    await chen.sees(number[0], "未确认7")
    for screen in (here, there, boss):
        assert not [words for words in await screen.words() if "尚未收到安川县" in words]


async def test_written_text_is_shown_as_text(room: Desk) -> None:
    fang, li = await room.sit("fang", "linhe-client"), await room.sit("li", "linhe-client")
    attack = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
    await fang.say(attack)
    await li.page.locator("#thread .bubble", has_text=attack).wait_for()
    await li.open("linhe-client")
    for screen in (fang, li):
        assert "broken" not in await screen.page.title()
        assert await screen.page.locator("#thread .text img, #thread script").count() == 0


async def test_talk_without_the_mention_is_for_people_only(room: Desk) -> None:
    fang, li = await room.sit("fang", "linhe-client"), await room.sit("li", "linhe-client")
    await fang.page.locator(".chip").click()
    await fang.say("三楼会议室没声音了")
    await li.page.locator("#thread .other", has_text="没声音").wait_for()
    assert await fang.page.locator("#thread .bot").count() == 0
    assert await fang.page.locator(".message .hint", has_text="没有@会保").count() == 1


async def test_everything_by_keyboard(room: Desk) -> None:
    fang = await room.sit("fang", "linhe-client")
    keys = fang.page.keyboard
    assert await fang.page.evaluate("document.activeElement.id") == "text"
    await keys.type("三楼会议室没声音了")
    await keys.press("Shift+Enter")
    await keys.type("会马上开始")
    await keys.press("Control+Enter")
    await fang.sees("已受理")
    assert await fang.page.evaluate("document.activeElement.id") == "text"
    await keys.press("Shift+Tab")
    await keys.press("Shift+Tab")
    await keys.press("Space")
    assert not await fang.page.locator("[name=mention]").is_checked()
    ring = "getComputedStyle(document.activeElement.nextElementSibling).outlineStyle"
    assert await fang.page.evaluate(ring) == "solid"


async def test_a_word_being_composed_is_not_sent_by_enter(room: Desk) -> None:
    """With a Chinese input method Enter chooses the word."""
    fang = await room.sit("fang", "linhe-client")
    await fang.page.fill("#text", "mei sheng yin")
    await fang.page.dispatch_event("#text", "keydown", {"key": "Enter", "isComposing": True})
    assert await fang.page.input_value("#text") == "mei sheng yin"
    assert await fang.words() == []


async def test_a_quoted_message_goes_along(room: Desk) -> None:
    fang, li = await room.sit("fang", "linhe-client"), await room.sit("li", "linhe-client")
    await fang.say("三楼会议室没声音了，会马上开始")
    await li.sees("已受理")
    await li.page.locator("#thread .bot").last.hover()
    await li.page.locator("#thread .bot .quote").last.click()
    assert "已受理" in await li.page.locator("#quoting span").inner_text()
    await li.say("我来处理")
    await fang.page.locator("#thread blockquote", has_text="已受理").wait_for()
    await li.page.locator("#quoting").wait_for(state="hidden")


@pytest.mark.parametrize("where", ["", "linhe-client"])
async def test_on_a_phone_one_pane_fills_the_screen(room: Desk, where: str) -> None:
    fang = await room.sit("fang", where, phone=True)
    await fang.say("三楼会议室没声音了，会马上开始")
    await fang.sees("已受理")
    for tab, pane in (("people", "#people"), ("talks", "#talks"), ("board", "#board"), ("chat", "#thread")):
        await fang.page.locator(f".tabs label:has(#tab-{tab})").click()
        assert await fang.page.locator(pane).is_visible()
        shown = [await fang.page.locator(each).is_visible() for each in ("#people", "#talks", "#board", "#thread")]
        assert sum(shown) == 1
        wide = await fang.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
    assert await fang.page.locator("#send").is_visible()


async def test_the_dashboard_leads_into_the_stories(room: Desk) -> None:
    fang = await room.sit("fang", "linhe-client")
    await fang.page.goto(f"{room.base}/")
    await fang.page.locator(".stories a", has_text="去演").first.click()
    await fang.page.locator("#text").wait_for()
    assert await fang.page.input_value("#text") == "三楼会议室没声音了，会马上开始"
    await fang.page.press("#text", "Enter")
    await fang.sees("已受理")
    await fang.page.reload()
    await fang.sees("已受理")
    assert await fang.page.input_value("#text") == "", "what has been said is not offered once more"


async def test_who_pushes_the_clock_by_keyboard_stays_at_the_button(room: Desk) -> None:
    fang = await room.sit("fang", "linhe-client")
    await fang.say("三楼会议室没声音了，会马上开始")
    await fang.sees("已受理")
    await fang.page.locator("#push-5m").focus()
    for _ in range(2):
        async with fang.page.expect_response("**/console/forward", timeout=30_000):
            await fang.page.keyboard.press("Enter")
        await fang.page.wait_for_function("document.activeElement.id === 'push-5m'")
    await fang.sees("仍在为您协调")
