"""An import brings the database in step with the file: all of it or nothing, and twice is once."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.directory import REVISION, DirectoryCache, load_directory
from storage.models import AuditEntry, Counter, Group, Identity, Person, Shift, Sighting, Site, Unit
from storage.organisation import Counts, ImportResult, import_tables, read_tables
from tests.organisation.builders import folder, sample

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
TABLES = (Unit, Person, Identity, Site, Group, Shift, AuditEntry)


async def bring(database: Database, path: Path, sheets: dict[str, list[list[Any]]], **options: Any) -> ImportResult:
    for old in path.glob("*.csv"):
        old.unlink()
    return await import_tables(database, read_tables(folder(path, sheets)), NOW, **options)


async def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    async with database.read() as session:
        return {
            model.__name__: [row.model_dump() for row in (await session.exec(select(model))).all()] for model in TABLES
        }


async def test_a_first_import_adds_everything(database: Database, tmp_path: Path) -> None:
    result = await bring(database, tmp_path, sample())
    assert result.ok
    assert result.counts == {
        "units": Counts(added=4), "people": Counts(added=3), "sites": Counts(added=2), "groups": Counts(added=2),
        "roster": Counts(added=2),
    }  # fmt: skip
    async with database.read() as session:
        directory = await load_directory(session)
    engineer = directory.person_at("dingtalk", "dl2")
    assert engineer is not None
    assert (engineer.name, engineer.title, engineer.roles) == ("李强", "工", ["engineer"])
    assert directory.person_at("email", "z@example.org") == directory.people["z"]
    assert [person.person_id for person in directory.on_duty("X1", NOW)] == ["l"]
    assert [group.group_id for group in directory.groups_serving("X1", ["dingtalk"])] == ["G1"]


async def test_the_same_import_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    before = await everything(database)
    result = await bring(database, tmp_path, sample())
    assert not result.changed
    assert await everything(database) == before


async def test_a_dry_run_tells_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    before = await everything(database)
    dry = await bring(database, tmp_path, sample(), dry_run=True)
    assert await everything(database) == before
    assert dry.counts == (await bring(database, tmp_path, sample())).counts


async def test_one_bad_row_and_nothing_is_imported(database: Database, tmp_path: Path) -> None:
    sheets = sample()
    sheets["roster"][1][1] = "nobody"
    before = await everything(database)
    result = await bring(database, tmp_path, sheets)
    assert not result.ok
    assert not result.changed
    assert await everything(database) == before


async def test_who_is_missing_later_is_deactivated_and_comes_back(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    less = sample()
    for table, line in (("people", 3), ("sites", 1), ("groups", 2)):
        del less[table][line]
    result = await bring(database, tmp_path, less)
    assert {name: counts.deactivated for name, counts in result.counts.items() if counts.deactivated} == {
        "people": 1, "sites": 1, "groups": 1,
    }  # fmt: skip
    async with database.read() as session:
        gone = await session.get(Person, "z")
        directory = await load_directory(session)
    assert gone is not None
    assert not gone.active
    assert directory.person_at("email", "z@example.org") is None
    await bring(database, tmp_path, sample())
    async with database.read() as session:
        directory = await load_directory(session)
    assert directory.person_at("email", "z@example.org") == directory.people["z"]
    assert set(directory.sites) == {"S1", "S2"}


async def test_a_table_that_is_not_in_the_file_stays(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    sheets = {"roster": [*sample()["roster"], ["X1", "l", "primary", "2026-11-25 08:00", "2026-11-26 08:00"]]}
    result = await bring(database, tmp_path, sheets)
    assert result.counts == {"roster": Counts(added=1, same=2)}
    async with database.read() as session:
        assert len((await load_directory(session)).people) == 3


async def test_shifts_that_are_over_are_kept_and_coming_ones_replaced(database: Database, tmp_path: Path) -> None:
    sheets = sample()
    past = ["X1", "l", "primary", "2026-11-01 08:00", "2026-11-02 08:00"]
    sheets["roster"].append(past)
    await bring(database, tmp_path, sheets)
    sheets["roster"] = [sheets["roster"][0], ["X1", "l", "primary", "2026-12-01 08:00", "2026-12-02 08:00"]]
    await bring(database, tmp_path, sheets)
    async with database.read() as session:
        starts = sorted(shift.starts_at for shift in (await session.exec(select(Shift))).all())
    assert starts == [datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)]


async def test_an_account_moves_to_another_person(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    sheets = sample()
    sheets["people"][1][7], sheets["people"][2][7] = "dl1|dl2", "dw"
    result = await bring(database, tmp_path, sheets)
    assert result.counts["people"] == Counts(changed=2, same=1)
    async with database.read() as session:
        directory = await load_directory(session)
    assert directory.person_at("dingtalk", "dw") == directory.people["l"]
    assert directory.accounts("w", "dingtalk") == ["dl1", "dl2"]


async def test_accounts_of_other_platforms_are_not_touched(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    async with database.write() as session:
        session.add(Identity(platform="web", account="l", person_id="l"))
    await bring(database, tmp_path, sample())
    async with database.read() as session:
        assert await session.get(Identity, ("web", "l"))


async def test_groups_swap_their_conversations(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    sheets = sample()
    sheets["groups"][1][2], sheets["groups"][2][2] = "cidB==", "cidA=="
    await bring(database, tmp_path, sheets)
    async with database.read() as session:
        groups = (await session.exec(select(Group))).all()
    assert {group.group_id: group.conversation_id for group in groups} == {"G1": "cidB==", "G2": "cidA=="}


async def test_a_group_gets_a_new_number_for_the_same_conversation(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    sheets = sample()
    sheets["groups"][1][0] = "G9"
    await bring(database, tmp_path, sheets)
    async with database.read() as session:
        assert set((await load_directory(session)).groups) == {"G9", "G2"}


async def test_a_group_that_was_bound_in_chat_stays_until_the_file_names_its_conversation(
    database: Database, tmp_path: Path
) -> None:
    await bring(database, tmp_path, sample())
    async with database.write() as session:
        place = {"group_id": "wecom:wr1", "platform": "wecom", "conversation_id": "wr1"}
        session.add(Group.model_validate({**place, "name": "群", "unit_id": "X1", "purpose": "support"}))
    again = await bring(database, tmp_path, sample())
    assert not again.changed
    sheets = sample()
    sheets["groups"].append(["G3", "wecom", "wr1", "县保障群", "X1", "support"])
    await bring(database, tmp_path, sheets)
    async with database.read() as session:
        assert set((await load_directory(session)).groups) == {"G1", "G2", "G3"}


async def test_those_who_are_now_known_are_no_longer_listed_as_strangers(database: Database, tmp_path: Path) -> None:
    known = [("group", "cidA=="), ("sender", "dw")]
    strange = [("group", "dw"), ("sender", "someone")]
    async with database.write() as session:
        for kind, account in (*known, *strange):
            session.add(Sighting(kind=kind, platform="dingtalk", account=account, last_seen=NOW))
    await bring(database, tmp_path, sample())
    async with database.read() as session:
        left = {(row.kind, row.account) for row in (await session.exec(select(Sighting))).all()}
    assert left == set(strange)


async def test_a_running_bot_sees_the_import(database: Database, tmp_path: Path) -> None:
    cache = DirectoryCache()
    async with database.read() as session:
        assert not (await cache.get(session)).people
    await bring(database, tmp_path, sample())
    async with database.read() as session:
        assert len((await cache.get(session)).people) == 3


async def test_the_import_is_on_record(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample(), who="root")
    async with database.read() as session:
        (entry,) = (await session.exec(select(AuditEntry))).all()
    assert (entry.who, entry.what, entry.at, entry.seq) == ("root", "organisation_imported", NOW, None)
    assert entry.detail["units"] == {"added": 4, "changed": 0, "deactivated": 0, "same": 0}


async def test_an_empty_file_switches_nobody_off(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    before = await everything(database)
    result = await bring(database, tmp_path, {name: rows[:1] for name, rows in sample().items()})
    assert result.ok
    assert "没有可导入的数据" in str(result.problems[-1])
    assert await everything(database) == before


async def test_an_empty_table_is_warned_about(database: Database, tmp_path: Path) -> None:
    await bring(database, tmp_path, sample())
    sheets = sample()
    del sheets["sites"][1:]
    result = await bring(database, tmp_path, sheets, dry_run=True)
    assert "提醒：分会场：这张表是空的，原有的 2 条将全部停用。" in [str(problem) for problem in result.problems]


async def test_two_thousand_units_take_seconds(database: Database, tmp_path: Path) -> None:
    sheets = sample()
    for n in range(2000):
        sheets["units"].append([f"T{n}", f"第{n}镇", f"{n}镇", "township", "X1", "operations"])
        sheets["people"].append([f"p{n}", f"人{n}", "", f"T{n}", "engineer", "", "", f"d{n}", ""])
        sheets["sites"].append([f"V{n}", f"第{n}镇会议室", "", f"T{n}", "water"])
    starts = datetime(2026, 11, 24, tzinfo=UTC)
    for n in range(2000):
        sheets["roster"].append([f"T{n}", f"p{n}", "primary", str(starts), str(starts + timedelta(days=1))])
    folder(tmp_path, sheets)
    began = time.perf_counter()
    result = await import_tables(database, read_tables(tmp_path), NOW)
    again = await import_tables(database, read_tables(tmp_path), NOW)
    assert result.ok
    assert not again.changed
    assert time.perf_counter() - began < 20  # both take about two seconds on a slow machine


def test_the_tables_written_are_all_there_are() -> None:
    organisation = {"unit", "person", "identity", "site", "chat_group", "shift"}
    assert organisation <= set(SQLModel.metadata.tables)


class Meddled(Database):
    """A database in which somebody else changes the organisation just before the first write."""

    meddle = True

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        if self.meddle:
            self.meddle = False
            async with super().write() as session:
                session.add(Counter(name=REVISION, value=1))
                session.add(Unit(unit_id="P", name="先到的", tier="province"))
        async with super().write() as session:
            yield session


async def test_an_import_that_was_overtaken_looks_again(database: Database, tmp_path: Path) -> None:
    meddled = Meddled(f"sqlite:///{tmp_path / 'huibao.db'}")
    result = await bring(meddled, tmp_path, sample())
    await meddled.close()
    assert result.counts["units"] == Counts(added=3, changed=1)
    async with database.read() as session:
        counter = await session.get(Counter, REVISION)
    assert counter is not None
    assert counter.value == 2
