"""How something is typed changes nothing in it: mentions, thanks, stickers, width, traditional characters, spaces."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intents import slots
from intents.cli import load_places
from intents.normal import simplified
from intents.places import PlaceIndex
from intents.understand import Understanding
from tests.intents.conftest import SITES, said
from tests.understanding.evaluate import DEV, context_of

PLACES = PlaceIndex(load_places(SITES))
LINES = [
    line
    for line in map(json.loads, DEV.read_text(encoding="utf-8").splitlines())
    if line["intent"] != "none" and not set(line["text"]) & set('\n>"“')
]
TRADITIONAL = {plain: old for old, plain in simplified().items()}


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def traditional(text: str) -> str:
    return "".join(TRADITIONAL.get(char, char) for char in text)


CHANGES: Sequence[Callable[[str], str]] = (
    lambda text: text.rstrip("。") + "，谢谢",
    lambda text: text + "[抱拳]",
    lambda text: text + "！",
    lambda text: text.rstrip("。") + "，辛苦各位老师了！",
    full_width,
    traditional,
    lambda text: "@会保 " + text,
    lambda text: "  " + text + " ",
)


@given(st.sampled_from(LINES), st.lists(st.sampled_from(CHANGES), min_size=1, max_size=4, unique=True))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_manners_do_not_change_what_is_said(
    understanding: Understanding, line: dict[str, str], changes: list[Callable[[str], str]]
) -> None:
    def told(text: str) -> dict[str, object]:
        found = slots.fill(line["intent"], understanding.facts(text, context_of(line)), PLACES)
        return {name: value for name, value in found.items() if name in READ}

    text = line["text"]
    for change in changes:
        text = change(text)
    assert told(text) == told(line["text"])


READ = frozenset(
    {"site", "device", "symptom", "system", "level", "start", "end", "scope", "eta_minutes", "score", "step", "status"}
)


@pytest.mark.parametrize(("text", "score"), [("5[抱拳]", 5), ("4，谢谢", 4), ("3！", 3)])
def test_a_score_is_read_whatever_stands_behind_it(understanding: Understanding, text: str, score: int) -> None:
    assert slots.fill("score", understanding.facts(text, said(expecting="score")), PLACES)["score"] == score


@pytest.mark.parametrize("text", ["2[抱拳]", "2，谢谢", "2！"])
def test_a_two_is_abnormal_whatever_stands_behind_it(understanding: Understanding, text: str) -> None:
    facts = understanding.facts(text, said("engineer", "step", "link"))
    assert slots.fill("checklist.report", facts, PLACES)["status"] == "abnormal"


@given(st.text(alphabet="安吉岩头石塘、（）和都没声音 那个不是哦，。县市镇各的1点半到", max_size=60))
@settings(max_examples=200, deadline=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_heap_of_names_and_words_is_read(understanding: Understanding, text: str) -> None:
    spans = understanding.facts(text, said()).spans
    assert all(0 <= hit.start < hit.end <= len(spans.text) and hit.sites for hit in spans.places)
    for intent in ("fault.report", "meeting.notice", "meeting.change", "assign", "checklist.report"):
        slots.fill(intent, understanding.facts(text, said()), PLACES)
