"""Reads the organisation workbook (.xlsx)."""

import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from storage.organisation.grid import MOST_ROWS, Line, is_guide, rows_of, table_named
from storage.organisation.tables import Problem, Row, Tables, error, warning

MOST_BYTES = 50 << 20
MOST_UNPACKED = 500 << 20
MOST_COLUMNS = 64


def read_workbook(path: Path) -> Tables:
    """The tables of a workbook. Never raises for what the file holds: everything wrong is a problem."""
    if refusal := _refusal(path):
        return Tables(problems=(refusal,))
    import openpyxl

    try:
        # The warnings are about styles and extensions, which do not matter here.
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            return _tables(openpyxl.load_workbook(file, read_only=True, data_only=True))
    except Exception:  # noqa: BLE001 - a damaged file makes openpyxl raise whatever its zip and XML layers raise
        return Tables(problems=(error("broken_workbook"),))


def _refusal(path: Path) -> Problem | None:
    """Why the file is not even opened: too large, packed too tightly, or no zip at all."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return error("too_large", limit=MOST_BYTES >> 20)
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                return error("too_large", limit=MOST_UNPACKED >> 20)
    except OSError as failure:
        return error("unreadable", reason=failure.strerror or type(failure).__name__)
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return error("broken_workbook")
    return None


def _tables(book: Any) -> Tables:
    rows: dict[str, tuple[Row, ...]] = {}
    problems: list[Problem] = []
    names: dict[str, str] = {}
    for sheet in book.worksheets:
        table = table_named(sheet.title)
        if table is None:
            problems += [] if is_guide(sheet.title) else [warning("unknown_sheet", name=sheet.title)]
        elif table.key in names:
            problems.append(error("table_twice", first=names[table.key], second=sheet.title))
        else:
            names[table.key] = sheet.title
            rows[table.key], found = rows_of(table, _lines(sheet))
            problems += found
    return Tables(rows, tuple(problems))


def _lines(sheet: Any) -> Iterator[Line]:
    sheet.reset_dimensions()  # the stored dimension may be wrong: read what is there
    for line, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), start=1):
        if line > MOST_ROWS * 2:
            return
        yield line, [cell_text(cell) for cell in cells]


def cell_text(value: object) -> str:
    """What a person sees in the cell, as trimmed text: whole numbers without a point, moments to the second."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _to_second(value).isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _to_second(value: datetime) -> datetime:
    """Excel keeps moments as fractions of a day: 8:00 may come back as 7:59:59.999995."""
    return (value + timedelta(microseconds=500_000)).replace(microsecond=0)
