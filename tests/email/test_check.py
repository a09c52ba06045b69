"""What an operator is told about mail: by ``check``, and while it runs."""

import asyncio
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.email.adapter import EmailAdapter
from adapters.email.secret import NAME, load_secret
from storage.clock import ManualClock
from storage.database import Database
from storage.ports import CheckLine
from storage.settings import SettingsError, build_settings
from storage.work import Ground
from tests.email.letters import BOT, SECRET
from tests.scenario import START
from tests.simulators.email.certificates import authority
from tests.simulators.email.imap import PASSWORD, USER, imap_server
from tests.simulators.email.smtp import smtp_server
from tests.storage.parts import until

SECTIONS = {"settings": 0, "smtp": 1, "imap": 2, "proof": 3, "links": 4}


@asynccontextmanager
async def adapter(
    folder: Path, email: dict[str, Any], *, public_url: str = "", context: ssl.SSLContext | None = None
) -> AsyncIterator[EmailAdapter]:
    settings = build_settings({"email": email}, {}, folder, "test")
    assert settings.email is not None
    database = Database(settings.database_url)
    made = EmailAdapter(
        settings.email,
        Ground(database, ManualClock(START), settings),
        SECRET,
        public_url=public_url,
        context=context,
    )
    try:
        yield made
    finally:
        await made.close()
        await database.close()


def server(port: int, **more: object) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": port, "tls": "none", **more}


async def lines(folder: Path, email: dict[str, Any], **more: Any) -> list[CheckLine]:
    async with adapter(folder, {"address": BOT, **email}, **more) as made:
        return await made.check()


async def test_everything_right_is_five_good_lines(tmp_path: Path) -> None:
    async with smtp_server(username="bot", password="secret") as smtp, imap_server() as imap:
        email = {
            "smtp": server(smtp.port, username="bot", password="secret"),
            "imap": server(imap.port, username=USER, password=PASSWORD, trusted_authserv="mx.example.org"),
        }
        found = await lines(tmp_path, email, public_url="https://huibao.example.org")
        assert [line.ok for line in found] == [True] * 5
        assert smtp.mails == []
        assert "mx.example.org" in found[SECTIONS["proof"]].detail


async def test_wrong_passwords_say_what_to_look_for_and_not_what_they_are(tmp_path: Path) -> None:
    async with smtp_server(username="bot", password="secret") as smtp, imap_server() as imap:
        email = {
            "smtp": server(smtp.port, username="bot", password="wrong-one"),
            "imap": server(imap.port, username=USER, password="wrong-one"),
        }
        found = await lines(tmp_path, email)
        for name in ("smtp", "imap"):
            line = found[SECTIONS[name]]
            assert not line.ok
            assert "授权码" in line.detail
            assert "wrong-one" not in line.detail


async def test_no_encryption_where_it_is_configured_fails(tmp_path: Path) -> None:
    async with smtp_server() as smtp, imap_server() as imap:
        email = {"smtp": server(smtp.port) | {"tls": "starttls"}, "imap": server(imap.port) | {"tls": "starttls"}}
        found = await lines(tmp_path, email, context=authority().client)
        for name in ("smtp", "imap"):
            assert not found[SECTIONS[name]].ok
            assert 'tls = "starttls"' in found[SECTIONS[name]].detail


async def test_a_certificate_that_is_not_theirs_fails(tmp_path: Path) -> None:
    async with smtp_server(context=authority().server) as smtp:
        found = await lines(tmp_path, {"smtp": server(smtp.port) | {"tls": "implicit"}})
        assert not found[SECTIONS["smtp"]].ok
        assert "证书要与 host 相符" in found[SECTIONS["smtp"]].detail


async def test_nobody_there(tmp_path: Path) -> None:
    async with smtp_server() as smtp:
        port = smtp.port
    found = await lines(tmp_path, {"smtp": server(port), "imap": server(port)})
    for name in ("smtp", "imap"):
        assert not found[SECTIONS[name]].ok
        assert f"连不上 127.0.0.1:{port}" in found[SECTIONS[name]].detail


async def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    found = await lines(tmp_path, {"address": "not an address"})
    assert [line.ok for line in found] == [False, False, False, True, True]
    assert "“not an address”不是可用的邮箱地址" in found[0].detail
    [missing, *_] = await lines(tmp_path, {"address": " "})
    assert "没有填写 [email] address" in missing.detail
    assert "不能证明发件人" in found[SECTIONS["proof"]].detail
    assert "public_url" in found[SECTIONS["links"]].detail


@pytest.mark.parametrize("host", ["smtp.example.org", "10.0.0.5", "127.0.0.1.example.org"])
def test_mail_in_the_clear_is_for_this_machine_alone(tmp_path: Path, host: str) -> None:
    for name in ("smtp", "imap"):
        with pytest.raises(SettingsError, match=f"email.{name}: .*this machine only"):
            build_settings({"email": {name: {"host": host, "tls": "none"}}}, {}, tmp_path, "test")
    for near in ("127.0.0.1", "::1", "localhost"):
        build_settings({"email": {"smtp": {"host": near, "tls": "none"}}}, {}, tmp_path, "test")


async def test_trouble_is_named_while_it_lasts_and_gone_when_it_is_mended(tmp_path: Path) -> None:
    async with smtp_server(username="bot", password="secret") as smtp, imap_server() as imap:
        smtp.password = "other"
        email = {
            "address": BOT,
            "smtp": server(smtp.port, username="bot", password="secret"),
            "imap": server(imap.port, username=USER, password=PASSWORD),
        }
        async with adapter(tmp_path, email) as made:
            looking = asyncio.create_task(made._look_for_server())
            await until(lambda: "拒绝登录" in made.trouble())
            assert not made.ever_connected()
            smtp.password = "secret"
            made._clock.advance(made._settings.imap.poll_every)  # type: ignore[attr-defined]
            async with asyncio.timeout(10):
                await looking
            assert "拒绝登录" not in made.trouble()


def test_the_secret_is_made_once_for_the_bot_alone(tmp_path: Path) -> None:
    made = load_secret(tmp_path / "data")
    assert load_secret(tmp_path / "data") == made
    assert len(made) == 32
    assert stat.S_IMODE((tmp_path / "data" / NAME).stat().st_mode) == 0o600
    assert load_secret(tmp_path / "other") != made
    assert [path.name for path in (tmp_path / "data").iterdir()] == [NAME]


def test_a_configured_secret_is_the_same_on_every_machine(tmp_path: Path) -> None:
    assert load_secret(tmp_path / "one", "long and invented") == load_secret(tmp_path / "two", "long and invented")
    assert load_secret(tmp_path / "one", "another") != load_secret(tmp_path / "one", "long and invented")
    assert not (tmp_path / "one").exists()


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("00ff", "ascii")
    with pytest.raises(OSError, match="damaged"):
        load_secret(tmp_path)
