"""Answers to the on-site check and points given: which steps are told, how they went, and which number counts."""

from __future__ import annotations

import pytest

from intents import slots
from intents.places import PlaceIndex
from intents.reading import Context
from intents.understand import Understanding
from tests.intents.conftest import NOW


@pytest.mark.parametrize(
    ("step", "text", "steps", "status", "devices"),
    [
        ("power", "电 光路 终端 三样都查完 一切正常", ["power", "link", "terminal"], "ok", None),
        ("power", "电跟线路都好，终端进不了会", ["power", "link", "terminal"], "abnormal", ["terminal"]),
        (
            "power",
            "电源√ 链路√ 终端√ 音视频×（话筒没声）",
            ["power", "link", "terminal", "av_test"],
            "abnormal",
            ["microphone"],
        ),
        ("link", "不行，交换机没电", ["link"], "abnormal", ["switch"]),
        ("power", "终端没电", ["power", "terminal"], "abnormal", ["terminal"]),
        ("power", "UPS亮红灯，市电倒是有", ["power"], "abnormal", ["ups"]),
        ("terminal", "起来了，看得到主会场的桌签", ["terminal"], "ok", None),
        ("shutdown", "终端、大屏、功放已关，机柜电源已断", ["shutdown"], "ok", None),
        ("shutdown", "终端已关，功放忘关了", ["shutdown"], "abnormal", None),
        ("power", "机柜没电", ["power"], "abnormal", ["power"]),
        ("power", "插排没电，找物业合闸了，现在有电", ["power"], "ok", None),
        ("av_test", "没有不正常的", ["av_test"], "ok", None),
        ("av_test", "不是没画面，画面声音都OK，刚才我没点全屏", ["av_test"], "ok", None),
    ],
)
def test_what_was_checked(
    understanding: Understanding, step: str, text: str, steps: list[str], status: str, devices: object
) -> None:
    facts = understanding.facts(text, Context(NOW, "engineer", expecting="step", step=step))
    found = slots.fill("checklist.report", facts, PlaceIndex([]))
    assert (found["step"], found["status"], found.get("device")) == (steps, status, devices)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("本来想打五分，等太久，扣一分，4分", 4),
        ("打四分，扣的一分是因为没打招呼", 4),
        ("满分5分的话给3分", 3),
        ("5分钟就来了，给4分", 4),
    ],
)
def test_the_points_that_are_given(understanding: Understanding, text: str, score: int) -> None:
    facts = understanding.facts(text, Context(NOW, "client", expecting="score"))
    assert slots.fill("score", facts, PlaceIndex([])) == {"score": score}
