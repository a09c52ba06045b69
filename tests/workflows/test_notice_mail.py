"""Who gets a notice by mail, by when a unit answers that only mail reaches, and how its ladder runs in working time."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scenario import Scenario, scenario

MAIL: dict[str, Any] = {"address": "bot@huibao.example.org"}
SAID = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+08:00")


def without_chat(tables: Any) -> None:
    """安川县 has mail alone."""
    for row in tables.rows["people"]:
        if row.cells["unit_id"] in ("X2", "T3"):
            row.cells["dingtalk_id"] = row.cells["wecom_id"] = ""


async def publish(bot: Scenario) -> None:
    await bot.say("chen", SAID)
    await bot.say("chen", "确认")


async def test_chat_people_get_a_mail_beside_and_mail_people_their_own_time(tmp_path: Path) -> None:
    async with scenario(tmp_path, change=without_chat, email=MAIL) as bot:
        await publish(bot)
        bot.expect("email:direct:li@linhe.example.org", "【会议保障通知】", "请您单位于15:20前回“收到”")
        bot.expect("dingtalk:direct:dt-li", "【会议保障通知】", "请您单位于15:20前回“收到”")
        bot.expect("email:direct:wu@anchuan.example.org", "【会议保障通知】", "请您单位于17:10前回“收到”")
        [chat] = await bot.obligations(kind="notice_ack", unit_id="X1")
        [mail] = await bot.obligations(kind="notice_ack", unit_id="X2")
        assert (chat.due_at, mail.due_at) == (at("24T15:20"), at("24T17:10"))


@pytest.mark.parametrize(
    ("start", "due", "said"),
    [
        ("24T16:50", "25T10:20", "11月25日（周三）10:20前"),
        ("27T17:20", "30T10:50", "11月30日（周一）10:50前"),
        ("24T11:30", "24T15:00", "15:00前"),
    ],
)
async def test_two_hours_of_working_time_and_the_mail_says_until_when(
    tmp_path: Path, start: str, due: str, said: str
) -> None:
    async with scenario(tmp_path, start=at(start), change=without_chat, email=MAIL) as bot:
        await bot.say("chen", "12月2日上午9点半全省防汛视频会商，各市县提前一小时到位")
        await bot.say("chen", "确认")
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X2")
        assert debt.due_at == at(due)
        [notice] = [one for one in bot.unread("email:direct:wu@anchuan.example.org") if "会议保障通知" in one.text]
        assert f"请您单位于{said}回“收到”" in notice.text


async def test_the_ladder_by_mail_nudges_in_working_time_and_tells_the_own_supervisor_when_due(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=at("24T16:50"), change=without_chat, email=MAIL) as bot:
        await bot.say("chen", "12月2日上午9点半全省防汛视频会商，各市县提前一小时到位")
        await bot.say("chen", "确认")
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X2")
        after = {rung["rung"]: rung["after_s"] / 60 for rung in debt.ladder}
        assert (after["backup"], after["nudge"], after["due"], after["upper"], after["group"]) == (-60, -30, 0, 5, 10)
        await bot.until(at("25T09:49"))
        assert not [s for s in bot.unread("email:direct:wu@anchuan.example.org") if "尚未收到" in s.text]
        await bot.until(at("25T09:50"))
        bot.expect("email:direct:wu@anchuan.example.org", "尚未收到", "10:20前")
        assert not [s for s in bot.unread("email:direct:tang@anchuan.example.org") if "尚未收到" in s.text]
        await bot.until(at("25T10:20"))
        bot.expect("email:direct:tang@anchuan.example.org", "尚未收到安川县技术维护部", "请您协助落实")
        await bot.until(at("25T10:25"))
        bot.expect("dingtalk:direct:dt-sun", "尚未收到安川县技术维护部")


async def test_everything_goes_by_mail_to_people_without_chat_and_only_notices_to_the_others(tmp_path: Path) -> None:
    async with scenario(tmp_path, change=without_chat, email=MAIL) as bot:
        await bot.say("fang", "三楼会议室没声音了")
        await bot.say("gao", "安川县水利局二楼会议室没声音了")
        assert bot.unread("email:direct:li@linhe.example.org") == []
        bot.expect("email:direct:wu@anchuan.example.org", "GZ-20261124-002", "接单")


def by_mail_alone(tables: Any) -> None:
    """Nobody has a messenger."""
    for row in tables.rows["people"]:
        row.cells["dingtalk_id"] = row.cells["wecom_id"] = ""


async def test_the_tally_comes_when_the_time_of_mail_is_up(tmp_path: Path) -> None:
    async with scenario(tmp_path, change=by_mail_alone, email=MAIL) as bot:
        await bot.say("chen", SAID, platform="email")
        await bot.say("chen", "确认", platform="email")
        chen = "email:direct:chen@sheng.example.org"
        bot.forget_all()
        await bot.until(at("24T17:09"))
        assert not [seen for seen in bot.unread(chen) if "回复情况" in seen.text]
        await bot.until(at("24T17:10"))
        bot.expect(chen, "回复情况（17:10）", "应到8，已确认0")


async def test_chat_and_mail_have_a_tally_each_when_their_time_is_up(tmp_path: Path) -> None:
    async with scenario(tmp_path, change=without_chat, email=MAIL) as bot:
        await publish(bot)
        bot.forget_all()
        await bot.until(at("24T17:15"))
        told = [seen.text for seen in bot.unread("dingtalk:direct:dt-chen") if "回复情况" in seen.text]
        assert [text.split("（")[1].split("）")[0] for text in told] == ["15:20", "17:10"]


async def test_who_has_only_mail_hears_by_mail_how_a_grave_fault_goes_on(tmp_path: Path) -> None:
    def he_by_mail(tables: Any) -> None:
        for row in tables.rows["people"]:
            if row.cells["person_id"] == "he":
                row.cells["dingtalk_id"] = row.cells["wecom_id"] = ""

    async with scenario(tmp_path, change=he_by_mail, email=MAIL) as bot:
        await bot.say("fang", "三楼会议室没声音了，会马上开始")
        he = "email:direct:he@jiangzhou.example.org"
        bot.expect(he, "何工您好", "进展会发到您的邮箱", absent=["在群里"])
        await bot.say("li", "收到")
        bot.expect(he, "李工", "接单")
