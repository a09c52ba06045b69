"""A small sample organisation (CSV files beside this module): for the demo and for tests."""

from pathlib import Path

SAMPLE = Path(__file__).parent
