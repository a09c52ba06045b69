"""How long it takes to bring a whole province in: 2,000 units, people, sites and shifts."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import SQLModel

from storage.database import Database
from storage.organisation import import_tables, read_tables
from tests.organisation.builders import folder, sample, workbook

UNITS = 2000


async def run() -> dict[str, str]:
    """Seconds to read and to import, first time and again."""
    sheets = sample()
    for n in range(UNITS):
        sheets["units"].append([f"T{n}", f"第{n}镇", f"{n}镇", "township", "X1", "operations"])
        sheets["people"].append([f"p{n}", f"人{n}", "", f"T{n}", "engineer", "", "", f"d{n}", ""])
        sheets["sites"].append([f"V{n}", f"第{n}镇会议室", "", f"T{n}", "water"])
        sheets["roster"].append([f"T{n}", f"p{n}", "primary", "2026-11-24 08:00", "2026-11-25 08:00"])
    with tempfile.TemporaryDirectory() as place:
        csv, xlsx = folder(Path(place, "csv"), sheets), workbook(Path(place, "o.xlsx"), sheets)
        figures = {}
        for name, path in (("csv", csv), ("xlsx", xlsx)):
            began = time.perf_counter()
            tables = read_tables(path)
            figures[f"read {UNITS} units, {name}"] = f"{time.perf_counter() - began:.2f} s"
        database = Database(f"sqlite:///{place}/huibao.db")
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        for name in ("first import", "same again"):
            began = time.perf_counter()
            await import_tables(database, tables, datetime(2026, 11, 24, tzinfo=UTC))
            figures[name] = f"{time.perf_counter() - began:.2f} s"
        await database.close()
    return figures


if __name__ == "__main__":
    for what, figure in asyncio.run(run()).items():
        print(f"{what}: {figure}")
