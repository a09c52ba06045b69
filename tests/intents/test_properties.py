"""Whatever is wrapped around a message for politeness changes nothing in its reading: intent, act and slots."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intents.understand import Understanding, outward
from tests.intents.conftest import said
from tests.understanding.evaluate import DEV, context_of

LINES = [
    line
    for line in map(json.loads, DEV.read_text(encoding="utf-8").splitlines())
    if not set(line["text"]) & set('\n>"“') and line["text"][-1] not in "?？吗呢吧啊呀么嘛哈哦"
]
BEFORE = [
    "你好，", "您好！", "各位领导好，", "老师好 ", "在吗？", "大家好\n", "喂，", "早上好，", "师傅您好，",
    "王工您好，", "hi，", "谢谢，", "辛苦了，", "麻烦您了，", "不好意思，", "打扰了，", "各位老师，", "@会保 ",
    "@会保\u2005", "@李工 @王芳 ", "@所有人 ", "  ", "\n", "😭", "[流泪]",
]  # fmt: skip
BEHIND = [
    "，谢谢", " 谢谢！", "\n谢谢", "谢谢", "，辛苦了", "，各位辛苦了", "，麻烦您了", "，多谢师傅", " 拜托了",
    "，非常感谢", "，感谢大家的支持与配合", "，谢谢王工", "🙏🙏", " thx", " thanks!", " 3q", "。谢谢老师🙏",
    " @会保", " @李工 ", "[抱拳]", "。", "！", "!!!", "~", "……", "，", " ", "\n\n", "👍", " :)", "👨‍👩‍👧",
]  # fmt: skip
Wrap = Callable[[str], str]


def _before(words: str) -> Wrap:
    return lambda text: words + text


def _behind(words: str) -> Wrap:
    return lambda text: text + words


WRAPS: Sequence[Wrap] = (*map(_before, BEFORE), *map(_behind, BEHIND))


def told(understanding: Understanding, line: dict[str, str], text: str) -> object:
    reading = understanding.read(text, context_of(line))
    slots = outward(reading.slots)
    if reading.intent == "assign":
        slots.pop("person", None)  # who is mentioned is handed the work, too
    return reading.intent, reading.act, slots


@given(st.sampled_from(LINES), st.lists(st.sampled_from(WRAPS), min_size=1, max_size=3, unique=True))
@settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_politeness_changes_no_reading(understanding: Understanding, line: dict[str, str], wraps: list[Wrap]) -> None:
    text = line["text"]
    for wrap in wraps:
        text = wrap(text)
    assert told(understanding, line, text) == told(understanding, line, line["text"])


SEVERAL = [line for line in LINES if "，" in line["text"]]


@given(st.sampled_from(SEVERAL))
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_new_line_is_as_good_as_a_comma(understanding: Understanding, line: dict[str, str]) -> None:
    broken = line["text"].replace("，", "\n")
    assert told(understanding, line, broken) == told(understanding, line, line["text"])


@pytest.mark.parametrize(
    "text", ["你好，谢谢", "各位老师，辛苦了", "不好意思，打扰了", "在吗？", "谢谢王工🙏", "感谢大家的支持和配合！"]
)
@pytest.mark.parametrize("expecting", [None, "score", "fix_confirmation", "notice_confirmation", "ack"])
def test_nothing_but_politeness_is_no_answer(understanding: Understanding, text: str, expecting: str | None) -> None:
    reading = understanding.read(text, said("client", expecting))
    assert (reading.intent, reading.act) == ("none", "ignore")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("这也太麻烦了", "这也太麻烦了"),
        ("等得花都谢了", "等得花都谢了"),
        ("你好像没收到", "你好像没收到"),
        ("帮我谢谢他", "帮我谢谢他"),
        ("师傅您好，投影不亮，辛苦各位了！", "投影不亮"),
        ("5哈", "5"),
        ("哈哈哈", "哈哈哈"),
    ],
)
def test_only_politeness_is_set_aside(understanding: Understanding, text: str, kept: str) -> None:
    assert understanding.facts(text, said()).spans.text == kept


def test_blanks_between_all_characters_change_hardly_a_reading(understanding: Understanding) -> None:
    """A keyboard, or a converter of speech, that parts every character; numbers and Latin words stay whole."""
    lines, changed = LINES[::4], 0
    for line in lines:
        parted = re.sub(r"(?<=[^\x00-\x7f])(?=.)|(?<=.)(?=[^\x00-\x7f])", " ", line["text"])
        spelled = json.dumps(told(understanding, line, parted), ensure_ascii=False).replace(" ", "")
        changed += spelled != json.dumps(told(understanding, line, line["text"]), ensure_ascii=False).replace(" ", "")
    assert changed <= len(lines) * 0.005


def test_a_stray_blank_changes_hardly_a_reading(understanding: Understanding) -> None:
    """Where words are parted a blank may be a comma that was left out: there, and only there, it may be read so."""
    lines, draw = LINES[::4], random.Random(3)
    changed = 0
    for line in lines:
        at = draw.randrange(len(line["text"]) + 1)
        parted = line["text"][:at] + " " + line["text"][at:]
        changed += told(understanding, line, parted) != told(understanding, line, line["text"])
    assert changed <= len(lines) * 0.015
