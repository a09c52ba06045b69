"""Talk among people that happens to use the words of this work, and work that sounds like talk."""

from __future__ import annotations

import pytest

from intents import understand
from intents.second import NO_WEIGHTS
from intents.understand import Understanding
from tests.intents.conftest import said


@pytest.mark.parametrize(
    "text",
    [
        "我家投影仪坏了想换个新的",
        "听说省厅那边系统瘫了一上午，还好不是我们",
        "如果摄像头能自动美颜就好了",
        "上回开会断线，领导直接黑脸了，哈哈",
        "客户原话是“你们这网比蜗牛还慢”，笑喷",
        "那部片子画面真不错",
    ],
)
def test_talk_with_words_of_this_work_begins_nothing(understanding: Understanding, text: str) -> None:
    reading = understanding.read(text, said())
    assert (reading.intent, reading.act) == ("none", "ignore")


@pytest.mark.parametrize(
    "text",
    [
        "三楼会议室话筒没声音",
        "投影黑屏了，麻烦来看看",
        "会正开着，我们掉线了",
        "我们这边听不到主会场",
        "终端死机了",
        "没声音了",
    ],
)
def test_a_plain_report_is_never_doubted(understanding: Understanding, text: str) -> None:
    reading = understanding.read(text, said())
    assert (reading.intent, reading.act) == ("fault.report", "act")


@pytest.mark.parametrize("text", ["好了", "我来", "收到", "到了", "可以了", "搞定"])
def test_bare_answers_are_left_to_what_they_answer(understanding: Understanding, text: str) -> None:
    assert understanding.read(text, said("engineer")).intent != "none"


def test_what_answers_the_bot_is_never_talk(understanding: Understanding) -> None:
    reading = understanding.read("哈哈还是没声音，服了你们", said("client", "fix_confirmation"))
    assert reading.intent == "fault.reject"


def test_without_the_trained_file_the_rules_stand_alone(
    understanding: Understanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understand, "weights", lambda: NO_WEIGHTS)
    reading = understanding.read("小张这人，一开会就掉线，一发钱就在线", said())
    assert (reading.intent, reading.act) == ("fault.report", "act")


def test_a_word_to_the_bot_about_ones_own_fault_is_not_passed_over(understanding: Understanding) -> None:
    for text in ("没事了 我自己调好了", "算了不修了，买新的"):
        reading = understanding.read(text, said("client", addressed=True, matter="reporter"))
        assert (reading.intent, reading.act) == ("fault.cancel", "act"), text


@pytest.mark.parametrize("expecting", ["ack", "arrival", "step", "fix_confirmation"])
@pytest.mark.parametrize("text", ["转给李明", "转给赵工", "这单让方建国去"])
def test_who_hands_over_is_never_booked_as_having_taken_it(
    understanding: Understanding, text: str, expecting: str
) -> None:
    assert (
        understanding.read(text, said("engineer", expecting, "power" if expecting == "step" else None)).intent
        == "assign"
    )


@pytest.mark.parametrize("text", ["二楼会议室没信号", "会议室没信号", "我们会议室没信号了", "对了，声音也有点小"])
def test_trouble_told_to_the_bot_is_taken_without_a_question(understanding: Understanding, text: str) -> None:
    reading = understanding.read(text, said("client", addressed=True))
    assert (reading.intent, reading.act) == ("fault.report", "act")
