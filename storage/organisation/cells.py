"""What a single cell may hold."""

import re
from collections.abc import Iterator

from storage.organisation.tables import (
    DEFAULT_ZONE,
    Column,
    Problem,
    Row,
    Table,
    choice_key,
    choice_names,
    error,
    parse_moment,
)

LONGEST = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_NOT_IN_ID = re.compile(r"[\s,，|｜]")
_EXCEL_ERROR = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
_PHONE = re.compile(r"(\+?86[- ]?)?(1\d{10}|0\d{2,3}[- ]?\d{7,8}(-\d{1,6})?|\d{5,8})")
_EMAIL = re.compile(r"[^\s@|<>,;\"()]+@[A-Za-z0-9](?:[A-Za-z0-9-]*\.)+[A-Za-z0-9-]{2,}")


def check_cells(table: Table, row: Row) -> Iterator[Problem]:
    """Everything wrong with the cells of one row, looked at one by one."""
    for column in table.columns:
        yield from check_cell(table, column, row)


def check_cell(table: Table, column: Column, row: Row) -> Iterator[Problem]:
    """Everything wrong with one cell."""
    text = row.text(column.key)
    if not text:
        if column.required:
            yield error("required", table, row.line, column.key)
    elif len(text) > LONGEST:
        yield error("too_long", table, row.line, column.key, limit=LONGEST)
    elif _CONTROL.search(text):
        yield error("control", table, row.line, column.key)
    elif _EXCEL_ERROR.fullmatch(text):
        yield error("excel_error", table, row.line, column.key, value=text)
    elif not column.many and column.kind != "text" and len(row.list(column.key)) > 1:
        yield error("only_one", table, row.line, column.key)
    elif column.required and column.many and not row.list(column.key):
        yield error("required", table, row.line, column.key)
    else:
        for value in row.list(column.key) if column.many else [text]:
            yield from _check_value(table, column, row.line, value)


def _check_value(table: Table, column: Column, line: int, value: str) -> Iterator[Problem]:
    if column.kind == "id" and _NOT_IN_ID.search(value):
        yield error("bad_id", table, line, column.key, value=value)
    elif column.kind == "choice" and choice_key(column, value) is None:
        shown = "、".join(names[0] for names in choice_names(column).values())
        yield error("not_a_choice", table, line, column.key, value=value, choices=shown)
    elif column.kind == "phone" and not _PHONE.fullmatch(value):
        yield error("bad_phone", table, line, column.key)
    elif column.kind == "email" and not _EMAIL.fullmatch(value):
        yield error("bad_email", table, line, column.key, value=value)
    elif column.kind == "moment" and parse_moment(value, DEFAULT_ZONE) is None:
        yield error("bad_moment", table, line, column.key, value=value)
