"""What somebody says who has just arrived, and the yes or the wait to a draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from intents.reading import Context
from intents.understand import Understanding

AT = Context(datetime.fromisoformat("2026-12-03T10:10:00+08:00"), role="engineer", expecting="arrival")


@pytest.fixture(scope="module")
def reader() -> Understanding:
    return Understanding([])


@pytest.mark.parametrize("text", ["已到位，终端起不来", "到了，投影黑屏", "人到了，电源灯不亮，别的没问题"])
@pytest.mark.parametrize("expecting", [None, "arrival"])
def test_trouble_found_on_arrival_is_the_result_of_that_step(
    reader: Understanding, text: str, expecting: str | None
) -> None:
    first, second = reader.read_all(text, replace(AT, expecting=expecting))
    assert (first.intent, second.intent, second.slots["status"]) == ("arrive", "checklist.report", "abnormal")


def test_who_came_for_a_fault_speaks_of_the_fault(reader: Understanding) -> None:
    found = reader.read_all("到了，投影黑屏", replace(AT, expecting=None, matter="handler"))
    assert "checklist.report" not in {reading.intent for reading in found}


@pytest.mark.parametrize("text", ["对的对的 时间没错 发出去吧", "没问题没问题 群发吧", "是的是的 地点时间都对 就发"])
def test_a_yes_in_pieces_lets_the_draft_go_out(reader: Understanding, text: str) -> None:
    assert reader.read(text, replace(AT, role="coordinator", expecting="notice_confirmation")).intent == "ack"


@pytest.mark.parametrize("text", ["先别发 我再看看", "等等 先别下发", "先不发 等我看看"])
def test_a_draft_that_is_to_wait_never_goes_out(reader: Understanding, text: str) -> None:
    reading = reader.read(text, replace(AT, role="coordinator", expecting="notice_confirmation"))
    assert reading.intent == "none"


@pytest.mark.parametrize("text", ["嗯 回声没有了 清楚多了", "卡顿没有了 顺畅多了", "电流声没有了 好听多了"])
def test_what_went_away_is_no_trouble_though_the_sentence_goes_on(reader: Understanding, text: str) -> None:
    assert reader.read(text, replace(AT, role="client", expecting="fix_confirmation")).intent == "fault.confirm"


def test_one_trouble_gone_and_another_left_is_no_yes(reader: Understanding) -> None:
    reading = reader.read("回声没有了 但是声音也没有了", replace(AT, role="client", expecting="fix_confirmation"))
    assert reading.intent == "fault.reject"
