"""How text sounds: one private character per toneless syllable, so that homophones become equal strings.

What many speakers do not tell apart (zh/z, ch/c, sh/s; -ng/-n) is folded too."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_BASE = 0xE100
_FOLD_START = re.compile(r"^([zcs])h")
_FOLD_END = re.compile(r"(?<=[aei])ng$")


@lru_cache(maxsize=1)
def _table() -> Mapping[int, str]:
    """Character → syllable mark. Only pypinyin's character table is read: importing the package costs 90 MB."""
    found = importlib.util.find_spec("pypinyin")
    if found is None or found.origin is None:
        raise ValueError("pypinyin is not installed")
    readings = _readings(Path(found.origin).with_name("pinyin_dict.py"))
    marks: dict[str, str] = {}
    table: dict[int, str] = {}
    for code, reading in readings.items():
        if 0x4E00 <= code <= 0x9FFF:
            syllable = _toneless(reading.partition(",")[0])
            table[code] = marks.setdefault(syllable, chr(_BASE + len(marks)))
    return table


def _readings(path: Path) -> dict[int, str]:
    spec = importlib.util.spec_from_file_location("_pinyin_dict", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path.name} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    readings: dict[int, str] = module.pinyin_dict
    return readings


@lru_cache(maxsize=4096)
def _toneless(reading: str) -> str:
    plain = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return _FOLD_END.sub("n", _FOLD_START.sub(r"\1", bare))


def sound(text: str) -> str:
    """A string of the same length; characters that are not Chinese stay."""
    return text.translate(_table())
