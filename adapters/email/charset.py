"""Bytes of mail to text. Chinese mail names its character sets wrongly, loosely or not at all.

``gb2312`` and ``gbk`` are read as their superset gb18030. Only names of the list below reach a decoder: the standard
library also registers decoders that are no character sets, some of them slow on hostile input.
"""

import re

_GB = ("gb2312", "gbk", "gb18030", "cp936", "ms936", "936", "windows-936", "x-gbk", "gb_2312-80", "euc-cn", "chinese")
_BIG5 = ("big5", "big5-hkscs", "big5hkscs", "cp950", "x-x-big5")
_SAME = (
    "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-7", "euc-jp", "iso-2022-jp", "euc-kr", "iso-2022-kr", "cp949",
    "koi8-r", "koi8-u", "hz", "cp866", "macintosh",
    *(f"iso-8859-{number}" for number in (*range(2, 12), *range(13, 17))),
    *(f"windows-125{number}" for number in range(9) if number != 2),
)  # fmt: skip
_CODECS = {
    **dict.fromkeys(_GB, "gb18030"),
    **dict.fromkeys(_BIG5, "big5hkscs"),
    **{name: name for name in _SAME},
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "unicode-1-1-utf-8": "utf-8-sig",
    "unicode-1-1-utf-7": "utf-7",
    "hz-gb-2312": "hz",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "windows-31j": "cp932",
    "ks_c_5601-1987": "cp949",
}
_WESTERN = {"iso-8859-1": "cp1252", "latin1": "cp1252", "windows-1252": "cp1252", "cp1252": "cp1252"}
"""What programs write that do not know: believed only when the bytes are neither UTF-8 nor Chinese."""
_WORDS = re.compile("[\u4e00-\u9fa5]{2}")
_COMMON = re.compile("[\u4e00-\u9fa5\u3000-\u303f\uff00-\uffef]")


def decode(data: bytes, charset: str = "") -> str:
    """The text of ``data``; never raises. ``charset`` is what the mail claims, possibly wrong, unknown or empty."""
    if data.isascii() and b"\x1b" not in data and b"~{" not in data and b"+" not in data and b"\0" not in data:
        return data.decode("ascii")
    claimed = charset.strip(" \t\"'").lower().replace("_", "-") if charset else ""
    codec = _CODECS.get(claimed) or _CODECS.get(charset.strip(" \t\"'").lower())
    if codec is None:
        return guess(data, _WESTERN.get(claimed, ""))
    strict = _strict(data, codec)
    if strict is not None:
        return strict
    loose = data.decode(codec, "replace")
    return loose if _nearly(loose) else guess(data, codec)


def guess(data: bytes, otherwise: str = "") -> str:
    """Text of bytes that do not say what they are: UTF-8 when it fits, else Chinese, else ``otherwise``."""
    text, chinese = _strict(data, "utf-8-sig"), _strict(data, "gb18030")
    if text is not None:
        return chinese if chinese is not None and _both_ways(text, chinese) else text
    loose = data.decode("utf-8-sig", "replace")
    if chinese is not None and (not otherwise or _looks_chinese(chinese)):
        return chinese
    if otherwise:
        return data.decode(otherwise, "replace")
    return loose if _nearly(loose) else data.decode("gb18030", "replace")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except ValueError:
        return None


def _nearly(text: str) -> bool:
    """Whether hardly anything of it could not be read: cut off or damaged, but of the claimed character set."""
    strange = sum(1 for char in text if char > "\x7f")
    return text.count("\ufffd") * 20 <= strange + 20


def _both_ways(text: str, chinese: str) -> bool:
    """Short Chinese such as 联通 or 通知 in GBK is valid UTF-8 by accident, for letters nobody uses."""
    return max(text, default="") < "\u0800" and _looks_chinese(chinese) and _WORDS.search(chinese) is not None


def _looks_chinese(text: str) -> bool:
    high = sum(1 for char in text if char > "\x7f")
    return len(_COMMON.findall(text)) * 10 >= high * 9
