"""The sentences of a platform, from the ``words.toml`` beside its code."""

import tomllib
from functools import cache
from pathlib import Path


class Sentences:
    """Called with ``section.key``: the sentence with its braces filled in; KeyError when the file lacks it."""

    def __init__(self, module: str) -> None:
        """``module``: a file of the platform's folder."""
        self._file = Path(module).with_name("words.toml")

    def __call__(self, name: str, **values: object) -> str:
        section, key = name.split(".")
        return _tables(self._file)[section][key].format(**values)


@cache
def _tables(file: Path) -> dict[str, dict[str, str]]:
    return tomllib.loads(file.read_text("utf-8"))
