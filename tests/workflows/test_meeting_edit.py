"""Corrections in words: a plan and a sentence give another plan, and only what was said changes."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.directory import Directory
from storage.models import Site, Unit
from workflows.meeting_edit import Desk, edited
from workflows.meeting_plan import Plan

NOW = datetime.fromisoformat("2026-11-24T15:10:00+08:00")
UNITS = [
    Unit(unit_id="P", name="省运行维护部", aliases=["省中心"], tier="province"),
    Unit(unit_id="C1", name="江州市网络运行部", aliases=["江州市", "江州"], tier="city", parent_id="P"),
    Unit(unit_id="X1", name="临河县技术维护部", aliases=["临河县", "临河"], tier="county", parent_id="C1"),
    Unit(unit_id="X2", name="安川县技术维护部", aliases=["安川县"], tier="county", parent_id="C1"),
    Unit(unit_id="T1", name="青石镇", aliases=["青石"], tier="township", parent_id="X1"),
    Unit(unit_id="T3", name="白沙镇", aliases=["白沙"], tier="township", parent_id="X2"),
]
SITES = [
    Site(site_id="S1", name="江州市水利局分会场", aliases=["江州市水利局"], unit_id="C1", systems=["water"]),
    Site(site_id="S2", name="临河县水利局三楼会议室", aliases=["临河县水利局"], unit_id="X1", systems=["water"]),
    Site(site_id="S3", name="安川县水利局二楼会议室", aliases=["安川县水利局"], unit_id="X2", systems=["water"]),
    Site(site_id="S4", name="青石镇政府会议室", aliases=["青石镇政府"], unit_id="T1", systems=["water"]),
    Site(site_id="S6", name="白沙镇政府会议室", aliases=["白沙镇政府"], unit_id="T3", systems=["water"]),
]
ORG = Directory(units=UNITS, sites=SITES)
DESK = Desk(ORG, ORG.units["P"], NOW)
PLAN = Plan(
    title="全省防汛视频会商",
    systems=("water",),
    starts_at=datetime.fromisoformat("2026-11-25T09:30:00+08:00"),
    ends_at=datetime.fromisoformat("2026-11-25T11:00:00+08:00"),
    arrive_before_s=3600.0,
    site_ids=("S1", "S2", "S4"),
)


def start(plan: Plan | None) -> str:
    assert plan is not None
    return plan.starts_at.isoformat()[5:16]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("改成9点", "11-25T09:00"),
        ("改到10:15", "11-25T10:15"),
        ("改到后天", "11-26T09:30"),
        ("改到后天下午两点", "11-26T14:00"),
        ("时间改为11月27日上午8点半", "11-27T08:30"),
        ("不对，应该是10点", "11-25T10:00"),
        ("是10点不是9点半", "11-25T10:00"),
        ("上午10点", "11-25T10:00"),
        ("推迟一个小时", "11-25T10:30"),
        ("提前半小时", "11-25T09:00"),
        ("推迟到10点", "11-25T10:00"),
        ("HY-20261125-001改到10点", "11-25T10:00"),
        ("明天的会改到下午两点", "11-25T14:00"),
    ],
)
def test_times(text: str, expected: str) -> None:
    plan = edited(DESK, PLAN, text)
    assert start(plan) == expected
    assert plan is not None
    assert plan.ends_at is not None
    assert plan.ends_at - plan.starts_at == timedelta(minutes=90)
    assert plan.site_ids == PLAN.site_ids


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("加上白沙镇", ("S1", "S2", "S4", "S6")),
        ("再加白沙镇和安川县水利局", ("S1", "S2", "S3", "S4", "S6")),
        ("不要青石镇", ("S1", "S2")),
        ("去掉青石镇、江州市", ("S2",)),
        ("只要临河县", ("S2",)),
        ("改为全省", ("S1", "S2", "S3", "S4", "S6")),
        ("范围改为各县", ("S2", "S3")),
        ("加上安川县各乡镇", ("S1", "S2", "S4", "S6")),
        ("不要青石镇，加上白沙镇", ("S1", "S2", "S6")),
    ],
)
def test_places(text: str, sites: tuple[str, ...]) -> None:
    plan = edited(DESK, PLAN, text)
    assert plan is not None
    assert plan.site_ids == sites
    assert plan.starts_at == PLAN.starts_at


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("提前半小时到位", 30), ("提前两小时到位", 120), ("8点前到位", 90), ("请大家提前45分钟到场", 45)],
)
def test_arrival(text: str, minutes: int) -> None:
    plan = edited(DESK, PLAN, text)
    assert plan is not None
    assert plan.arrive_before_s == minutes * 60
    assert plan.starts_at == PLAN.starts_at


def test_title_and_basis() -> None:
    plan = edited(DESK, PLAN, "标题改为防汛抗旱会商；依据：省水利厅〔2026〕12号通知")
    assert plan is not None
    assert (plan.title, plan.basis) == ("防汛抗旱会商", "省水利厅〔2026〕12号通知")


@pytest.mark.parametrize(
    "text",
    [
        "三楼会议室没声音了",
        "好的谢谢",
        "这个会谁组织的",
        "参加的都有谁",
        "临河县水利局的音响修好了吗",
        "我9点到",
        "会议室钥匙在谁那",
        "",
    ],
)
def test_other_words_correct_nothing(text: str) -> None:
    assert edited(DESK, PLAN, text) is None


def test_the_last_site_cannot_be_taken_away() -> None:
    only = edited(DESK, PLAN, "只要临河县")
    assert only is not None
    assert edited(DESK, only, "不要临河县") is None


SYLLABLES = "改成到加上不要去掉提前推迟明后天上下午点半0123456789镇县白沙青石临河全省各，。到位 "


@given(text=st.text(alphabet=SYLLABLES, max_size=24))
def test_any_words_leave_a_sound_plan(text: str) -> None:
    plan = edited(DESK, PLAN, text)
    if plan is None:
        return
    assert plan.site_ids
    assert set(plan.site_ids) <= set(ORG.sites)
    assert len(set(plan.site_ids)) == len(plan.site_ids)
    assert plan.starts_at.tzinfo is not None
    assert plan.arrive_before_s >= 0
    assert Plan.read(plan.stored()) == plan


@given(hour=st.integers(7, 20), minute=st.sampled_from([0, 15, 30]), day=st.integers(25, 30))
def test_a_full_time_is_taken_as_written(hour: int, minute: int, day: int) -> None:
    plan = edited(DESK, PLAN, f"改到11月{day}日{hour}:{minute:02d}")
    assert start(plan) == f"11-{day}T{hour:02d}:{minute:02d}"
