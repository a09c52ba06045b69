"""What operators hand in is read, in both formats; what cannot be read is said in their words."""

from datetime import datetime
from pathlib import Path

import pytest

from storage.organisation import read_tables, validate
from storage.organisation.tables import BY_KEY, DEFAULT_ZONE, TABLES, parse_moment
from tests.organisation.builders import SAMPLE, folder, sample, workbook


def cells(path: Path) -> dict[str, list[dict[str, str]]]:
    tables = read_tables(path)
    assert [str(problem) for problem in tables.problems] == []
    return {key: [dict(row.cells) for row in rows] for key, rows in tables.rows.items()}


def test_both_formats_say_the_same(tmp_path: Path) -> None:
    assert cells(folder(tmp_path / "csv", SAMPLE)) == cells(workbook(tmp_path / "o.xlsx", SAMPLE))


@pytest.mark.parametrize("write", [folder, workbook])
def test_chinese_headings_and_keys_are_the_same(tmp_path: Path, write: type) -> None:
    chinese = sample()
    for key, rows in chinese.items():
        rows[0] = [BY_KEY[key].heading(name) + "*" for name in rows[0]]
    name = "o.xlsx" if write is workbook else "folder"
    assert cells(write(tmp_path / name, chinese)) == cells(folder(tmp_path / "keys", SAMPLE))


def test_chinese_choices_mean_the_keys(tmp_path: Path) -> None:
    sheets = sample()
    sheets["units"][1][3:6] = ["省", "", "运维"]
    sheets["people"][1][4] = "主管|工程师"
    tables = read_tables(folder(tmp_path, sheets))
    people, units = BY_KEY["people"], BY_KEY["units"]
    assert tables[units][0].choice(units.column("tier")) == "province"
    assert tables[people][0].choices(people.column("roles")) == ("supervisor", "engineer")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_with_or_without_a_mark(tmp_path: Path, encoding: str) -> None:
    assert cells(folder(tmp_path, SAMPLE, encoding))["units"][0]["name"] == "省运维部"


def test_gbk_is_named_and_the_way_out_told(tmp_path: Path) -> None:
    chinese = sample()
    for key, rows in chinese.items():
        rows[0] = [BY_KEY[key].heading(name) for name in rows[0]]
    problems = read_tables(folder(tmp_path, chinese, "gb18030")).problems
    assert len(problems) == 5
    assert all("GBK" in str(problem) and "CSV UTF-8" in str(problem) for problem in problems)


def test_numbers_and_dates_of_excel_are_read_as_shown(tmp_path: Path) -> None:
    sheets = sample()
    sheets["people"][1][5] = 13800000001
    moments = ("2026-11-24 07:59:59.999995", "2026-11-25 08:00")
    sheets["roster"][1][3:5] = [datetime.fromisoformat(moment) for moment in moments]
    tables = read_tables(workbook(tmp_path / "o.xlsx", sheets))
    assert validate(tables) == validate(read_tables(folder(tmp_path / "csv", SAMPLE)))
    assert tables[BY_KEY["people"]][0].text("phone") == "13800000001"
    starts = tables[BY_KEY["roster"]][0].moment("starts_at", DEFAULT_ZONE)
    assert starts == datetime(2026, 11, 24, 8, tzinfo=DEFAULT_ZONE)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    heading = "unit_id,name,aliases,tier,parent_id,track\r\n"
    text = heading + 'P,"省\n运维",,province,,operations\r\n\r\nQ,名,,nowhere,,operations\r\n'
    (tmp_path / "units.csv").write_text(text, encoding="utf-8", newline="")
    found = [(problem.line, problem.column) for problem in validate(read_tables(tmp_path))]
    assert found == [(2, "单位名称"), (5, "层级")]


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        (["unit_id", "naem", "tier", "track"], ["不认识表头“naem”，是不是“name”？", "缺少“单位名称”这一列。"]),
        (["unit_id", "name", "单位名称", "tier", "track"], ["表头“单位名称”出现了两次。"]),
        ([], ["第1行应是表头，但这张表是空的。"]),
    ],
)
def test_headings_that_are_wrong_are_named(tmp_path: Path, headings: list[str], said: list[str]) -> None:
    tables = read_tables(folder(tmp_path, {"units": [headings]}))
    assert [problem.why for problem in tables.problems] == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "找不到"),
        ("old.xls", "旧版"),
        ("notes.pdf", "认不出"),
        ("empty", "没有认得的表"),
        ("broken.xlsx", "打不开"),
    ],
)
def test_what_is_no_organisation_is_said_plainly(tmp_path: Path, name: str, said: str) -> None:
    if name == "empty":
        (tmp_path / name).mkdir()
    elif name != "nowhere":
        (tmp_path / name).write_bytes(b"PK\x03\x04 not really")
    (problem,) = read_tables(tmp_path / name).problems
    assert said in str(problem)


def test_a_sheet_nobody_knows_is_told_and_skipped(tmp_path: Path) -> None:
    tables = read_tables(workbook(tmp_path / "o.xlsx", {**SAMPLE, "草稿": [["随便"]]}))
    assert [(problem.severity, problem.why) for problem in tables.problems] == [
        ("warning", "不认识工作表“草稿”，已跳过。")
    ]
    assert len(tables.rows) == len(TABLES)


@pytest.mark.parametrize(
    ("text", "hour", "day"),
    [
        ("2026-11-24 08:00", 8, 24),
        ("2026/11/24 8:00", 8, 24),
        ("2026年11月24日8点", 8, 24),
        ("2026-11-24T08:00:00+08:00", 8, 24),
        ("2026-11-24T00:00:00Z", 8, 24),
        ("2026-11-24 24:00", 0, 25),
    ],
)
def test_moments_in_usual_spellings(text: str, hour: int, day: int) -> None:
    assert parse_moment(text, DEFAULT_ZONE) == datetime(2026, 11, day, hour, tzinfo=DEFAULT_ZONE)


@pytest.mark.parametrize("text", ["", "明天", "2026-11-24", "2026-13-01 08:00", "2026-11-24 25:00", "9999-12-31 24:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    assert parse_moment(text, DEFAULT_ZONE) is None
