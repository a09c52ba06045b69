"""Runs every benchmark of this folder (or those whose name is given) and prints one line per figure."""

import asyncio
import importlib
import sys
from pathlib import Path


async def main(wanted: list[str]) -> None:
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if wanted and name not in wanted:
            continue
        figures: dict[str, str] = await importlib.import_module(f"tests.bench.{path.stem}").run()
        for what, figure in figures.items():
            print(f"{name}: {what}: {figure}")


asyncio.run(main(sys.argv[1:]))
