"""Filters of the read API: a query field and its value become a condition on a column."""

import json
from collections.abc import Sequence
from datetime import datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel, or_

BOOLS = {"true": True, "false": False, "1": True, "0": False}
LARGEST = 2**63 - 1


class BadQuery(ValueError):
    """The query cannot be answered; the message says what is wrong with it."""


def condition(model: type[SQLModel], name: str, values: Sequence[str], zone: ZoneInfo) -> ColumnElement[bool]:
    """Rows whose field has any of the values. Lists: holds it. Empty: not set. BadQuery for values that do not fit."""
    kind = plain_type(model.model_fields[name].annotation)
    column = getattr(model, name)
    return or_(*[_is(name, column, kind, value, zone) for value in values])


def plain_type(annotation: Any) -> Any:
    """``datetime | None`` → datetime, ``list[str]`` → list, others as they are."""
    if get_origin(annotation) in {Union, UnionType}:
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return get_origin(annotation) or annotation


def _is(name: str, column: Any, kind: Any, value: str, zone: ZoneInfo) -> Any:
    if "\x00" in value:
        raise BadQuery(f"{name}: a zero byte cannot be in a value")
    if kind in {list, dict}:
        empty = "[]" if kind is list else "{}"
        return cast(column, String).contains(json.dumps(value) if value else empty, autoescape=True)
    if not value:
        return or_(column.is_(None), column == "") if kind is str else column.is_(None)
    try:
        return column == _value(kind, value, zone)
    except (ValueError, KeyError, OverflowError) as error:
        raise BadQuery(f"{name}: {value!r} is not a value of this field") from error


def _value(kind: Any, value: str, zone: ZoneInfo) -> Any:
    if kind is bool:
        return BOOLS[value.lower()]
    if kind is datetime:
        # A plus sign that was not percent-encoded arrives as a space.
        moment = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return whole(value) if kind is int else kind(value)


def whole(value: str) -> int:
    """A whole number that a database column can hold; ValueError for anything else."""
    number = int(value)
    if abs(number) > LARGEST:
        raise ValueError(value)
    return number
