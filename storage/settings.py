"""The configuration: one TOML file, every value of which the environment may override (``HUIBAO_SECTION__KEY``).

Read once by ``bot.py``, then frozen. Names are the contract's; an unknown one is an error that names the nearest
known one.
"""

import difflib
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from storage.settings_llm import LlmSettings
from storage.settings_policy import AckPolicy, CalendarSettings, EmailAckPolicy, Policies
from storage.settings_values import Duration, Period, Section, parse_duration, parse_hours

__all__ = [
    "AckPolicy",
    "AibotSettings",
    "CalendarSettings",
    "DatabaseSettings",
    "DingTalkSettings",
    "DingTalkWebhook",
    "EmailAckPolicy",
    "EmailSettings",
    "ImapSettings",
    "LlmSettings",
    "MailServer",
    "Policies",
    "Section",
    "Settings",
    "SettingsError",
    "SmtpSettings",
    "WeComSettings",
    "WeComWebhook",
    "WebSettings",
    "build_settings",
    "known_timezone",
    "load_settings",
    "parse_duration",
    "parse_hours",
    "parse_names",
]

ENVIRONMENT_PREFIX = "HUIBAO_"
DATABASES = ("sqlite", "postgresql", "postgres")


class SettingsError(ValueError):
    """The configuration cannot be used; the message is one plain sentence per problem."""


def parse_names(value: object) -> object:
    """A list of names, each once; from the environment ``"wecom,dingtalk"``."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(dict.fromkeys(value)) if isinstance(value, list) else value


def known_timezone(value: object) -> str:
    """The name of a time zone; ValueError when there is none of that name."""
    name = str(value)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'{name!r} is not a time zone such as "Asia/Shanghai"') from error
    return name


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _known_database(url: str) -> str:
    if url and url.partition(":")[0] not in DATABASES:
        raise ValueError('must begin with "sqlite:///" or "postgresql://"')
    return url


class DatabaseSettings(Section):
    """Where the tables are."""

    url: Annotated[str, AfterValidator(_known_database)] = Field(default="", repr=False)
    """Empty: ``huibao.db`` in the data directory."""


class WebSettings(Section):
    """The HTTP server: callbacks, pages, read API."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    api_token: SecretStr = SecretStr("")
    console: bool = False
    """Serve the role-play console outside ``demo`` too."""
    console_platforms: Annotated[tuple[Literal["dingtalk", "wecom", "email"], ...], BeforeValidator(parse_names)] = ()
    """Platforms that the console plays besides its own: their groups and accounts, without their servers."""


class DingTalkWebhook(Section):
    """A send-only custom robot of one group."""

    conversation_id: str
    url: SecretStr
    secret: SecretStr = SecretStr("")


class DingTalkSettings(Section):
    """The application robot on DingTalk."""

    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    robot_code: str = ""
    receive: Literal["stream", "http"] = "stream"
    api_base: str = "https://api.dingtalk.com"
    oapi_base: str = "https://oapi.dingtalk.com"
    card_template_id: str = ""
    card_callback_secret: SecretStr = SecretStr("")
    """HTTP mode: the ``apiSecret`` registered for card callbacks."""
    webhooks: tuple[DingTalkWebhook, ...] = ()
    monthly_api: int = 5000
    monthly_push: int = 3000
    ding: bool = True
    """Try DING for urgent steps; switches itself off when the edition lacks it."""


class AibotSettings(Section):
    """The intelligent robot of WeCom."""

    receive: Literal["websocket", "callback"] = "websocket"
    bot_id: str = ""
    secret: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")
    ws_url: str = "wss://openws.work.weixin.qq.com"


class WeComWebhook(Section):
    """A send-only group robot."""

    conversation_id: str
    url: SecretStr


class WeComSettings(Section):
    """The self-built application on WeCom."""

    corp_id: str = ""
    agent_id: int = 0
    agent_secret: SecretStr = SecretStr("")
    callback_token: SecretStr = SecretStr("")
    callback_aes_key: SecretStr = SecretStr("")
    api_base: str = "https://qyapi.weixin.qq.com"
    aibot: AibotSettings | None = None
    webhooks: tuple[WeComWebhook, ...] = ()


class MailServer(Section):
    """A mail server. Without encryption only on this machine: passwords and mails are not sent in the clear."""

    host: str = ""
    tls: Literal["implicit", "starttls", "none"] = "implicit"

    @model_validator(mode="after")
    def _clear_only_here(self) -> "MailServer":
        if self.tls == "none" and self.host and not _is_loopback(self.host):
            sentence = 'tls = "none" is for a server on this machine only; use "implicit" or "starttls" for {host}'
            raise PydanticCustomError("clear", sentence, {"host": self.host})
        return self


