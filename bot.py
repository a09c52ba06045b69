"""Huibao's entry point: the composition root and the command line.

The only place that builds things and reads the environment. Exit codes: 0 success, 2 bad usage or bad input (one plain
sentence on standard error), 1 something failed while running.

What only a running bot needs is imported where it is built: reading a text (``understand``) loads no database.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import warnings
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import structlog
import typer

from workflows.words import Words

if TYPE_CHECKING:
    import aiohttp

    from storage.organisation import ImportResult
    from storage.ports import Adapter
    from storage.runtime import Runtime
    from storage.settings import EmailSettings, Settings
    from storage.work import Ground
    from workflows.helper import Adviser

WORDS = Words("command_line")
T = TypeVar("T")

log = structlog.get_logger(__name__)
app = typer.Typer(
    help="会保 Huibao: keeps video conferences answered.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit_app = typer.Typer(help="The audit chain.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
DEFAULT_CONFIG = Path("huibao.toml")


# ---- composition


async def compose(ground: Ground, adapters: Sequence[Adapter], adviser: Adviser | None = None) -> Runtime:
    """A migrated database and the assembled bot on it; ``adviser``: the optional helper for reading."""
    from storage.migrate import migrate
    from storage.runtime import Runtime
    from workflows.wiring import logic

    await migrate(ground.database)
    ground.platforms = frozenset(adapter.platform for adapter in adapters)
    async with ground.look() as work:
        plugged = logic(work.org, adviser)
    return Runtime(ground, adapters, plugged)


def build_adapters(settings: Settings, ground: Ground, http: aiohttp.ClientSession) -> list[Adapter]:
    """One adapter for every platform that the configuration switches on."""
    from storage.files import file_store

    adapters: list[Adapter] = []
    if settings.dingtalk is not None:
        from adapters.dingtalk.adapter import DingTalkAdapter

        adapters.append(
            DingTalkAdapter(
                settings.dingtalk,
                http,
                ground.clock,
                count=ground.count,
                load=file_store(settings).load,
                public_url=settings.web.public_url,
            )
        )
    if settings.wecom is not None:
        from adapters.wecom.adapter import WeComAdapter

        adapters.append(
            WeComAdapter(
                settings.wecom,
                http,
                ground.clock,
                load=file_store(settings).load,
                database=ground.database,
                public_url=settings.web.public_url,
                own_url=f"http://{settings.web.host}:{settings.web.port}",
            )
        )
    if settings.email is not None:
        adapters.append(_mail_adapter(settings.email, ground))
    if settings.web.console:
        from adapters.web.adapter import WebAdapter

        adapters.append(WebAdapter(ground))
        adapters.extend(WebAdapter(ground, platform=name) for name in settings.web.console_platforms)
    return adapters


def _mail_adapter(email: EmailSettings, ground: Ground) -> Adapter:
    from adapters.email.adapter import EmailAdapter
    from adapters.email.secret import load_secret
    from storage.files import file_store

    settings = ground.settings
    secret = load_secret(settings.data_path, email.secret.get_secret_value())
    load = file_store(settings).load
    return EmailAdapter(email, ground, secret, load=load, public_url=settings.web.public_url)


@asynccontextmanager
async def grounded(settings: Settings) -> AsyncIterator[tuple[Ground, aiohttp.ClientSession]]:
    """Logs, real clock, database (not yet looked at) and HTTP session; all closed at the end."""
    import aiohttp

    from storage.clock import SystemClock
    from storage.database import Database
    from storage.logs import configure_logs
    from storage.work import Ground
    from workflows.footing import usable

    with usable(settings.data_path):
        configure_logs(settings.data_path / "logs")
        database = Database(settings.database_url)
    timeout = aiohttp.ClientTimeout(total=30, connect=5, sock_read=20)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http:
            yield Ground(database, SystemClock(), settings), http
    finally:
        await database.close()


@asynccontextmanager
async def assembled(settings: Settings) -> AsyncIterator[Runtime]:
    """The bot, put together from what the configuration names."""
    from adapters.llm.client import ChatModel

    async with grounded(settings) as (ground, http):
        adviser = ChatModel(settings.llm, http) if settings.llm is not None else None
        yield await compose(ground, build_adapters(settings, ground, http), adviser)


async def _live(settings: Settings, announce: str, *, sample: bool = False) -> None:
    """Run until SIGTERM or Ctrl+C; ``sample``: with the sample organisation and a clock that can be pushed (demo)."""
    from adapters.web import server
    from storage.calendar_jobs import start_calendar
    from storage.takeover import take_over
    from workflows import demo as sample_demo
    from workflows.brief import JOBS
    from workflows.footing import port_error

    async with assembled(settings) as runtime:
        ground = runtime.ground
        if ground.database.is_sqlite:
            await take_over(ground)
        if sample:
            await sample_demo.prepare(runtime)
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        calendar = None if sample else start_calendar(ground, JOBS)
        host = settings.web.host

        def ready(port: int) -> None:
            print(f"{announce} http://{host}:{port}/", flush=True)

        try:
            app = server.build_app(runtime, may_push_clock=sample)
            await server.serve(app, runtime, host, settings.web.port, stop, ready)
        except OSError as error:
            raise port_error(host, settings.web.port, error) from error
        finally:
            if calendar is not None:
                calendar.shutdown(wait=False)


# ---- commands


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the web console.")] = 8080,
    data: Annotated[Path | None, typer.Option(help="Where to keep the data; without it a new, empty folder.")] = None,
) -> None:
    """Everything on this machine: no credentials, a sample organisation, and a console with people to play."""
    import tempfile

    from storage.settings import build_settings

    with tempfile.TemporaryDirectory(prefix="huibao-demo-") as fresh:
        folder = (data or Path(fresh)).resolve()
        web = {"port": port, "console": True, "console_platforms": ["wecom", "email"]}
        settings = build_settings({"web": web, "data_dir": str(folder)}, {}, folder, "demo")
        _serve(settings, WORDS("demo"), sample=True)


@app.command()
def serve(config: Config = DEFAULT_CONFIG) -> None:
    """The bot, on the platforms the configuration names. SIGTERM: finish what is in hand and exit."""
    _serve(_settings(config), WORDS("serving"))


@app.command()
def check(config: Config = DEFAULT_CONFIG) -> None:
    """One line per thing that must be right: configuration, database, each platform, the optional helper."""
    from adapters.llm.client import check as helper_line
    from workflows.check import check_lines

    settings = _settings(config)

    async def run() -> bool:
        async with grounded(settings) as (ground, http):
            adapters = build_adapters(settings, ground, http)
            lines = [*await check_lines(ground, adapters), await helper_line(settings.llm, http)]
        for line in lines:
            print(WORDS("check_ok" if line.ok else "check_fail", what=line.what, detail=line.detail))
        return all(line.ok for line in lines)

    print(WORDS("check_ok", what=WORDS("check_config"), detail=""))
    if not _run(run()):
        raise typer.Exit(1)


@app.command()
def template(file: Path) -> None:
    """Write an empty organisation workbook (.xlsx) with headings, notes and an example row per sheet."""
    from storage.organisation import write_template

    try:
        write_template(file)
    except (OSError, ValueError) as error:
        _refuse(WORDS("cannot_write", path=file, why=getattr(error, "strerror", None) or error))
    print(WORDS("template_written", path=file))


@app.command("import")
def import_(
    path: Path,
    config: Config = DEFAULT_CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and report; write nothing.")] = False,
) -> None:
    """Import the organisation from a workbook or a folder of CSV files: all or nothing."""
    from storage.organisation import import_tables, read_tables
    from storage.organisation.tables import words

    settings = _settings(config)

    async def run() -> ImportResult:
        async with assembled(settings) as runtime:
            ground = runtime.ground
            now, zone = ground.clock.now(), ZoneInfo(settings.timezone)
            return await import_tables(ground.database, read_tables(path), now, dry_run=dry_run, zone=zone)

    result = _run(run())
    for problem in result.problems:
        print(problem, file=sys.stderr)
    if not result.ok:
        _refuse(WORDS("import_refused", count=sum(problem.severity == "error" for problem in result.problems)))
    for table, counts in result.counts.items():
        print(WORDS("imported", title=words()["tables"][table]["title"], **vars(counts)))
    print(WORDS("import_dry" if dry_run else "import_done" if result.changed else "import_same"))


@app.command()
def understand(
    sites: Annotated[Path | None, typer.Option(help="CSV: site_id,name,aliases,unit,tier,parent")] = None,
) -> None:
    """JSON lines in, JSON lines out: what each message means. No database, no network."""
    from intents.cli import understand_lines
    from intents.lines import text_lines

    try:
        for line in understand_lines(text_lines(sys.stdin.buffer), sites):
            print(line, flush=True)
    except ValueError as error:
        _refuse(str(error))


@app.command()
def times() -> None:
    """JSON lines in, JSON lines out: the times in each text."""
    from intents.cli import times_lines
    from intents.lines import text_lines

    for line in times_lines(text_lines(sys.stdin.buffer)):
        print(line, flush=True)


@app.command("words")
def words_(
    words: Annotated[Path | None, typer.Option(help="A folder of word files; without it that of --config.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """What an operator's word files would alter: every example that reads differently with them."""
    from intents.overlay import WordsError
    from workflows.vocabulary import words_folder
    from workflows.words_report import report_lines

    folder = words or words_folder(_settings(config))
    if words is not None and not words.is_dir():
        _refuse(WORDS("no_words", path=words))
    try:
        for line in report_lines(folder):
            print(line)
    except WordsError as error:
        _refuse(str(error))


