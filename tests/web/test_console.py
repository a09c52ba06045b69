"""The console: people act, and each sees what the platforms would show."""

import hashlib
import html
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from storage.messages import Address, Outgoing
from storage.models import Delivery, InboxRow, Sighting
from storage.outbox import post, post_person
from storage.ports import Downloads, Refused, SendJob, Sent
from tests.web.house import HX, NUMBER, START, TAKE, House, house

CLIENTS = "/console?as=fang&in=web:group:linhe-client"
NONCE = "a" * 32


def bubbles(page: str) -> list[str]:
    """The texts of the conversation, oldest first."""
    found = re.findall(r'<div class="text">(.*?)</div>', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in found]


async def rows(home: House) -> list[InboxRow]:
    async with home.runtime.ground.database.read() as session:
        return list((await session.exec(select(InboxRow))).all())


async def test_a_mentioned_message_in_a_group_reaches_the_bot_and_everybody_there_sees_both(home: House) -> None:
    assert await home.say("fang", "linhe-client", "三楼没声音") == 200
    incoming = home.parrot.heard[0]
    assert (incoming.text, incoming.account, incoming.sender.account) == ("三楼没声音", "console", "fang")
    assert incoming.conversation_name == "临河县水利局客户群"
    for person in ("fang", "li"):
        page = await home.page(f"/console?as={person}&in=web:group:linhe-client")
        assert bubbles(page) == ["@会保 三楼没声音", "听到：三楼没声音"]


async def test_group_talk_without_the_mention_stays_among_people(home: House) -> None:
    assert await home.say("fang", "linhe-client", "中午吃什么", mention=False) == 200
    assert home.parrot.heard == []
    assert await rows(home) == []
    assert bubbles(await home.page("/console?as=li&in=web:group:linhe-client")) == ["中午吃什么"]


@pytest.mark.parametrize("text", ["@会保 收到", "＠会保收到", "收到 @会保", "@会保：收到"])
async def test_a_mention_typed_by_hand_counts_and_is_cut_off(home: House, text: str) -> None:
    await home.say("li", "linhe", text, mention=False)
    assert [incoming.text for incoming in home.parrot.heard] == ["收到"]


async def test_a_direct_message_needs_no_mention(home: House) -> None:
    await home.say("li", "", "我来", mention=False)
    assert home.parrot.heard[0].conversation == Address(platform="web", kind="direct", id="li")


async def test_posting_twice_says_it_once(home: House) -> None:
    """A browser that repeats a post after a lost answer must not report a second fault."""
    for _ in range(2):
        await home.say("fang", "linhe-client", "没声音", nonce=NONCE)
    assert len(home.parrot.heard) == 1
    assert (await home.shown("web:group:linhe-client")).count("@会保 没声音") == 1


async def test_text_is_shown_as_text(home: House) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>\" onclick='x' GZ-20261124-001"
    await home.say("fang", "linhe-client", attack)
    page = await home.page(CLIENTS)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert f"@会保 {attack}" in bubbles(page)
    other = await home.page("/console?as=li")
    assert "<script>alert" not in other


async def test_a_prefilled_text_is_shown_as_text(home: House) -> None:
    page = await home.page(CLIENTS + "&say=%3C/textarea%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page


async def test_unread_counts_for_others_until_they_look(home: House) -> None:
    await home.say("fang", "linhe-client", "没声音")
    page = await home.page("/console?as=zhou")
    assert _badge(page, "as-li") == "2"
    assert _badge(page, "as-fang") == "1"
    assert _badge(page, "as-wu") == ""
    await home.page("/console?as=li&in=web:group:linhe-client")
    page = await home.page("/console?as=zhou")
    assert _badge(page, "as-li") == ""
    assert _badge(page, "as-wang") == "2"


async def test_a_mention_of_me_is_marked_in_my_list(home: House) -> None:
    async with home.runtime.ground.work() as work:
        place = Address(platform="web", kind="group", id="linhe")
        await post(work, place, Outgoing(text="请接单", mentions=("li",)), key="k")
    await home.runtime.step()
    assert "[有人@我]" in await home.page("/console?as=li&in=web:direct:li")
    assert "[有人@我]" not in await home.page("/console?as=zhao&in=web:direct:zhao")
    assert "@李明" in await home.page("/console?as=zhao&in=web:group:linhe")


def _badge(page: str, element: str) -> str:
    link = re.search(rf'<a id="{element}".*?</a>', page, re.DOTALL)
    assert link, element
    badge = re.search(r'class="badge[^>]*>([^<]*)<', link[0])
    return badge[1] if badge else ""


async def test_a_button_sends_its_value_as_a_click(home: House) -> None:
    await home.say("fang", "linhe-client", "没声音")
    page = await home.page("/console?as=li&in=web:group:linhe-client")
    message = re.findall(r'id="m(\d+)" class="message bot', page)[-1]
    form = {"as": "li", "in": "web:group:linhe-client", "id": message, "value": TAKE.value}
    async with home.client.post("/console/press", data=form, headers=HX) as answer:
        assert answer.status == 204
    await home.runtime.step()
    assert home.parrot.heard[-1].click == TAKE.value
    assert home.parrot.heard[-1].sender.account == "li"
    page = await home.page(CLIENTS)
    assert "李明 点了“我来”" in page
    assert _badge(page, "as-li") == "1", "the bot's answer, not the own click"


async def test_an_older_card_loses_its_buttons_when_a_newer_one_replaces_it(home: House) -> None:
    await home.say("fang", "linhe-client", "没声音")
    await home.say("fang", "linhe-client", "还没人来")
    assert (await home.page(CLIENTS)).count("/console/press") == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"value": "take:GZ-20991231-999"}, 400),
        ({"id": "999999"}, 404),
        ({"id": "x"}, 404),
        ({"as": "wu"}, 403),
        ({"in": "web:group:linhe"}, 404),
        ({"as": "nobody"}, 404),
        ({"as": ""}, 404),
    ],
)
async def test_a_forged_click_is_refused(home: House, change: dict[str, str], status: int) -> None:
    await home.say("fang", "linhe-client", "没声音")
    page = await home.page(CLIENTS)
    message = re.findall(r'id="m(\d+)" class="message bot', page)[-1]
    form = {"as": "li", "in": "web:group:linhe-client", "id": message, "value": TAKE.value} | change
    async with home.client.post("/console/press", data=form, headers=HX) as answer:
        assert answer.status == status
    await home.runtime.step()
    assert len(home.parrot.heard) == 1


