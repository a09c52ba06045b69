"""Every way of typing comes to one plain form, and offsets lead back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.normal import normalise, simplified


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("１１月２５日　上午９：３０", "11月25日上午9:30"),
        ("收 到", "收到"),
        ("9 : 30", "9:30"),
        ("PPT 投不上去", "ppt投不上去"),
        ("hello world", "hello world"),
        ("三樓會議室沒有聲音", "三楼会议室没有声音"),
        ("好了👍", "好了"),
        ("OK👌", "okok"),
    ],
)
def test_ways_of_typing_come_to_one(typed: str, plain: str) -> None:
    assert normalise(typed, simplified()).text == plain


def test_a_sticker_and_a_mention_are_no_words() -> None:
    normal = normalise("@李工 收到[鼓掌]")
    assert normal.text.strip() == "收到"
    assert normal.mentions == ("李工",)


def test_offsets_lead_back_to_the_original() -> None:
    normal = normalise("＠ 明 天９：３０")
    at = normal.text.index("9:30")
    start, end = normal.span(at, at + 4)
    assert normal.original[start:end] == "９：３０"


@given(st.text(max_size=80))
def test_offsets_never_leave_the_text(text: str) -> None:
    normal = normalise(text, simplified())
    assert len(normal.text) == len(normal.starts) == len(normal.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(normal.starts, normal.ends, strict=True))
    assert list(normal.starts) == sorted(normal.starts)


def test_the_table_of_characters_is_whole_pairs() -> None:
    assert simplified()["聲"] == "声"
    assert all(len(key) == len(value) == 1 for key, value in simplified().items())
