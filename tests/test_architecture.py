"""The shape of the house: who may import whom, where sentences live, who may look at the clock."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("adapters", "intents", "storage", "workflows")
MAY_IMPORT = {
    "adapters": {"adapters", "intents", "storage"},
    "workflows": {"workflows", "intents", "storage"},
    "intents": {"intents"},
    "storage": {"storage"},
    "bot": {"adapters", "intents", "storage", "workflows"},
}
CLOCK_READS = {
    "asyncio.sleep",
    "date.today",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.now",
    "datetime.utcnow",
    "time.sleep",
    "time.time",
}
CJK = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = 6  # this many Chinese characters in one string are words for a user, not a label
LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def product_files() -> list[Path]:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted([ROOT / "bot.py", *files])


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FILES = [pytest.param(path, id=name(path)) for path in product_files()]


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every absolute import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def docstrings(tree: ast.AST) -> set[int]:
    """Identities of strings that stand alone as a statement: docstrings, also those under attributes."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


@pytest.mark.parametrize("path", FILES)
def test_imports_point_down_only(path: Path) -> None:
    ours = {*PACKAGES, "bot", "tests"}
    allowed = MAY_IMPORT[package_of(path)]
    found = imported(ast.parse(path.read_text("utf-8")))
    wrong = [f"{name(path)}:{line} imports {top}" for line, top in found if top in ours and top not in allowed]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", FILES)
def test_relative_imports_stay_inside_their_package(path: Path) -> None:
    depth = len(path.relative_to(ROOT).parts) - 1
    tree = ast.parse(path.read_text("utf-8"))
    wrong = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level > depth]
    assert not wrong, f"{name(path)}: lines {wrong}"


@pytest.mark.parametrize("path", FILES)
def test_sentences_a_user_reads_live_in_data_files(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    exempt = docstrings(tree)
    wrong = [
        f"{name(path)}:{node.lineno} {node.value[:24]!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in exempt
        and len(CJK.findall(node.value)) >= SENTENCE
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", [param for param in FILES if param.id != "storage/clock.py"])
def test_nobody_but_the_clock_looks_at_the_clock(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    wrong = [f"{name(path)}:{call.lineno} {ast.unparse(call.func)}" for call in calls if is_clock_read(call)]
    assert not wrong, "\n".join(wrong)


def is_clock_read(call: ast.Call) -> bool:
    return ast.unparse(call.func) in CLOCK_READS


@pytest.mark.parametrize("path", [param for param in FILES if "/migrations/versions/" not in str(param.id)])
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= LONGEST_FILE, f"{name(path)} has one idea too many"
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION]
    assert not long, f"{name(path)}: {long}"


def test_no_mocks() -> None:
    mock_import = re.compile(r"^\s*(from|import) unittest\.mock", re.MULTILINE)
    files = sorted((ROOT / "tests").rglob("*.py"))
    users = [name(path) for path in files if mock_import.search(path.read_text("utf-8"))]
    assert not users


@pytest.mark.parametrize(
    "needed",
    [
        "bot.py",
        "adapters",
        "intents",
        "workflows",
        "storage",
        "tests",
        "deploy",
        "docs",
        "pyproject.toml",
        "Makefile",
        "requirements.lock",
        ".ci/run",
        "README.md",
        "README.zh-CN.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
    ],
)
def test_the_top_level_is_where_people_look(needed: str) -> None:
    assert (ROOT / needed).exists()


def test_the_lock_names_no_address_and_pins_every_package() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("-")]
    pinned = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert pinned
    assert all(re.match(r"[a-z0-9][a-z0-9._-]*==\S+( ; .*)? \\$", line) for line in pinned)
