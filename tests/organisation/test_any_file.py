"""Whatever is handed in: an answer in words, never a traceback; and importing twice is importing once."""

import asyncio
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel

from storage.database import Database
from storage.organisation import import_tables, read_tables, validate
from storage.organisation.tables import TABLES
from tests.organisation.builders import SAMPLE, folder, workbook

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
CELLS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "P",
        "C1",
        "engineer",
        "省",
        "city",
        "operations",
        "2026-11-24 08:00",
        "2026-11-25 08:00",
        "13800000000",
        "a|b",
        "示例",
    ]
)


def scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@given(name=st.sampled_from(["units.csv", "值班.csv", "book.xlsx"]), data=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_get_an_answer(name: str, data: bytes) -> None:
    with scratch() as place:
        path = Path(place, name)
        path.write_bytes(data)
        tables = read_tables(path if path.suffix == ".xlsx" else path.parent)
        assert validate(tables)
        assert all(str(problem) for problem in validate(tables))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_damaged_workbook_gets_an_answer(data: st.DataObject) -> None:
    with scratch() as place:
        path = workbook(Path(place, "book.xlsx"), SAMPLE)
        whole = zipfile.ZipFile(path)
        names = whole.namelist()
        victim = data.draw(st.sampled_from(names))
        with zipfile.ZipFile(Path(place, "bad.xlsx"), "w") as damaged:
            for entry in names:
                content = whole.read(entry)
                if entry == victim:
                    cut = data.draw(st.integers(0, len(content)))
                    content = content[:cut] + data.draw(st.binary(max_size=20)) + content[cut + 5 :]
                damaged.writestr(entry, content)
        whole.close()
        for problem in validate(read_tables(Path(place, "bad.xlsx"))):
            assert str(problem)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_cells_import_wholly_or_not_at_all_and_twice_is_once(data: st.DataObject) -> None:
    sheets = {}
    for table in TABLES:
        row = st.lists(CELLS, min_size=len(table.columns), max_size=len(table.columns))
        rows = data.draw(st.lists(row, max_size=2))
        good = SAMPLE[table.key] if data.draw(st.booleans()) else [[column.key for column in table.columns]]
        sheets[table.key] = [*good, *rows]

    async def twice(place: str) -> None:
        database = Database(f"sqlite:///{place}/huibao.db")
        try:
            async with database.engine.begin() as connection:
                await connection.run_sync(SQLModel.metadata.create_all)
            tables = read_tables(folder(Path(place), sheets))
            first = await import_tables(database, tables, NOW)
            again = await import_tables(database, tables, NOW)
        finally:
            await database.close()
        assert first.ok == again.ok
        assert not again.changed
        assert first.ok or not first.counts

    with scratch() as place:
        asyncio.run(twice(place))
