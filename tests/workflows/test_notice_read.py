"""What becomes of a notice besides answers: who has read it; and one called off at once is taken back."""

from pathlib import Path

from storage.models import AuditEntry, Delivery
from storage.ports import Refused
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario
from tests.workflows.test_notice import NUMBER, publish


def platform_of(bot: Scenario) -> RichPlatform:
    platform = bot.platforms["dingtalk"]
    assert isinstance(platform, RichPlatform)
    return platform


async def sends_to(bot: Scenario, person: str) -> list[str]:
    rows = await bot.rows(Delivery, Delivery.person_id == person, Delivery.kind == "notice")
    return [row.provider_id for row in sorted(rows, key=lambda row: row.id or 0)]


async def has_read(bot: Scenario, person: str) -> None:
    """The person opens the newest notice in private; the bot gets to know."""
    platform_of(bot).read.add(((await sends_to(bot, person))[-1], f"dt-{person}"))
    await bot.advance("61s")
    bot.forget_all()


async def test_units_that_have_read_and_not_answered_are_named_to_the_coordinator(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await publish(bot)
        await has_read(bot, "li")
        await bot.say("chen", "谁还没回")
        bot.expect("chen", "尚未收到回复", "其中已读未回：临河县技术维护部")
        await bot.say("chen", "谁还没回", group="集客联络群")
        bot.expect("#集客联络群", "回复情况", absent=["已读"])
        await bot.say("li", "收到")
        bot.forget_all()
        await bot.say("chen", "谁还没回")
        bot.expect("chen", "已确认", absent=["已读未回"])


async def test_having_read_an_earlier_version_is_not_having_read_this_one(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await publish(bot)
        await has_read(bot, "li")
        await publish(bot, f"{NUMBER} 改到上午10点")
        await bot.say("chen", "谁还没回")
        bot.expect("chen", "尚未收到回复", absent=["已读未回"])


async def test_a_notice_called_off_at_once_is_taken_back_before_that_is_said(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await publish(bot)
        (sent,) = await sends_to(bot, "li")
        await bot.advance("60s")
        await bot.say("chen", "通知发错了")
        bot.expect("chen", NUMBER, "两分钟内", f"取消 {NUMBER}")
        await bot.say("chen", f"取消 {NUMBER}")
        await bot.say("chen", "确认")
        assert sent in platform_of(bot).recalled
        bot.expect("li", NUMBER, "取消")
        assert not [seen for seen in bot.unread("li") if not seen.text]
        mine = await bot.rows(Delivery, Delivery.address == "dingtalk:direct:dt-li", Delivery.about == NUMBER)
        heard = [row.kind for row in sorted(mine, key=lambda row: row.id or 0) if row.kind != "card"]
        assert heard[:3] == ["notice", "recall", "notice"]
        (entry,) = await bot.rows(AuditEntry, AuditEntry.what == "notice.recalled")
        assert (entry.who, entry.about) == ("chen", NUMBER)


async def test_later_it_stays_and_only_the_cancellation_is_said(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await publish(bot)
        await bot.advance("121s")
        await bot.say("chen", "撤回刚才的通知")
        bot.expect("chen", NUMBER, "不能撤回")
        await bot.say("chen", f"取消 {NUMBER}")
        await bot.say("chen", "确认")
        assert platform_of(bot).recalled == []
        bot.expect("li", NUMBER, "取消")


async def test_what_cannot_be_taken_back_is_recorded_and_alarms_nobody(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await publish(bot)
        platform_of(bot).deaf = Refused("processQueryKey.expireTime")
        await bot.say("chen", f"取消 {NUMBER}")
        await bot.say("chen", "确认")
        bot.expect("li", NUMBER, "取消")
        kept = await bot.rows(AuditEntry, AuditEntry.what == "notice.not_recalled")
        assert {entry.detail["reason"] for entry in kept} == {"processQueryKey.expireTime"}
        rows = await bot.rows(Delivery, Delivery.kind == "recall")
        assert {row.state for row in rows} == {"cancelled"}, "no failure for anybody to look into"
        assert not [seen for p in bot.platforms.values() for seen in p.seen if "发不出" in seen.text]
