"""What is asked of somebody in a group is asked in private too, and can be answered in either place, once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from storage.messages import Address, Sender
from storage.models import Delivery, Expectation
from storage.ports import Retry
from tests.scenario import WECOM, Scenario, scenario
from workflows.turn import with_mention

DESK, CLIENTS, OWN, PROVINCE = "集客联络群", "临河县水利局客户群", "临河县保障群", "省级保障群"
NOTICE = "明天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def drafted(bot: Scenario) -> None:
    await bot.say("chen", NOTICE, group=DESK)
    bot.forget_all()


async def test_a_draft_is_read_back_in_the_group_and_in_private(bot: Scenario) -> None:
    await bot.say("chen", NOTICE, group=DESK)
    in_group = bot.expect(f"#{DESK}", "【请核对】", "请@会保 回“确认”")
    in_private = bot.expect("chen", "【请核对】", "回“确认”", absent=["@会保"])
    assert in_group.message.actions == in_private.message.actions
    bot.nothing_more()


async def test_in_private_it_is_asked_once(bot: Scenario) -> None:
    await bot.say("chen", NOTICE)
    bot.expect("chen", "【请核对】")
    bot.nothing_more()


async def test_a_yes_in_private_publishes_once_and_the_group_hears_it(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("chen", "确认")
    bot.expect(f"#{DESK}", "已发布", "汇总到这里")
    bot.expect("chen", "在群里")
    meeting = await bot.meeting()
    assert (meeting.state, meeting.conversation) == ("published", "dingtalk:group:cid-jike")
    debts = len(await bot.obligations(kind="notice_ack"))
    bot.forget_all()
    await bot.say("chen", "确认", group=DESK)
    await bot.say("chen", "确认")
    assert len(await bot.obligations(kind="notice_ack")) == debts
    assert (await bot.meeting()).version == 1
    assert [seen.text for seen in bot.unread(f"#{DESK}")] == []


async def test_the_group_mentions_the_account_that_asked_there_not_the_one_that_answered(tmp_path: Path) -> None:
    """Somebody may have several accounts: an app and a robot know them by different ids, or two corporations do."""

    def two_accounts(tables: Any) -> None:
        for row in tables.rows["people"]:
            if row.cells["person_id"] == "chen":
                row.cells["dingtalk_id"] = "dt-chen|dt-chen-2"

    async with scenario(tmp_path, change=two_accounts) as bot:
        await drafted(bot)
        asked = (await bot.said("chen", "确认")).model_copy(
            update={
                "conversation": Address(platform="dingtalk", kind="direct", id="dt-chen-2"),
                "sender": Sender(account="dt-chen-2", name="chen"),
            }
        )
        await bot.runtime.inbox.accept(asked)
        await bot.settle()
        assert bot.expect(f"#{DESK}", "已发布").message.mentions == ("dt-chen",)


async def test_the_button_in_private_does_the_same(bot: Scenario) -> None:
    await bot.say("chen", NOTICE, group=DESK)
    press = bot.expect("chen", "【请核对】").message.actions[0].value
    bot.forget_all()
    await bot.say("chen", click=press)
    bot.expect(f"#{DESK}", "已发布")
    assert (await bot.meeting()).state == "published"


async def test_a_yes_in_the_group_says_nothing_more_in_private(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("chen", "确认", group=DESK)
    bot.expect(f"#{DESK}", "已发布")
    assert bot.unread("chen") == []


async def test_a_correction_in_private_is_read_back_in_both(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("chen", "改成9点")
    bot.expect(f"#{DESK}", "【请核对】", "9:00")
    bot.expect("chen", "【请核对】", "9:00")
    bot.nothing_more()


async def test_dropping_it_in_private_tells_the_group(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("chen", "算了")
    bot.expect(f"#{DESK}", "草稿已作废")
    bot.expect("chen", "在群里")
    bot.nothing_more()


async def test_what_is_missing_is_asked_in_both(bot: Scenario) -> None:
    await bot.say("chen", "召开全省防汛视频会商，各市县参加，请提前到位", group=DESK)
    bot.expect(f"#{DESK}", "请@会保 补充开始时间")
    bot.expect("chen", "请补充开始时间")
    bot.nothing_more()
    await bot.say("chen", "明天上午9点半")
    bot.expect(f"#{DESK}", "【请核对】", "9:30")
    bot.expect("chen", "【请核对】", "9:30")
    bot.nothing_more()


async def test_a_change_is_read_back_in_both_and_confirmed_in_private(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("chen", "确认", group=DESK)
    bot.forget_all()
    await bot.say("chen", "改到10点", group=DESK)
    bot.expect(f"#{DESK}", "【请核对变更】")
    bot.expect("chen", "【请核对变更】")
    await bot.say("chen", "确认")
    bot.expect(f"#{DESK}", "变更已发布")
    bot.expect("chen", "在群里")


async def test_somebody_elses_private_yes_is_no_yes(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("li", "确认")
    assert (await bot.meeting()).state == "draft"


async def test_a_numbered_question_is_asked_in_both_and_answered_in_private(bot: Scenario) -> None:
    await bot.say("chen", NOTICE)
    await bot.say("chen", "确认")
    await bot.say("fang", "三楼会议室投影黑屏", group=CLIENTS)
    bot.forget_all()
    await bot.say("li", "收到", group=OWN)
    bot.expect(f"#{OWN}", "请@会保 回编号")
    bot.expect("li", "请回编号", absent=["@会保"])
    bot.nothing_more()
    await bot.say("li", "1")
    bot.expect("li", "已登记", "临河县")
    assert [row.state for row in await bot.rows(Expectation, Expectation.kind == "choice")] == ["met"]
    bot.forget_all()
    await bot.say("li", "1", group=OWN)
    bot.nothing_more()


async def test_where_it_is_may_be_told_in_private_and_the_group_gets_the_number(bot: Scenario) -> None:
    await bot.say("gao", "会议室没声音了", group=PROVINCE)
    bot.expect(f"#{PROVINCE}", "哪个会场", "@会保")
    bot.expect("gao", "哪个会场", absent=["@会保"])
    await bot.say("gao", "临河县水利局三楼会议室")
    fault = await bot.fault()
    assert (fault.site_id, fault.conversations) == ("S2", ["dingtalk:group:cid-sheng"])
    bot.expect(f"#{PROVINCE}", fault.number)
    bot.expect("gao", "在群里")


async def test_a_difficulty_pressed_in_the_group_may_be_explained_in_private(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("chen", "确认", group=DESK)
    press = next(a.value for a in bot.expect(f"#{OWN}", "会议保障通知").message.actions if a.label == "有困难")
    bot.forget_all()
    await bot.say("li", click=press, group=OWN)
    bot.expect(f"#{OWN}", "请@会保 写明")
    bot.expect("li", "请直接写明")
    bot.expect(f"#{DESK}", "有困难")
    await bot.say("li", "投影坏了")
    bot.expect(f"#{DESK}", "李工说明困难：投影坏了")
    bot.expect("li", "已转告联络员")


async def test_the_private_copy_stays_on_the_platform_of_the_group(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        await bot.say("chen", NOTICE, group=DESK)
        bot.expect("dingtalk:direct:dt-chen", "【请核对】")
        assert not [seen for seen in bot.platforms["wecom"].seen if "请核对" in seen.text]


async def test_a_copy_that_still_waits_is_taken_back_by_the_answer(bot: Scenario) -> None:
    bot.platforms["dingtalk"].outcomes[Address(platform="dingtalk", kind="direct", id="dt-chen")] = Retry("busy")
    await drafted(bot)
    await bot.say("chen", "确认", group=DESK)
    (copy,) = await bot.rows(Delivery, Delivery.kind == "prompt")
    assert copy.state == "cancelled"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("到了请回“已到位”。", "到了请@会保 回“已到位”。"),
        ("请重新回“正常”或写明现象", "请@会保 重新回“正常”或写明现象"),
        ("没看明白，请直接说，如“改到10点”。", "没看明白，请@会保 直接说，如“改到10点”。"),
        ("没有可联系的人员，请先登记", "没有可联系的人员，请先登记"),
        ("请@会保 回“确认”发布", "请@会保 回“确认”发布"),
    ],
)
def test_words_in_a_group_that_ask_for_an_answer_name_the_mention(said: str, shown: str) -> None:
    assert with_mention(said) == shown


async def test_what_cannot_be_read_is_asked_again_with_the_mention(bot: Scenario) -> None:
    await drafted(bot)
    await bot.say("chen", "确认", group=DESK)
    bot.forget_all()
    await bot.say("chen", "刚才发错了", group=DESK)
    bot.expect(f"#{DESK}", "请@会保 马上回“取消 HY-20261125-001”")


# ---- at night


UNPLACED = "投影有点偏色"


def several_rooms(tables: Any) -> None:
    """The county has a second room: a report there that names none is asked about."""
    room = dict(next(row.cells for row in tables.rows["sites"] if row.cells["site_id"] == "S2"))
    room |= {"site_id": "S2b", "name": "临河县水利局五楼会议室", "aliases": "五楼会议室"}
    tables.rows["sites"] += (replace(tables.rows["sites"][0], cells=room),)


@pytest.mark.parametrize(
    ("asked_at", "where"), [("2026-11-24T23:00:00+08:00", "group"), ("2026-11-24T21:58:00+08:00", "fang")]
)
async def test_at_night_the_group_answers_that_was_awake_to_ask(tmp_path: Path, asked_at: str, where: str) -> None:
    start = datetime.fromisoformat(asked_at)
    async with scenario(tmp_path, start=start, change=several_rooms) as bot:
        await bot.say("fang", UNPLACED, group=CLIENTS)
        bot.forget_all()
        await bot.advance("3m")
        await bot.say("fang", "五楼会议室")
        if where == "group":
            bot.expect(f"#{CLIENTS}", "【报障已受理】")
            bot.expect("fang", "请看群里的消息")
        else:
            bot.expect("fang", "【报障已受理】")
            assert not bot.unread(f"#{CLIENTS}")


async def test_at_night_the_group_hears_at_once_what_came_of_its_draft(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=datetime.fromisoformat("2026-11-24T23:00:00+08:00")) as bot:
        await drafted(bot)
        await bot.say("chen", "确认")
        bot.expect(f"#{DESK}", "已发布")
        bot.expect("chen", "请看群里的消息")
