"""Small organisations to import, written the way operators write them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

Sheets = Mapping[str, Sequence[Sequence[Any]]]

SAMPLE: dict[str, list[list[Any]]] = {
    "units": [
        ["unit_id", "name", "aliases", "tier", "parent_id", "track"],
        ["P", "省运维部", "省", "province", "", "operations"],
        ["PC", "省集客部", "", "province", "P", "customer"],
        ["C1", "临河市网络运行部", "临河市|临河", "city", "P", "operations"],
        ["X1", "临河县技术维护部", "", "county", "C1", "operations"],
    ],
    "people": [
        ["person_id", "name", "title", "unit_id", "roles", "phone", "email", "dingtalk_id", "wecom_id"],
        ["w", "王建", "主任", "C1", "supervisor|engineer", "13800000001", "w@example.org", "dw", ""],
        ["l", "李强", "工", "X1", "engineer", "13800000002", "", "dl1|dl2", "wl"],
        ["z", "张敏", "", "PC", "coordinator", "", "Z@Example.org", "", ""],
    ],
    "sites": [
        ["site_id", "name", "aliases", "unit_id", "systems"],
        ["S1", "临河县水利局三楼会议室", "三楼会议室|水利局", "X1", "water|emergency"],
        ["S2", "临河市政府一号会议室", "", "C1", "gov"],
    ],
    "groups": [
        ["group_id", "platform", "conversation_id", "name", "unit_id", "purpose"],
        ["G1", "dingtalk", "cidA==", "临河保障群", "C1", "support"],
        ["G2", "dingtalk", "cidB==", "主管群", "P", "supervisors"],
    ],
    "roster": [
        ["unit_id", "person_id", "duty", "starts_at", "ends_at"],
        ["X1", "l", "primary", "2026-11-24 08:00", "2026-11-25 08:00"],
        ["C1", "w", "backup", "2026-11-24T08:00:00+08:00", "2026-11-24 24:00"],
    ],
}
TITLES = {"units": "单位", "people": "人员", "sites": "分会场", "groups": "群", "roster": "值班"}


def sample() -> dict[str, list[list[Any]]]:
    """A copy to spoil."""
    return {name: [list(row) for row in rows] for name, rows in SAMPLE.items()}


def folder(path: Path, sheets: Sheets, encoding: str = "utf-8") -> Path:
    """Write the tables as CSV files."""
    path.mkdir(parents=True, exist_ok=True)
    for name, rows in sheets.items():
        with (path / f"{name}.csv").open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(rows)
    return path


def workbook(path: Path, sheets: Sheets) -> Path:
    """Write the tables as a workbook with Chinese sheet names."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(TITLES.get(name, name))
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path
