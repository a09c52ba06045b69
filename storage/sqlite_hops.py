"""SQLite from asyncio with one trip to the connection's thread for a statement.

The driver makes four: for a cursor, for the statement, for its rows, and to close the cursor. A trip costs as much as
the statement itself, and everything here is made of small statements. All rows of a statement come at once, as they do
with the driver.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.ext.asyncio import AsyncEngine


class _Done:
    """What is left of a statement that has run, in the shape of a cursor."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self.rows = cursor.fetchall() if cursor.description else []
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """Exists only while a statement runs; what it left is kept here."""

    __slots__ = ("_done",)

    def __init__(self, adapt_connection: AsyncAdapt_dbapi_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection  # noqa: SLF001 - as the class above does
        self._rows: deque[Any] = deque()
        self._done: _Done | None = None

    @property
    def description(self) -> Any:
        """The columns of the last statement."""
        return self._done and self._done.description

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return self._done.rowcount if self._done else -1

    @property
    def lastrowid(self) -> Any:
        """The id of the row that was inserted last."""
        return self._done and self._done.lastrowid

    def close(self) -> None:
        """There is nothing to close in the thread."""
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        pass

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._run(lambda connection: connection.execute(operation, parameters or ()))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._run(lambda connection: connection.executemany(operation, seq_of_parameters))

    async def _run(self, statement: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> None:
        there: Any = self._connection
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001 - as the class above does
            self._done = await there._execute(lambda: _Done(statement(there._conn)))  # noqa: SLF001 - no other way in
            self._rows = deque(self._done.rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor


def spare_trips(engine: AsyncEngine) -> None:
    """Let all connections of an engine work so."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: Any, _record: Any, cargs: Any, cparams: Any) -> Any:
        plain = dialect.connect(*cargs, **cparams)
        return _Connection(plain.dbapi, plain._connection)  # noqa: SLF001 - as its own constructor is called
