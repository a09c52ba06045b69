"""The organisation as tables: who is who, which site is whose, who is on duty.

``read_tables(path)`` reads a workbook or a folder of CSV files, ``validate(tables)`` says what is wrong with it,
``import_tables(database, tables, now)`` brings the database in step, ``write_template(path)`` makes an empty workbook.
"""

from storage.organisation.load import Counts, ImportResult, import_tables
from storage.organisation.read import read_tables
from storage.organisation.tables import Problem, Tables
from storage.organisation.template import write_template
from storage.organisation.validate import validate

__all__ = [
    "Counts",
    "ImportResult",
    "Problem",
    "Tables",
    "import_tables",
    "read_tables",
    "validate",
    "write_template",
]