async def test_nobody_looks_or_speaks_where_the_person_is_no_member(home: House) -> None:
    async with home.client.get("/console?as=fang&in=web:group:linhe") as answer:
        assert answer.status == 403
    async with home.client.get("/console/events?as=fang&in=web:direct:li") as answer:
        assert answer.status == 403
    assert await home.say("fang", "linhe", "没声音") == 403
    assert await rows(home) == []


FORM = {"as": "fang", "in": "web:group:linhe-client", "text": "没声音", "mention": "1", "nonce": NONCE}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"text": "  "}, 400),
        ({"text": "@会保"}, 400),
        ({"text": "长" * 4001}, 413),
        ({"text": "a\x00b"}, 400),
        ({"nonce": ""}, 400),
        ({"nonce": "../../x"}, 400),
        ({"nonce": "é" * 32}, 400),
    ],
)
async def test_a_broken_form_is_refused_and_stored_nowhere(home: House, change: dict[str, str], status: int) -> None:
    async with home.client.post("/console/say", data=FORM | change, headers=HX) as answer:
        assert answer.status == status
    assert await rows(home) == []
    assert await home.shown("web:group:linhe-client") == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"as=fang&in=web%3Agroup%3Alinhe-client&nonce=" + b"a" * 32 + b"&text=%ff%fe", "", 400),
        (b"\xff\xfe\x00", "", 400),
        (b'{"as": "fang"}', "application/json", 415),
        (b"as=fang", "application/x-www-form-urlencoded; charset=nonsense", 400),
        (b"x" * (1024 * 1024 + 1), "", 413),
    ],
)
async def test_a_broken_body_is_refused_and_stored_nowhere(home: House, body: bytes, kind: str, status: int) -> None:
    headers = HX | {"Content-Type": kind or "application/x-www-form-urlencoded"}
    pieces = _pieces(body) if len(body) > 2**20 else body
    async with home.client.post("/console/say", data=pieces, headers=headers) as answer:
        assert answer.status == status, await answer.text()
    assert await rows(home) == []


async def _pieces(body: bytes):  # type: ignore[no-untyped-def]
    for at in range(0, len(body), 2**16):
        yield body[at : at + 2**16]


@pytest.mark.parametrize("path", ["/console/say", "/console/press", "/console/forward", "/console/speed"])
async def test_another_site_cannot_post_through_a_visitors_browser(home: House, path: str) -> None:
    """Such a page can send a form, but not this header."""
    async with home.client.post(path, data=FORM | {"by": "1h", "x": "60"}) as answer:
        assert answer.status == 403
    assert await rows(home) == []


async def test_a_quoted_message_goes_along(home: House) -> None:
    await home.say("fang", "linhe-client", "没声音")
    message = re.findall(r'id="m(\d+)" class="message bot', await home.page(CLIENTS))[-1]
    await home.say("li", "linhe-client", "收到", quote=message)
    quote = home.parrot.heard[-1].quote
    assert quote is not None
    assert quote.text == "听到：没声音"
    assert "<blockquote>听到：没声音</blockquote>" in await home.page(CLIENTS)


