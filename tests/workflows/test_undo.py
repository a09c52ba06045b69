"""“刚才发错了” takes back the speaker's own last act, says what was taken back, and nothing else."""

from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario
from tests.workflows.gathering import MORNING, NUMBER, meeting, states
from workflows.undo import WRONG

GROUP = "临河县保障群"


MISTAKES = ["刚才发错了", "发错了，撤回", "刚才那条发错了。", "不好意思，点错了", "我刚才说错了", "撤回刚才那条"]
OTHERS = ["撤回", "取消", "投影显示报错了", "对方发错了文件", "会议通知发错了人，重新发", "错了"]


@pytest.mark.parametrize("text", MISTAKES)
def test_ways_of_saying_that_it_was_a_mistake(text: str) -> None:
    assert WRONG.match(text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_sentences_take_nothing_back(text: str) -> None:
    assert not WRONG.match(text)


async def test_an_arrival_is_taken_back_and_its_clock_goes_on(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4")
        await bot.advance("5m")
        await bot.say("li", "刚才发错了")
        bot.expect("li", "已撤回", NUMBER, "到位", "到了请再回“已到位”")
        bot.nothing_more()
        (arrival,) = await bot.obligations(kind="arrival")
        assert (arrival.state, arrival.met_at, arrival.met_by) == ("open", None, None)
        assert (await states(bot))["power"] == "waiting"
        await bot.advance("16m")
        bot.expect("li", "尚未收到到位消息")
        await bot.say("li", "已到位")
        bot.expect("li", "检查1/4")
        bot.nothing_more()


async def test_a_check_is_taken_back_and_asked_again(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        await bot.say("li", "电源、光路、终端都正常")
        bot.forget_all()
        await bot.advance("1m")
        await bot.say("li", "发错了，撤回")
        bot.expect("li", "【电源】的检查结果", "【光路】的检查结果", "【终端】的检查结果")
        bot.expect("li", "检查1/4【电源】")
        bot.nothing_more()
        assert [row.state for row in await bot.obligations(kind="checklist")] == ["open"]


async def test_a_fault_report_is_withdrawn_only_after_a_question(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await bot.say("fang", "三楼会议室没声音了")
        number = (await bot.fault()).number
        bot.forget_all()
        await bot.advance("1m")
        bot.forget_all()
        await bot.say("fang", "刚才发错了")
        bot.expect("fang", number, "要撤回吗", "1. 看错了，撤回", "2. 保留")
        bot.nothing_more()
        assert (await bot.fault()).state == "open"
        await bot.say("fang", "1")
        assert (await bot.fault()).state == "cancelled"


async def test_ten_minutes_later_it_is_too_late(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.advance("11m")
        await bot.say("li", "刚才发错了")
        bot.expect("li", "没有找到")
        assert [row.state for row in await bot.obligations(kind="arrival")] == ["met"]


async def test_nobody_takes_back_what_another_did_and_nothing_twice(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "已到位", group=GROUP)
        bot.forget_all()
        await bot.advance("1m")
        await bot.say("zhao", "刚才发错了", group=GROUP)
        bot.expect(f"#{GROUP}", "没有找到")
        await bot.say("li", "刚才发错了", group=GROUP)
        bot.expect(f"#{GROUP}", "已撤回")
        await bot.advance("1m")
        await bot.say("li", "刚才发错了", group=GROUP)
        bot.expect(f"#{GROUP}", "没有找到")
        bot.nothing_more()


async def test_whoever_had_the_all_clear_hears_that_it_was_a_mistake(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.advance("31m")
        await bot.say("li", "已到位")
        bot.forget_all()
        await bot.advance("1m")
        await bot.say("li", "刚才发错了")
        bot.expect("wang", NUMBER, "李工刚才的回复已撤回")


async def taken(bot: Scenario) -> str:
    """Fang has reported a fault and Li has taken it."""
    await bot.say("fang", "三楼会议室没声音了", group="临河县水利局客户群")
    await bot.say("li", "收到")
    number = (await bot.fault()).number
    assert (await bot.fault()).state == "accepted"
    bot.forget_all()
    await bot.advance("1m")
    bot.forget_all()
    return number


async def test_taking_a_fault_by_mistake(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        number = await taken(bot)
        await bot.say("li", "刚才点错了")
        bot.expect("li", f"已撤回：{number} 的接单")
        bot.expect("#临河县水利局客户群", number, "重新落实处理人员")
        bot.expect("#临河县保障群", number, "接单有误", "仍待接单")
        bot.nothing_more()
        fault = await bot.fault()
        assert (fault.state, fault.owner, fault.acked_at) == ("open", None, None)
        assert [row.state for row in await bot.obligations(kind="fault_ack")] == ["open"]


async def test_an_acknowledgement_taken_back_is_owed_again_and_the_tally_says_so(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "明天上午9点半临河县防汛视频会商，提前一小时到位")
        await bot.say("chen", "确认")
        await bot.say("li", "收到")
        await bot.advance("1m")
        bot.forget_all()
        await bot.say("li", "刚才发错了")
        bot.expect("li", "已撤回", "的“收到”", "仍请于15:20前回复")
        (debt,) = [row for row in await bot.obligations(kind="notice_ack") if row.unit_id == "X1"]
        assert (debt.state, debt.met_by) == ("open", None)
        await bot.advance("1m")
        bot.expect("chen", "未确认")
        await bot.say("chen", "刚才发错了")
        bot.expect("chen", "的通知刚刚发出", "取消 HY-")


CLIENTS = "临河县水利局客户群"


async def mended(bot: Scenario) -> str:
    """A fault that fang reported and li says is mended, a minute ago."""
    await bot.say("fang", "三楼会议室没声音了", group=CLIENTS)
    await bot.advance("1m")
    await bot.say("li", "收到", group=GROUP)
    await bot.advance("1m")
    await bot.say("li", "修好了", group=GROUP)
    await bot.advance("1m")
    bot.forget_all()
    return str((await bot.fault()).number)


async def test_mended_by_mistake_is_worked_on_again(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        number = await mended(bot)
        await bot.say("li", "刚才发错了", group=GROUP)
        bot.expect(f"#{GROUP}", f"已撤回：{number} 的“修好了”", "仍由您处理")
        bot.expect(f"#{CLIENTS}", "【更正】", number, "有误", "李工仍在处理")
        bot.nothing_more()
        fault = await bot.fault()
        assert (fault.state, fault.owner, fault.resolved_at) == ("accepted", "li", None)
        assert [row.state for row in await bot.obligations(kind="progress")][-1] == "open"


async def test_confirmed_by_mistake_waits_for_the_word_again(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        number = await mended(bot)
        await bot.say("fang", "好了", group=CLIENTS)
        await bot.advance("1m")
        bot.forget_all()
        await bot.say("fang", "刚才发错了", group=CLIENTS)
        bot.expect(f"#{CLIENTS}", f"已撤回：{number} 的“好了”")
        bot.expect(f"#{GROUP}", "【更正】", number, "尚待确认")
        assert (await bot.fault()).state == "resolved"
        assert not [row for row in await bot.obligations(kind="observation") if row.state == "open"]
        await bot.say("fang", "好了", group=CLIENTS)
        assert (await bot.fault()).state == "observing"


async def test_withdrawn_by_mistake_is_sent_out_again(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await bot.say("fang", "三楼会议室没声音了", group=CLIENTS)
        await bot.advance("1m")
        await bot.say("fang", "没事了，插头松了", group=CLIENTS)
        await bot.advance("1m")
        bot.forget_all()
        await bot.say("fang", "刚才发错了", group=CLIENTS)
        bot.expect(f"#{CLIENTS}", "的撤回，已重新通知值班李工")
        bot.expect("li", "请在", "回“收到”接单")
        assert (await bot.fault()).state == "open"


async def test_a_taking_that_has_gone_on_stays(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await bot.say("fang", "三楼会议室没声音了", group=CLIENTS)
        await bot.say("li", "收到", group=GROUP)
        await bot.say("zhao", "修好了", group=GROUP)
        bot.forget_all()
        await bot.advance("1m")
        bot.forget_all()
        await bot.say("li", "刚才发错了", group=GROUP)
        bot.expect(f"#{GROUP}", "不能再撤回")
        bot.nothing_more()
        assert (await bot.fault()).state == "resolved"
        assert not [row for row in await bot.obligations(kind="fault_ack") if row.state == "open"]


async def at_work(bot: Scenario) -> None:
    """A fault that li has taken, with nothing left unread."""
    await bot.say("fang", "三楼会议室没声音了，会马上开始", group=CLIENTS)
    await bot.say("li", "收到", group=GROUP)
    await bot.advance("1m")
    bot.forget_all()


async def owed(bot: Scenario, kind: str) -> list[str]:
    """When what is still owed of a kind is due."""
    rows = [row for row in await bot.obligations(kind=kind) if row.closed_at is None]
    return [f"{row.due_at.astimezone(MORNING.tzinfo):%H:%M}" for row in rows]


async def test_news_by_mistake_are_put_right_and_the_word_is_owed_as_before(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await at_work(bot)
        before = await owed(bot, "progress"), await owed(bot, "onsite")
        await bot.advance("5m")
        await bot.say("li", "到现场了，功放坏了，正在换", group=GROUP)
        bot.expect(f"#{CLIENTS}", "【处理进展】")
        assert (await owed(bot, "progress"), await owed(bot, "onsite")) != before
        await bot.advance("1m")
        bot.forget_all()
        await bot.say("li", "刚才说错了", group=GROUP)
        bot.expect(f"#{GROUP}", "已撤回", "刚才的进展", before[0][0].lstrip("0"))
        bot.expect(f"#{CLIENTS}", "【更正】", "刚才的进展消息有误", before[0][0].lstrip("0"))
        bot.nothing_more()
        assert (await owed(bot, "progress"), await owed(bot, "onsite")) == before
        assert (await bot.fault()).extra["word"] == ""


async def test_a_promised_time_by_mistake_is_owed_no_more(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await at_work(bot)
        await bot.say("li", "还有20分钟到", group=GROUP)
        assert len(await owed(bot, "promise")) == 1
        await bot.say("li", "刚才发错了", group=GROUP)
        assert await owed(bot, "promise") == []
        assert len(await owed(bot, "progress")) == 1
        bot.forget_all()
        await bot.advance("30m")
        bot.nothing_more("li")


async def test_an_older_promise_stands_again(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await at_work(bot)
        await bot.say("li", "还有20分钟到", group=GROUP)
        first = await owed(bot, "promise")
        await bot.advance("1m")
        await bot.say("li", "还要50分钟到", group=GROUP)
        assert await owed(bot, "promise") != first
        await bot.advance("1m")
        await bot.say("li", "刚才发错了", group=GROUP)
        assert await owed(bot, "promise") == first


async def test_two_messages_of_one_moment_are_taken_back_one_by_one(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await at_work(bot)
        before = await owed(bot, "progress")
        await bot.say("li", "还有20分钟到", group=GROUP, settle=False)
        await bot.say("li", "功放坏了，正在换", group=GROUP)
        bot.forget_all()
        await bot.say("li", "刚才发错了", group=GROUP)
        bot.expect(f"#{GROUP}", "已撤回")
        assert len(await owed(bot, "promise")) == 1, "what the message before it promised stands"
        await bot.say("li", "刚才发错了", group=GROUP)
        bot.expect(f"#{GROUP}", "已撤回")
        assert (await owed(bot, "promise"), await owed(bot, "progress")) == ([], before)


async def test_news_that_others_have_followed_stay(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await at_work(bot)
        await bot.say("li", "功放坏了，正在换", group=GROUP)
        await bot.advance("1m")
        await bot.say("zhao", "修好了", group=GROUP)
        bot.forget_all()
        await bot.say("li", "刚才说错了", group=GROUP)
        bot.expect(f"#{GROUP}", "不能撤回")
        assert (await bot.fault()).state == "resolved"
