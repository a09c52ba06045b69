"""Each bad row is named with sheet, row, column and why; surprises are warned about."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.organisation import Problem, read_tables, validate
from storage.organisation.sample import SAMPLE as SAMPLE_FOLDER
from storage.organisation.validate import Known
from tests.organisation.builders import folder, sample

Sheets = dict[str, list[list[Any]]]


def problems(tmp_path: Path, sheets: Sheets) -> list[Problem]:
    return validate(read_tables(folder(tmp_path, sheets)))


def test_a_good_organisation_has_only_advice(tmp_path: Path) -> None:
    found = problems(tmp_path, sample())
    assert [str(problem) for problem in found if problem.severity == "error"] == []
    assert [str(problem) for problem in found] == ["提醒：单位 第2行：没有工程师，上级也没有，通知和故障会没有人接。"]


def put(table: str, line: int, column: str, value: str) -> Callable[[Sheets], None]:
    def spoil(sheets: Sheets) -> None:
        sheets[table][line - 1][sheets[table][0].index(column)] = value

    return spoil


def test_a_stray_cell_in_one_row_hides_nothing_that_is_wrong_in_others(tmp_path: Path) -> None:
    sheets = sample()
    sheets["people"][1].append("多出来的")
    sheets["people"][2][3] = "NOWHERE"
    sheets["roster"][1][4] = "2026-11-23 08:00"
    found = [str(problem) for problem in problems(tmp_path, sheets)]
    assert [words.split("：")[0] for words in found] == [
        "人员 第2行",
        "人员 第3行「所属单位编号」",
        "值班 第2行「结束时间」",
    ]


def test_references_to_a_table_that_cannot_be_read_are_left_alone_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    sheets = sample()
    sheets["units"][0][1] = "nmae"
    sheets["roster"][1][1] = "nobody"
    sheets["roster"][2][4] = "2026-11-23 08:00"
    found = [str(problem) for problem in problems(tmp_path, sheets)]
    assert [words.split("：")[0] for words in found] == [
        "单位 第1行", "单位 第1行", "值班 第2行「人员编号」", "值班 第3行「结束时间」",
    ]  # fmt: skip


def add(table: str, *row: str) -> Callable[[Sheets], None]:
    return lambda sheets: sheets[table].append(list(row))


def circle(sheets: Sheets) -> None:
    sheets["units"] += [[f"K{n}", "某处", "", "county", f"K{3 - n}", "operations"] for n in (1, 2)]


def without_engineer(sheets: Sheets) -> None:
    put("people", 3, "roles", "client")(sheets)
    del sheets["roster"][1]


ERRORS = [
    (add("units", "", "某处", "", "city", "P", "operations"), "单位 第6行「单位编号」：必须填写。"),
    (
        add("units", "a b", "某处", "", "city", "P", "operations"),
        "单位 第6行「单位编号」：编号里不能有空格、竖线或逗号：“a b”。",
    ),
    (put("units", 3, "tier", "国家"), "单位 第3行「层级」：“国家”不在可选范围：省、地市、县区、乡镇。"),
    (put("units", 3, "track", "operations|customer"), "单位 第3行「条线」：只能填一个，不能用 | 填多个。"),
    (put("units", 4, "parent_id", "C1"), "单位 第4行「上级单位编号」：上级不能是自己。"),
    (put("units", 4, "parent_id", "none"), "单位 第4行「上级单位编号」：单位表里没有“none”。"),
    (circle, "单位 第6行「上级单位编号」：上级关系绕成了圈：K1 → K2 → K1。"),
    (
        put("units", 4, "parent_id", "PC"),
        "单位 第4行「上级单位编号」：运维单位的上级必须也是运维单位，“省集客部”是客户单位。",
    ),
    (put("units", 4, "tier", "township"), "单位 第5行「上级单位编号」：上级“临河市网络运行部”的层级比本单位还低。"),
    (
        put("units", 3, "parent_id", "C1"),
        "单位 第3行「上级单位编号」：客户单位的上级应是同级的运维单位，“临河市网络运行部”不是。",
    ),
    (add("units", "P", "又一个", "", "city", "", "operations"), "单位 第6行「单位编号」：“P”与第2行重复。"),
    (put("people", 2, "roles", "engineer|king"), "人员 第2行「角色」：“king”不在可选范围："),
    (put("people", 2, "roles", "|"), "人员 第2行「角色」：必须填写。"),
    (put("people", 2, "phone", "138"), "人员 第2行「手机」：不像电话号码，请填11位手机号或带区号的座机号。"),
    (put("people", 2, "email", "wang"), "人员 第2行「邮箱」：“wang”不像邮箱地址。"),
    (put("people", 2, "unit_id", "?"), "人员 第2行「所属单位编号」：单位表里没有“?”。"),
    (
        put("people", 3, "dingtalk_id", "x|dw"),
        "人员 第3行「钉钉账号」：“dw”已属于第2行的人员，一个账号只能属于一个人。",
    ),
    (put("people", 2, "name", "#N/A"), "人员 第2行「姓名」：Excel 公式出错（#N/A），请改成实际内容。"),
    (put("people", 2, "name", "王\x07建"), "人员 第2行「姓名」：含有看不见的控制字符，请重新输入。"),
    (put("people", 2, "name", "王" * 501), "人员 第2行「姓名」：内容太长（超过 500 个字）。"),
    (put("sites", 2, "unit_id", "?"), "分会场 第2行「保障单位编号」：单位表里没有“?”。"),
    (put("groups", 2, "platform", "飞书"), "群 第2行「平台」：“飞书”不在可选范围：钉钉、企业微信、网页。"),
    (
        put("groups", 3, "conversation_id", "cidA=="),
        "群 第3行「会话ID」：这个会话已登记为第2行的群，一个会话只能登记一次。",
    ),
    (put("groups", 2, "purpose", "chat"), "群 第2行「用途」："),
    (put("roster", 2, "person_id", "?"), "值班 第2行「人员编号」：人员表里没有“?”。"),
    (put("roster", 2, "starts_at", "明天"), "值班 第2行「开始时间」：“明天”不像时间，请写成 2026-11-24 08:00。"),
    (put("roster", 2, "ends_at", "2026-11-24 08:00"), "值班 第2行「结束时间」：结束时间必须晚于开始时间。"),
    (
        add("roster", "X1", "l", "backup", "2026-11-25 07:00", "2026-11-25 09:00"),
        "值班 第4行「开始时间」：与第2行是同一个人，时间重叠。",
    ),
    (
        lambda sheets: sheets["sites"][1].append("多了"),
        "分会场 第2行：这一行比表头多出内容“多了”，请检查是否少了引号或多了逗号。",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), ERRORS, ids=[said for _, said in ERRORS])
def test_a_bad_row_is_named(tmp_path: Path, spoil: Callable[[Sheets], None], said: str) -> None:
    sheets = sample()
    spoil(sheets)
    found = [str(problem) for problem in problems(tmp_path, sheets) if problem.severity == "error"]
    assert len(found) == 1, found
    assert found[0].startswith(said)


def test_every_bad_row_is_listed_in_the_order_of_the_sheets(tmp_path: Path) -> None:
    sheets = sample()
    for spoil in (put("sites", 3, "name", ""), put("units", 5, "tier", "?"), put("sites", 2, "unit_id", "?")):
        spoil(sheets)
    found = [(problem.table, problem.line) for problem in problems(tmp_path, sheets)]
    assert found == [("单位", 5), ("分会场", 2), ("分会场", 3)]


ADVICE = [
    (without_engineer, "单位 第5行：没有工程师，通知和故障将交给上级单位“临河市网络运行部”。"),
    (lambda sheets: sheets["roster"].pop(), "单位 第4行：值班表里没有这个单位的班，将按全体工程师都在岗处理。"),
    (
        lambda sheets: sheets["roster"].__delitem__(slice(1, None)),
        "值班：值班表是空的：所有单位都按全体工程师在岗处理。",
    ),
    (put("units", 4, "parent_id", ""), "单位 第4行「上级单位编号」：没有上级单位：升级到这里就到头了。"),
    (put("roster", 2, "person_id", "z"), "值班 第2行「人员编号」：值班人员“z”没有工程师角色。"),
    (put("people", 2, "dingtalk_id", ""), None),
    (put("people", 4, "email", ""), "人员 第4行：没有钉钉、企业微信账号，也没有邮箱，收不到个人消息。"),
    (
        add("sites", "S3", "临河市政府一号会议室", "", "C1", ""),
        "分会场 第4行「会场名称」：同一单位下有同名会场（第3行）",
    ),
    (lambda sheets: sheets.pop("groups"), "群：文件里没有这张表，保持原样。"),
]


@pytest.mark.parametrize(("change", "said"), ADVICE, ids=[str(said) for _, said in ADVICE])
def test_what_will_surprise_is_warned_about(tmp_path: Path, change: Callable[[Sheets], None], said: str | None) -> None:
    sheets = sample()
    change(sheets)
    found = problems(tmp_path, sheets)
    assert {problem.severity for problem in found} <= {"warning"}
    usual = "提醒：单位 第2行：没有工程师，上级也没有"
    new = [str(problem).removeprefix("提醒：") for problem in found if not str(problem).startswith(usual)]
    assert [text[: len(said)] for text in new] == [said] if said else not new


def test_a_roster_alone_is_held_against_what_is_known(tmp_path: Path) -> None:
    tables = read_tables(folder(tmp_path, {"roster": sample()["roster"]}))
    unknown = validate(tables, Known(frozenset({"X1"}), frozenset({"l"})))
    assert [str(problem) for problem in unknown] == [
        "值班 第3行「单位编号」：单位表里没有“C1”。",
        "值班 第3行「人员编号」：人员表里没有“w”。",
    ]
    assert not [problem for problem in validate(tables) if problem.severity == "error"]


def test_a_long_chain_of_parents_is_walked_once(tmp_path: Path) -> None:
    sheets = sample()
    rows = [[f"U{n}", "单位", "", "township", f"U{n + 1}", "operations"] for n in range(3000)]
    sheets["units"] += [*rows, ["U3000", "单位", "", "township", "U1500", "operations"]]
    found = [problem for problem in problems(tmp_path, sheets) if problem.severity == "error"]
    assert [(problem.table, problem.line) for problem in found] == [("单位", 1506)]


def test_the_sample_that_the_demo_shows_is_faultless() -> None:
    assert [str(problem) for problem in validate(read_tables(SAMPLE_FOLDER)) if problem.severity == "error"] == []
