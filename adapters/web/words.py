"""The words of the pages, from ``words.toml``."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def words() -> dict[str, Any]:
    """All texts, as nested tables (templates read them as ``w.section.key``)."""
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def label(section: str, key: str) -> str:
    """The word for a code (``label("kind", "fault_ack")``); the code itself when there is none."""
    return str(words()[section].get(key, key))
