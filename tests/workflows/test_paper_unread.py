"""A picture, a scan, a table in place of the notice: said plainly, asked for in words, the basis of what they say."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from storage.messages import Attachment
from storage.models import Meeting, StoredFile
from storage.ports import Refused
from tests import papers
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario

PICTURE = b"\xff\xd8\xff" + b"x" * 5000
WORDS = "明天上午9点半全省防汛视频会商会，各市县参加"


async def send(
    bot: Scenario, person: str, text: str, name: str, data: bytes = PICTURE, *, kind: str = "image", group: str = ""
) -> None:
    platform = bot.platforms["dingtalk"]
    assert isinstance(platform, RichPlatform)
    platform.files["ref"] = data
    await bot.say(person, text, group=group, attachments=[Attachment(kind=kind, ref="ref", name=name)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "见附件通知",
        "会议通知见图，请安排",
        "请按照片里的通知安排",
        "会议保障\n见附件通知",
        "转发水利厅通知，请协助做好保障",
    ],
)
async def test_a_picture_in_place_of_the_notice_is_said_to_be_unreadable(tmp_path: Path, text: str) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", text, "IMG_2031.jpg")
        bot.expect("chen", "图片《IMG_2031.jpg》里的字我读不了", "会议时间、名称和参加范围写给我", "没有留存")
        bot.nothing_more()
        assert (await bot.rows(Meeting), await bot.rows(StoredFile)) == ([], [])


def archive(inside: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr(inside, "x")
    return whole.getvalue()


@pytest.mark.parametrize("name", ["会议通知.xlsx", "会议通知.zip", "通知.pptx", "通知.ofd", "通知.wps", "通知.doc"])
async def test_a_file_of_another_kind_is_said_to_be_unreadable(tmp_path: Path, name: str) -> None:
    data = papers.old_word() if name.endswith(("wps", "doc")) else archive("OFD.xml")
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "见附件", name, data, kind="file")
        bot.expect("chen", f"附件《{name}》", "我读不了", "写给我", "没有留存")
        bot.nothing_more()


async def test_the_words_that_follow_are_a_draft_with_the_picture_as_its_basis(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "见附件通知", "IMG_2031.jpg")
        bot.forget_all()
        await bot.say("chen", WORDS)
        bot.expect("chen", "【请核对】", "全省防汛视频会商会", "依据：IMG_2031.jpg", "我没有读", "带密级的请不要确认")
        assert await bot.rows(StoredFile) == []
        await bot.say("chen", "确认")
        meeting = await bot.meeting()
        assert (meeting.state, meeting.extra["files"]) == ("published", [hashlib.sha256(PICTURE).hexdigest()])
        assert "依据：IMG_2031.jpg" in bot.expect("li", "【会议保障通知】").text


async def test_a_bare_time_is_an_answer_and_what_else_is_missing_is_asked(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "", "关于召开全省防汛视频会商会的通知.jpg")
        bot.forget_all()
        await bot.say("chen", "11月25日上午9点半")
        bot.expect("chen", "参加范围")
        await bot.say("chen", "各市县")
        bot.expect("chen", "【请核对】", "全省防汛视频会商会", "9:30开始", "依据：关于召开全省防汛视频会商会的通知.jpg")


async def test_a_scan_is_the_basis_of_the_words_that_came_with_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        scan = papers.scanned_pdf()
        await send(bot, "chen", WORDS, "会议通知.pdf", scan, kind="file")
        bot.expect("chen", "扫描件", "先按您写的起草")
        bot.expect("chen", "【请核对】", "9:30开始", "依据：会议通知.pdf")
        await bot.say("chen", "确认")
        assert (await bot.meeting()).extra["files"] == [hashlib.sha256(scan).hexdigest()]


async def test_what_is_not_confirmed_is_not_kept(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "见附件通知", "a.jpg")
        await bot.say("chen", WORDS)
        await bot.say("chen", "不发了")
        await bot.advance("1h")
        assert await bot.rows(StoredFile) == []


async def test_an_hour_later_the_words_are_about_something_else(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "见附件通知", "a.jpg")
        await bot.advance("2h")
        bot.forget_all()
        await bot.say("chen", WORDS)
        assert "a.jpg" not in bot.expect("chen", "【请核对】").text


async def test_an_original_that_is_gone_by_then_is_said(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "见附件通知", "a.jpg")
        await bot.say("chen", WORDS)
        platform = bot.platforms["dingtalk"]
        assert isinstance(platform, RichPlatform)
        platform.deaf_files = {"ref": Refused("expired")}
        bot.forget_all()
        await bot.say("chen", "确认")
        bot.expect("chen", "原件《a.jpg》没有取到")


async def test_a_photo_about_something_else_is_no_notice(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "", "a.jpg", group="临河县保障群")
        bot.nothing_more()
        await send(bot, "li", "", "a.jpg")
        bot.nothing_more()
        await send(bot, "fang", "三楼会议室没声音了，见图", "a.jpg")
        bot.expect("fang", "已受理")


async def test_who_may_not_publish_hears_who_may(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "fang", "会议通知见图，请安排", "a.jpg")
        bot.expect("fang", "会议通知由", "发布")
        await send(bot, "chen", "会议通知见图", "a.jpg", group="临河县水利局客户群")
        bot.expect("#临河县水利局客户群", "不在客户群发布")
        bot.nothing_more()


async def test_a_whole_notice_in_words_goes_its_way_with_the_picture_as_its_basis(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", f"{WORDS}，通知见图", "a.jpg")
        bot.expect("chen", "【请核对】", "9:30开始", "依据：a.jpg")
        bot.nothing_more()


async def test_a_logo_under_an_answer_makes_no_notice_of_it(tmp_path: Path) -> None:
    """Coordinators answer notices too, and many sign with a picture."""
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await bot.say("chen", WORDS)
        await bot.say("chen", "确认")
        bot.forget_all()
        await send(bot, "luo", "会议通知已收到，谢谢", "logo.png")
        [debt] = await bot.obligations(kind="notice_ack", unit_id="C1K")
        assert debt.state == "met"
        assert not [seen for seen in bot.unread("luo") if "读不了" in seen.text]
