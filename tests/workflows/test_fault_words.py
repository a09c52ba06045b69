"""How bad a fault is, and how it is said: rules as pure functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import fault_level, fault_words
from workflows.fault_level import level_of, nearness


@pytest.mark.parametrize(
    ("said", "near", "symptoms", "text", "sites", "level"),
    [
        ("emergency", "soon", ["no_audio"], "没声音了，会马上开始", 1, "I"),
        ("emergency", "running", ["no_video"], "会正在开，没画面", 1, "I"),
        ("emergency", "running", ["noise"], "会正在开，有杂音", 1, "II"),
        ("emergency", "", ["noise"], "很急，有杂音", 1, "II"),
        ("emergency", "", ["no_network"], "海宁桐乡都断网了", 2, "I"),
        ("emergency", "", ["no_power"], "会场停电了", 1, "I"),
        ("emergency", "", ["noise"], "厅长在讲话，有杂音", 1, "I"),
        ("emergency", "soon", ["other"], "马上开会了，坏了", 1, "I"),
        ("general", "", ["no_audio"], "没声音", 1, "III"),
        ("general", "running", ["no_audio"], "没声音", 1, "I"),
        ("general", "running", ["noise"], "有杂音", 1, "III"),
    ],
)
def test_levels(said: str, near: str, symptoms: list[str], text: str, sites: int, level: str) -> None:
    assert level_of(said, near, symptoms, text, sites) == level


@given(
    st.sampled_from(["emergency", "general"]),
    st.sampled_from(["", "soon", "running"]),
    st.lists(st.sampled_from(["no_audio", "noise", "other", "no_network"]), max_size=3),
    st.text(max_size=20),
    st.integers(1, 5),
)
def test_more_trouble_never_lowers_the_level(said: str, near: str, symptoms: list[str], text: str, sites: int) -> None:
    level = level_of(said, near, symptoms, text, sites)
    assert level in fault_level.SEVERITY
    assert not fault_level.worse(level, level_of("emergency", near, symptoms, text, sites))
    assert not fault_level.worse(level, level_of(said, near, symptoms, text, sites + 1))


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("没声音了，会马上开始", "soon"),
        ("快开会了，投影不亮", "soon"),
        ("会正在开，没画面", "running"),
        ("会议中心的门坏了", ""),
        ("投影坏了", ""),
    ],
)
def test_what_the_text_says_about_a_meeting(text: str, near: str) -> None:
    assert nearness(text, "") == near


@given(st.text(max_size=80), st.integers(10_000_000, 99_999_999_999))
def test_a_client_never_reads_a_long_number_or_an_internal_word(text: str, digits: int) -> None:
    for words in (f"{text} {digits}", f"备件{text}"):
        shown = fault_words.for_client(words)
        assert str(digits) not in shown
        assert "备件" not in shown
