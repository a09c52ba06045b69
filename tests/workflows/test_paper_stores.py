"""The way of a paper on every database: read, confirmed, kept; a picture kept by the yes; a change of what stands."""

import hashlib
from pathlib import Path

from storage.messages import Attachment
from storage.models import Meeting, StoredFile
from tests import papers
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario

PICTURE = b"\xff\xd8\xff" + b"x" * 5000
MOVED = "原定于2026年11月25日（星期三）上午9:30召开的全省防汛视频会商会，现调整至11月26日（星期四）上午10:00召开。"


async def send(bot: Scenario, data: bytes, name: str, *, image: bool = False) -> str:
    platform = bot.platforms["dingtalk"]
    assert isinstance(platform, RichPlatform)
    platform.files[name] = data
    kind = "image" if image else "file"
    await bot.say("chen", "会议通知见附件", attachments=[Attachment(kind=kind, ref=name, name=name)])  # type: ignore[arg-type]
    return hashlib.sha256(data).hexdigest()


async def test_papers_live_on_every_database(tmp_path: Path, database_url: str) -> None:
    async with scenario(tmp_path, platform=RichPlatform, database={"url": database_url}) as bot:
        first = await send(bot, papers.as_docx(papers.FLOOD), "通知.docx")
        bot.expect("chen", "【请核对】", "9:30开始")
        await bot.say("chen", "确认")
        title = ("关于调整全省防汛视频会商会时间的通知",)
        second = await send(bot, papers.as_docx(papers.Paper(title=title, body=(MOVED,))), "变更.docx")
        bot.expect("chen", "【请核对变更】", "10:00")
        await bot.say("chen", "确认")
        third = await send(bot, PICTURE, "通知.jpg", image=True)
        bot.expect("chen", "里的字我读不了")
        await bot.say("chen", "11月27日上午9点全省财政视频会，各市县参加")
        await bot.say("chen", "确认")
        one, other = sorted(await bot.rows(Meeting), key=lambda row: row.number)
        assert (one.version, one.extra["files"]) == (2, [first, second])
        assert (other.state, other.extra["files"]) == ("published", [third])
        assert {row.sha256 for row in await bot.rows(StoredFile)} == {first, second, third}
