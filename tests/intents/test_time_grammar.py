"""Rules of the time grammar, each on either side; the present is Tuesday 24 November 2026, 10:00."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from intents import time_tokens
from intents.times import TimeSpan, find_times
from tests.intents.conftest import NOW
from tests.intents.test_times import TABLE, told


def read(text: str) -> str:
    return "; ".join("~".join(map(told, filter(None, (one.start, one.end)))) for one in find_times(text, NOW))


def doubted(found: list[TimeSpan]) -> bool:
    return any("uncertain" in span.flags for span in found)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        # the first hour of a range says its unit only at the end
        ("明天下午2-4点培训", "11-25 14:00~11-25 16:00"),
        ("早上八到十一点", "11-24 08:00~11-24 11:00"),
        ("周四9~12点半", "11-26 09:00~11-26 12:30"),
        ("从早上8点一直开到中午12点", "11-24 08:00~11-24 12:00"),
        ("14-16时", "11-24 14:00~11-24 16:00"),
        ("下午两点至4:30", "11-24 14:00~11-24 16:30"),
        # so does the first day
        ("25-27日", "11-25~11-27"),
        ("12月28-30号", "12-28~12-30"),
        ("12.5-6日", "12-05~12-06"),
        ("自11月26日起至11月29日止", "11-26~11-29"),
        ("9:00开始，到11:30", "11-24 09:00~11-24 11:30"),
        # so many days ahead, and not a day of the month
        ("三日后上午9点", "11-27 09:00"),
        ("5天以后", "11-29"),
        ("两周后", "12-08"),
        # years
        ("27年1月5日上午9点", "2027-01-05 09:00"),
        ("后年3月1日", "2028-03-01"),
        ("明年元旦上午十点", "2027-01-01 10:00"),
        ("二七年一月八号", "2027-01-08"),
        # weeks named apart from their day, weeks and months further off
        ("下周的周三上午9点", "12-02 09:00"),
        ("下周（周五）15:00", "12-04 15:00"),
        ("下下下周一", "12-14"),
        ("下下个月3号9:00", "2027-01-03 09:00"),
        # the day before and after another
        ("12月2日9点开会，前一天下午3点联调", "12-02 09:00; 12-01 15:00"),
        ("12月2日开会，当晚8点联调", "12-02; 12-02 20:00"),
        ("大大后天", "11-28"),
        # a day or weekday that is told less fully belongs with the one named before
        ("1月15日9点开会，14日下午3点联调", "2027-01-15 09:00; 2027-01-14 15:00"),
        ("2027年8月3日9点开会，8月2日15点联调", "2027-08-03 09:00; 2027-08-02 15:00"),
        ("下周三上午9点开会，周二下午两点联调", "12-02 09:00; 12-01 14:00"),
        ("下周三9点的会改到周四10点", "12-02 09:00; 12-03 10:00"),
        ("下周三的会提前到周五", "12-02; 11-27"),
        ("1月15日开会，14日联调，13日报名单", "2027-01-15; 2027-01-14; 2027-01-13"),
        ("设备23日已调好，26日下午2点半开会", "12-23; 11-26 14:30"),
        # and clocks with the day that is named after them
        ("9点联调，10点开会，都是周四", "11-26 09:00; 11-26 10:00; 11-26"),
        ("下午三点开会，后天的", "11-26 15:00; 11-26"),
        ("下午三点前报名单，后天开会", "11-24 15:00; 11-26"),
        # feasts on a fixed day
        ("元旦节上午九点", "2027-01-01 09:00"),
        ("五一当天", "2027-05-01"),
        ("国庆安保会议明天上午9点", "11-25 09:00"),
        # clocks
        ("11月26日15.30召开", "11-26 15:30"),
        ("3点过5分", "11-24 15:05"),
        ("九点缺十分", "11-24 08:50"),
        ("11月26日9:00时到11:00时", "11-26 09:00~11-26 11:00"),
        ("20时许", "11-24 20:00"),
        ("10点欠5分", "11-24 09:55"),
        # lists and short forms of days
        ("周四周五上午9点", "11-26; 11-27 09:00"),
        ("下周的第一天上午9点", "11-30 09:00"),
        ("11/26-11/28", "11-26~11-28"),
        ("1126下午两点", "11-26 14:00"),
        ("来年1月3日", "2027-01-03"),
        ("原定周三的会提前到周二（11月24日）下午3点", "11-25; 11-24 15:00"),
        # lengths
        ("三五分钟后", "11-24 10:05"),
        ("二三十分钟后", "11-24 10:30"),
        ("俩小时后", "11-24 12:00"),
        ("两个钟后", "11-24 12:00"),
        ("一小时一刻钟后", "11-24 11:15"),
        ("两小时二十分钟后", "11-24 12:20"),
        ("还有10分钟开会", "11-24 10:10"),
        ("再有半个小时就开始", "11-24 10:30"),
    ],
)
def test_what_is_meant(text: str, meant: str) -> None:
    found = find_times(text, NOW)
    assert (read(text), doubted(found)) == (meant.replace("2026-", ""), False)


@pytest.mark.parametrize(
    "text",
    [
        "2026年2月30日上午9点",
        "11月31日上午9点开会",
        "2月29日上午9点",
        "除夕晚上8点",
        "端午节上午9点",
        "正月十五上午9点",
        "农历十月初六下午3点",
        "第三天上午9点",
        "三个工作日后上午9点",
        "本月最后一个工作日上午9点",
        "双休日上午9点",
        "下月初上午9点开会",
        "下周上午9点",
        "早上7、8点",
        "明天一两点",
        "十一二点开会",
        "下午3点后",
        "9:30以后",
        "明后天上午9点",
        "下周一二三",
        "周一、三、五上午9点",
        "隔周周三下午2点",
        "工作日9点",
        "26/27号上午9点",
        "下个月头一天9点",
        "9点不到",
        "一个月后上午9点",
        "前一天下午3点联调",
        "前朝三年一月一日上午9点",
    ],
)
def test_what_does_not_tell_the_day_or_the_hour_is_doubted(text: str) -> None:
    assert doubted(find_times(text, NOW))


@pytest.mark.parametrize(
    "text",
    [
        "三日内反馈",
        "两日",
        "系数是零点五",
        "调到二十点六",
        "升高10点五度",
        "3-5号会议室",
        "提了3-5点意见",
        "光明路12号",
        "五个星期3小时",
        "国庆节值班表",
        "国庆期间",
        "2008.03-2009",
        "还有20分钟到",
        "早一点来",
        "晚一点开会",
        "1126会议室",
    ],
)
def test_what_only_looks_like_a_time(text: str) -> None:
    assert find_times(text, NOW) == []


@pytest.mark.parametrize(
    "text", ["明天9点整", "1、9点开会", "周三三点", "25号以前", "第二天上午9点", "10点后勤处来人", "讨论环节10点开始"]
)
def test_what_is_exact_is_not_doubted(text: str) -> None:
    found = find_times(text, NOW)
    assert found
    assert not doubted(found)


def test_the_end_of_a_range_ends_the_range_and_not_its_beginning() -> None:
    [found] = find_times("下午2点到4点结束", NOW)
    assert (found.role, told(found.start)) == (None, "11-24 14:00")


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("从下午三点开到五点半", [None]),
        ("从9:00-11:00改到14:00-16:00", ["old", "new"]),
        ("15:00（签到14:30）召开", [None, "sign_in"]),
        ("9:00（签到时间）", ["sign_in"]),
        ("16:30开会，18:00前散会", ["start", "end"]),
        ("17点前结束调试", ["joint_test"]),
        ("20:00准时参加视频会", ["start"]),
    ],
)
def test_what_a_time_is_for(text: str, roles: list[str | None]) -> None:
    assert [span.role for span in find_times(text, NOW)] == roles


def test_the_look_at_the_first_character_loses_no_time() -> None:
    everywhere = re.compile(time_tokens._ANY)
    for text, _ in TABLE:
        first = everywhere.search(text)
        if first is not None and text[first.start()] != "的":
            seen = time_tokens._ALL.search(text)
            assert seen is not None, text
            assert seen.span() == first.span(), text


def test_a_feast_is_the_next_one_or_the_one_just_over() -> None:
    for month, year in ((2, 2026), (6, 2026), (11, 2026), (12, 2027)):
        [found] = find_times("国庆节当天", datetime(2026, month, 3, 9, tzinfo=NOW.tzinfo))
        assert str(found.start) == f"{year}-10-01"
