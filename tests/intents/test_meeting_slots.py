"""When a meeting is, who takes part and where it is held: notices and changes as people write them."""

from __future__ import annotations

import pytest

from intents import slots
from intents.cli import load_places
from intents.places import PlaceIndex
from intents.reading import Context
from intents.understand import Understanding
from tests.intents.conftest import NOW, SITES, said

PLACES = PlaceIndex(load_places(SITES))


def read(understanding: Understanding, intent: str, text: str, role: str = "coordinator") -> dict[str, object]:
    facts = understanding.facts(text, Context(NOW, role))
    return slots.fill(intent, facts, PLACES)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("明天的水库会改到后天上午九点", "2026-11-26T09:00"),
        ("原定11月26日下午2点的消防会提前到当天上午10点", "2026-11-26T10:00"),
        ("更正：会议日期是11月27日，不是11月26日，时间仍为14:30", "2026-11-27T14:30"),
        ("刚才讲的政务会是后天不是明天，还是14:30", "2026-11-26T14:30"),
        ("三点的会延后半小时", "2026-11-24T15:30"),
        ("明天9点的会商往后推一个小时", "2026-11-25T10:00"),
        ("今天下午3点的会提前一刻钟", "2026-11-24T14:45"),
        ("下周二的财政视频会顺延到周四", "2026-12-03"),
        ("会议推迟到下周三上午9点，请提前一天完成联调", "2026-12-02T09:00"),
        ("下周二上午9点的培训提前一天", "2026-11-30T09:00"),
        ("12月2日9点的会改到10点，请提前一天调试", "2026-12-02T10:00"),
        ("会议时间由9:30调整为10:30，其他不变", "2026-11-24T10:30"),
    ],
)
def test_the_new_time_of_a_change(understanding: Understanding, text: str, start: str) -> None:
    assert str(read(understanding, "meeting.change", text)["start"])[: len(start)] == start


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("12月2日上午9:00召开全省消防视频会议，会期约1.5小时", "2026-12-02T10:30"),
        ("12月16日下午2时召开视频会议，12月15日下午3时联调。会议预计下午5时结束", "2026-12-16T17:00"),
        ("明天晚上22:00到次日6:00防汛视频值守", "2026-11-26T06:00"),
        ("明早八点半点名，岱山县局上线，十分钟结束", "2026-11-25T08:40"),
        ("会议结束时间由11点延到12点", "2026-11-24T12:00"),
    ],
)
def test_when_it_ends(understanding: Understanding, text: str, end: str) -> None:
    assert str(read(understanding, "meeting.notice", text)["end"])[:16] == end


def test_a_clients_own_unit_is_the_venue_and_no_list_of_who_takes_part(understanding: Understanding) -> None:
    found = read(understanding, "meeting.notice", "后天下午两点要开视频会，麻烦保障一下，安吉水利", "client")
    assert (found["site"], found.get("scope")) == (["安吉县水利局分会场"], None)
    found = read(understanding, "meeting.notice", "后天下午跟佛堂、大陈镇开个视频会，两点到三点，义乌水利", "client")
    assert (found["site"], found["scope"]) == (["义乌市水利局分会场"], ["佛堂镇分会场", "义乌市大陈镇分会场"])


def test_a_meeting_for_everybody_has_a_venue_only_where_it_is_held(understanding: Understanding) -> None:
    found = read(understanding, "meeting.notice", "12月8日14时在省水利厅召开全省视频会议，各市县设分会场")
    assert (found["scope"], found["site"]) == ("all", ["省水利厅主会场"])


def test_a_list_after_the_word_for_sites_is_who_takes_part(understanding: Understanding) -> None:
    found = read(understanding, "meeting.notice", "12/9 15:00 视频会 分会场：安吉 德清 诸暨")
    assert found["scope"] == ["安吉县水利局分会场", "德清县水利局分会场", "诸暨市水利局分会场"]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("岱山各镇注意：明早9点开视频会", ["高亭镇分会场", "衢山镇分会场", "东沙镇分会场"]),
        ("湖州各区县水利局：明天下午2时视频会", ["安吉县水利局分会场", "德清县水利局分会场", "南浔区水利局分会场"]),
    ],
)
def test_a_tier_below_a_place_is_its_own_sites(understanding: Understanding, text: str, who: list[str]) -> None:
    assert read(understanding, "meeting.notice", text)["scope"] == who


def test_a_place_that_is_left_out_takes_no_part(understanding: Understanding) -> None:
    scope = read(understanding, "meeting.notice", "12月7日9:30视频会，除舟山外各市水利局参加")["scope"]
    assert isinstance(scope, list)
    assert "舟山市水利局分会场" not in scope
    assert len(scope) == 10


def test_the_joint_test_that_moves_leaves_the_meeting_where_it_was(understanding: Understanding) -> None:
    found = read(understanding, "meeting.change", "各单位注意，12月23日的会开始时间不变，联调时间由14:00调整为13:00。")
    assert (found.get("start"), found.get("scope")) == (None, None)


def test_a_meeting_that_moves_to_another_house(understanding: Understanding) -> None:
    found = read(understanding, "meeting.change", "主会场换地方，改到省应急厅，时间照旧", "supervisor")
    assert found["site"] == ["省应急管理厅主会场"]


def test_how_late_it_goes_on(understanding: Understanding) -> None:
    assert str(read(understanding, "meeting.notice", "后天下午3点全省培训，大概讲到5点半")["end"])[11:16] == "17:30"


def test_who_is_written_to_is_told_who_of_them_takes_part(understanding: Understanding) -> None:
    text = "各乡镇：经研究，定于12月3日上午9:30召开全县森林防火视频会议，请紧水滩镇、云和石塘镇参加。"
    reading = understanding.read(text, said("coordinator"))
    assert reading.slots["scope"] == ["紧水滩镇分会场", "云和县石塘镇分会场"]
