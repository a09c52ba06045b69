"""The five tables: their columns, what a cell may hold, and how it is read.

Source of names and values: the contract's "Organisation tables". All Chinese words are in ``words.toml``.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

DEFAULT_ZONE: tzinfo = ZoneInfo("Asia/Shanghai")
Severity = Literal["error", "warning"]
Kind = Literal["text", "id", "choice", "phone", "email", "moment"]

LONGEST_QUOTE = 200
_SEPARATOR = re.compile(r"[|｜]")


@cache
def words() -> Mapping[str, Any]:
    """The data file beside this module."""
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@cache
def _moment_pattern() -> re.Pattern[str]:
    return re.compile(words()["moment"])


@dataclass(frozen=True)
class Column:
    """One column. ``many``: values separated by ``|``; ``choices``: name of a list in ``words.toml``."""

    key: str
    kind: Kind = "text"
    required: bool = False
    many: bool = False
    choices: str = ""
    open: bool = False
    """Values beyond the choices are kept as they are."""


@dataclass(frozen=True)
class Table:
    """One table; its first column identifies the row (the roster's rows have no identity of their own)."""

    key: str
    columns: tuple[Column, ...]

    @property
    def title(self) -> str:
        """Name of the sheet."""
        return str(words()["tables"][self.key]["title"])

    def heading(self, key: str) -> str:
        """Chinese heading of a column."""
        return str(words()["tables"][self.key]["columns"][key]["heading"])

    def column(self, key: str) -> Column:
        """The column of that key; KeyError when there is none."""
        return {column.key: column for column in self.columns}[key]


UNITS = Table(
    "units",
    (
        Column("unit_id", "id", required=True),
        Column("name", required=True),
        Column("aliases", many=True),
        Column("tier", "choice", required=True, choices="tier"),
        Column("parent_id", "id"),
        Column("track", "choice", required=True, choices="track"),
    ),
)
PEOPLE = Table(
    "people",
    (
        Column("person_id", "id", required=True),
        Column("name", required=True),
        Column("title"),
        Column("unit_id", "id", required=True),
        Column("roles", "choice", required=True, many=True, choices="roles"),
        Column("phone", "phone"),
        Column("email", "email", many=True),
        Column("dingtalk_id", "id", many=True),
        Column("wecom_id", "id", many=True),
    ),
)
SITES = Table(
    "sites",
    (
        Column("site_id", "id", required=True),
        Column("name", required=True),
        Column("aliases", many=True),
        Column("unit_id", "id", required=True),
        Column("systems", "choice", many=True, choices="systems", open=True),
    ),
)
GROUPS = Table(
    "groups",
    (
        Column("group_id", "id", required=True),
        Column("platform", "choice", required=True, choices="platform"),
        Column("conversation_id", "id", required=True),
        Column("name", required=True),
        Column("unit_id", "id", required=True),
        Column("purpose", "choice", required=True, choices="purpose"),
    ),
)
ROSTER = Table(
    "roster",
    (
        Column("unit_id", "id", required=True),
        Column("person_id", "id", required=True),
        Column("duty", "choice", required=True, choices="duty"),
        Column("starts_at", "moment", required=True),
        Column("ends_at", "moment", required=True),
    ),
)
TABLES = (UNITS, PEOPLE, SITES, GROUPS, ROSTER)
BY_KEY = {table.key: table for table in TABLES}


@dataclass(frozen=True)
class Row:
    """One row as written: ``line`` is the row in the sheet or file (1 is the heading), ``cells`` are trimmed texts."""

    line: int
    cells: Mapping[str, str]

    def text(self, key: str) -> str:
        """The cell, empty when it or its column is missing."""
        return self.cells.get(key, "")

    def list(self, key: str) -> tuple[str, ...]:
        """The values of a cell that may hold several, without repeats."""
        parts = (part.strip() for part in _SEPARATOR.split(self.text(key)))
        return tuple(dict.fromkeys(part for part in parts if part))

    def choice(self, column: Column) -> str:
        """The key of a single choice; empty when it is unknown or missing."""
        return choice_key(column, self.text(column.key)) or ""

    def choices(self, column: Column) -> tuple[str, ...]:
        """The keys of several choices, unknown ones left out."""
        keys = (choice_key(column, value) for value in self.list(column.key))
        return tuple(dict.fromkeys(key for key in keys if key))

    def moment(self, key: str, zone: tzinfo) -> datetime | None:
        """The cell as a moment; without an offset it is in ``zone``. None when it cannot be read."""
        return parse_moment(self.text(key), zone)


@dataclass(frozen=True)
class Problem:
    """What is wrong and where, in an operator's words. A ``warning`` does not stop an import."""

    severity: Severity
    why: str
    table: str = ""
    line: int = 0
    column: str = ""

    def __str__(self) -> str:
        place = "file" if not self.table else "table" if not self.line else "row" if not self.column else "row_column"
        text: str = words()["place"][place]
        mark: str = words()["severity"][self.severity]
        return mark + text.format(table=self.table, line=self.line, column=self.column, why=self.why)


@dataclass(frozen=True)
class Tables:
    """What was read: rows of the tables that are present, and what was wrong with the file itself."""

    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, table: Table) -> tuple[Row, ...]:
        return self.rows.get(table.key, ())

    def __contains__(self, table: Table) -> bool:
        return table.key in self.rows


def why(name: str, /, **values: object) -> str:
    """The sentence of that name, filled in; what the operator wrote is quoted short and printable."""
    text: str = words()["problems"][name]
    return text.format(**{key: _quoted(value) for key, value in values.items()})


def _quoted(value: object) -> str:
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…"


def error(name: str, table: Table | None = None, line: int = 0, key: str = "", /, **values: object) -> Problem:
    """A problem that stops the import."""
    return _problem("error", name, table, line, key, values)


def warning(name: str, table: Table | None = None, line: int = 0, key: str = "", /, **values: object) -> Problem:
    """A problem that is only told."""
    return _problem("warning", name, table, line, key, values)


def choice_names(column: Column) -> dict[str, list[str]]:
    """Key of each choice and the Chinese names it goes by, the shown one first."""
    return dict(words()["choices"][column.choices])


def choice_key(column: Column, value: str) -> str | None:
    """The key meant by ``value`` (key or Chinese name); None when there is no such choice."""
    folded = value.strip().casefold()
    for key, names in choice_names(column).items():
        if folded == key or value.strip() in names:
            return key
    return value.strip() or None if column.open else None


def is_example(table: Table, row: Row) -> bool:
    """Whether this is the template's example row."""
    return row.text(table.columns[0].key).startswith(words()["example_mark"])


def parse_moment(text: str, zone: tzinfo) -> datetime | None:
    """``2026-11-24 08:00`` and its usual spellings, 24:00 included; None for anything else."""
    match = _moment_pattern().fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        if midnight := (hour, minute, second) == (24, 0, 0):
            hour = 0
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_offset(match[7]) or zone)
        return moment + timedelta(days=midnight)
    except (ValueError, OverflowError):
        return None


def _offset(text: str | None) -> tzinfo | None:
    if not text:
        return None
    return datetime.strptime(text, "%z").tzinfo


def _problem(
    severity: Severity, name: str, table: Table | None, line: int, key: str, values: dict[str, object]
) -> Problem:
    heading = table.heading(key) if table and key else ""
    return Problem(severity, why(name, **values), table.title if table else "", line, heading)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop an import."""
    return [problem for problem in problems if problem.severity == "error"]
