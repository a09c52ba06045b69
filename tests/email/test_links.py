"""One click in a mail: asks once, counts once, for the person the mail went to, and no scanner can do it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientResponse

from adapters.email.links import LIFETIME, BrokenLinkError, Links, Press
from adapters.email.threads import thread
from storage.clock import ManualClock
from storage.messages import Action
from storage.models import AuditEntry
from tests.email.house import House, house
from tests.email.letters import SECRET
from tests.scenario import START
from tests.simulators.email.smtp import Mail

NUMBER = "HY-20261125-001"
LI, WU = "li@linhe.example.org", "wu@anchuan.example.org"


async def publish(bot: House) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位")
    await bot.say("chen", "确认")


def links(mail: Mail) -> list[str]:
    """Paths of the links of a mail; those in text and HTML are the same."""
    found = re.findall(r"https://huibao\.example\.org(/mail/answer/\S+)", mail.text)
    assert [part for part in found if part not in mail.html] == []
    return found


async def page(response: ClientResponse, status: int) -> str:
    assert response.status == status
    assert response.content_type == "text/html"
    text = await response.text()
    assert '<meta name="viewport"' in text
    assert "<script" not in text
    return text


async def ack(bot: House, unit: str = "X1") -> str | None:
    [debt] = await bot.obligations(kind="notice_ack", unit_id=unit)
    return debt.met_by


async def test_opening_asks_and_pressing_acknowledges_once(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        path = links(bot.smtp.to(LI)[0])[0]
        text = await page(await bot.client.get(path), 200)
        assert f"对 {NUMBER} 回复“收到”" in text
        assert LI in text
        assert "确认收到" in text
        await bot.settle()
        assert await ack(bot) is None
        assert "正在登记" in await page(await bot.client.post(path), 200)
        await bot.settle()
        assert await ack(bot) == "li"
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert debt.met_via == "email"
        [entry] = await bot.rows(AuditEntry, AuditEntry.via == "email link")
        assert (entry.who, entry.about) == ("li", NUMBER)
        assert "已经用过" in await page(await bot.client.post(path), 410)
        assert "已经用过" in await page(await bot.client.get(path), 410)


async def test_scanners_that_open_every_link_acknowledge_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        for mail in bot.smtp.mails:
            for path in links(mail):
                for _ in range(3):
                    assert (await bot.client.get(path)).status == 200
                    assert (await bot.client.head(path)).status == 200
                    assert (await bot.client.options(path)).status == 405
        await bot.settle()
        assert {debt.met_by for debt in await bot.obligations(kind="notice_ack")} == {None}


async def test_the_answer_to_a_press_stands_in_the_thread_of_the_mail(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        [mail] = bot.smtp.to(LI)
        await bot.client.post(links(mail)[0])
        await bot.settle()
        answer = bot.smtp.to(LI)[-1].message
        assert answer["In-Reply-To"] == mail.message["Message-ID"]
        assert answer["Subject"] == f"Re: {mail.message['Subject']}"


async def test_trouble_has_its_own_link(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        received, trouble = links(bot.smtp.to(LI)[0])
        assert received != trouble
        await bot.client.post(trouble)
        await bot.settle()
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X1")
        assert (debt.met_by, debt.detail.get("trouble")) == ("li", True)


async def test_a_link_is_good_for_its_own_addressee_alone(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        assert links(bot.smtp.to(LI)[0])[0] != links(bot.smtp.to(WU)[0])[0]
        await bot.client.post(links(bot.smtp.to(WU)[0])[0])
        await bot.settle()
        assert await ack(bot, "X2") == "wu"
        assert await ack(bot, "X1") is None


async def test_an_old_link_is_kindly_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        path = links(bot.smtp.to(LI)[0])[0]
        bot.clock.set(START + LIFETIME + timedelta(seconds=1))
        assert "已经过期" in await page(await bot.client.get(path), 410)
        assert "已经过期" in await page(await bot.client.post(path), 410)


async def test_an_altered_link_is_kindly_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        await publish(bot)
        path = links(bot.smtp.to(LI)[0])[0]
        token = path.rpartition("/")[2]
        for altered in (
            token[:-1] + ("A" if token[-1] != "A" else "B"),
            token[1:],
            "x",
            token.partition(".")[0],
            "a" * 5000,
        ):
            for answer in (
                await bot.client.get(f"/mail/answer/{altered}"),
                await bot.client.post(f"/mail/answer/{altered}"),
            ):
                assert "不完整或被改动过" in await page(answer, 403)
        await bot.settle()
        assert await ack(bot) is None


async def test_somebody_who_has_left_can_press_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        press = Press("hb-1", thread("gone@linhe.example.org", NUMBER), f"ack:{NUMBER}", "收到", START + LIFETIME)
        token = Links(SECRET, "https://huibao.example.org", bot.clock).token(press)
        await publish(bot)
        assert (await bot.client.post(f"/mail/answer/{token}")).status == 200
        await bot.settle()
        assert await ack(bot) is None


async def test_without_a_public_address_there_are_no_links(tmp_path: Path) -> None:
    async with house(tmp_path, public_url="") as bot:
        await publish(bot)
        mail = bot.smtp.to(LI)[0]
        assert "http" not in mail.text
        assert "请您单位于15:20前回“收到”" in mail.text
        assert (await bot.client.get("/mail/answer/x")).status == 404


async def test_the_page_brings_its_own_style(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        answer = await bot.client.get("/mail/page.css")
        assert (answer.status, answer.content_type) == (200, "text/css")


def test_a_token_is_read_as_it_was_made_and_no_other_is() -> None:
    clock = ManualClock(START)
    made = Links(SECRET, "https://huibao.example.org", clock)
    [link] = made.of([Action(label="收到", value=f"ack:{NUMBER}")], "hb-1", thread(LI, NUMBER))
    token = link.url.rpartition("/")[2]
    press = made.read(token)
    assert (press.account, press.value, press.label, press.key) == (LI, f"ack:{NUMBER}", "收到", "hb-1")
    with pytest.raises(BrokenLinkError):
        Links(b"other" * 8, "", clock).read(token)
    clock.advance(timedelta(days=1))
    [later] = made.of([Action(label="收到", value=f"ack:{NUMBER}")], "hb-1", thread(LI, NUMBER))
    assert made.read(later.url.rpartition("/")[2]).message_id == press.message_id, "the same button counts once"
