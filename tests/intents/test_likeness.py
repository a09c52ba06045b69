"""The second opinion: what a likeness to learned lines may bring about by itself, and what it may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intents import edition, second
from intents.understand import Understanding
from tests.intents.conftest import said


@pytest.mark.parametrize("text", ["忙", "再说吧", "啊", "今天真冷", "我看看", "这也太远了", "问下老王"])
@pytest.mark.parametrize(("expecting", "step"), [("ack", None), ("arrival", None), ("step", "power")])
def test_what_is_awaited_makes_no_answer_of_any_word(
    understanding: Understanding, text: str, expecting: str, step: str | None
) -> None:
    """Nearly every line that was learned beside a question answers it: the words must say it themselves."""
    assert understanding.read(text, said("engineer", expecting, step)).act != "act"


@pytest.mark.parametrize("text", ["全省", "就它了", "行不行都这样了", "那就这么着呗"])
def test_a_draft_is_never_let_out_by_likeness(understanding: Understanding, text: str) -> None:
    reading = understanding.read(text, said("coordinator", "notice_confirmation"))
    assert (reading.intent, reading.act) != ("ack", "act")


@pytest.mark.parametrize("text", ["各市县", "11月25日上午9点半", "德清、安吉", "三楼会议室"])
def test_what_a_draft_lacks_is_put_into_it(understanding: Understanding, text: str) -> None:
    reading = understanding.read(text, said("coordinator", "notice_confirmation"))
    assert (reading.intent, reading.act) == ("meeting.change", "act")


@pytest.mark.parametrize(
    ("role", "text", "never"),
    [
        ("client", "话筒好了", {"fault.resolve", "fault.update", "checklist.report"}),
        ("client", "电源和光路都正常", {"checklist.report", "fault.resolve"}),
        ("engineer", "声音出来了，能用", {"fault.confirm", "fault.reject"}),
        ("supervisor", "已经修好了吧", {"fault.resolve", "fault.update"}),
    ],
)
def test_nobody_is_taken_to_say_what_is_anothers_to_say(
    understanding: Understanding, role: str, text: str, never: set[str]
) -> None:
    assert understanding.read(text, said(role)).intent not in never


def test_who_refuses_is_not_told_of_as_working_on_it(understanding: Understanding) -> None:
    for text in ("GZ-20261124-001 我不接", "这活我不干", "凭什么又是我去"):
        assert understanding.read(text, said("engineer", "ack")).intent not in ("ack", "fault.update"), text


def test_the_house_of_kin_and_friends_is_not_ours(understanding: Understanding) -> None:
    for text in ("我姐公司的会议大屏上周炸了，现在全靠投影", "我同学他们学校投影坏了三天没人管"):
        assert understanding.read(text, said()).act == "ignore", text
    assert understanding.read("我们村的会议室没声音", said()).intent == "fault.report"


def test_words_of_the_operator_are_not_weighed(tmp_path: Path) -> None:
    (tmp_path / "signals.toml").write_text("[signals]\nack_word = ['瞧见咧']\n", encoding="utf-8")
    reading = edition.load(tmp_path)([]).read("哦哦瞧见咧", said("engineer", "ack"))
    assert (reading.intent, reading.act) == ("ack", "act")


@pytest.mark.parametrize("row", [[50, 0, 9_999_999], [9_999_999, 0, 5], [50, 7, 5]])
def test_a_file_of_weights_that_cannot_be_added_up_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: list[int]
) -> None:
    table = {"labels": ["none"], "always": [0], "features": {"坏": row}}
    (tmp_path / "weights.json").write_text(json.dumps(table), encoding="utf-8")
    monkeypatch.setattr(second, "HERE", tmp_path)
    second.weights.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"weights\.json: '坏'"):
            second.weights()
    finally:
        second.weights.cache_clear()
