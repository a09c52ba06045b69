"""The configuration: what an operator writes is understood, and what cannot be understood is said in plain words."""

import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from storage.obligations import DUE, ack_ladder
from storage.settings import (
    AckPolicy,
    EmailAckPolicy,
    Settings,
    SettingsError,
    build_settings,
    load_settings,
    parse_duration,
    parse_hours,
)

CONTRACT = (Path(__file__).parent / "data" / "contract.toml").read_text("utf-8")


def built(text: str = "", environment: dict[str, str] | None = None) -> Settings:
    return build_settings(tomllib.loads(text), environment or {}, Path("/srv/huibao"), "huibao.toml")


def refused(text: str = "", environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        built(text, environment)
    return str(caught.value)


def plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


# ---- the published example


def test_the_published_example_loads() -> None:
    settings = built(CONTRACT)
    assert settings.platforms == {"dingtalk", "wecom", "email"}


def test_every_key_of_the_published_example_arrives_where_it_belongs() -> None:
    def compare(written: dict[str, Any], read: Any, where: str) -> None:
        for key, value in written.items():
            got = getattr(read, key)
            if isinstance(value, dict):
                compare(value, got, f"{where}.{key}")
            elif isinstance(value, list):
                for one, other in zip(value, got, strict=True):
                    compare(one, other, f"{where}.{key}")
            elif isinstance(got, timedelta):
                assert got == parse_duration(value), f"{where}.{key}"
            else:
                assert str(plain(got)) == str(value), f"{where}.{key}"

    compare(tomllib.loads(CONTRACT), built(CONTRACT), "")


def test_every_value_may_come_from_the_environment() -> None:
    """All keys of the example outside lists, by environment alone."""

    def flat(table: dict[str, Any], prefix: str = "HUIBAO_") -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in table.items():
            name = f"{prefix}{key.upper()}"
            if isinstance(value, dict):
                found |= flat(value, f"{name}__")
            elif not isinstance(value, list):
                found[name] = str(value)
        return found

    example = tomllib.loads(CONTRACT)
    for section in ("dingtalk", "wecom"):
        del example[section]["webhooks"]
    from_environment = build_settings({}, flat(example), Path("/srv"), "test")
    assert from_environment == build_settings(example, {}, Path("/srv"), "test")


def test_an_empty_configuration_is_enough() -> None:
    settings = built()
    assert settings.platforms == frozenset()
    assert settings.timezone == "Asia/Shanghai"
    assert settings.policy.notice_ack.within == timedelta(minutes=10)
    assert settings.policy.email_ack.within == timedelta(hours=2)
    assert settings.policy.arrival.before_start == timedelta(minutes=60)
    assert settings.policy.checklist.before_start == timedelta(minutes=30)


# ---- the environment


def test_the_environment_wins_over_the_file() -> None:
    settings = built("[web]\nport = 80", {"HUIBAO_WEB__PORT": "8081", "HUIBAO_EMAIL__IMAP__HOST": "imap", "PATH": "/"})
    assert settings.web.port == 8081
    assert settings.email is not None
    assert settings.email.imap.host == "imap"


def test_a_value_where_a_section_stands_is_refused() -> None:
    assert "HUIBAO_TIMEZONE__NAME" in refused('timezone = "Asia/Shanghai"', {"HUIBAO_TIMEZONE__NAME": "x"})


# ---- mistakes


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[dingtalk]\nclient_secrt = ''", "'client_secret'"),
        ("[dingtlk]\nclient_id = ''", "'dingtalk'"),
        ("[policy.notice_ack]\nwithn = '5m'", "'within'"),
        ("[policy.notice_akc]\nwithin = '5m'", "'notice_ack'"),
        ("[email.imap]\npol_every = '5m'", "'poll_every'"),
        ("[[dingtalk.webhooks]]\nconversation_id = 'c'\nurl = 'u'\nsecre = 's'", "'secret'"),
        ("[wecom.aibot]\nbotid = ''", "'bot_id'"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(text: str, named: str) -> None:
    said = refused(text)
    assert "unknown name" in said
    assert named in said


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[web]\nport = 70000", "web.port"),
        ("[web]\nport = 'many'", "web.port"),
        ("[policy.notice_ack]\nwithin = 'soon'", "policy.notice_ack.within"),
        ("[policy.notice_ack]\nwithin = '0s'", "policy.notice_ack.within"),
        ("[policy.notice_ack]\nwithin = '-5m'", "policy.notice_ack.within"),
        ("timezone = 'Mars/Olympus'", "timezone"),
        ("[calendar]\noffice_hours = '9-12'", "calendar.office_hours"),
        ("[dingtalk]\nreceive = 'pigeon'", "dingtalk.receive"),
        ("[database]\nurl = 'mysql://x'", "database.url"),
    ],
)
def test_a_wrong_value_is_named_in_one_sentence(text: str, where: str) -> None:
    said = refused(text)
    assert said.startswith(f"huibao.toml: {where}: ")
    assert "\n" not in said


def test_all_mistakes_are_told_at_once() -> None:
    assert len(refused("[web]\nport = 70000\n[policy.notice_ack]\nwithin = 'soon'").splitlines()) == 2


def test_secrets_are_in_no_message_and_no_repr() -> None:
    secret = "s3cr3t-value"
    text = f"""
        [web]
        api_token = "{secret}"
        port = "{secret}"
        [database]
        url = "postgresql://user:{secret}@host/db"
        [dingtalk]
        client_secret = "{secret}"
        [[dingtalk.webhooks]]
        conversation_id = "c"
        url = "https://oapi.dingtalk.com/robot/send?access_token={secret}"
        secret = "{secret}"
        [wecom]
        agent_secret = "{secret}"
        [email.smtp]
        password = "{secret}"
    """
    assert secret not in refused(text)
    assert secret not in repr(built(text.replace(f'port = "{secret}"', "")))


