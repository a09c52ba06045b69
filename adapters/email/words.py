"""The sentences of this platform, from ``words.toml``."""

import re
import tomllib
from functools import cache
from pathlib import Path


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def words(name: str, **values: object) -> str:
    """The sentence ``section.key`` with its braces filled in; KeyError when the file lacks it."""
    section, key = name.split(".")
    return _tables()[section][key].format(**values)


@cache
def pattern(name: str) -> re.Pattern[str]:
    """The expression ``section.key``, read without regard to case."""
    section, key = name.split(".")
    return re.compile(_tables()[section][key], re.IGNORECASE)
