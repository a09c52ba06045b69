"""Reads attached papers in a process of its own: bounded in time and memory, and away from the ordered work."""

import asyncio
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

import structlog

from workflows.paper_text import PaperText, paper_text

ROOT = Path(__file__).resolve().parent.parent
WITHIN = 30.0
"""Seconds on the wall; a busy machine needs two for the start alone."""
CPU_SECONDS = 12
MEMORY = 1024 * 1024 * 1024
LONGEST_OUTPUT = 512 * 1024

log = structlog.get_logger(__name__)


async def read_paper(data: bytes) -> PaperText:
    """The words of a file, or why they cannot be read. Never raises for a file's sake."""
    command = [sys.executable, "-m", "workflows.paper_reader"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT, env={"PYTHONUTF8": "1"}
    )
    try:
        async with asyncio.timeout(WITHIN):
            output, _ = await process.communicate(data)
    except TimeoutError:
        return PaperText(problem="large")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or len(output) > LONGEST_OUTPUT:
        log.info("a paper could not be read within its bounds", code=process.returncode, size=len(data))
        return PaperText(problem="large")
    return PaperText(**json.loads(output))


def main() -> None:
    """One file on standard input, its words as JSON on standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    found = paper_text(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