class SmtpSettings(MailServer):
    """Mail out."""

    port: int = 465
    username: str = ""
    password: SecretStr = SecretStr("")


class ImapSettings(MailServer):
    """Mail in."""

    port: int = 993
    username: str = ""
    password: SecretStr = SecretStr("")
    poll_every: Duration = timedelta(seconds=60)
    trusted_authserv: str = ""


class EmailSettings(Section):
    """The mailbox the bot writes from and reads."""

    address: str = ""
    secret: SecretStr = SecretStr("")
    """Signs links and Message-IDs, the same on every machine; empty: one is made in the data directory."""
    keep_mail: Period = timedelta(days=30)
    """How long a received mail is kept as it came; its words, and files that were used, stay where they belong."""
    smtp: SmtpSettings = SmtpSettings()
    imap: ImapSettings = ImapSettings()


class Settings(Section):
    """Everything. ``base_dir`` is the folder of the file: relative paths start there."""

    timezone: Annotated[str, BeforeValidator(known_timezone)] = "Asia/Shanghai"
    data_dir: Path = Path("data")
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    dingtalk: DingTalkSettings | None = None
    wecom: WeComSettings | None = None
    email: EmailSettings | None = None
    policy: Policies = Policies()
    calendar: CalendarSettings = CalendarSettings()
    llm: LlmSettings | None = None
    base_dir: Path = Path()

    @model_validator(mode="after")
    def _played_or_real(self) -> "Settings":
        played = self.web.console_platforms
        if played and not self.web.console:
            raise PydanticCustomError("played", "web.console_platforms: needs web.console = true")
        for name in played:
            if getattr(self, name) is not None:
                sentence = (
                    "web.console_platforms: {name} cannot be played while there is a section [{name}]; remove one"
                )
                raise PydanticCustomError("played", sentence, {"name": name})
        return self

    @property
    def data_path(self) -> Path:
        """The data directory, absolute."""
        return (self.base_dir / self.data_dir).resolve()

    @property
    def database_url(self) -> str:
        """The database URL with relative SQLite paths resolved against the configuration file."""
        url = self.database.url or f"sqlite:///{self.data_path / 'huibao.db'}"
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.removeprefix(prefix).startswith("/"):
            return prefix + str((self.base_dir / url.removeprefix(prefix)).resolve())
        return url

    @property
    def platforms(self) -> frozenset[str]:
        """Names of the platforms this configuration switches on (``web`` when the console is, and what it plays)."""
        named = {"dingtalk": self.dingtalk, "wecom": self.wecom, "email": self.email, "web": self.web.console or None}
        return frozenset(self.web.console_platforms).union(name for name, section in named.items() if section)


def load_settings(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read ``path`` and overlay ``environment``; SettingsError with one sentence per problem."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    return build_settings(data, environment, path.resolve().parent, str(path))


def build_settings(data: dict[str, Any], environment: Mapping[str, str], base_dir: Path, source: str) -> Settings:
    """Settings from parsed TOML; ``source`` names it in error messages."""
    overlaid: dict[tuple[str, ...], str] = {}
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            keys = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
            _overlay(data, keys, value, name)
            overlaid[tuple(keys)] = name
    try:
        return Settings.model_validate({**data, "base_dir": base_dir})
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        said = [f"{overlaid.get(tuple(map(str, one['loc'])), source)}: {_explain(one)}" for one in problems]
        raise SettingsError("\n".join(said)) from None


def _overlay(data: dict[str, Any], keys: list[str], value: str, name: str) -> None:
    for key in keys[:-1]:
        child = data.setdefault(key, {})
        if not isinstance(child, dict):
            raise SettingsError(f"{name}: {key!r} is not a section")
        data = child
    data[keys[-1]] = value


def _explain(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if not where:
        return str(problem["msg"])
    if problem["type"] == "model_type":
        return f"{where}: this is a section; write its keys below [{where}]"
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
    section, name = _section_at(problem["loc"][:-1]), str(problem["loc"][-1])
    near = difflib.get_close_matches(name, section, n=1, cutoff=0) or sorted(section)[:1]
    return f"{where}: unknown name; did you mean {near[0]!r}?"


def _section_at(location: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return [name for name in model.model_fields if name != "base_dir"]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model_in(part))), None)
