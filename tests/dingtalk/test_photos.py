"""Photos and read receipts on DingTalk's wire."""

import hashlib
from pathlib import Path

from sqlmodel import col, select

from storage.fetches import Fetch
from storage.files import file_store
from storage.models import AuditEntry, Delivery, Fault
from tests.dingtalk.live import Live, live
from tests.simulators.dingtalk import payloads

CLIENTS = "cid-linhe-client"
JPEG = b"\xff\xd8 red light"
SHA256 = hashlib.sha256(JPEG).hexdigest()
DOWNLOAD = "/v1.0/robot/messageFiles/download"
READ = "/v1.0/robot/oToMessages/readStatus"


async def report_with_photo(bot: Live, code: str) -> None:
    words = {"text": " 三楼会议室没声音了，会马上开始 "}
    spoken = await bot.simulator.talk.send("dt-fang", payloads.rich_text(words, payloads.rich_picture(code)), CLIENTS)
    await bot.settle(spoken)


async def fault_of(bot: Live) -> Fault:
    async with bot.runtime.ground.database.read() as session:
        return (await session.exec(select(Fault))).one()


async def test_a_photo_in_a_report_is_downloaded_and_kept(tmp_path: Path) -> None:
    async with live(tmp_path) as bot:
        await report_with_photo(bot, bot.simulator.media.put(JPEG))
        assert (await fault_of(bot)).extra["files"] == [SHA256]
        assert file_store(bot.runtime.ground.settings).path(SHA256).read_bytes() == JPEG


async def test_an_outage_of_downloads_loses_no_photo(tmp_path: Path) -> None:
    async with live(tmp_path) as bot:
        bot.simulator.faults.next(DOWNLOAD, status=503, times=2)
        await report_with_photo(bot, bot.simulator.media.put(JPEG))
        assert (await fault_of(bot)).extra["files"] != [SHA256]
        await bot.advance(1)
        assert (await fault_of(bot)).extra["files"] == [SHA256]


async def test_an_expired_code_is_given_up_and_said(tmp_path: Path) -> None:
    async with live(tmp_path) as bot:
        await report_with_photo(bot, "expired")
        async with bot.runtime.ground.database.read() as session:
            assert (await session.exec(select(Fetch.state))).all() == ["failed"]
            lost = select(AuditEntry).where(col(AuditEntry.what) == "file.lost")
            assert "downloadCode" in (await session.exec(lost)).one().detail["reason"]
        assert len(bot.simulator.calls_of(DOWNLOAD)) == 1


async def publish(bot: Live) -> None:
    await bot.say("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位。")
    await bot.say("chen", "确认")


async def notices_to(bot: Live, person: str) -> list[Delivery]:
    query = select(Delivery).where(Delivery.person_id == person, Delivery.kind == "notice").order_by(col(Delivery.id))
    async with bot.runtime.ground.database.read() as session:
        return list((await session.exec(query)).all())


async def test_who_has_read_the_notice_is_known_a_minute_later(tmp_path: Path) -> None:
    async with live(tmp_path) as bot:
        await publish(bot)
        seen = bot.sees("li", "【会议保障通知】")
        await bot.simulator.read("dt-li", seen)
        await bot.advance(1.1)
        assert [row.state for row in await notices_to(bot, "li")] == ["read"]
        assert [row.state for row in await notices_to(bot, "qian")] == ["sent"]
        assert len(bot.simulator.calls_of(READ)) <= 2, "people served by one call are asked about together"


async def test_receipts_stop_when_the_months_calls_run_low(tmp_path: Path) -> None:
    async with live(tmp_path, monthly_api=5) as bot:
        await publish(bot)
        assert len(bot.simulator.calls_of("Messages/send")) >= 4, "notices go out all the same"
        await bot.advance(2)
        assert bot.simulator.calls_of(READ) == []


async def test_a_notice_called_off_at_once_disappears(tmp_path: Path) -> None:
    async with live(tmp_path) as bot:
        await publish(bot)
        seen = bot.sees("li", "【会议保障通知】")
        await bot.say("chen", "取消 HY-20261125-001")
        await bot.say("chen", "确认")
        assert seen.recalled
        assert not bot.sees("li", "HY-20261125-001", "取消").recalled
