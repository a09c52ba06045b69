"""One person, two platforms: said on one it counts on both, both are told, and one stands in for the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.ports import Refused, Retry
from tests.scenario import WECOM, Scenario, scenario

REPORT = "三楼会议室没声音了，会马上开始"
MEETING = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path, wecom=WECOM) as running:
        yield running


async def publish(bot: Scenario) -> None:
    await bot.say("chen", MEETING, group="省级保障群")
    await bot.say("chen", "确认", group="省级保障群")


def places(bot: Scenario, part: str) -> set[str]:
    return {str(seen.address) for platform in bot.platforms.values() for seen in platform.seen if part in seen.text}


async def test_a_notice_goes_to_the_groups_and_people_of_both_platforms(bot: Scenario) -> None:
    await publish(bot)
    told = places(bot, "会议保障通知")
    assert {"dingtalk:group:cid-linhe", "wecom:group:wr-linhe"} <= told
    assert {"dingtalk:direct:dt-wu", "wecom:direct:wc-wu"} <= told
    assert not [place for place in told if "client" in place]


@pytest.mark.parametrize("here", ["wecom", "dingtalk"])
async def test_an_acknowledgement_on_one_platform_ends_the_reminders_on_both(bot: Scenario, here: str) -> None:
    await publish(bot)
    await bot.say("wu", "收到", platform=here)
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X2")
    assert (debt.state, debt.met_by, debt.met_via) == ("met", "wu", here)
    bot.forget_all()
    await bot.advance("11m")
    assert not places(bot, "尚未收到安川县")
    assert not {place for place in places(bot, "") if place.endswith(("-wu", "-tang"))}
    reminded = places(bot, "尚未收到江州市网络运行部回复")
    assert {"dingtalk:direct:dt-he", "wecom:direct:wc-he"} <= reminded, "the others are reminded, on both"


@pytest.mark.parametrize("here", ["wecom", "dingtalk"])
async def test_a_button_on_one_platform_takes_the_fault_on_both(bot: Scenario, here: str) -> None:
    await bot.say("fang", REPORT, group="临河县水利局客户群")
    assert {"dingtalk:direct:dt-li", "wecom:direct:wc-li"} <= places(bot, "GZ-20261124-001")
    bot.forget_all()
    await bot.say("li", click="take:GZ-20261124-001", platform=here)
    fault = await bot.fault()
    assert (fault.state, fault.owner) == ("accepted", "li")
    bot.expect("#临河县水利局客户群", "李工已接单")
    assert {"dingtalk:group:cid-linhe", "wecom:group:wr-linhe"} <= places(bot, "李工")
    bot.forget_all()
    other = "dingtalk" if here == "wecom" else "wecom"
    await bot.say("li", click="take:GZ-20261124-001", platform=other)
    assert (await bot.fault()).owner == "li"
    await bot.advance("12m")
    assert not places(bot, "尚无人接单")


async def test_a_report_in_wecom_is_answered_there_and_worked_on_from_dingtalk(bot: Scenario) -> None:
    await bot.say("fang", REPORT, group="临河县水利局客户群（企业微信）", platform="wecom")
    bot.expect("#临河县水利局客户群（企业微信）", "GZ-20261124-001")
    await bot.say("li", "收到，20分钟到", group="临河县保障群")
    bot.expect("#临河县水利局客户群（企业微信）", "李工已接单")
    await bot.say("li", "修好了", group="临河县保障群")
    bot.expect("#临河县水利局客户群（企业微信）", "现在正常了吗")
    await bot.say("fang", "好了", platform="wecom")
    assert (await bot.fault()).state in ("observing", "resolved", "closed")


@pytest.mark.parametrize(
    ("down", "up", "bosses"), [("dingtalk", "wecom", "主管群（企业微信）"), ("wecom", "dingtalk", "主管群")]
)
async def test_while_one_platform_is_down_people_are_reached_on_the_other_and_the_supervisors_hear_of_it(
    bot: Scenario, down: str, up: str, bosses: str
) -> None:
    bot.platforms[down].down = Retry("connection refused")
    await bot.say("chen", MEETING, group="省级保障群", platform="dingtalk")
    place = "省级保障群（企业微信）" if down == "dingtalk" else "省级保障群"
    if down == "dingtalk":
        await bot.say("chen", MEETING, group=place, platform="wecom")
    await bot.say("chen", "确认", group=place, platform=up)
    reached = places(bot, "会议保障通知")
    assert {f"{up}:direct:{'wc' if up == 'wecom' else 'dt'}-{who}" for who in ("li", "wu", "he", "ding")} <= reached
    await bot.advance("15m")
    bot.expect(f"#{bosses}", "发送不出去")
    bot.platforms[down].down = None
    await bot.advance("5m")
    assert any(p.startswith(f"{down}:group:") for p in places(bot, "会议保障通知")), "nothing was lost"


async def test_whoever_is_refused_on_one_platform_has_the_copy_on_the_other(bot: Scenario) -> None:
    bot.platforms["wecom"].down = Refused("errcode 81013")
    await bot.say("fang", REPORT, group="临河县水利局客户群")
    bot.expect("dingtalk:direct:dt-li", "GZ-20261124-001")
    bot.expect("dingtalk:direct:dt-admin", "企业微信")


async def test_case_does_not_make_another_person_of_an_account(bot: Scenario) -> None:
    await publish(bot)
    bot.forget_all()
    heard = await bot.said("wu", "收到", platform="wecom")
    shouted = heard.conversation.model_copy(update={"id": "WC-Wu"})
    sender = heard.sender.model_copy(update={"account": "WC-Wu"})
    await bot.runtime.inbox.accept(heard.model_copy(update={"conversation": shouted, "sender": sender}))
    await bot.settle()
    (debt,) = await bot.obligations(kind="notice_ack", unit_id="X2")
    assert (debt.state, debt.met_by) == ("met", "wu")
    assert "wecom:direct:wc-wu" in places(bot, "已回复"), "one person is one address, as the organisation writes it"


async def test_a_yes_on_the_other_platform_is_told_where_it_is_awaited_and_counts_with_the_number(
    bot: Scenario,
) -> None:
    await bot.say("chen", MEETING, group="集客联络群")
    bot.forget_all()
    await bot.say("chen", "确认", platform="wecom")
    bot.expect("chen", "HY-20261125-001", "集客联络群", "“确认 HY-20261125-001”")
    bot.nothing_more()
    await bot.say("chen", "确认 HY-20261125-001", platform="wecom")
    bot.expect("chen", "HY-20261125-001 已发布")
    bot.forget_all()
    await bot.say("chen", "改到10点", group="集客联络群")
    bot.forget_all()
    await bot.say("chen", "确认", platform="wecom")
    bot.expect("chen", "HY-20261125-001", "请到那里回“确认”")
