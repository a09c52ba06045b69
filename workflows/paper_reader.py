"""Reads attached papers in a process of its own: bounded in time and memory, and away from the ordered work."""

import asyncio
import json
import resource
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from workflows.paper_fields import read_fields
from workflows.paper_text import paper_text

ROOT = Path(__file__).resolve().parent.parent
WITHIN = 30.0
"""Seconds on the wall; a busy machine needs two for the start alone."""
CPU_SECONDS = 12
MEMORY = 1024 * 1024 * 1024
LONGEST_OUTPUT = 512 * 1024

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Paper:
    """``problem`` is empty when the file could be read (see :class:`workflows.paper_text.UnreadableError`).

    ``fields``: what it says as a notice, the stored form of :class:`workflows.paper_fields.Fields`.
    """

    text: str = ""
    problem: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


async def read_paper(data: bytes, now: datetime) -> Paper:
    """What a file says, or why it cannot be read; ``now`` is the local present. Never raises for a file's sake."""
    command = [sys.executable, "-m", "workflows.paper_reader", now.isoformat()]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT, env={"PYTHONUTF8": "1"}
    )
    try:
        async with asyncio.timeout(WITHIN):
            output, _ = await process.communicate(data)
    except TimeoutError:
        return Paper(problem="large")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or len(output) > LONGEST_OUTPUT:
        log.info("a paper could not be read within its bounds", code=process.returncode, size=len(data))
        return Paper(problem="large")
    return Paper(**json.loads(output))


def main() -> None:
    """One file on standard input, its words as JSON on standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    words = paper_text(sys.stdin.buffer.read())
    fields = read_fields(words.text, datetime.fromisoformat(sys.argv[1])).stored()
    sys.stdout.write(json.dumps({"text": words.text, "problem": words.problem, "fields": fields}))


if __name__ == "__main__":
    main()
