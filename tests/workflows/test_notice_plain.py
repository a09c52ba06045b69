"""Coordinators and units in plain words: yes, no, longer, who is silent. Nothing that is needed is silence."""

from datetime import datetime
from pathlib import Path

from tests.scenario import Scenario, scenario

TODAY = "今天下午5点全省防汛视频会商，临河、安川、青石参加"
NUMBER = "HY-20261124-001"
JIKE = "集客联络群"


async def published(bot: Scenario) -> None:
    await bot.say("chen", TODAY, group=JIKE)
    await bot.say("chen", "确认", group=JIKE)
    bot.forget_all()


async def test_a_yes_in_several_words_publishes(tmp_path: Path) -> None:
    for said in ("确认无误，发布", "嗯", "可以，发吧，辛苦了"):
        async with scenario(tmp_path / said) as bot:
            await bot.say("chen", TODAY, group=JIKE)
            await bot.say("chen", said, group=JIKE)
            assert (await bot.meeting()).state == "published", said


async def test_thanks_alone_publish_nothing(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", TODAY, group=JIKE)
        await bot.say("chen", "谢谢，辛苦了", group=JIKE)
        assert (await bot.meeting()).state == "draft"


async def test_words_that_let_it_be_drop_the_draft(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", TODAY, group=JIKE)
        bot.forget_all()
        await bot.say("chen", "算了，不开了", group=JIKE)
        bot.expect(f"#{JIKE}", NUMBER, "草稿已作废")


async def test_cancel_said_to_a_cancellation_read_back_is_a_yes(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", "会议取消了", group=JIKE)
        await bot.say("chen", "取消吧", group=JIKE)
        bot.expect(f"#{JIKE}", NUMBER, "已取消")
        assert (await bot.meeting()).state == "cancelled"


async def test_a_yes_after_the_yes_tells_of_the_draft_that_is_left(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "明天上午10点财政视频会，临河参加", group=JIKE)
        await bot.say("chen", "明天下午3点政务视频会，安川参加", group=JIKE)
        bot.forget_all()
        await bot.say("chen", "谁还没回", group=JIKE)
        bot.expect(f"#{JIKE}", "HY-20261125-002", "还是草稿", "@会保 回“确认 HY-20261125-002”")
        await bot.say("chen", "确认", group=JIKE)
        bot.forget_all()
        await bot.say("chen", "确认", group=JIKE)
        bot.expect(f"#{JIKE}", "HY-20261125-001", "还是草稿", "@会保 回“确认 HY-20261125-001”")
        bot.nothing_more()
        await bot.say("chen", "确认 HY-20261125-001", group=JIKE)
        bot.expect(f"#{JIKE}", "HY-20261125-001", "已发布")


async def test_a_running_meeting_that_lasts_longer_keeps_its_start(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        for who, group in (("li", "临河县保障群"), ("wu", ""), ("ding", ""), ("qian", "")):
            await bot.say(who, "收到", group=group)
        await bot.until(datetime.fromisoformat("2026-11-24T17:05:00+08:00"))
        bot.forget_all()
        await bot.say("chen", "会议延长到晚上8点", group=JIKE)
        seen = bot.expect(f"#{JIKE}", "【请核对变更】", "结束时间：未定 → 11月24日（周二）20:00")
        assert "开始时间" not in seen.text
        assert "已经过去" not in seen.text
        assert "重新回复" not in seen.text
        await bot.say("chen", "确认", group=JIKE)
        bot.expect(f"#{JIKE}", "变更已发布", "无需重新回复")
        told = bot.expect("#临河县保障群", "结束时间：未定 → 11月24日（周二）20:00", "会议进行中，其他不变")
        assert "到位" not in told.text
        await bot.until(datetime.fromisoformat("2026-11-24T19:30:00+08:00"))
        assert (await bot.meeting()).state == "running"
        bot.forget_all()
        await bot.say("chen", "散会了", group=JIKE)
        bot.expect(f"#{JIKE}", NUMBER, "已结束")


async def test_a_bare_difficulty_is_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("wu", "有困难")
        bot.expect("wu", NUMBER, "请直接写明是什么困难")
        bot.expect(f"#{JIKE}", "吴工回复：已收到，有困难，正在了解详情")
        await bot.say("wu", "车坏了，到不了")
        bot.expect(f"#{JIKE}", "吴工说明困难：车坏了，到不了")


async def test_have_all_answered_is_a_question_about_the_tally(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", "都回了吗", group=JIKE)
        bot.expect(f"#{JIKE}", NUMBER, "应到4，已确认0")


async def test_how_things_are_tells_of_the_meeting_too(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        for said in ("情况怎么样", "现在什么情况"):
            await bot.say("chen", said, group=JIKE)
            bot.expect(f"#{JIKE}", NUMBER, "应到4，已确认0")


async def test_a_place_that_is_not_hers_is_named_to_her(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("qian", "明天上午9点临河县水利局开会，青石柳林参加", group=JIKE)
        await bot.say("qian", "确认", group=JIKE)
        bot.forget_all()
        for said in ("再通知安川也参加", "把白沙也加上"):
            await bot.say("qian", said, group=JIKE)
            bot.expect(f"#{JIKE}", "不在您的发布范围内")
