"""Patterns out of named lists: what an operator adds to a list is heard wherever the list is used."""

from pathlib import Path

import pytest

from intents import edition
from intents.overlay import WordsError
from intents.phrases import spelled_out
from intents.understand import Understanding

from .test_overlay import read


def test_lists_and_gaps_are_written_out() -> None:
    lists = {"greeting": ["早", "{hello}"], "hello": ["你好", "您好"]}
    assert spelled_out("^{greeting}<4>在", lists, "x") == "^(?:早|(?:你好|您好))[^,;.!?]{0,4}在"
    assert spelled_out("a{2}b{1,3}(?<!没)", lists, "x") == "a{2}b{1,3}(?<!没)"


@pytest.mark.parametrize("lists", [{"a": ["{b}"], "b": ["{a}"]}, {"a": ["{nowhere}"]}])
def test_a_circle_or_an_unknown_list_is_refused_by_name(lists: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"deeply|'nowhere'"):
        spelled_out("{a}", lists, "signals.toml: x")


def test_a_word_added_to_a_list_is_understood(tmp_path: Path) -> None:
    (tmp_path / "phrases.toml").write_text('[phrases]\nreceipt = ["瞧见咧"]\n', encoding="utf-8")
    assert read(edition.load(tmp_path), "瞧见咧").intent == "ack"
    assert read(Understanding, "瞧见咧").intent == "none"


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "signals.toml").write_text("[signals]\nsupposed = ['{no_such_list}']\n", encoding="utf-8")
    with pytest.raises(WordsError, match="no_such_list"):
        edition.load(tmp_path)
