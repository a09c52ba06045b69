"""Is this a usable organisation? Rows one by one, then tables against each other, then advice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from storage.organisation.advice import advise
from storage.organisation.cells import check_cells
from storage.organisation.references import check_references
from storage.organisation.tables import (
    DEFAULT_ZONE,
    GROUPS,
    PEOPLE,
    ROSTER,
    TABLES,
    UNITS,
    Problem,
    Tables,
    error,
    errors,
    warning,
)

HEADING = 1
"""The line of the headings: what is wrong there, or with the file (0), takes the whole table with it."""


@dataclass(frozen=True)
class Known:
    """Ids already in the database, for tables that the file does not bring along. None: not looked at."""

    unit_ids: frozenset[str] | None = frozenset()
    person_ids: frozenset[str] | None = frozenset()


def validate(tables: Tables, known: Known | None = None, zone: tzinfo = DEFAULT_ZONE) -> list[Problem]:
    """Everything wrong or noteworthy, in the order of the sheets; errors stop an import, warnings do not.

    References into a table that is not in the file are checked against ``known`` and left alone without it.
    """
    found = list(tables.problems)
    for table in TABLES:
        for row in tables[table]:
            found += check_cells(table, row)
    found += _duplicates(tables)
    found += _references(tables, known or Known(None, None), zone)
    if not errors(found):
        found += [warning("absent_table", table) for table in TABLES if tables.rows and table not in tables]
        found += advise(tables)
    return sorted(found, key=_place)


def _references(tables: Tables, known: Known, zone: tzinfo) -> Iterator[Problem]:
    """Tables against each other. References to a table that could not be read at all would only look wrong."""
    lost = {problem.table for problem in errors(tables.problems) if problem.line <= HEADING}
    readable = Tables({table.key: tables[table] for table in TABLES if table in tables and table.title not in lost})
    units = None if UNITS.title in lost else known.unit_ids
    people = None if PEOPLE.title in lost else known.person_ids
    return check_references(readable, units, people, zone)


def _place(problem: Problem) -> tuple[int, int]:
    titles = [table.title for table in TABLES]
    return (titles.index(problem.table) if problem.table in titles else -1, problem.line)


def _duplicates(tables: Tables) -> list[Problem]:
    found: list[Problem] = []
    for table in TABLES:
        if table is ROSTER:
            continue
        key, seen = table.columns[0].key, dict[str, int]()
        for row in tables[table]:
            value = row.text(key)
            first = seen.setdefault(value, row.line)
            if value and first != row.line:
                found.append(error("duplicate", table, row.line, key, value=value, other=first))
    return [*found, *_shared_accounts(tables), *_shared_conversations(tables)]


CASELESS = ("email", "wecom_id")
"""Accounts that are the same to their platform, however they are written."""


def _shared_accounts(tables: Tables) -> list[Problem]:
    found: list[Problem] = []
    for key in ("email", "dingtalk_id", "wecom_id"):
        seen: dict[str, int] = {}
        for row in tables[PEOPLE]:
            for account in row.list(key):
                first = seen.setdefault(account.casefold() if key in CASELESS else account, row.line)
                if first != row.line:
                    found.append(error("account_twice", PEOPLE, row.line, key, value=account, other=first))
    return found


def _shared_conversations(tables: Tables) -> list[Problem]:
    found: list[Problem] = []
    seen: dict[tuple[str, str], int] = {}
    for row in tables[GROUPS]:
        place = (row.choice(GROUPS.column("platform")), row.text("conversation_id"))
        first = seen.setdefault(place, row.line)
        if all(place) and first != row.line:
            found.append(error("account_taken", GROUPS, row.line, "conversation_id", other=first))
    return found
