"""The words a user reads: ``workflows/<name>.toml`` beside each workflow, filled in with ``str.format`` fields."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


class Words:
    """One workflow's texts. ``words("taken", who="李工")`` fills in; unknown keys or missing fields raise KeyError."""

    def __init__(self, name: str) -> None:
        self._table = _read(name)

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``key`` (dots go into sub-tables) with its fields filled in, trailing space cut."""
        return str(self.get(key)).format(**values).strip()

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        try:
            self.get(key)
        except KeyError:
            return False
        return True

    def get(self, key: str) -> Any:
        """The raw value of ``key``: a text, a list or a table."""
        value: Any = self._table
        for part in key.split("."):
            value = value[part]
        return value


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
