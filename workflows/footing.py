"""What the bot stands on (data directory, database, port), and what an operator is told when it cannot be used."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from storage.migrate import MigrationError, UnusableError
from storage.takeover import AlreadyRunningError
from workflows.words import Words

WORDS = Words("command_line")


class StartError(Exception):
    """The bot cannot start here; the message is one plain sentence: what, why and how to mend it."""


def port_error(host: str, port: int, error: OSError) -> StartError:
    """The web server cannot listen."""
    why = os.strerror(error.errno) if error.errno else error
    return StartError(WORDS("port_taken", host=host, port=port, why=why))


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """What the system refuses inside, it refuses to the data directory: StartError."""
    try:
        yield
    except OSError as error:
        raise StartError(WORDS("no_data_dir", folder=folder, why=error.strerror or error)) from error


def trouble(error: BaseException) -> str:
    """The sentence for what was to be expected now and then; empty for what nobody thought of."""
    if isinstance(error, StartError):
        return str(error)
    if isinstance(error, AlreadyRunningError):
        return WORDS("already_running", folder=error)
    if isinstance(error, MigrationError):
        return WORDS("database_version")
    if isinstance(error, UnusableError | SQLAlchemyError):
        cause = getattr(error, "orig", None) or error
        return WORDS("database_fail", why=str(cause).splitlines()[0])
    return ""
