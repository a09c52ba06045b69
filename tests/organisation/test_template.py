"""The empty workbook explains itself, and what is filled in comes back."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from storage.organisation import read_tables, validate, write_template
from storage.organisation.tables import TABLES, UNITS
from tests.organisation.builders import SAMPLE


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "organisation.xlsx"
    write_template(path)
    return path


def test_every_table_has_a_sheet_with_headings_and_one_example(template: Path) -> None:
    book = load_workbook(template)
    assert book.sheetnames == ["说明", "单位", "人员", "分会场", "群", "值班"]
    for table in TABLES:
        sheet = book[table.title]
        headings = [cell.value.rstrip("*") for cell in sheet[1]]
        assert headings == [table.heading(column.key) for column in table.columns]
        assert sheet.max_row == 2
        assert sheet["A2"].value.startswith("示例")


def test_columns_with_a_choice_have_a_list(template: Path) -> None:
    book = load_workbook(template)
    lists = {
        title: [rule.formula1 for rule in book[title].data_validations.dataValidation] for title in book.sheetnames
    }
    assert lists["单位"] == ['"省,地市,县区,乡镇"', '"运维,客户"']
    assert lists["群"] == ['"钉钉,企业微信,网页"', '"保障,主管,客户,客户条线"']
    assert lists["值班"] == ['"主班,备班"']


def test_headings_carry_notes(template: Path) -> None:
    sheet = load_workbook(template)["人员"]
    notes = {cell.value: cell.comment.text for cell in sheet[1] if cell.comment}
    assert "userId" in notes["钉钉账号"]


def test_the_examples_are_not_imported_and_nothing_is_wrong(template: Path) -> None:
    tables = read_tables(template)
    assert all(tables[table] == () for table in TABLES)
    assert [(problem.severity, "没有可导入的数据" in problem.why) for problem in validate(tables)] == [
        ("warning", True)
    ]


def test_the_examples_would_be_good_rows(template: Path) -> None:
    """An operator copies the example: then it must pass."""
    book = load_workbook(template)
    for table in TABLES:
        for cell in book[table.title][2]:
            cell.value = str(cell.value or "").replace("示例-", "")
    book.save(template)
    assert [str(problem) for problem in validate(read_tables(template)) if problem.severity == "error"] == []


def test_what_is_filled_in_comes_back(template: Path) -> None:
    book = load_workbook(template)
    for row in SAMPLE["units"][1:]:
        book["单位"].append(row)
    book.save(template)
    assert [row.text("unit_id") for row in read_tables(template)[UNITS]] == ["P", "PC", "C1", "X1"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.xlsx"):
        write_template(tmp_path / "organisation.csv")
    assert not list(tmp_path.iterdir())


def test_what_somebody_has_filled_in_is_never_overwritten(template: Path) -> None:
    write_template(template)
    book = load_workbook(template)
    book[UNITS.title].append(SAMPLE["units"][1])
    book.save(template)
    with pytest.raises(ValueError, match="不会覆盖"):
        write_template(template)
    assert [row.text("unit_id") for row in read_tables(template)[UNITS]] == ["P"]
