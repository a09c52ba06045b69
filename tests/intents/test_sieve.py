"""A pattern is passed over only where it could not match."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.phrases import signal
from intents.sieve import Sieve, needed
from intents.words import load_toml

LINES = Path(__file__).parents[1] / "understanding" / "examples.jsonl"
WORDS = ["黑", "黑屏", "没声音", "[花黑]", "[^黑]", "[一-龥]", ".", "$", r"\d", r"\?"]
PIECES = st.sampled_from([*WORDS, "(?!屏)", "(?<!没)", "(?=声)", "(?:)"])


def often(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    row = st.lists(inner, min_size=1, max_size=3).map("".join)
    ways = st.lists(row, min_size=1, max_size=3).map(lambda found: f"(?:{'|'.join(found)})")
    return ways | st.tuples(ways, st.sampled_from(["?", "*", "+", "{0,2}", "{,2}", "{1,2}", "{2}", "+?", "??"])).map(
        "".join
    )


@pytest.mark.parametrize(
    ("pattern", "grams"),
    [
        ("投影|大屏", {"投影", "大屏"}),
        ("没声音", {"声音"}),
        ("(?:黑|花)屏?", {"黑", "花"}),
        ("[黑花]屏*了{1,2}", {"了"}),
        ("(?<!没)断线", {"断线"}),
        ("坏了|断?", set()),
        ("^.{0,4}$", set()),
        ("(?i)ok", set()),
        (r"\u9ed1屏", set()),
    ],
)
def test_what_a_text_must_have(pattern: str, grams: set[str]) -> None:
    assert needed(re.compile(pattern)) == grams


def test_another_case_may_match_and_nothing_is_said() -> None:
    assert not needed(re.compile("ok", re.IGNORECASE))


@given(st.recursive(PIECES, often, max_leaves=8), st.text("黑花屏没声音一1?", max_size=8))
def test_what_matches_is_never_passed_over(pattern: str, text: str) -> None:
    compiled = re.compile(pattern)
    found = Sieve([("one", compiled)]).candidates(text)
    assert found or compiled.search(text) is None


def test_every_signal_of_the_examples_is_a_candidate_and_the_order_stays() -> None:
    signals = {name: signal(ways, name) for name, ways in load_toml("signals.toml")["signals"].items()}
    sieve = Sieve(signals.items())
    for line in LINES.read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["text"]
        names = [name for name, _ in sieve.candidates(text)]
        assert {name for name, pattern in signals.items() if pattern.search(text)} <= set(names)
        assert names == [name for name in signals if name in names]
