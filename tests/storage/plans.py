"""How the database would look things up: plans of the statements a block of code really ran."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from storage.database import Database

Statement = tuple[str, Any]


@contextmanager
def recorded(database: Database) -> Iterator[list[Statement]]:
    """Every SELECT and UPDATE run in the block."""
    seen: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE")) and not many:
            seen.append((statement, parameters))

    engines = {database.engine.sync_engine, database._reader.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def walks_of(database: Database, table: str, statements: list[Statement]) -> list[str]:
    """Lines of the plans that walk the whole of ``table``, or sort what an index should give in order."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    wrong = []
    async with database.engine.connect() as connection:
        if not database.is_sqlite:
            await connection.exec_driver_sql("ANALYZE")
        for statement, parameters in statements:
            lines = [str(row[-1]) for row in await connection.exec_driver_sql(explain + statement, parameters)]
            wrong += [f"{line} in {statement}" for line in lines if is_walk(line, table, database.is_sqlite)]
    return wrong


def is_walk(line: str, table: str, on_sqlite: bool) -> bool:
    if on_sqlite:
        return line.startswith(f"SCAN {table}") or "TEMP B-TREE FOR ORDER BY" in line
    return f"Seq Scan on {table}" in line
