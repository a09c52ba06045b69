"""Runs every benchmark of this folder, or those that are named; each prints its own figures."""

import subprocess
import sys
from pathlib import Path


def main(wanted: list[str]) -> int:
    """Each benchmark has a process of its own, so that none measures what another left in memory."""
    worst = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if not wanted or name in wanted:
            print(f"== {name}", flush=True)
            worst = max(
                worst, subprocess.run([sys.executable, "-m", f"tests.bench.{path.stem}"], check=False).returncode
            )
    return worst


sys.exit(main(sys.argv[1:]))
