"""Numbers as they stand in times, and lengths of time in minutes."""

from __future__ import annotations

import re

from intents.words import load_toml, patterns

_WORDS = load_toml("times.toml")
_DIGITS = {char: value for value, char in enumerate(_WORDS["digits"])} | {"〇": 0, "两": 2, "俩": 2, "元": 1}


def number(text: str) -> int:
    """A Chinese or plain number below 100; 二〇二六 digit by digit."""
    if text.isdigit():
        return int(text)
    if "十" in text:
        tens, _, ones = text.partition("十")
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    value = 0
    for char in text:
        value = value * 10 + _DIGITS.get(char, 0)
    return value


_ABOUT = patterns("times.toml")["lesser_of_two"]
_MINUTES = re.compile(_WORDS["piece"]["LENGTH"])


def duration_minutes(text: str) -> int | None:
    """The first length of time, in minutes; None when there is none."""
    match = _MINUTES.search(text)
    return None if match is None else _length(_ABOUT.sub("", match.group()))


def _length(text: str) -> int:
    if text.rstrip("钟").endswith("刻") and len(text) < 4:
        return 15 * number(text[0])
    if "分" in text and "小时" not in text and "钟头" not in text:
        return _big_number(re.sub(r"[来多]?分钟?$", "", text))
    head, _, tail = text.partition("小时") if "小时" in text else text.partition("钟头" if "钟头" in text else "钟")
    minutes = 30 if tail.startswith("半") else number(tail.strip("零分钟刻")) * (15 if "刻" in tail else 1)
    if head in ("半个", "半"):
        return 30
    half = 30 if "半" in head else 0
    plain = head.replace("个", "").replace("半", "")
    hours = float(plain) if plain[:1].isdigit() else number(plain or "一")
    return int(hours * 60) + half + minutes


def _big_number(text: str) -> int:
    if "百" in text:
        head, _, tail = text.partition("百")
        return number(head or "一") * 100 + (number(tail) if tail else 0)
    return number(text)
