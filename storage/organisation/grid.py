"""From lines of cells to rows of a table: headings are found by key or Chinese name, examples and blanks left out."""

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice

from storage.organisation.tables import TABLES, Problem, Row, Table, error, is_example, words

MOST_ROWS = 200_000
Line = tuple[int, Sequence[str]]
"""Number of the line (from 1) and its cells as trimmed text."""


def table_named(name: str) -> Table | None:
    """The table a sheet or file is named after, by key or Chinese title."""
    folded = name.strip().casefold()
    return next((table for table in TABLES if folded in {table.key, table.title}), None)


def rows_of(table: Table, lines: Iterable[Line]) -> tuple[tuple[Row, ...], list[Problem]]:
    """The rows of one table; the first line holds the headings."""
    numbered = iter(lines)
    _, headings = next(numbered, (0, ()))
    if not any(headings):
        return (), [error("no_heading", table)]
    keys, problems = _keys(table, headings)
    if problems:
        return (), problems
    rows: list[Row] = []
    for line, cells in islice(numbered, MOST_ROWS):
        if not any(cells):
            continue
        row = Row(line, {key: cell for key, cell in zip(keys, cells, strict=False) if key})
        if is_example(table, row):
            continue
        rows.append(row)
        problems += [error("too_many_cells", table, line, value=extra) for extra in _extra(keys, cells)]
    if next(numbered, None) is not None:
        problems.append(error("too_many_rows", table, limit=MOST_ROWS))
    return tuple(rows), problems


def _keys(table: Table, headings: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """Column key of each heading (empty for a column without one)."""
    known = _known_headings(table)
    keys: list[str] = []
    problems: list[Problem] = []
    for heading in headings:
        name = heading.replace("*", "").replace("＊", "").strip()
        key = known.get(name) or known.get(name.casefold(), "")
        if name and not key:
            problems.append(error("unknown_heading", table, 1, name=name, near=_nearest(table, name)))
        elif key and key in keys:
            problems.append(error("heading_twice", table, 1, name=name))
        keys.append(key)
    missing = [column.key for column in table.columns if column.required and column.key not in keys]
    problems += [error("missing_heading", table, 1, name=table.heading(key)) for key in missing]
    return keys, problems


def _known_headings(table: Table) -> dict[str, str]:
    return {name: column.key for column in table.columns for name in (column.key, table.heading(column.key))}


def _nearest(table: Table, name: str) -> str:
    known = _known_headings(table)
    found = difflib.get_close_matches(name[:64], known, n=1, cutoff=0)
    return found[0] if found else table.heading(table.columns[0].key)


def _extra(keys: Sequence[str], cells: Sequence[str]) -> list[str]:
    """The first cell of a line that stands under no heading."""
    stray = [cell for place, cell in enumerate(cells) if cell and (place >= len(keys) or not keys[place])]
    return stray[:1]


def is_guide(name: str) -> bool:
    """Whether a sheet only explains."""
    return name.strip() == str(words()["guide_title"])
