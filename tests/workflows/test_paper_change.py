"""A paper that moves or calls off a published meeting is read back as that, and nothing happens without the yes."""

import hashlib
from pathlib import Path

import pytest

from storage.messages import Attachment
from tests import papers
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario

NUMBER = "HY-20261125-001"
MOVED = "原定于2026年11月25日（星期三）上午9:30召开的全省防汛视频会商会，现调整至11月26日（星期四）上午10:00召开。"


def paper(title: str, *body: str) -> bytes:
    return papers.as_docx(papers.Paper(number="水办防〔2026〕13号", title=(title,), body=body))


async def send(bot: Scenario, person: str, data: bytes, text: str = "") -> None:
    platform = bot.platforms["dingtalk"]
    assert isinstance(platform, RichPlatform)
    ref = hashlib.sha256(data).hexdigest()
    platform.files[ref] = data
    await bot.say(person, text, attachments=[Attachment(kind="file", ref=ref, name="会议通知.docx")])


async def published(bot: Scenario) -> None:
    await send(bot, "chen", papers.as_docx(papers.FLOOD))
    await bot.say("chen", "确认")
    bot.forget_all()


@pytest.mark.parametrize(
    "body",
    [
        MOVED,
        "《关于召开全省防汛视频会商会的通知》（水办防〔2026〕12号）中会议时间改为11月26日上午10:00。",
        f"{NUMBER} 会议时间由11月25日9:30改为11月26日上午10:00。",
    ],
    ids=["by its name", "by the paper it rests on", "by its number"],
)
async def test_a_meeting_that_moves_on_paper_moves_by_the_yes(tmp_path: Path, body: str) -> None:
    title = "关于调整全省防汛视频会商会时间的通知" if body == MOVED else "关于变更会议时间的通知"
    data = paper(title, body)
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await published(bot)
        await send(bot, "chen", data)
        bot.expect("chen", "【请核对变更】", NUMBER, "11月26日（周四）10:00", "水办防〔2026〕13号")
        assert (await bot.meeting()).version == 1
        bot.nothing_more()
        await bot.say("chen", "确认")
        meeting = await bot.meeting()
        assert meeting.version == 2
        assert "11月26日（周四）10:00" in bot.expect("li", NUMBER, "变更").text
        assert hashlib.sha256(data).hexdigest() in meeting.extra["files"]


async def test_a_meeting_called_off_on_paper_is_cancelled_by_the_yes(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await published(bot)
        await send(bot, "chen", paper("关于取消全省防汛视频会商会的通知", "因工作安排，会议取消，另行通知。"))
        bot.expect("chen", "取消的是下面这次会议")
        bot.expect("chen", "【请核对取消】", NUMBER)
        assert (await bot.meeting()).state == "published"
        await bot.say("chen", "确认")
        assert (await bot.meeting()).state == "cancelled"


async def test_what_is_not_clear_is_asked_in_words(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await published(bot)
        await send(
            bot, "chen", paper("关于调整全市财政视频会时间的通知", "全市财政视频会调整至11月26日上午10:00召开。")
        )
        bot.expect("chen", "看不出是哪次会议", "不会据此新建会议")
        await send(bot, "chen", paper("关于调整全省防汛视频会商会安排的通知", "其他事项另行通知，请各单位知悉。"))
        bot.expect("chen", "看不出是哪次会议")
        bot.nothing_more()
        assert (await bot.meeting()).version == 1


async def test_who_may_not_change_the_meeting_changes_nothing(tmp_path: Path) -> None:
    """A city publishes its own meetings; the province's are not its to move."""
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await published(bot)
        await send(bot, "luo", paper("关于调整全省防汛视频会商会时间的通知", MOVED))
        bot.expect("luo", "看不出是哪次会议")
        assert (await bot.meeting()).version == 1
