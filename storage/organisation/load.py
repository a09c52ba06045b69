"""Writes an organisation into the database: all of it or nothing, and nothing when nothing changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo

from sqlalchemy import Table, and_, bindparam, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.directory import REVISION
from storage.models import AuditEntry, Counter, Group, Identity, Sighting
from storage.organisation.plan import GROUP, IDENTITY, KEPT, PERSON, UNIT, Change, Kept, Record, plan, wanted_rows
from storage.organisation.tables import BY_KEY, DEFAULT_ZONE, Problem, Tables, errors, warning
from storage.organisation.validate import Known, validate


@dataclass(frozen=True)
class Counts:
    """Rows of one table: how many were added, changed, deactivated (roster: removed), and left as they are."""

    added: int = 0
    changed: int = 0
    deactivated: int = 0
    same: int = 0


@dataclass(frozen=True)
class ImportResult:
    """What an import did, or with ``dry_run`` would do. With errors among ``problems`` nothing was written."""

    problems: list[Problem]
    counts: Mapping[str, Counts] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Whether the organisation could be used."""
        return not errors(self.problems)

    @property
    def changed(self) -> bool:
        """Whether anything differs from what was there before."""
        return any(count.added or count.changed or count.deactivated for count in self.counts.values())


async def import_tables(
    database: Database,
    tables: Tables,
    now: datetime,
    dry_run: bool = False,
    zone: tzinfo = DEFAULT_ZONE,
    who: str = "import",
) -> ImportResult:
    """Bring the organisation in step with ``tables``, in one write transaction.

    Moments without an offset are in ``zone``; ``who`` goes into the audit log. What the file no longer has is
    deactivated; tables the file does not bring along stay as they are. A file without a single row changes nothing.
    Checking and planning happen outside the transaction; when the organisation has changed meanwhile, they start again.
    """
    if not any(tables.rows.values()):
        return ImportResult(validate(tables, zone=zone), dry_run=dry_run)
    while True:
        async with database.read() as session:
            revision, current = await _revision(session), await _current(session)
        result, changes = _decide(tables, current, now, zone, dry_run)
        if dry_run or not any(changes):
            return result
        async with database.write() as session:
            if await _revision(session) == revision:
                await _apply(session, changes)
                await _record(session, result, now, who)
                return result


def _decide(
    tables: Tables, current: Mapping[str, list[Record]], now: datetime, zone: tzinfo, dry_run: bool
) -> tuple[ImportResult, list[Change]]:
    problems = validate(tables, _known(current), zone)
    if errors(problems):
        return ImportResult(problems, dry_run=dry_run), []
    changes = plan(current, wanted_rows(tables, zone), now)
    return ImportResult([*problems, *_emptied(tables, changes)], _counts(changes), dry_run), changes


async def _revision(session: AsyncSession) -> int:
    counter = await session.get(Counter, REVISION)
    return counter.value if counter else 0


async def _current(session: AsyncSession) -> dict[str, list[Record]]:
    connection = await session.connection()
    found = {}
    for kept in KEPT:
        rows = await connection.execute(select(_table(kept.model)))
        found[kept.model.__name__] = [dict(row) for row in rows.mappings()]
    return found


def _known(current: Mapping[str, list[Record]]) -> Known:
    return Known(
        frozenset(row["unit_id"] for row in current[UNIT.model.__name__] if row["active"]),
        frozenset(row["person_id"] for row in current[PERSON.model.__name__] if row["active"]),
    )


def _emptied(tables: Tables, changes: list[Change]) -> list[Problem]:
    """A present but empty table switches everything off: say so."""
    return [
        warning("empty_table", BY_KEY[change.kept.table], count=len(change.retire) + len(change.delete))
        for change in changes
        if not tables.rows[change.kept.table] and change and change.kept is not IDENTITY
    ]


