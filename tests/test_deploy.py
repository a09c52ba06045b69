"""The examples that operators copy are true: every key in them is known, commented ones included."""

import re
import tomllib
from pathlib import Path

import pytest

from storage.settings import SettingsError, build_settings

DEPLOY = Path(__file__).parent.parent / "deploy"
EXAMPLE = (DEPLOY / "huibao.example.toml").read_text("utf-8")


def uncommented(text: str) -> str:
    """The example with everything switched on."""
    return re.sub(r"^# (\[|[a-z_]+ = )", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("text", [EXAMPLE, uncommented(EXAMPLE)], ids=["as it is", "everything on"])
def test_every_key_of_the_example_configuration_is_known(text: str) -> None:
    settings = build_settings(tomllib.loads(text), {}, DEPLOY, "example")
    assert "dingtalk" in settings.platforms


def test_everything_on_means_everything() -> None:
    settings = build_settings(tomllib.loads(uncommented(EXAMPLE)), {}, DEPLOY, "example")
    assert settings.platforms == {"dingtalk", "wecom", "email", "web"}


def test_the_example_holds_no_secret() -> None:
    empty = re.compile(r'^(# )?\w*(secret|password|token|aes_key)\w* = "(SEC\.\.\.)?"', re.MULTILINE)
    named = re.compile(r"^(# )?\w*(secret|password|token|aes_key)\w* = ", re.MULTILINE)
    assert len(empty.findall(EXAMPLE)) == len(named.findall(EXAMPLE)) > 0


def test_the_unit_overrides_settings_that_exist() -> None:
    unit = (DEPLOY / "huibao.service").read_text("utf-8")
    environment = dict(re.findall(r"^Environment=(HUIBAO_\w+)=(.*)$", unit, re.MULTILINE))
    settings = build_settings({}, environment, DEPLOY, "unit")
    assert settings.data_path == Path("/var/lib/huibao")
    assert settings.database_url == "sqlite:////var/lib/huibao/huibao.db"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc", ""])
def test_a_time_zone_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=r"timezone: .*is not a time zone such as"):
        build_settings({"timezone": name}, {}, DEPLOY, "file")
