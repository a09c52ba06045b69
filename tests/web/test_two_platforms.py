"""The console plays a second platform: its groups and accounts, with the same people."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.web.adapter import WebAdapter
from adapters.web.sight import conversations, played
from storage.messages import Action, Address, Outgoing
from storage.outbox import post, post_person
from tests.web.house import HX, NUMBER, TAKE, House, house

GROUP = "wecom:group:wr-linhe"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, plays=("wecom",)) as running:
        yield running


def badge(page: str, element: str) -> str:
    """The number on a person or a conversation in the lists."""
    link = re.search(rf'<a id="{element}".*?</a>', page, re.DOTALL)
    assert link, element
    found = re.search(r'class="badge[^>]*>([^<]*)<', link[0])
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("person", "there"),
    [
        ("li", ["group:wr-linhe-client", "group:wr-linhe", "direct:wc-li"]),
        ("fang", ["group:wr-linhe-client", "direct:wc-fang"]),
        ("chen", ["group:wr-jike", "direct:wc-chen"]),
        ("wu", ["group:wr-anchuan", "direct:wc-wu"]),
        ("zhao", []),
    ],
)
async def test_who_has_an_account_there_sees_that_platform_too(both: House, person: str, there: list[str]) -> None:
    """As on real phones: without an account one is in none of its groups."""
    async with both.runtime.ground.look() as work:
        org = work.org
    own = conversations(org, org.people[person])
    all_of_them = conversations(org, org.people[person], played(both.runtime.ground.settings))
    assert [talk.key for talk in all_of_them] == [talk.key for talk in own] + [f"wecom:{place}" for place in there]


async def test_what_is_written_there_comes_from_that_platform(both: House) -> None:
    assert await both.say("li", GROUP, "收到") == 200
    incoming = both.parrot.heard[0]
    assert (incoming.platform, incoming.account, incoming.sender.account) == ("wecom", "console", "wc-li")
    assert incoming.conversation == Address(platform="wecom", kind="group", id="wr-linhe")
    assert incoming.conversation_name == "临河县保障群（企业微信）"
    assert await both.shown(GROUP) == ["@会保 收到", "听到：收到"]
    assert await both.shown("web:group:linhe") == []


async def test_the_mention_is_needed_in_its_groups_and_not_in_its_direct_chats(both: House) -> None:
    await both.say("li", GROUP, "中午吃什么", mention=False)
    assert both.parrot.heard == []
    await both.say("li", "wecom:direct:wc-li", "我来", mention=False)
    assert both.parrot.heard[0].conversation == Address(platform="wecom", kind="direct", id="wc-li")


async def test_a_button_pressed_there_is_a_click_there(both: House) -> None:
    await both.say("li", GROUP, "没声音")
    page = await both.page(f"/console?as=li&in={GROUP}")
    message = re.findall(r'id="m(\d+)" class="message bot', page)[-1]
    form = {"as": "li", "in": GROUP, "id": message, "value": TAKE.value}
    async with both.client.post("/console/press", data=form, headers=HX) as answer:
        assert answer.status == 204
    await both.runtime.step()
    pressed = both.parrot.heard[-1]
    assert (pressed.platform, pressed.sender.account, pressed.click) == ("wecom", "wc-li", TAKE.value)


async def test_a_mention_there_names_the_person(both: House) -> None:
    async with both.runtime.ground.work() as work:
        place = Address(platform="wecom", kind="group", id="wr-linhe")
        await post(work, place, Outgoing(text="请接单", mentions=("wc-li", "wc-nobody")), key="k")
    await both.runtime.step()
    page = await both.page(f"/console?as=wang&in={GROUP}")
    assert "@李明" in page
    assert "wc-li" not in page.split('id="thread"')[1]
    assert "[有人@我]" in await both.page("/console?as=li&in=web:direct:li")


async def test_a_personal_message_lies_unread_on_both_until_each_is_opened(both: House) -> None:
    async with both.runtime.ground.work() as work:
        await post_person(work, work.org.people["li"], Outgoing(text="请回收到"), key="k")
    await both.runtime.step()
    page = await both.page("/console?as=zhao")
    assert badge(page, "as-li") == "2"
    page = await both.page("/console?as=li&in=wecom:direct:wc-li")
    assert (badge(page, "in-wecom:direct:wc-li"), badge(page, "in-web:direct:li")) == ("", "1")


async def test_nobody_opens_what_another_has_on_that_platform(both: House) -> None:
    for who, where in (("zhao", GROUP), ("fang", GROUP), ("li", "wecom:direct:wc-wu"), ("li", "wecom:direct:li")):
        async with both.client.get("/console", params={"as": who, "in": where}) as answer:
            assert answer.status == 403, (who, where)
        assert await both.say(who, where, "收到") == 403


async def test_the_apps_are_told_apart(both: House) -> None:
    page = await both.page(f"/console?as=li&in={GROUP}")
    assert re.findall(r'<h3 class="app \w+">([^<]+)</h3>', page) == ["会保控制台", "企业微信"]
    head = re.search(r'<h2 id="chat-heading">.*?</h2>', page, re.DOTALL)
    assert head
    assert "企业微信</span>" in head[0]
    assert "一个人，两个平台" in await both.page("/")


async def test_one_platform_alone_needs_no_names(home: House) -> None:
    page = await home.page("/console?as=li&in=web:group:linhe")
    assert "会保控制台" not in page
    assert "企业微信" not in page
    assert "一个人，两个平台" not in await home.page("/")


async def test_photos_sent_there_can_be_fetched_there(both: House) -> None:
    await both.say("li", "wecom:direct:wc-li", "", photo="link")
    attachment = both.parrot.heard[0].attachments[0]
    data = await WebAdapter(both.runtime.ground, "wecom").download(attachment)
    assert len(data) == attachment.size


async def test_a_card_settled_in_one_app_has_no_buttons_in_the_other(both: House) -> None:
    """Whoever took the fault in one app must not find it still to be taken in the other."""
    group, elsewhere = Address.parse(GROUP), Address.parse("web:direct:li")

    async def shows(text: str, place: Address, *actions: Action) -> None:
        async with both.runtime.ground.work() as work:
            await post(work, place, Outgoing(text=text, card=NUMBER, actions=actions), key=text)
        await both.runtime.step()

    async def buttons(place: Address) -> int:
        return (await both.page(f"/console?as=li&in={place}")).count('hx-post="/console/press"')

    await shows("请接单", elsewhere, TAKE)
    await shows("请接单！", group, TAKE)
    assert (await buttons(elsewhere), await buttons(group)) == (1, 1)
    await shows("李工已接单", group)
    assert (await buttons(elsewhere), await buttons(group)) == (0, 0)
    await shows("再请接单", elsewhere, TAKE)
    assert (await buttons(elsewhere), await buttons(group)) == (1, 0)
