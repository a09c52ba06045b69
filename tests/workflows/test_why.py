"""“为什么”: the bot says in Chinese how it took what somebody wrote, and what made it."""

from pathlib import Path

from tests.scenario import scenario

GROUP = "临河县水利局客户群"


async def test_why_tells_the_reading_its_rule_the_words_and_how_to_correct_it(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室话筒没声音")
        bot.forget_all()
        await bot.say("fang", "为什么")
        bot.expect(
            "fang",
            "“三楼会议室话筒没声音”我读作：报障。",
            "依据：说了哪样东西不能正常用",
            "会场取自“三楼会议室”",
            "设备取自“话筒”",
            "现象取自“没声音”",
            "把握",
            "这不是报障，是咨询",
            absent=["_", "fault", "word."],
        )
        bot.nothing_more()


async def test_an_answer_is_explained_by_what_was_awaited_when_it_was_given(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音", group=GROUP)
        await bot.say("li", "收到")
        bot.forget_all()
        await bot.say("li", "为什么这么理解？")
        bot.expect("li", "“收到”我读作：收到", "当时在等您答复“收到”", "看到“收到”")
        bot.nothing_more()


async def test_two_acts_are_both_told(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "收到，但投影坏了")
        bot.forget_all()
        await bot.say("li", "为啥")
        bot.expect("li", "我读作：收到；报障。")


async def test_a_quoted_message_is_explained_and_a_quoted_answer_of_the_bot_means_the_last(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音", group=GROUP)
        await bot.say("fang", "今天谁值班", group=GROUP)
        bot.forget_all()
        await bot.say("fang", "为什么", group=GROUP, quote="三楼会议室没声音")
        bot.expect(f"#{GROUP}", "“三楼会议室没声音”我读作：报障。")
        await bot.say("fang", "为什么", group=GROUP, quote="临河县水利局今天值班：李工。")
        bot.expect(f"#{GROUP}", "“今天谁值班”我读作：问值班。")
        bot.nothing_more()


async def test_with_nothing_said_before_there_is_nothing_to_explain(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "为什么")
        bot.expect("fang", "还没有读过您在这里的其他消息")
        bot.nothing_more()


async def test_a_question_about_a_device_is_not_one_about_the_reading(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室为什么没声音")
        assert (await bot.fault()).symptom == "no_audio"
