"""Host, head count, contact and room: read back when the notice has them; a room that moves is a change."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario import Scenario, scenario
from workflows.meeting_details import room, said

DESK = "集客联络群"
NOTICE = "明天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位"
FULL = f"{NOTICE}。地点：二楼会议室，主办单位：省水利厅，联系人：张工，约30人参会"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        yield running


async def published(bot: Scenario, text: str = NOTICE) -> None:
    await bot.say("chen", text)
    await bot.say("chen", "确认")
    bot.forget_all()


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("host", "由省防办组织召开的视频会", "省防办"),
        ("host", "主办单位：省水利厅，明天9点", "省水利厅"),
        ("host", "明天9点开会，主持人李主任", ""),
        ("heads", "参会人数约30人", "30人"),
        ("heads", "12人参加", "12人"),
        ("heads", "12号上午开会，各市县参加", ""),
        ("contact", "联系人：张工，请提前到位", "张工"),
        ("contact", "请联系李工", ""),
    ],
)
def test_what_a_notice_says_beside_time_and_scope(name: str, text: str, found: str) -> None:
    assert said(name, text) == found


def test_a_room_is_only_what_is_called_so() -> None:
    assert room("地点在三楼会商室，9点开始") == (("", "三楼会商室"),)
    assert room("三楼会议室没声音了") == ()


async def test_the_read_back_shows_what_the_notice_has(bot: Scenario) -> None:
    await bot.say("chen", FULL)
    bot.expect("chen", "地点：二楼会议室", "主办：省水利厅", "人数：约30人", "联系人：张工")
    await bot.say("chen", "确认")
    bot.expect("#临河县保障群", "会议保障通知", "地点：二楼会议室")


async def test_the_read_back_shows_nothing_that_was_not_said(bot: Scenario) -> None:
    await bot.say("chen", NOTICE)
    bot.expect("chen", "请核对", absent=["地点", "主办", "人数", "联系人"])


async def test_another_room_for_all_is_a_change_that_all_answer(bot: Scenario) -> None:
    await published(bot, FULL)
    await bot.say("chen", "地点改到四楼会议室")
    bot.expect("chen", "【请核对变更】", "地点：二楼会议室 → 四楼会议室", "需重新回复：3个单位")
    await bot.say("chen", "确认")
    bot.expect("#安川县保障群", "【会议变更】", "地点：二楼会议室 → 四楼会议室")
    bot.expect("li", "【会议变更】", "四楼会议室")
    meeting = await bot.meeting()
    assert (meeting.version, meeting.site_ids) == (2, ["S2", "S3"])


async def test_another_room_of_one_site_concerns_its_units_alone(bot: Scenario) -> None:
    await published(bot)
    await bot.say("chen", "临河县会场改到四楼会议室")
    bot.expect("chen", "【请核对变更】", "临河县水利局三楼会议室在四楼会议室", "需重新回复：2个单位")
    await bot.say("chen", "确认")
    bot.forget_all()
    open_now = [row.unit_id for row in await bot.obligations(kind="notice_ack", version=2)]
    assert sorted(open_now) == ["X1", "X1K"]


async def test_a_room_that_bears_the_name_of_a_site_does_not_change_the_scope(bot: Scenario) -> None:
    await published(bot)
    await bot.say("chen", "地点改到三楼会议室")
    bot.expect("chen", "【请核对变更】", "地点：未定 → 三楼会议室", absent=["不再参加", "新增"])


async def test_a_draft_gets_another_room(bot: Scenario) -> None:
    await bot.say("chen", FULL)
    bot.forget_all()
    await bot.say("chen", "地点改到四楼会议室")
    bot.expect("chen", "【请核对】", "地点：四楼会议室")


async def test_a_corrected_head_count_moves_nothing_else_and_asks_nobody_again(bot: Scenario) -> None:
    await published(bot, FULL)
    before = (await bot.meeting()).starts_at
    await bot.say("chen", "HY-20261125-001 人数改为40人，主办单位改为省防办")
    seen = bot.expect("chen", "【请核对变更】", "参会人数：约30人 → 40人", absent=["需重新回复"])
    assert "主办单位：省水利厅 → 省防办" in seen.text
    assert (await bot.meeting()).starts_at == before
