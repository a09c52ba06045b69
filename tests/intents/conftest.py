"""One understanding for all tests of this folder: building it takes a second."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from intents.cli import load_places
from intents.reading import Context
from intents.understand import Understanding

SITES = Path(__file__).parent.parent / "understanding" / "sites.csv"
NOW = datetime.fromisoformat("2026-11-24T10:00:00+08:00")


@pytest.fixture(scope="session")
def understanding() -> Understanding:
    return Understanding(load_places(SITES))


def said(role: str = "client", expecting: str | None = None, step: str | None = None, **more: object) -> Context:
    """A context on Tuesday 24 November 2026, ten o'clock."""
    return Context(NOW, role, "group", expecting, step, **more)  # type: ignore[arg-type]  # own_sites, own_units