def test_a_file_that_is_not_there_or_not_toml_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "none.toml", {})
    broken = tmp_path / "broken.toml"
    broken.write_text("[web\n", "utf-8")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(broken, {})
    broken.write_bytes("时区 = 1".encode("gbk"))
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(broken, {})


def test_a_byte_order_mark_as_windows_writes_it_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "huibao.toml"
    file.write_bytes(b"\xef\xbb\xbf[web]\r\nport = 9191\r\n")
    assert load_settings(file, {}).web.port == 9191


def test_what_the_environment_says_wrong_is_laid_at_its_door() -> None:
    wrong = {"HUIBAO_POLICY__NOTICE_ACK__WITHIN": "banana", "HUIBAO_DATABASE": "x", "HUIBAO_WEB__PROT": "1"}
    with pytest.raises(SettingsError) as refusal:
        built("[email]\nadress = 1", wrong)
    section, duration, name, file = sorted(str(refusal.value).splitlines())
    assert section == "HUIBAO_DATABASE: database: this is a section; write its keys below [database]"
    assert duration.startswith(
        "HUIBAO_POLICY__NOTICE_ACK__WITHIN: policy.notice_ack.within: 'banana' is not a duration"
    )
    assert name == "HUIBAO_WEB__PROT: web.prot: unknown name; did you mean 'port'?"
    assert file == "huibao.toml: email.adress: unknown name; did you mean 'address'?"


# ---- values


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1.5s", 1.5), ("1h30m", 5400), ("3d", 259200)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "ten minutes", "10m later", 10, None])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_hours() -> None:
    assert parse_hours("09:00-12:00, 13:30-17:30") == ((time(9), time(12)), (time(13, 30), time(17, 30)))
    assert parse_hours("") == ()
    with pytest.raises(ValueError, match="hours"):
        parse_hours("09:00")


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "huibao.toml"
    file.write_text('data_dir = "var"\n[database]\nurl = "sqlite:///var/x.db"', "utf-8")
    settings = load_settings(file, {})
    assert settings.data_path == tmp_path / "var"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/x.db"
    file.write_text("", "utf-8")
    assert load_settings(file, {}).database_url == f"sqlite:///{tmp_path}/data/huibao.db"


@pytest.mark.parametrize("url", ["sqlite:////abs/x.db", "postgresql://user:pass@host/db"])
def test_absolute_database_addresses_stay(url: str) -> None:
    assert built(f'[database]\nurl = "{url}"').database_url == url


# ---- ladders


def minutes(policy: AckPolicy) -> list[tuple[str, float]]:
    return [(rung.name, rung.after.total_seconds() / 60) for rung in ack_ladder(policy)]


def test_the_ladder_of_ten_minutes() -> None:
    policy = built("[policy.notice_ack]\nwithin = '10m'\nremind_before = '3m'").policy.notice_ack
    assert minutes(policy) == [
        ("backup", -5), ("nudge", -3), (DUE, 0), ("upper", 5), ("group", 10),
        ("repeat", 40), ("repeat", 70), ("repeat", 100), ("nobody", 130),
    ]  # fmt: skip


def test_within_alone_moves_the_whole_ladder() -> None:
    policy = built("[policy.fault_ack]\nwithin = '20m'").policy.fault_ack
    assert minutes(policy)[:5] == [("backup", -10), ("nudge", -3), (DUE, 0), ("upper", 5), ("group", 10)]


def test_a_very_short_within_keeps_its_order() -> None:
    policy = built("[policy.notice_ack]\nwithin = '10s'\nremind_before = '3m'").policy.notice_ack
    ladder = ack_ladder(policy)
    assert [rung.name for rung in ladder][:3] == ["backup", "nudge", DUE]
    assert all(rung.after > -policy.within for rung in ladder)


def test_mail_has_two_hours() -> None:
    assert EmailAckPolicy().within == timedelta(hours=2)


# ---- platforms that the console plays


def test_the_console_plays_platforms_without_their_servers() -> None:
    settings = built('[web]\nconsole = true\nconsole_platforms = ["wecom", "wecom"]')
    assert settings.web.console_platforms == ("wecom",)
    assert settings.platforms == {"web", "wecom"}
    assert settings.wecom is None
    by_environment = built("[web]\nconsole = true", {"HUIBAO_WEB__CONSOLE_PLATFORMS": "wecom, dingtalk"})
    assert by_environment.platforms == {"web", "wecom", "dingtalk"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[web]\nconsole = true\nconsole_platforms = ["wecom"]\n[wecom]\ncorp_id = "ww1"', ["wecom", "[wecom]"]),
        ('[web]\nconsole_platforms = ["wecom"]', ["web.console = true"]),
        ('[web]\nconsole = true\nconsole_platforms = ["fax"]', ["dingtalk", "wecom", "email"]),
        ("[web]\nconsole = true\nconsole_platforms = 3", ["tuple"]),
    ],
)
def test_what_the_console_cannot_play_is_refused(text: str, parts: list[str]) -> None:
    """A played platform beside a real one would answer people twice, once from each."""
    said = refused(text)
    assert "web.console_platforms" in said
    assert all(part in said for part in parts), said
    assert len(said.splitlines()) == 1