def _counts(changes: list[Change]) -> dict[str, Counts]:
    """Figures by table; a person whose accounts alone changed counts as changed."""
    counts = {
        change.kept.table: Counts(
            len(change.insert), len(change.update), len(change.retire) + len(change.delete), change.same
        )
        for change in changes
        if change.kept is not IDENTITY
    }
    people = [change for change in changes if change.kept in (PERSON, IDENTITY)]
    if len(people) == 2:
        counts["people"] = _people_counts(*people)
    return counts


def _people_counts(person: Change, identity: Change) -> Counts:
    settled = {row["person_id"] for row in (*person.insert, *person.update, *person.retire)}
    touched = {row["person_id"] for row in (*identity.insert, *identity.update, *identity.delete)} - settled
    return Counts(
        len(person.insert), len(person.update) + len(touched), len(person.retire), max(person.same - len(touched), 0)
    )


async def _apply(session: AsyncSession, changes: list[Change]) -> None:
    connection = await session.connection()
    for change in changes:
        if change.kept is GROUP:
            await _free_conversations(connection, change)
        await _write(connection, change)
    await _forget_strangers(connection)


async def _write(connection: AsyncConnection, change: Change) -> None:
    table = _table(change.kept.model)
    this_row = and_(*(table.c[name] == bindparam(f"key_{name}") for name in change.kept.key))
    others = [column.name for column in table.c if column.name not in change.kept.key]
    if change.delete:
        await connection.execute(delete(table).where(this_row), [_keyed(change.kept, row) for row in change.delete])
    if change.retire:
        retired = update(table).where(this_row).values(active=False)
        await connection.execute(retired, [_keyed(change.kept, row) for row in change.retire])
    if change.update:
        changed = update(table).where(this_row).values({name: bindparam(f"new_{name}") for name in others})
        rows = [_keyed(change.kept, row) | {f"new_{name}": row[name] for name in others} for row in change.update]
        await connection.execute(changed, rows)
    if change.insert:
        await connection.execute(insert(table), change.insert)


def _keyed(kept: Kept, row: Record) -> Record:
    return {f"key_{name}": row[name] for name in kept.key}


async def _free_conversations(connection: AsyncConnection, change: Change) -> None:
    """A conversation belongs to one group: whoever holds one that is wanted elsewhere gives it up first."""
    table = _table(change.kept.model)
    wanted = {(row["platform"], row["conversation_id"]): row["group_id"] for row in (*change.insert, *change.update)}
    held = await connection.execute(select(table.c.platform, table.c.conversation_id, table.c.group_id))
    losers = [
        row.group_id for row in held if wanted.get((row.platform, row.conversation_id), row.group_id) != row.group_id
    ]
    if losers:
        lost = delete(table).where(table.c.group_id == bindparam("key_group_id"))
        await connection.execute(lost, [{"key_group_id": group_id} for group_id in losers])
        change.insert += [row for row in change.update if row["group_id"] in losers]
        change.update = [row for row in change.update if row["group_id"] not in losers]
        change.retire = [row for row in change.retire if row["group_id"] not in losers]


async def _record(session: AsyncSession, result: ImportResult, now: datetime, who: str) -> None:
    """A new revision for those who keep a snapshot, and an audit entry."""
    counter = await session.get(Counter, REVISION) or Counter(name=REVISION)
    counter.value += 1
    detail = {name: asdict(counts) for name, counts in result.counts.items()}
    session.add(counter)
    session.add(AuditEntry(at=now, who=who, what="organisation_imported", detail=detail))
    await session.flush()


async def _forget_strangers(connection: AsyncConnection) -> None:
    """Groups and senders that the organisation now knows are strangers no more."""
    seen, group, identity = (_table(model) for model in (Sighting, Group, Identity))
    here = exists().where(group.c.platform == seen.c.platform, group.c.conversation_id == seen.c.account)
    known = exists().where(identity.c.platform == seen.c.platform, identity.c.account == seen.c.account)
    await connection.execute(
        delete(seen).where(or_(and_(seen.c.kind == "group", here), and_(seen.c.kind == "sender", known)))
    )


def _table(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]  # set by SQLModel
    return table
