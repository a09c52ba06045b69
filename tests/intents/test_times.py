"""Times as people write them about meetings; the present is Tuesday 24 November 2026, 10:00."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.times import find_duration_minutes, find_times
from tests.intents.conftest import NOW


def starts(text: str) -> list[str]:
    return [_short(found.start) for found in find_times(text, NOW)]


def _short(value: object) -> str:
    return value.strftime("%m-%d %H:%M") if isinstance(value, datetime) else f"{value:%m-%d}"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("明早九点", "11-25 09:00"),
        ("零点", "11-24 00:00"),
        ("3pm", "11-24 15:00"),
        ("12-01 14:00", "12-01 14:00"),
        ("12月底", "12-31"),
        ("下周三14:00", "12-02 14:00"),
        ("25号", "11-25"),
        ("十二月一日上午", "12-01"),
        ("8/1 14:30", "08-01 14:30"),
        ("今晚八点", "11-24 20:00"),
        ("半小时后", "11-24 10:30"),
        ("月底最后一天", "11-30"),
        ("大后天", "11-27"),
        ("次日", "11-25"),
        ("24:00", "11-25 00:00"),
        ("中午十二点半", "11-24 12:30"),
        ("１１月２５日　上午９：３０", "11-25 09:30"),
        ("二〇二六年十二月一日", "12-01"),
        ("差五分九点", "11-24 08:55"),
        ("9点一刻", "11-24 09:15"),
        ("2026-12-01 09:30", "12-01 09:30"),
        ("三天后", "11-27"),
        ("下午2时30分", "11-24 14:30"),
        ("周五上午十点", "11-27 10:00"),
        ("下下周一9点", "12-07 09:00"),
        ("本周六", "11-28"),
        ("下月3号下午三点", "12-03 15:00"),
        ("名天上午10点", "11-25 10:00"),
        ("明天下午两点半", "11-25 14:30"),
        ("12.5下午3点", "12-05 15:00"),
        ("今天8点", "11-24 08:00"),
    ],
)
def test_one_time(text: str, start: str) -> None:
    assert starts(text) == [start]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("下午两点到五点", "11-24 14:00", "11-24 17:00"),
        ("明天上午8:00-11:30", "11-25 08:00", "11-25 11:30"),
        ("晚上10点到凌晨2点", "11-24 22:00", "11-25 02:00"),
        ("23:00-1:00", "11-24 23:00", "11-25 01:00"),
        ("上午9点至下午4点", "11-24 09:00", "11-24 16:00"),
        ("12月15日至16日", "12-15", "12-16"),
        ("25日-27日", "11-25", "11-27"),
        ("11月30日9:00—12月1日18:00", "11-30 09:00", "12-01 18:00"),
        ("上午10点到2点", "11-24 10:00", "11-24 14:00"),
    ],
)
def test_a_range_has_both_ends(text: str, start: str, end: str) -> None:
    found = find_times(text, NOW)
    assert [(_short(one.start), _short(one.end), one.grain) for one in found] == [(start, end, "range")]


@pytest.mark.parametrize(
    "text",
    [
        "我有三点要求",
        "快一点",
        "一点问题没有",
        "1号会议室2号楼",
        "第9号台风",
        "明电〔2026〕12号",
        "三楼会议室",
        "24小时值班",
        "7*24",
        "每周一次",
        "13月1日",
        "25:00",
        "GZ-20261124-003",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert find_times(text, NOW) == []


def test_a_bare_afternoon_hour_is_flagged() -> None:
    [found] = find_times("3点开会", NOW)
    assert (_short(found.start), found.flags) == ("11-24 15:00", ("pm_assumed",))


def test_a_weekday_that_disagrees_is_flagged() -> None:
    assert find_times("11月26日（周三）9点", NOW)[0].flags == ("weekday_mismatch",)
    assert find_times("11月26日（周四）9点", NOW)[0].flags == ()
    assert find_times("下周四（12月3日）下午两点", NOW)[0].flags == ()


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("周六日上午9点", "11-28 09:00"),
        ("每周三下午2点", "11-25 14:00"),
        ("每天下午3点", "11-24 15:00"),
        ("下月初", "12-01"),
    ],
)
def test_what_is_more_than_one_day_is_flagged(text: str, start: str) -> None:
    [found] = find_times(text, NOW)
    assert (_short(found.start), found.flags) == (start, ("uncertain",))


@pytest.mark.parametrize(
    ("text", "start"), [("本月最后一个周五下午两点", "11-27 14:00"), ("12月第二个周三", "12-09"), ("月底29号", "11-29")]
)
def test_days_counted_inside_a_month(text: str, start: str) -> None:
    assert starts(text) == [start]


def test_several_times_in_a_notice_are_told_apart() -> None:
    text = "兹定于今日20:00召开会商，19:20起联调，19:00前到位，18:50签到，17:00前报送名单，22:00结束"
    assert [one.role for one in find_times(text, NOW)] == [
        "start",
        "joint_test",
        "arrival",
        "sign_in",
        "deadline",
        "end",
    ]


def test_old_and_new_in_a_change() -> None:
    assert [(one.role, _short(one.start)) for one in find_times("13：30的会提到12：40", NOW)] == [
        ("old", "11-24 13:30"),
        ("new", "11-24 12:40"),
    ]
    assert [one.role for one in find_times("原定26日上午的会改到27日下午2点", NOW)] == ["old", "new"]


def test_a_later_clock_belongs_to_the_day_named_before() -> None:
    text = "12月2日上午9点开会，1号下午两点半联调，3点彩排"
    assert starts(text) == ["12-02 09:00", "12-01 14:30", "12-01 15:00"]


def test_spans_are_offsets_in_the_original() -> None:
    text = "请于　１１月２５日 ９：３０ 到会"
    [found] = find_times(text, NOW)
    assert text[found.span[0] : found.span[1]] == "１１月２５日 ９：３０"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("20分钟", 20),
        ("半小时后", 30),
        ("两个小时", 120),
        ("一个半小时", 90),
        ("大约1小时", 60),
        ("一刻钟", 15),
        ("1.5小时", 90),
        ("半个钟头", 30),
        ("十来分钟", 10),
        ("一小时20分钟", 80),
        ("没说多久", None),
    ],
)
def test_lengths_of_time(text: str, minutes: int | None) -> None:
    assert find_duration_minutes(text) == minutes


ODD = "0123456789年月日号点分时:：/-.周星期一二三四五六日天上下午明后今晚到至半刻差()（） "


@given(st.text(alphabet=ODD, max_size=40))
def test_odd_times_never_break(text: str) -> None:
    for found in find_times(text, NOW):
        assert 0 <= found.span[0] < found.span[1] <= len(text)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("下周二或周三下午2点", ["2026-12-01", "2026-12-02T14:00:00+08:00"]),
        ("上午九点或者下午两点", ["2026-11-25T09:00:00+08:00", "2026-11-25T14:00:00+08:00"]),
        ("过几天下午三点", ["2026-11-25T15:00:00+08:00"]),
        ("近期上午九点开会", ["2026-11-25T09:00:00+08:00"]),
        ("三四点钟开会", ["2026-11-25T16:00:00+08:00"]),
    ],
)
def test_what_was_not_said_exactly_is_flagged_and_not_guessed(text: str, starts: list[str]) -> None:
    spans = find_times(text, datetime.fromisoformat("2026-11-25T10:20:00+08:00"))
    assert [span.start.isoformat() for span in spans] == starts
    assert all("uncertain" in span.flags for span in spans)


def test_what_was_said_exactly_is_not_doubted() -> None:
    now = datetime.fromisoformat("2026-11-25T10:20:00+08:00")
    for text in ("明天上午十点左右", "12月3日、12月4日上午9点", "周五14点到17点", "过几天的事，明天上午9点先开个会"):
        assert all("uncertain" not in span.flags for span in find_times(text, now)), text


TABLE = [
    line.split("\t")
    for line in Path(__file__).with_name("times.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def told(moment: object) -> str:
    return str(moment)[:16].removeprefix("2026-")


@pytest.mark.parametrize(("text", "meant"), TABLE, ids=range(len(TABLE)))
def test_the_table_of_expressions(text: str, meant: str) -> None:
    found = find_times(text, NOW)
    flags = {flag for span in found for flag in span.flags}
    if meant == "none":
        assert found == []
    elif meant == "asked":
        assert not found or "uncertain" in flags
    elif meant == "mismatch":
        assert "weekday_mismatch" in flags
    else:
        for span, want in zip(found, meant.split(";"), strict=True):
            moment, _, role = want.partition("@")
            assert "~".join(map(told, filter(None, (span.start, span.end)))) == moment.replace("2026-", "")
            assert not role or span.role == role
