"""What an import would change: the wanted rows against those in the database. Pure: no I/O."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from sqlmodel import SQLModel

from storage.models import Group, Identity, Person, Shift, Site, Unit
from storage.organisation.tables import GROUPS, PEOPLE, ROSTER, SITES, UNITS, Row, Tables

Record = dict[str, Any]
Key = tuple[Any, ...]
ACCOUNT_COLUMNS = {"dingtalk_id": "dingtalk", "wecom_id": "wecom", "email": "email"}
"""Columns of the people table that hold accounts, and the platform of each; other platforms stay untouched."""


@dataclass(frozen=True)
class Kept:
    """How one model is kept in step with one table."""

    table: str
    model: type[SQLModel]
    key: tuple[str, ...]
    retire: bool = True
    """Missing rows are deactivated, not deleted."""

    def key_of(self, record: Record) -> Key:
        """The record's primary key."""
        return tuple(record[name] for name in self.key)


UNIT = Kept("units", Unit, ("unit_id",))
PERSON = Kept("people", Person, ("person_id",))
IDENTITY = Kept("people", Identity, ("platform", "account"), retire=False)
SITE = Kept("sites", Site, ("site_id",))
GROUP = Kept("groups", Group, ("group_id",))
SHIFT = Kept("roster", Shift, ("unit_id", "person_id", "duty", "starts_at"), retire=False)
KEPT = (UNIT, PERSON, IDENTITY, SITE, GROUP, SHIFT)


@dataclass
class Change:
    """Rows of one model to write, and how many stay as they are."""

    kept: Kept
    insert: list[Record] = field(default_factory=list)
    update: list[Record] = field(default_factory=list)
    retire: list[Record] = field(default_factory=list)
    delete: list[Record] = field(default_factory=list)
    same: int = 0

    def __bool__(self) -> bool:
        return bool(self.insert or self.update or self.retire or self.delete)


def wanted_rows(tables: Tables, zone: tzinfo) -> dict[str, list[Record]]:
    """Records of every model whose table is in the file, by model name. ``tables`` must be free of errors."""
    makers: list[tuple[Kept, Callable[[Row], Iterable[Record]]]] = [
        (UNIT, _unit),
        (PERSON, _person),
        (IDENTITY, _identities),
        (SITE, _site),
        (GROUP, _group),
        (SHIFT, lambda row: _shift(row, zone)),
    ]
    return {
        kept.model.__name__: [record for row in tables.rows[kept.table] for record in make(row)]
        for kept, make in makers
        if kept.table in tables.rows
    }


def plan(current: Mapping[str, list[Record]], wanted: Mapping[str, list[Record]], now: datetime) -> list[Change]:
    """One change per model whose table is in the file. Shifts that are over stay: they tell who was on duty."""
    changes = []
    for kept in KEPT:
        name = kept.model.__name__
        if name in wanted:
            changes.append(_change(kept, current[name], wanted[name], now))
    return changes


def _change(kept: Kept, current: list[Record], wanted: list[Record], now: datetime) -> Change:
    before = {kept.key_of(record): record for record in current}
    after = {kept.key_of(record): record for record in wanted}
    change = Change(kept)
    for key, record in after.items():
        if key not in before:
            change.insert.append(record)
        elif before[key] != record:
            change.update.append(record)
        else:
            change.same += 1
    gone = [record for key, record in before.items() if key not in after]
    if kept.retire:
        change.retire = [record for record in gone if record["active"] and not _bound_in_chat(kept, record)]
    else:
        change.delete = [record for record in gone if _is_ours(kept, record, now)]
    return change


def _bound_in_chat(kept: Kept, record: Record) -> bool:
    """Whether an administrator registered the group by a sentence in it; no file knows such a group."""
    return kept is GROUP and record["group_id"] == f"{record['platform']}:{record['conversation_id']}"


def _is_ours(kept: Kept, record: Record, now: datetime) -> bool:
    """Whether a row that the file no longer has is the import's to delete."""
    if kept is SHIFT:
        return bool(record["ends_at"] > now)
    return record["platform"] in ACCOUNT_COLUMNS.values()


def _unit(row: Row) -> Iterable[Record]:
    yield {
        "unit_id": row.text("unit_id"),
        "name": row.text("name"),
        "aliases": list(row.list("aliases")),
        "tier": row.choice(UNITS.column("tier")),
        "parent_id": row.text("parent_id") or None,
        "track": row.choice(UNITS.column("track")),
        "active": True,
    }


def _person(row: Row) -> Iterable[Record]:
    yield {
        "person_id": row.text("person_id"),
        "name": row.text("name"),
        "title": row.text("title"),
        "unit_id": row.text("unit_id"),
        "roles": list(row.choices(PEOPLE.column("roles"))),
        "phone": row.text("phone"),
        "active": True,
    }


def _identities(row: Row) -> Iterable[Record]:
    for column, platform in ACCOUNT_COLUMNS.items():
        for account in row.list(column):
            name = account.casefold() if platform == "email" else account
            yield {"platform": platform, "account": name, "person_id": row.text("person_id")}


def _site(row: Row) -> Iterable[Record]:
    yield {
        "site_id": row.text("site_id"),
        "name": row.text("name"),
        "aliases": list(row.list("aliases")),
        "unit_id": row.text("unit_id"),
        "systems": list(row.choices(SITES.column("systems"))),
        "active": True,
    }


def _group(row: Row) -> Iterable[Record]:
    yield {
        "group_id": row.text("group_id"),
        "platform": row.choice(GROUPS.column("platform")),
        "conversation_id": row.text("conversation_id"),
        "name": row.text("name"),
        "unit_id": row.text("unit_id"),
        "purpose": row.choice(GROUPS.column("purpose")),
        "active": True,
    }


def _shift(row: Row, zone: tzinfo) -> Iterable[Record]:
    yield {
        "unit_id": row.text("unit_id"),
        "person_id": row.text("person_id"),
        "duty": row.choice(ROSTER.column("duty")),
        "starts_at": row.moment("starts_at", zone),
        "ends_at": row.moment("ends_at", zone),
    }
