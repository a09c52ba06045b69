"""A published notice: what every person and group sees, what is owed by when, and how the answers are counted."""

from datetime import datetime
from pathlib import Path

from sqlmodel import col, delete

from storage.directory import REVISION
from storage.models import AuditEntry, Counter, Delivery, Identity, Notice, Obligation
from tests.scenario import WECOM, Scenario, scenario

SAID = "明天上午9点半全省防汛视频会商，各市县提前一小时到位。依据：省水利厅会议通知"
NUMBER = "HY-20261125-001"
HEAD = ("【会议保障通知】", NUMBER, "全省防汛视频会商（水利系统）", "11月25日（周三）9:30开始，8:30前到位")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


async def publish(bot: Scenario, said: str = SAID, who: str = "chen") -> None:
    await bot.say(who, said)
    await bot.say(who, "确认")
    bot.forget_all()


async def test_everybody_concerned_sees_the_notice_once_and_nobody_else(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        bot.expect("chen", "【请核对】")
        await bot.say("chen", "确认")
        bot.expect("chen", NUMBER, "已发布", "15:20前")
        city = bot.expect("#江州市保障群", *HEAD, "请江州市网络运行部、江州市集客部于15:20前@会保 回“收到”")
        assert "依据：省水利厅会议通知" in city.text
        linhe = bot.expect("#临河县保障群", *HEAD, "请临河县技术维护部、临河县集客部、青石镇、柳林镇于15:20前@会保")
        bot.expect("#安川县保障群", *HEAD, "请安川县技术维护部、白沙镇于15:20前@会保")
        bot.expect("#集客联络群", *HEAD, "请江州市集客部、临河县集客部于15:20前@会保")
        bot.expect("#省级保障群", "【抄送】", *HEAD, absent=["收到"])
        for person in ("he", "luo", "li", "qian", "wu", "ding", "ma", "lin"):
            seen = bot.expect(person, "您好：", *HEAD, "请您单位于15:20前回“收到”，有困难请直接说明")
            assert [a.value for a in seen.message.actions] == [f"ack:{NUMBER}", f"trouble:{NUMBER}"]
        assert linhe.message.mention_all
        bot.nothing_more()


async def test_at_night_nobody_is_called_by_at_all(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("2026-11-24T23:10:00")) as bot:
        await bot.say("chen", SAID)
        await bot.say("chen", "确认")
        assert not bot.expect("#临河县保障群", *HEAD).message.mention_all


async def test_each_unit_owes_an_answer_and_each_site_its_arrival_and_checks(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        answers = await bot.obligations(kind="notice_ack")
        assert {row.unit_id for row in answers} == {"C1", "C1K", "X1", "X1K", "X2", "T1", "T2", "T3"}
        assert {row.due_at for row in answers} == {at("2026-11-24T15:20:00")}
        assert {row.meeting for row in answers} == {NUMBER}
        arrivals, checks = await bot.obligations(kind="arrival"), await bot.obligations(kind="checklist")
        assert [row.site_id for row in arrivals] == [row.site_id for row in checks]
        assert {row.site_id for row in arrivals} == {"S1", "S2", "S3", "S4", "S5", "S6"}
        assert {row.due_at for row in arrivals} == {at("2026-11-25T08:30:00")}
        assert {row.due_at for row in checks} == {at("2026-11-25T09:00:00")}
        assert {row.state for row in [*answers, *arrivals, *checks]} == {"open"}
        assert next(row for row in answers if row.unit_id == "X1").person_ids == ["li"]


async def test_publishing_is_committed_before_it_spreads(tmp_path: Path) -> None:
    """A crash right after the yes loses nothing: the row and its due time are there, the slices follow."""
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        await bot.say("chen", "确认", settle=False)
        await bot.runtime.dispatcher.step()
        notice = (await bot.rows(Notice))[0]
        assert (notice.state, notice.done_units, len(notice.unit_ids)) == ("spreading", 0, 8)
        assert await bot.obligations() == []
        await bot.advance("3m")
        assert {row.due_at for row in await bot.obligations(kind="notice_ack")} == {at("2026-11-24T15:20:00")}


async def test_a_text_goes_once_into_a_group_on_each_platform(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        await publish(bot)
        rows = await bot.rows(Delivery, Delivery.kind == "notice")
        addresses = [row.address for row in rows]
        assert len(addresses) == len(set(addresses))
        assert {"dingtalk:group:cid-linhe", "wecom:group:wr-linhe"} <= set(addresses)
        assert {"dingtalk:direct:dt-li", "wecom:direct:wc-li"} <= set(addresses)
        assert not any("linhe-client" in address for address in addresses)


# ---- the tally


async def test_answers_are_counted_in_one_message_every_thirty_seconds(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        await bot.advance("5s")
        await bot.say("li", "收到", group="临河县保障群")
        await bot.say("qian", "收到")
        bot.expect("qian", "已登记")
        for group in ("#临河县保障群", "#集客联络群"):
            bot.expect(group, "临河县集客部 钱丽已回“收到”", absent=["李工"])
        bot.nothing_more()
        await bot.advance("25s")
        seen = bot.expect("chen", NUMBER, "回复情况（15:10）：应到8，已确认2，未确认6。")
        assert "地市0/2，县区2/3，乡镇0/3" in seen.text
        assert "新回复：临河县技术维护部（李工）、临河县集客部（钱丽）" in seen.text
        assert "尚未收到回复：江州市网络运行部、江州市集客部、安川县技术维护部、青石镇、柳林镇、白沙镇。" in seen.text
        await bot.say("wu", "收到")
        await bot.advance("29s")
        bot.expect("wu", "已登记")
        bot.nothing_more("chen")
        await bot.advance("1s")
        bot.expect("chen", "已确认3，未确认5", "新回复：安川县技术维护部（吴工）", absent=["李工"])


async def test_when_all_have_answered_it_says_so_and_no_more(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        for person in ("he", "luo", "li", "qian", "wu", "ding", "ma", "lin"):
            await bot.say(person, click=f"ack:{NUMBER}")
        bot.forget_all()
        await bot.advance("30s")
        bot.expect("chen", NUMBER, "应到8，已全部确认", absent=["尚未"])
        for group in ("临河县", "安川县", "江州市"):
            bot.expect(f"#{group}保障群", "已回“收到”")
        bot.expect("#集客联络群", "江州市集客部 罗兰、临河县集客部 钱丽已回“收到”")
        await bot.advance("1h")
        bot.nothing_more()
        assert {row.state for row in await bot.obligations(kind="notice_ack")} == {"met"}


async def test_who_has_not_answered_is_told_at_once_to_whoever_may_know(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        await bot.say("li", "收到", group="临河县保障群")
        await bot.say("chen", "谁还没回")
        bot.expect("chen", "应到8，已确认1，未确认7", "尚未收到回复：江州市网络运行部")
        await bot.say("zhou", "哪些单位还没回复？")
        bot.expect("zhou", "未确认7")
        await bot.say("chen", "谁还没回", group="集客联络群")
        bot.expect("#集客联络群", "未确认7", absent=["江州市网络运行部", "尚未收到回复："])
        bot.nothing_more()


async def test_a_difficulty_shows_in_the_tally(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        await bot.say("wu", click=f"trouble:{NUMBER}")
        bot.forget_all()
        await bot.advance("30s")
        bot.expect("chen", "已确认1", "有困难：安川县技术维护部。")


async def test_in_a_group_the_tally_names_nobody_who_is_silent(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID, group="集客联络群")
        await bot.say("chen", "确认", group="集客联络群")
        bot.forget_all()
        await bot.say("li", "收到", group="临河县保障群")
        await bot.advance("30s")
        bot.expect("#集客联络群", "已确认1，未确认7", absent=["尚未收到回复："])


# ---- silence


async def test_those_who_are_silent_are_nudged_in_private_and_their_own_supervisor_hears_at_ten(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        for person in ("he", "luo", "qian", "wu", "ding", "ma", "lin"):
            await bot.say(person, click=f"ack:{NUMBER}")
        await bot.until(at("2026-11-24T15:16:59"))
        bot.forget_all()
        await bot.until(at("2026-11-24T15:17:00"))
        bot.expect("li", NUMBER, "尚未收到临河县技术维护部回复")
        bot.nothing_more("wang")
        await bot.until(at("2026-11-24T15:20:00"))
        bot.expect("wang", "王主任您好", NUMBER, "临河县技术维护部")
        await bot.advance("20s")
        await bot.say("li", "收到", group="临河县保障群")
        bot.expect("wang", "已由李工")
        await bot.advance("30s")
        bot.expect("chen", "已全部确认")
        assert (await bot.obligations(kind="notice_ack", unit_id="X1"))[0].state == "breached"


async def test_when_the_answers_are_due_the_coordinator_sees_who_is_silent(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        await bot.until(at("2026-11-24T15:20:00"))
        bot.expect("chen", "回复情况（15:20）：应到8，已确认0，未确认8")


# ---- who owes


async def test_mail_carries_the_notice_too(tmp_path: Path) -> None:
    async with scenario(tmp_path, email={"address": "huibao@example.org"}) as bot:
        await publish(bot)
        rows = await bot.rows(Delivery, Delivery.kind == "notice", Delivery.person_id == "li")
        assert {row.address for row in rows} == {"dingtalk:direct:dt-li", "email:direct:li@linhe.example.org"}


async def test_a_unit_without_a_messenger_has_two_working_hours_by_mail(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("2026-11-24T16:30:00")) as bot:
        async with bot.ground.database.write() as session:
            await session.exec(delete(Identity).where(col(Identity.person_id).in_(["tang", "wu", "xu"])))
            counter = await session.get_one(Counter, REVISION)
            counter.value += 1
            session.add(counter)
        await publish(bot)
        due = {row.unit_id: row.due_at for row in await bot.obligations(kind="notice_ack")}
        assert due["X2"] == at("2026-11-25T10:00:00")
        assert due["X1"] == at("2026-11-24T16:40:00")


async def test_a_coordinator_need_not_acknowledge_her_own_notice(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot, "明天上午9点半全市防汛视频会商，各分会场参加", who="luo")
        rows = {row.unit_id: row for row in await bot.obligations(kind="notice_ack")}
        assert (rows["C1K"].state, rows["C1K"].met_by) == ("met", "luo")
        assert {row.state for unit, row in rows.items() if unit != "C1K"} == {"open"}


async def test_a_meeting_of_one_county_sends_copies_upward_that_owe_nothing(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("qian", "明天上午9点临河县水利局防汛会商")
        bot.expect("qian", "会场：临河县水利局三楼会议室；应回复单位2个")
        await bot.say("qian", "确认")
        bot.expect("qian", "已发布")
        bot.expect("#临河县保障群", NUMBER, "请临河县技术维护部、临河县集客部于15:20前")
        bot.expect("#集客联络群", NUMBER, "请临河县集客部于15:20前")
        bot.expect("#江州市保障群", "【抄送】", NUMBER)
        bot.expect("#省级保障群", "【抄送】", NUMBER)
        bot.expect("li", NUMBER)
        bot.expect("qian", "您好", NUMBER)
        bot.nothing_more()
        rows = await bot.obligations(kind="notice_ack")
        assert {row.unit_id: row.state for row in rows} == {"X1": "open", "X1K": "met"}


async def test_a_meeting_called_late_leaves_time_to_answer_and_to_arrive(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot, "今天下午3点40临河县水利局、青石镇防汛会商")
        arrivals = await bot.obligations(kind="arrival")
        assert {row.due_at for row in arrivals} == {at("2026-11-24T15:20:00")}
        assert all(row.state == "open" for row in arrivals)


async def test_the_meeting_runs_and_ends_by_itself(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        await bot.until(at("2026-11-25T09:29:59"))
        assert (await bot.meeting()).state == "published"
        await bot.until(at("2026-11-25T09:30:00"))
        assert (await bot.meeting()).state == "running"
        await bot.until(at("2026-11-25T10:10:00"))
        bot.forget_all()
        await bot.say("chen", "会议结束了，大家辛苦")
        bot.expect("chen", NUMBER, "已结束")
        assert ((await bot.meeting()).state, (await bot.meeting()).ends_at) == ("ended", at("2026-11-25T10:10:00"))


async def test_every_debt_of_a_notice_is_recorded(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        assert len(await bot.rows(Obligation)) == 20
        entries = await bot.rows(AuditEntry, AuditEntry.about == NUMBER)
        assert sum(entry.what == "obligation.opened" for entry in entries) == 20
        assert {"meeting.drafted", "meeting.published", "notice.new", "notice.spread"} <= {e.what for e in entries}


async def test_a_supervisor_hears_of_his_unit_and_of_one_passed_on_to_him_in_one_message(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await publish(bot)
        await bot.advance("10m")
        seen = [message.text for message in bot.unread("wang")]
        assert len(seen) == 1
        assert "截至15:20尚未收到临河县技术维护部、临河县集客部回复" in seen[0]
        assert "已知悉" in seen[0]
