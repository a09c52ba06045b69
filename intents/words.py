"""The word lists beside this file: read once, checked, compiled."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def load_toml(name: str, folder: Path | None = None) -> dict[str, Any]:
    """One data file. ValueError, with the file named, when it cannot be read."""
    path = (folder or HERE) / name
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from error
