"""The commands as scripts use them: exit codes, and one plain sentence on standard error instead of a traceback."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.organisation.sample import SAMPLE
from tests.acceptance.process import command

BARE = "[web]\nport = 0\n"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "huibao.toml"
    path.write_text(BARE, "utf-8")
    return str(path)


async def test_bad_usage_and_bad_input_exit_2_with_a_sentence(tmp_path: Path, config: str) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[web]\nprot = 1\n[policy.notice_ack]\nwithin = "soon"\n', "utf-8")
    for words, part in [
        (("serve", "--config", str(tmp_path / "none.toml")), "none.toml"),
        (("check", "--config", str(wrong)), "'port'"),
        (("check", "--config", str(wrong)), "within"),
        (("import", str(tmp_path / "none.xlsx"), "--config", config), ""),
        (("template", str(tmp_path / "no" / "such" / "folder.xlsx")), "folder.xlsx"),
        (("nonsense",), "nonsense"),
    ]:
        code, _, err = await command(*words)
        assert code == 2, (words, err)
        assert part in err
        assert "Traceback" not in err


async def test_a_data_directory_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be", "utf-8")
    config = tmp_path / "huibao.toml"
    config.write_text(BARE, "utf-8")
    for words in (("serve",), ("check",), ("audit", "verify"), ("import", str(SAMPLE))):
        code, _, err = await command(*words, "--config", str(config))
        assert (code, err.count("\n")) == (1, 1), (words, err)
        assert "数据目录" in err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://huibao:hidden-word@127.0.0.1:1/huibao", "数据库打不开（"),
        ("sqlite:///broken.db", "数据库打不开（file is not a database）"),
        ("sqlite:///newer.db", "另一个版本"),
    ],
)
async def test_a_database_that_cannot_be_used_is_one_line_of_check_and_one_sentence_elsewhere(
    tmp_path: Path, url: str, said: str
) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 100)
    with closing(sqlite3.connect(tmp_path / "newer.db")) as newer, newer:
        newer.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        newer.execute("INSERT INTO alembic_version VALUES ('9999')")
    config = tmp_path / "huibao.toml"
    config.write_text(f'{BARE}[database]\nurl = "{url}"\n', "utf-8")
    code, out, err = await command("check", "--config", str(config))
    assert (code, err) == (1, "")
    assert [line for line in out.splitlines() if line.startswith("数据库: fail: ") and said in line], out
    assert "外部助手（llm）: ok" in out
    code, _, err = await command("audit", "verify", "--config", str(config))
    assert (code, err.count("\n")) == (1, 1), err
    assert said in err
    assert "hidden-word" not in out + err


async def test_a_template_is_filled_in_checked_and_imported_twice(tmp_path: Path, config: str) -> None:
    book = tmp_path / "organisation.xlsx"
    assert (await command("template", str(book)))[0] == 0
    assert book.stat().st_size > 5000
    for more in (["--dry-run"], [], []):
        code, out, err = await command("import", str(SAMPLE), "--config", config, *more)
        assert code == 0, err
    assert "未变 10" in out


async def test_a_bad_row_is_named_and_nothing_is_written(tmp_path: Path, config: str) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    for file in SAMPLE.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "people.csv").open("a", encoding="utf-8") as people:
        people.write("zhang,张三,工,NOWHERE,engineer,,,,\n")
    code, _, err = await command("import", str(folder), "--config", config)
    assert code == 2
    assert "NOWHERE" in err
    assert "什么也没有写入" in err


async def test_check_says_ok_where_all_is_well(config: str) -> None:
    code, out, _ = await command("check", "--config", config)
    assert code == 0
    assert "数据库: ok" in out
    assert "外部助手（llm）: ok 未启用" in out


async def test_understand_and_times_answer_line_by_line() -> None:
    lines = [
        json.dumps({"id": "1", "text": "三楼会议室没声音了", "role": "client", "chat": "group"}, ensure_ascii=False),
        "{broken",
        json.dumps({"id": "2", "text": "谢谢"}, ensure_ascii=False),
    ]
    code, out, _ = await command("understand", stdin="\n".join(lines).encode())
    first, broken, last = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert (first["id"], first["intent"], "error" in broken, last["act"]) == ("1", "fault.report", True, "ignore")
    _, marked, _ = await command("understand", stdin=b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert marked == out
    asked = json.dumps({"id": "t", "text": "明早九点", "now": "2026-11-24T15:00:00+08:00"}, ensure_ascii=False)
    code, out, _ = await command("times", stdin=asked.encode())
    assert json.loads(out)["times"][0]["start"] == "2026-11-25T09:00:00+08:00"


async def test_a_mailbox_without_servers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mail.toml"
    path.write_text(f'{BARE}[email]\naddress = "bot@example.org"\n', "utf-8")
    code, out, _ = await command("check", "--config", str(path))
    assert code == 1
    assert "发信（SMTP）: fail: 没有填写 [email.smtp] host" in out
    assert "收信（IMAP）: fail: 没有填写 [email.imap] host" in out
    assert "trusted_authserv" in out