@audit_app.command("verify")
def audit_verify(config: Config = DEFAULT_CONFIG) -> None:
    """Walk the audit chain; name the first broken entry."""
    from storage.audit import verify

    settings = _settings(config)

    async def run() -> int | None:
        async with assembled(settings) as runtime:
            verdict = await verify(runtime.ground)
        key = "audit_ok" if verdict.broken_seq is None else "audit_broken"
        print(WORDS(key, sealed=verdict.sealed, unsealed=verdict.unsealed, seq=verdict.broken_seq))
        return verdict.broken_seq

    if _run(run()) is not None:
        raise typer.Exit(1)


# ---- helpers of the command line


def _settings(config: Path) -> Settings:
    from storage.settings import SettingsError, load_settings

    if not config.is_file():
        _refuse(WORDS("no_config", path=config))
    try:
        return load_settings(config, os.environ)
    except SettingsError as error:
        _refuse(str(error))


def _serve(settings: Settings, announce: str, *, sample: bool = False) -> None:
    """Run for ever; on SQLite only one process at a time may serve a data directory."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until it runs there is nothing to finish
    from storage.takeover import AlreadyRunningError, only_process
    from workflows.footing import StartError, trouble, usable

    sqlite = settings.database_url.startswith("sqlite")
    try:
        with usable(settings.data_path), only_process(settings.data_path) if sqlite else nullcontext():
            _run(_live(settings, announce, sample=sample))
    except (AlreadyRunningError, StartError) as error:
        _fail(trouble(error))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what fails becomes one sentence and exit 1."""
    from workflows.footing import trouble

    try:
        return asyncio.run(work)
    except Exception as error:  # a user never reads a traceback; the log has it
        if sentence := trouble(error):
            _fail(sentence)
        log.exception("command failed")
        _fail(WORDS("failed", why=f"{type(error).__name__}: {error}".splitlines()[0]))


def _refuse(sentence: str) -> NoReturn:
    _fail(sentence, 2)


def _fail(sentence: str, code: int = 1) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


def main() -> None:
    """Run the command line."""
    warnings.filterwarnings("ignore", category=SyntaxWarning)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    main()
