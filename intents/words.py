"""The word lists beside this file: read once, checked, compiled."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from intents import overlay

HERE = Path(__file__).parent
OVERLAY: Path | None = None
"""The folder with the operator's files; set in the copies that intents.edition makes."""


def load_toml(name: str, folder: Path | None = None) -> dict[str, Any]:
    """One data file, with the operator's laid over. ValueError, with the file named, when it cannot be read."""
    shipped = _read((folder or HERE) / name)
    own = OVERLAY / name if OVERLAY is not None else None
    return overlay.merged(name, shipped, overlay.read(own)) if own is not None and own.exists() else shipped


def own_names(name: str, table: str) -> frozenset[str]:
    """The names of the entries of a list of tables that the operator's file has and the shipped one has not."""
    if OVERLAY is None:
        return frozenset()
    shipped = {entry["name"] for entry in _read(HERE / name).get(table, [])}
    return frozenset(entry["name"] for entry in load_toml(name).get(table, [])) - shipped


def own_entries(name: str, table: str) -> list[str]:
    """What the operator's file adds to the lists of a table."""
    if OVERLAY is None:
        return []
    shipped = _read(HERE / name)[table]
    lists = load_toml(name)[table].items()
    return [entry for key, entries in lists for entry in entries if entry not in shipped.get(key, [])]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def patterns(name: str) -> dict[str, re.Pattern[str]]:
    """The table `pattern` of a data file, compiled. ValueError, with file and name, when one cannot be read."""
    return {key: compiled(text, f"{name}: {key}") for key, text in load_toml(name)["pattern"].items()}


def compiled(text: str, owner: str) -> re.Pattern[str]:
    """A pattern from data; the error names whose it is."""
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{owner}: {error}") from error
