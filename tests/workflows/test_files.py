"""Photos belong to what they were sent for; what may not be kept is not even fetched."""

import hashlib
from pathlib import Path

from storage.fetches import Fetch
from storage.files import file_store
from storage.messages import Attachment
from storage.models import AuditEntry, CheckItem, StoredFile
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario
from tests.workflows.gathering import MORNING, START, meeting

RED = b"red light"
SHA256 = hashlib.sha256(RED).hexdigest()
PHOTO = [Attachment(kind="image", ref="p1", name="光路.jpg")]
CLIENTS = "临河县水利局客户群"


def camera(bot: Scenario) -> RichPlatform:
    platform = bot.platforms["dingtalk"]
    assert isinstance(platform, RichPlatform)
    platform.files["p1"] = RED
    return platform


async def test_a_report_with_a_photo_keeps_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        camera(bot)
        await bot.say("fang", "三楼会议室没声音了", group=CLIENTS, attachments=PHOTO)
        fault = await bot.fault()
        assert fault.extra["files"] == [SHA256]
        assert file_store(bot.ground.settings).path(SHA256).read_bytes() == RED
        (entry,) = await bot.rows(AuditEntry, AuditEntry.what == "file.stored")
        assert (entry.about, entry.who) == (fault.number, "fang")


async def test_a_photo_waits_for_the_place_with_its_report(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        platform = camera(bot)
        await bot.say("zhou", "会议室没声音了", attachments=PHOTO)
        assert platform.downloads == []
        await bot.say("zhou", "临河县水利局会议室")
        assert (await bot.fault()).extra["files"] == [SHA256]


async def test_a_photo_sent_after_the_report_goes_with_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        camera(bot)
        await bot.say("fang", "三楼会议室没声音了", group=CLIENTS)
        bot.forget_all()
        await bot.say("fang", attachments=PHOTO)
        bot.expect("fang", "照片已收", (await bot.fault()).number)
        bot.nothing_more()
        assert (await bot.fault()).extra["files"] == [SHA256]


async def test_a_photo_for_a_check_is_shown_with_its_step(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING, platform=RichPlatform) as bot:
        camera(bot)
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.say("li", attachments=PHOTO)
        (power,) = await bot.rows(CheckItem, CheckItem.step == "power")
        assert (power.state, power.evidence) == ("asked", [SHA256])
        await bot.say("li", "正常")
        await bot.say("li", "光路红灯", attachments=PHOTO)
        (link,) = await bot.rows(CheckItem, CheckItem.step == "link")
        assert (link.state, link.evidence) == ("abnormal", [SHA256])
        assert (await bot.fault()).extra["files"] == [SHA256]
        assert len(await bot.rows(StoredFile)) == 1


async def test_a_photo_of_a_running_meeting_is_not_even_fetched(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING, platform=RichPlatform) as bot:
        platform = camera(bot)
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.until(START)
        await bot.advance("5m")
        await bot.say("li", attachments=PHOTO)
        assert (platform.downloads, await bot.rows(StoredFile)) == ([], [])


async def test_marked_papers_leave_no_trace(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        platform = camera(bot)
        secret = Attachment(kind="file", ref="p1", name="机密文件.docx")
        await bot.say("fang", "三楼会议室没声音了，见附件", attachments=[secret])
        assert (platform.downloads, await bot.rows(Fetch)) == ([], [])


async def test_strangers_fill_no_disk(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        platform = camera(bot)
        await bot.say("nobody", "没声音了", group=CLIENTS, attachments=PHOTO)
        assert platform.downloads == []


async def test_a_photo_that_is_gone_is_said_in_the_record(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        camera(bot).files.clear()
        await bot.say("fang", "三楼会议室没声音了", group=CLIENTS, attachments=PHOTO)
        fault = await bot.fault()
        (entry,) = await bot.rows(AuditEntry, AuditEntry.what == "file.lost")
        assert (entry.about, entry.detail["reason"]) == (fault.number, "no such file")
        assert fault.extra["files"] == ["p1"]
