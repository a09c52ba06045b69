"""A published meeting changes or is called off: who is asked again, who only hears of it, and what moves along."""

from datetime import datetime
from pathlib import Path

from storage.models import Meeting, Notice
from tests.scenario import Scenario, scenario

SAID = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"
NUMBER = "HY-20261125-001"
EVERYBODY = ("he", "luo", "li", "qian", "wu", "ding", "ma", "lin")
GROUPS = ("#江州市保障群", "#临河县保障群", "#安川县保障群", "#集客联络群")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


async def published(bot: Scenario, said: str = SAID) -> None:
    await bot.say("chen", said)
    await bot.say("chen", "确认")
    bot.forget_all()


async def answers(bot: Scenario) -> dict[tuple[str, int], str]:
    return {(row.unit_id, row.version): row.state for row in await bot.obligations(kind="notice_ack")}


async def test_a_new_time_is_read_back_confirmed_and_answered_anew_by_all(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("li", "收到", group="临河县保障群")
        await bot.say("chen", "明天的会改到下午两点")
        seen = bot.expect("chen", "【请核对变更】", NUMBER, "11月25日（周三）9:30 → 11月25日（周三）14:00")
        assert "到位时间：8:30 → 13:00" in seen.text
        assert "需重新回复：8个单位" in seen.text
        bot.nothing_more()
        assert (await bot.meeting()).starts_at == at("2026-11-25T09:30:00")
        await bot.say("chen", "确认")
        bot.expect("chen", NUMBER, "变更已发布（第2版）", "8个")
        for group in GROUPS:
            bot.expect(group, "【会议变更】", NUMBER, "9:30 → 11月25日（周三）14:00", "14:00开始，13:00前")
        for person in EVERYBODY:
            bot.expect(person, "您好：【会议变更】", NUMBER, "请您单位于15:20前回“收到”")
        bot.expect("#省级保障群", "【抄送】【会议变更】")
        bot.nothing_more()
        row = await bot.meeting()
        assert (row.number, row.version, row.starts_at) == (NUMBER, 2, at("2026-11-25T14:00:00"))
        states = await answers(bot)
        assert states["X1", 1] == "met"
        assert {state for (unit, version), state in states.items() if version == 1 and unit != "X1"} == {"cancelled"}
        assert [state for (_, version), state in states.items() if version == 2] == ["open"] * 8
        assert {row.due_at for row in await bot.obligations(kind="arrival")} == {at("2026-11-25T13:00:00")}
        assert {row.due_at for row in await bot.obligations(kind="checklist")} == {at("2026-11-25T13:30:00")}
        assert len(await bot.obligations(kind="arrival")) == 6


async def test_the_number_alone_says_which_and_the_clock_follows(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", f"{NUMBER}改到10点")
        bot.expect("chen", "9:30 → 11月25日（周三）10:00")
        await bot.say("chen", "不对，10点半")
        bot.expect("chen", "9:30 → 11月25日（周三）10:30")
        await bot.say("chen", "确认")
        bot.forget_all()
        await bot.until(at("2026-11-25T09:30:00"))
        assert (await bot.meeting()).state == "published"
        await bot.until(at("2026-11-25T10:30:00"))
        assert (await bot.meeting()).state == "running"


async def test_a_change_of_scope_is_answered_only_by_those_concerned(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot, "明天上午9点半防汛会商，江州市水利局、临河县水利局、青石镇参加")
        await bot.say("chen", f"{NUMBER}加上白沙镇，不要青石镇")
        bot.expect("chen", "新增会场：白沙镇政府会议室", "不再参加：青石镇政府会议室", "需重新回复：2个单位")
        await bot.say("chen", "确认")
        bot.expect("chen", "变更已发布（第2版）", "2个")
        bot.expect("lin", "您好：【会议保障通知】", NUMBER, "9:30开始")
        bot.expect("ding", "您好：【会议变更】", NUMBER, "您单位会场不再参加")
        bot.expect("#安川县保障群", "【会议变更】", "请白沙镇于15:20前")
        bot.expect("#临河县保障群", "【会议变更】", "请青石镇于15:20前")
        bot.expect("#集客联络群", "【抄送】【会议变更】")
        bot.expect("#江州市保障群", "【抄送】【会议变更】")
        bot.expect("#省级保障群", "【抄送】【会议变更】")
        bot.nothing_more()
        states = await answers(bot)
        assert states["T3", 2] == "open"
        assert states["T1", 2] == "open"
        assert states["T1", 1] == "cancelled"
        assert states["X1", 1] == "open"
        assert states["C1", 1] == "open"
        assert {row.site_id: row.state for row in await bot.obligations(kind="arrival")} == {
            "S1": "open",
            "S2": "open",
            "S4": "cancelled",
            "S6": "open",
        }


async def test_a_new_title_is_told_to_all_and_asked_of_nobody(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", f"{NUMBER}标题改为防汛抗旱会商")
        bot.expect("chen", "名称：全省防汛视频会商 → 防汛抗旱会商", "另告知：8个单位", absent=["需重新回复"])
        await bot.say("chen", "确认")
        bot.expect("chen", "无需重新回复")
        for group in (*GROUPS, "#省级保障群"):
            bot.expect(group, "【会议变更】", "防汛抗旱会商", absent=["收到"])
        bot.nothing_more()
        assert {version for _, version in await answers(bot)} == {1}


async def test_a_change_that_was_not_wanted_after_all_leaves_everything(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", f"{NUMBER}改到10点")
        await bot.say("chen", "算了")
        bot.expect("chen", "保持不变")
        await bot.say("chen", "确认")
        assert ((await bot.meeting()).version, (await bot.meeting()).starts_at) == (1, at("2026-11-25T09:30:00"))


async def test_whoever_was_alarmed_about_the_old_version_hears_that_it_is_replaced(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.advance("11m")
        bot.forget_all()
        await bot.say("chen", "明天的会改到下午两点")
        await bot.say("chen", "确认")
        bot.expect("wang", "王主任您好", NUMBER, "会议有变更", "不用再跟进")


async def test_calling_off_needs_a_yes_and_is_acknowledged_anew(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", "明天的会取消")
        bot.expect("chen", "【请核对取消】", NUMBER, "11月25日（周三）9:30", "8个单位")
        assert (await bot.meeting()).state == "published"
        await bot.say("chen", "确认")
        bot.expect("chen", NUMBER, "已取消")
        for group in GROUPS:
            bot.expect(group, "【会议取消】", NUMBER, "不用再准备", "于15:20前@会保 回“收到”")
        for person in EVERYBODY:
            seen = bot.expect(person, "您好：【会议取消】", NUMBER, "请您单位于15:20前回“收到”")
            assert [a.value for a in seen.message.actions] == [f"ack:{NUMBER}"]
        bot.expect("#省级保障群", "【抄送】【会议取消】")
        bot.nothing_more()
        assert (await bot.meeting()).state == "cancelled"
        assert {row.state for row in await bot.obligations(kind="arrival")} == {"cancelled"}
        assert {row.state for row in await bot.obligations(kind="checklist")} == {"cancelled"}
        states = await answers(bot)
        assert {state for (_, version), state in states.items() if version == 1} == {"cancelled"}
        assert [state for (_, version), state in states.items() if version == 2] == ["open"] * 8
        await bot.say("li", "收到", group="临河县保障群")
        await bot.advance("30s")
        bot.expect("chen", "应到8，已确认1")
        await bot.until(at("2026-11-25T12:00:00"))
        assert (await bot.meeting()).state == "cancelled"


async def test_the_number_with_a_word_is_enough_to_call_off(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", f"{NUMBER}取消了吗？")
        assert not bot.unread("chen") or "请核对取消" not in bot.unread("chen")[-1].text
        await bot.say("chen", f"{NUMBER} 取消")
        bot.expect("chen", "【请核对取消】", NUMBER)


async def test_two_meetings_that_fit_are_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await published(bot, "明天下午3点全省政务视频会，各分会场参加")
        await bot.say("chen", "明天的会取消")
        bot.expect("chen", "哪个会", f"1. {NUMBER}", "2. HY-20261125-002")
        await bot.say("chen", "2")
        bot.expect("chen", "【请核对取消】", "HY-20261125-002")
        await bot.say("chen", "确认")
        assert {row.number: row.state for row in await bot.rows(Meeting)} == {
            NUMBER: "published",
            "HY-20261125-002": "cancelled",
        }


async def test_what_the_message_names_picks_the_meeting(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await published(bot, "明天下午3点全省政务视频会，各分会场参加")
        await bot.say("chen", "明天的政务会推迟半小时")
        bot.expect("chen", "【请核对变更】", "HY-20261125-002", "15:00 → 11月25日（周三）15:30")


async def test_only_whoever_called_the_area_together_changes_it(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("luo", f"{NUMBER}改到10点")
        bot.expect("luo", NUMBER, "由省集客部陈静负责")
        await bot.say("li", "明天的会改到10点")
        bot.expect("li", "没有发布权限")
        bot.nothing_more()
        assert len(await bot.rows(Notice)) == 1


async def test_who_was_there_already_owes_arrival_anew_when_the_day_changes(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("2026-11-25T07:00:00")) as bot:
        await published(bot, "今天上午9点半全省防汛视频会商，各市县提前一小时到位")
        await bot.until(at("2026-11-25T08:20:00"))
        await bot.say("li", "收到", group="临河县保障群")
        await bot.say("li", "已到位", group="临河县保障群")
        await bot.say("chen", "今天的会改到10点")
        await bot.say("chen", "确认")
        assert [row.state for row in await bot.obligations(kind="arrival", site_id="S2")] == ["met"]
        await bot.say("chen", f"{NUMBER}改到明天上午9点")
        await bot.say("chen", "确认")
        rows = await bot.obligations(kind="arrival", site_id="S2")
        assert [row.state for row in rows] == ["met", "open"]
        assert rows[-1].due_at == at("2026-11-26T08:00:00")
        checks = await bot.obligations(kind="checklist", site_id="S2")
        assert [row.state for row in checks] == ["cancelled", "open"]
        assert len(await bot.obligations(kind="arrival", site_id="S3")) == 1


async def test_a_correction_that_names_another_meetings_day_goes_there(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", "后天下午3点全省政务视频会，各分会场参加")
        bot.forget_all()
        await bot.say("chen", "明天的会改到10点")
        bot.expect("chen", "【请核对变更】", NUMBER, "9:30 → 11月25日（周三）10:00")
        bot.nothing_more()


async def test_a_change_that_is_not_understood_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", f"{NUMBER}加上黑石镇")
        bot.expect("chen", "没看明白")
        await bot.say("chen", "确认")
        assert (await bot.meeting()).version == 1


async def test_a_confirmation_of_a_change_that_was_overtaken_does_nothing(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await published(bot)
        await bot.say("chen", f"{NUMBER}改到10点")
        await bot.say("gao", f"{NUMBER}改到11点")
        await bot.say("gao", "确认")
        bot.forget_all()
        await bot.say("chen", "确认")
        bot.expect("chen", NUMBER, "新的版本")
        bot.nothing_more()
        assert (await bot.meeting()).starts_at == at("2026-11-25T11:00:00")
