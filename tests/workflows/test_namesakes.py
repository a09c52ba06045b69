"""Places of one name in two counties: the speaker's own county decides, else one numbered question does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.directory import REVISION
from storage.models import Counter, Fault, Meeting, Site, Unit
from tests.scenario import Scenario, scenario
from workflows import choices

NAMESAKES = {"S7": ("T7", "X1", "临河县石塘镇便民中心"), "S8": ("T8", "X2", "安川县石塘镇便民中心")}


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path) as running:
        async with running.ground.database.write() as session:
            for site_id, (unit_id, parent, name) in NAMESAKES.items():
                unit = Unit(unit_id=unit_id, name="石塘镇", parent_id=parent, tier="township", track="operations")
                unit.aliases = ["石塘"]
                session.add(unit)
                session.add(
                    Site(site_id=site_id, name=name, aliases=["石塘镇便民中心"], unit_id=unit_id, systems=["water"])
                )
            counter = await session.get_one(Counter, REVISION)
            counter.value += 1
            session.add(counter)
        await running.learn()
        yield running


async def places(bot: Scenario) -> list[str]:
    return [fault.site_id for fault in await bot.rows(Fault)]


@pytest.mark.parametrize(
    ("answer", "sites"),
    [
        ("2", ["S8"]),
        ("临河的", ["S7"]),
        ("是安川那个吧", ["S8"]),
        ("安川县石塘镇便民中心", ["S8"]),
        ("两个都是", ["S7", "S8"]),
    ],
)
async def test_somebody_above_both_is_asked_once_and_answers_as_they_like(
    bot: Scenario, answer: str, sites: list[str]
) -> None:
    await bot.say("he", "石塘镇没声音")
    bot.expect("he", "请问是哪个会场", "1. 临河县石塘镇便民中心", "2. 安川县石塘镇便民中心", "3. 以上都是")
    assert await places(bot) == []
    await bot.say("he", answer)
    assert sorted(await places(bot)) == sites


@pytest.mark.parametrize(("who", "site"), [("li", "S7"), ("wu", "S8"), ("xu", "S8")])
async def test_the_own_county_decides(bot: Scenario, who: str, site: str) -> None:
    await bot.say(who, "石塘镇没声音")
    assert await places(bot) == [site]


async def test_what_does_not_answer_leaves_the_question_open(bot: Scenario) -> None:
    await bot.say("he", "石塘镇没声音")
    bot.forget_all()
    await bot.say("he", "5")
    bot.expect("he", "只有1到3")
    await bot.say("he", "石塘镇")
    bot.expect("he", "请问是哪个会场")
    await bot.say("he", "都不是")
    bot.expect("he", "请直接写明")
    assert await places(bot) == []
    await bot.say("he", "柳林镇政府会议室")
    assert await places(bot) == ["S5"]


async def test_a_place_named_beside_is_not_lost_and_a_new_report_is_asked_about_as_well(bot: Scenario) -> None:
    await bot.say("he", "石塘镇有回声")
    await bot.say("he", "石塘镇、柳林镇都有杂音")
    assert await places(bot) == []
    await bot.say("he", "1")
    assert sorted(await places(bot)) == ["S5", "S7"]


async def test_a_notice_for_a_name_of_two_places_says_so_in_the_read_back(bot: Scenario) -> None:
    await bot.say("chen", "周五下午三点石塘镇水利视频会")
    bot.expect("chen", "“石塘镇”同名的有2处（临河县石塘镇便民中心、安川县石塘镇便民中心）")
    await bot.say("chen", "去掉安川县石塘镇便民中心")
    bot.expect("chen", "会场：临河县石塘镇便民中心；", absent=["同名"])
    await bot.say("chen", "不发")
    bot.forget_all()
    await bot.say("chen", "周五下午三点水利视频会，临河县石塘镇、安川县石塘镇参加")
    bot.expect("chen", "临河县石塘镇便民中心、安川县石塘镇便民中心", absent=["同名"])


async def test_a_notice_may_be_dropped_instead_of_saying_which_day_it_is(bot: Scenario) -> None:
    await bot.say("chen", "12月4号周三上午9点应急视频会，安川参加")
    bot.expect("chen", "日期和星期对不上")
    await bot.say("chen", "不发")
    bot.expect("chen", "草稿已作废")
    assert [meeting.state for meeting in await bot.rows(Meeting)] != ["published"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("是", "yes"), ("是的", "yes"), ("不是的", "no"), ("3", None), ("的", None), ("号", None)],
)
def test_words_pick_a_choice_only_when_they_fit_one(text: str, value: str | None) -> None:
    options = [{"label": "是的", "value": "yes"}, {"label": "不是", "value": "no"}]
    assert choices._picked(text, options) == value


@pytest.mark.parametrize(
    ("text", "value"), [("12月4号", "4"), ("2号", "2"), ("周三的", "2"), ("12月", None), ("9:00", None)]
)
def test_a_day_may_be_said_either_way(text: str, value: str | None) -> None:
    options = [{"label": "12月4日（周五）9:00", "value": "4"}, {"label": "12月2日（周三）9:00", "value": "2"}]
    assert choices._picked(text, options) == value
