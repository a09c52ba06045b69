"""Writes the empty organisation workbook: headings, notes, drop-down lists, one example row per sheet."""

from pathlib import Path
from typing import Any

from storage.organisation.tables import TABLES, Column, Table, choice_names, why, words
from storage.organisation.workbook import read_workbook

ROWS_WITH_LISTS = 5000
NARROWEST, WIDEST = 12, 32


def write_template(path: Path) -> None:
    """Write the workbook to ``path``, over an older empty one.

    OSError when it cannot be written; ValueError when it is no .xlsx or somebody has already filled it in.
    """
    from openpyxl import Workbook

    if path.suffix.lower() != ".xlsx":
        raise ValueError(why("template_suffix"))
    if path.is_file() and any(read_workbook(path).rows.values()):
        raise ValueError(why("template_filled"))

    book = Workbook()
    book.remove(book.active)
    _guide(book.create_sheet(words()["guide_title"]))
    for table in TABLES:
        _sheet(book.create_sheet(table.title), table)
    book.active = 1
    book.save(path)


def _guide(sheet: Any) -> None:
    from openpyxl.styles import Alignment

    sheet.column_dimensions["A"].width = 100
    for line, text in enumerate(words()["guide"], start=1):
        sheet.cell(line, 1, text).alignment = Alignment(wrap_text=True, vertical="top")


def _sheet(sheet: Any, table: Table) -> None:
    for place, column in enumerate(table.columns, start=1):
        _heading(sheet.cell(1, place), table, column)
        _example(sheet.cell(2, place), table, column)
        _list(sheet, place, column)
        letter = sheet.cell(1, place).column_letter
        sheet.column_dimensions[letter].width = WIDEST if column.many or column.key == "name" else NARROWEST + 8
        if column.kind != "text":
            _as_text(sheet, place)
    sheet.freeze_panes = "A2"


def _heading(cell: Any, table: Table, column: Column) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill

    cell.value = table.heading(column.key) + ("*" if column.required else "")
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="DDEBF7")
    note = words()["tables"][table.key]["columns"][column.key]["note"]
    if note:
        cell.comment = Comment(note, words()["guide_title"], width=280, height=90)


def _example(cell: Any, table: Table, column: Column) -> None:
    from openpyxl.styles import Font

    cell.value = words()["tables"][table.key]["columns"][column.key]["example"]
    cell.font = Font(italic=True, color="808080")


def _list(sheet: Any, place: int, column: Column) -> None:
    """A drop-down for columns with a closed choice of one."""
    from openpyxl.worksheet.datavalidation import DataValidation

    if not column.choices or column.many or column.open:
        return
    names = ",".join(shown[0] for shown in choice_names(column).values())
    rule = DataValidation(type="list", formula1=f'"{names}"', allow_blank=not column.required)
    rule.showErrorMessage = True
    letter = sheet.cell(1, place).column_letter
    rule.add(f"{letter}2:{letter}{ROWS_WITH_LISTS}")
    sheet.add_data_validation(rule)


def _as_text(sheet: Any, place: int) -> None:
    """Numbers typed into these cells stay as typed: no 1.38E+10 for a phone, no lost leading zero."""
    letter = sheet.cell(1, place).column_letter
    sheet.column_dimensions[letter].number_format = "@"
    sheet.cell(2, place).number_format = "@"
