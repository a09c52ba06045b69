"""Mail as the console plays it: threads under the addresses that real mail has, seen by their owner alone."""

import html
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from adapters.web.adapter import WebAdapter
from adapters.web.papers import PAPERS, paper_data, paper_file
from storage.messages import Address, Outgoing
from storage.outbox import post
from tests.web.house import HX, NUMBER, House, house
from workflows.paper_text import paper_text

SHEET = "email:direct:li@linhe.example.org"


@pytest.fixture
async def post_office(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, plays=("email",)) as running:
        yield running


async def new_mail(home: House, subject: str, text: str = "", **extra: str) -> str:
    """Write a new mail as li; the key of its thread."""
    form = {"as": "li", "in": SHEET, "subject": subject, "text": text, "nonce": "0" * 32} | extra
    async with home.client.post("/console/say", data=form, headers=HX) as answer:
        assert answer.status == 200
    await home.runtime.step()
    return str(home.parrot.heard[-1].conversation)


async def test_a_new_mail_begins_a_thread_and_its_answer_lies_there(post_office: House) -> None:
    thread = await new_mail(post_office, "三楼会议室没声音", "请处理")
    incoming = post_office.parrot.heard[0]
    assert (incoming.platform, incoming.sender.account) == ("email", "li@linhe.example.org")
    assert incoming.text == "三楼会议室没声音\n请处理"
    assert incoming.conversation.kind == "thread"
    page = await post_office.page(f"/console?as=li&in={thread.replace(' ', '%20')}")
    assert f"Re: [{NUMBER}] 三楼会议室没声音" in page
    assert "li@linhe.example.org → 会保" in page


async def test_an_answer_in_a_thread_is_about_what_the_bot_wrote_there(post_office: House) -> None:
    thread = await new_mail(post_office, "三楼会议室没声音")
    assert post_office.parrot.heard[0].quote is None
    assert await post_office.say("li", thread, "好了") == 200
    incoming = post_office.parrot.heard[1]
    assert (incoming.text, str(incoming.conversation)) == ("好了", thread)
    assert incoming.quote is not None
    assert NUMBER in incoming.quote.text


async def test_what_the_bot_writes_to_a_person_about_a_number_is_one_thread(post_office: House) -> None:
    place = Address(platform="email", kind="direct", id="li@linhe.example.org")
    for text in ("请接单", "请尽快接单"):
        async with post_office.runtime.ground.work() as work:
            await post(work, place, Outgoing(text=text, title="大屏黑屏", about=NUMBER), key=text)
        await post_office.runtime.step()
    assert await post_office.shown(f"email:thread:li@linhe.example.org {NUMBER}") == ["请接单", "请尽快接单"]
    page = await post_office.page("/console?as=li")
    assert len(re.findall(r'id="in-email:thread:', page)) == 1
    assert f"[{NUMBER}] 大屏黑屏" in page


async def test_nobody_reads_the_mail_of_another(post_office: House) -> None:
    thread = await new_mail(post_office, "三楼会议室没声音")
    for place in (thread, SHEET):
        async with post_office.client.get("/console", params={"as": "wu", "in": place}) as answer:
            assert answer.status == 403
        assert await post_office.say("wu", place, "好了") == 403
    assert "三楼会议室没声音" not in await post_office.page("/console?as=wu")


async def test_a_mail_without_a_subject_is_not_sent(post_office: House) -> None:
    assert await post_office.say("li", SHEET, "没声音") == 400
    assert post_office.parrot.heard == []


async def test_without_mail_there_are_no_threads_and_no_sheet(home: House) -> None:
    for place in (SHEET, f"email:thread:li@linhe.example.org {NUMBER}"):
        async with home.client.get("/console", params={"as": "li", "in": place}) as answer:
            assert answer.status == 403
    assert "写新邮件" not in await home.page("/console?as=li")
    assert "用邮件也行" not in await home.page("/")


async def test_a_paper_is_attached_by_its_name_and_can_be_fetched(post_office: House) -> None:
    await new_mail(post_office, "会议通知", photo="notice")
    attachment = post_office.parrot.heard[0].attachments[0]
    assert (attachment.kind, attachment.name) == ("file", "会议通知.docx")
    data = await WebAdapter(post_office.runtime.ground, "email").download(attachment)
    assert "2026年11月25日（周三）上午9：30" in paper_text(data).text


def test_the_scan_cannot_be_read() -> None:
    data = {name: paper_data(paper_file(name, date(2026, 12, 31)).ref) for name in PAPERS}
    assert paper_text(data["scan"] or b"").problem == "scanned"
    assert "2027年1月1日（周五）" in paper_text(data["notice"] or b"").text
    assert [paper_data(ref) for ref in ("console:cabinet", "console:other:2026-11-24", "r1")] == [None, None, None]


async def test_the_story_opens_a_mail_with_its_subject_and_paper_in_it(post_office: House) -> None:
    [link] = re.findall(r'href="(/console\?as=chen[^"]*attach=notice[^"]*)"', await post_office.page("/"))
    page = await post_office.page(html.unescape(link))
    assert 'value="会议保障"' in page
    assert '<option value="notice" selected>' in page
    assert "通知见附件，请安排保障</textarea>" in page
