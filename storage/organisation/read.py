"""Reads the organisation from wherever the operator keeps it."""

from pathlib import Path

from storage.organisation.csvfolder import read_folder
from storage.organisation.tables import TABLES, Tables, error
from storage.organisation.workbook import read_workbook


def read_tables(path: Path) -> Tables:
    """The tables of a workbook (.xlsx) or of a folder of CSV files. Never raises: what is wrong is in ``problems``."""
    tables = _read(path)
    if tables.rows or any(problem.severity == "error" for problem in tables.problems):
        return tables
    titles = "、".join(table.title for table in TABLES)
    files = "、".join(f"{table.key}.csv" for table in TABLES)
    return Tables(problems=(*tables.problems, error("no_tables", titles=titles, files=files)))


def _read(path: Path) -> Tables:
    if path.is_dir():
        return read_folder(path)
    if not path.is_file():
        return Tables(problems=(error("not_found", path=path),))
    suffix = path.suffix.lower()
    if suffix == ".xls":
        return Tables(problems=(error("old_excel"),))
    if suffix not in {".xlsx", ".xlsm"}:
        return Tables(problems=(error("not_a_table_file"),))
    return read_workbook(path)
