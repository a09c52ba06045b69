"""Reads a folder of CSV files (``units.csv`` … or ``单位.csv`` …), UTF-8 with or without a byte order mark."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from storage.organisation.grid import Line, rows_of, table_named
from storage.organisation.tables import TABLES, Problem, Row, Table, Tables, error

MOST_BYTES = 50 << 20


def read_folder(path: Path) -> Tables:
    """The tables of a folder. Never raises for what the files hold: everything wrong is a problem."""
    try:
        files = sorted(entry for entry in path.iterdir() if entry.suffix.lower() == ".csv" and entry.is_file())
    except OSError as failure:
        return Tables(problems=(error("unreadable", reason=failure.strerror or type(failure).__name__),))
    rows: dict[str, tuple[Row, ...]] = {}
    problems: list[Problem] = []
    names: dict[str, str] = {}
    for file in files:
        table = table_named(file.stem)
        if table is None:
            continue
        if table.key in names:
            problems.append(error("table_twice", first=names[table.key], second=file.name))
            continue
        names[table.key] = file.name
        rows[table.key], found = _read(table, file)
        problems += found
    return Tables(rows, tuple(problems))


def _read(table: Table, file: Path) -> tuple[tuple[Row, ...], list[Problem]]:
    text, problem = _text(table, file)
    if problem:
        return (), [problem]
    try:
        return rows_of(table, _lines(text))
    except csv.Error as failure:
        return (), [error("broken_csv", table, reason=failure)]


def _text(table: Table, file: Path) -> tuple[str, Problem | None]:
    try:
        data = file.read_bytes() if file.stat().st_size <= MOST_BYTES else None
    except OSError as failure:
        return "", error("unreadable", table, reason=failure.strerror or type(failure).__name__)
    if data is None:
        return "", error("too_large", table, limit=MOST_BYTES >> 20)
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return "", error("gbk" if _looks_like_gbk(data) else "not_utf8", table)


def _looks_like_gbk(data: bytes) -> bool:
    """Whether the headings can be read as GBK: Excel's plain "CSV" in China."""
    heading = data.split(b"\n", 1)[0].decode("gb18030", errors="replace")
    known = {name for table in TABLES for column in table.columns for name in (column.key, table.heading(column.key))}
    return any(cell.strip(' "*\r') in known for cell in heading.split(","))


def _lines(text: str) -> Iterator[Line]:
    """Records with the number of the line each starts on; a quoted cell may run over several lines."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    for cells in reader:
        yield start, [cell.strip() for cell in cells]
        start = reader.line_num + 1
