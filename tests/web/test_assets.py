"""Vendored files are the ones that were noted, and every word a template asks for exists."""

import hashlib
import re
from pathlib import Path

import adapters.web
from adapters.web.board import rung_label
from adapters.web.words import words

FOLDER = Path(adapters.web.__file__).parent
NOTED = re.compile(r"\| `(vendor/\S+)` \|.*`([0-9a-f]{64})` \|")


def test_vendored_files_are_unchanged_and_their_licences_lie_beside_them() -> None:
    noted = dict(NOTED.findall((FOLDER / "static/VENDORED.md").read_text("utf-8")))
    files = {f"vendor/{path.name}" for path in (FOLDER / "static/vendor").iterdir() if "LICENSE" not in path.name}
    assert set(noted) == files
    for name, digest in noted.items():
        assert hashlib.sha256((FOLDER / "static" / name).read_bytes()).hexdigest() == digest, name
    assert len(list((FOLDER / "static/vendor").glob("LICENSE.*"))) == len(noted)


def test_templates_hold_no_words_of_their_own() -> None:
    for path in (FOLDER / "templates").glob("*.html"):
        assert not re.findall(r"[\u4e00-\u9fff]", path.read_text("utf-8")), path.name


def test_every_word_a_template_asks_for_exists() -> None:
    table = words()
    for path in (FOLDER / "templates").glob("*.html"):
        for section, key in re.findall(r"\bw\.(\w+)(?:\.(\w+))?", path.read_text("utf-8")):
            assert section in table, f"{path.name}: {section}"
            if key:
                assert key in table[section], f"{path.name}: {section}.{key}"


def test_rungs_are_named_for_what_happens_then() -> None:
    assert rung_label("fault_ack", "due") == "找主管"
    assert rung_label("progress", "due") == "告诉报障人"
    assert rung_label("progress", "a rung of a later version") == "找下一个人"


def test_every_code_of_the_contract_has_a_word() -> None:
    table = words()
    kinds = "notice_ack arrival checklist fault_ack promise progress onsite restore fault_report observation survey"
    faults = "open accepted resolved observing closed cancelled"
    rungs = "backup nudge due upper group repeat nobody"
    for section, codes in (("kind", kinds), ("fault_state", faults), ("rung", rungs), ("purpose", "client support")):
        assert set(codes.split()) <= set(table[section]), section
