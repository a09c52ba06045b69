"""Conditions in data: read, checked, and refused with the rule named."""

from __future__ import annotations

import pytest

from intents.rules import load_rules

KNOWN = {"a", "b", "c"}


def holds(when: str, true: str) -> bool:
    data = {"rule": [{"name": "r", "intent": "x", "when": when}], "defined": {"d": "a & b"}}
    rules, defined, _ = load_rules(data, KNOWN)
    return rules[0].when(lambda name: defined[name](lambda inner: inner in true) if name in defined else name in true)


@pytest.mark.parametrize(
    ("when", "true", "result"),
    [
        ("a & b | c", "c", True),
        ("a & (b | c)", "c", False),
        ("!a & b", "b", True),
        ("!(a | b)", "", True),
        ("d", "ab", True),
        ("d & !c", "abc", False),
    ],
)
def test_and_or_not_brackets(when: str, true: str, result: bool) -> None:
    assert holds(when, true) is result


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("a & nobody", "unknown nobody"),
        ("(a", "open"),
        ("a &", "ends"),
        ("a b", "unexpected"),
        ("a & 7", "unreadable"),
    ],
)
def test_a_bad_condition_is_refused_by_name(when: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"rules.toml: broken.*{words}"):
        load_rules({"rule": [{"name": "broken", "intent": "x", "when": when}]}, KNOWN)


def test_a_defined_name_may_not_hide_a_signal() -> None:
    with pytest.raises(ValueError, match="defined twice: a"):
        load_rules({"rule": [], "defined": {"a": "b"}}, KNOWN)
