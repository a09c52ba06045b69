"""JSON lines in and out: order kept, a broken line answers for itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intents.cli import load_places, times_lines, understand_lines
from tests.intents.conftest import SITES

GOOD = '{"id": "a", "text": "没声音了", "role": "client", "chat": "group", "now": "2026-11-24T10:00:00+08:00"}'


def test_each_line_answers_in_order_and_broken_ones_say_why() -> None:
    lines = [
        GOOD,
        "{",
        '["x"]',
        '{"id": "b"}',
        '{"id": "c", "text": 7}',
        '{"id": "d", "text": "收到", "now": "soon"}',
        '{"id": "e", "text": "收到"}',
    ]
    answers = [json.loads(line) for line in understand_lines(lines, SITES)]
    assert [answer.get("id") for answer in answers] == ["a", None, None, None, None, None, "e"]
    assert [sorted(answer) for answer in answers[1:6]] == [["error"]] * 5
    assert answers[0]["intent"] == "fault.report"
    assert sorted(answers[0]) == ["act", "confidence", "id", "intent", "slots", "why"]


def test_chinese_is_printed_as_it_is() -> None:
    [line] = understand_lines([GOOD], None)
    assert "没声音" in line


def test_only_slots_of_the_labels_are_printed() -> None:
    record = {
        "id": 1,
        "text": "电源正常，光路红灯",
        "role": "engineer",
        "expecting": "step",
        "step": "power",
        "now": "2026-11-24T10:00:00+08:00",
    }
    [line] = understand_lines([json.dumps(record)], None)
    assert set(json.loads(line)["slots"]) == {"step", "status", "device", "symptom"}


def test_times() -> None:
    [line, broken] = times_lines(['{"id": "t", "text": "下午两点到五点", "now": "2026-11-24T10:00:00+08:00"}', "x"])
    assert json.loads(line) == {
        "id": "t",
        "times": [
            {
                "start": "2026-11-24T14:00:00+08:00",
                "end": "2026-11-24T17:00:00+08:00",
                "span": [0, 7],
                "grain": "range",
                "flags": [],
            }
        ],
    }
    assert list(json.loads(broken)) == ["error"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"site_id,name\n1,x\n", "lacks aliases"),
        (b"site_id,name,aliases,unit,tier,parent\n,x,,,,\n", "line 2"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_bad_list_of_sites_is_refused_in_plain_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "sites.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load_places(path)


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        load_places(tmp_path / "nowhere.csv")