async def test_a_message_elsewhere_cannot_be_quoted(home: House) -> None:
    await home.say("li", "", "私下说的")
    await home.say("fang", "linhe-client", "没声音", quote="1")
    assert home.parrot.heard[-1].quote is None
    assert "私下说的" not in await home.page(CLIENTS)


async def test_a_simulated_photo_is_an_attachment(home: House) -> None:
    await home.say("li", "linhe", "光路红灯", photo="link")
    [photo] = home.parrot.heard[-1].attachments
    assert (photo.kind, photo.name, len(photo.sha256)) == ("image", "光路照片.svg", 64)
    assert "photo-link.svg" in await home.page("/console?as=zhao&in=web:group:linhe")


async def test_a_simulated_photo_can_be_fetched(home: House) -> None:
    await home.say("li", "linhe", "光路红灯", photo="link")
    [photo] = home.parrot.heard[-1].attachments
    adapter = home.runtime.adapters[0]
    assert isinstance(adapter, Downloads)
    assert hashlib.sha256(await adapter.download(photo)).hexdigest() == photo.sha256
    for ref in ("link", "console:../words", "console:"):
        with pytest.raises(Refused):
            await adapter.download(photo.model_copy(update={"ref": ref}))


async def test_a_photo_alone_is_a_message(home: House) -> None:
    assert await home.say("li", "", "", photo="cabinet") == 200
    assert len(home.parrot.heard[-1].attachments) == 1


async def test_a_resent_message_shows_once(home: House) -> None:
    """The console keeps its promise of at-least-once as a chat platform with idempotency keys would."""
    adapter = home.runtime.adapters[0]
    place = Address(platform="web", kind="direct", id="li")
    for text in ("请接单", "（补发）请接单"):
        outcome = (await adapter.send(SendJob(key="hb-1", addresses=(place,), message=Outgoing(text=text))))[place]
        assert isinstance(outcome, Sent)
    assert await home.shown("web:direct:li") == ["请接单"]


async def test_personal_messages_arrive_in_the_direct_conversation(home: House) -> None:
    async with home.runtime.ground.work() as work:
        await post_person(work, work.org.people["li"], Outgoing(text="请您接单", urgent_call=True), key="k")
    await home.runtime.step()
    page = await home.page("/console?as=li&in=web:direct:li")
    assert bubbles(page) == ["请您接单"]
    assert "电话提醒" in page
    async with home.runtime.ground.database.read() as session:
        assert [row.state for row in (await session.exec(select(Delivery))).all()] == ["delivered"]


async def test_the_board_shows_who_owes_what_until_when(home: House) -> None:
    await home.say("fang", "linhe-client", "报障：没声音")
    for path in ("/", CLIENTS):
        page = await home.page(path)
        for part in ("接单", "临河县水利局三楼会议室", "15:20前", "李明", NUMBER, "→ 15:17 私下提醒"):
            assert part in page, part
    home.clock.advance(timedelta(minutes=11))
    await home.runtime.step()
    page = await home.page("/")
    assert "debt breached" in page
    assert "第2/3级 → 15:25 找上级" in page


async def test_unknown_groups_and_senders_are_listed_until_they_are_bound(home: House) -> None:
    """An operator sees here whom the bot does not know yet."""
    seen = [
        Sighting(kind="group", platform="dingtalk", account="cid-new", name="新来的群", last_seen=START),
        Sighting(kind="group", platform="dingtalk", account="cid-linhe", name="老群", last_seen=START),
        Sighting(kind="sender", platform="dingtalk", account="dt-stranger", name="生人", last_seen=START),
    ]
    await home.add(*seen)
    page = await home.page("/")
    for part in ("未登记的群和人", "cid-new", "新来的群", "生人", "dt-stranger"):
        assert part in page, part
    assert "老群" not in page


async def test_pages_are_in_chinese_and_carry_nothing_from_elsewhere(home: House) -> None:
    for path in ("/", CLIENTS):
        page = await home.page(path)
        assert '<html lang="zh-CN"' in page
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
        assert not re.findall(r"<script(?![^>]*src=)[^>]*>|<style| style=| on\w+=", page)
    async with home.client.get("/") as answer:
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


async def test_every_file_a_page_names_is_there(home: House) -> None:
    page = await home.page(CLIENTS) + await home.page("/")
    for address in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)):
        async with home.client.get(html.unescape(address)) as answer:
            assert answer.status == 200, address
    async with home.client.get("/static/../words.toml") as answer:
        assert answer.status in {403, 404}


async def test_without_the_console_strangers_learn_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, console=False) as home:
        page = await home.page("/")
        assert "会保正在运行" in page
        assert "临河" not in page
        for path in ("/console", "/events", "/console/events"):
            async with home.client.get(path) as answer:
                assert answer.status == 404
        async with home.client.post("/console/say", data=FORM, headers=HX) as answer:
            assert answer.status in {404, 405}
