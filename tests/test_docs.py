"""The documents say what the product does: links lead somewhere, the table of rights is the real one."""

import re
import tomllib
from pathlib import Path

import pytest

from storage.organisation.tables import PEOPLE, TABLES, choice_names

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
RELATIONS = {"own": "本单位", "above": "辖区", "serving": "代管", "self": "本人的事", "any": "全部"}
RIGHTS: dict[str, list[str]] = tomllib.loads((ROOT / "workflows/authority.toml").read_text("utf-8"))["rights"]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in DOCUMENTS])
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def cell(rules: list[str]) -> str:
    """How a right is written in the table."""
    roles: dict[str, list[str]] = {}
    for rule in rules:
        role, _, relation = rule.partition("@")
        roles.setdefault(RELATIONS[relation], []).append(choice_names(PEOPLE.column("roles"))[role][0])
    return "；".join(f"{relation}：{'、'.join(names)}" for relation, names in roles.items())


def test_the_table_of_rights_is_the_real_one() -> None:
    text = (ROOT / "docs/权限表.md").read_text("utf-8")
    written = dict(re.findall(r"^\| [^|`]+`([a-z_]+\.[a-z_]+)` \| (.+) \|$", text, re.MULTILINE))
    assert written == {right: cell(rules) for right, rules in RIGHTS.items()}


def test_every_column_of_the_organisation_is_explained() -> None:
    text = (ROOT / "docs/组织数据导入.md").read_text("utf-8")
    for table in TABLES:
        section = text.split(f"### {table.title}（{table.key}）")[1].split("\n#")[0]
        for column in table.columns:
            mark = "*" if column.required else ""
            assert f"| {table.heading(column.key)}{mark} | {column.key} |" in section


def test_both_readmes_name_the_same_commands() -> None:
    chinese, english = (
        set(re.findall(r"`bot\.py (\w+)", (ROOT / name).read_text("utf-8")))
        for name in ("README.zh-CN.md", "README.md")
    )
    assert chinese == english >= {"demo", "serve", "check", "template", "import", "understand", "times", "audit"}
