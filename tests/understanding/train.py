"""Trains the second opinion: `python tests/understanding/train.py` reads the labelled lines, writes the weights.

Softmax regression by stochastic gradient steps in plain Python, seeded: the same lines give the same file.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from intents.cli import load_places
from intents.second import features
from intents.understand import Understanding
from intents.words import HERE as INTENTS
from tests.understanding.evaluate import DEV, HERE, SITES, context_of, load

Row = tuple[list[str], str]
Table = dict[str, dict[str, float]]
_ROUNDS, _RATE, _DECAY, _KEEP = 14, 0.12, 2e-4, 0.02


def rows(paths: Sequence[Path]) -> list[Row]:
    understanding = Understanding(load_places(SITES))
    return [
        (features(understanding.facts(record["text"], context_of(record))), record["intent"])
        for path in paths
        for record in load(path)
    ]


def train(data: list[Row]) -> Table:
    """Weights per feature and label; small ones are dropped."""
    labels = sorted({label for _, label in data})
    table: Table = defaultdict(lambda: defaultdict(float))
    order = random.Random(1)
    for number in range(_ROUNDS):
        order.shuffle(data)
        for names, label in data:
            _step(table, labels, names, label, _RATE / (1 + 0.15 * number))
    return {
        name: kept
        for name, row in sorted(table.items())
        if (kept := {label: round(value, 3) for label, value in sorted(row.items()) if abs(value) >= _KEEP})
    }


def _step(table: Table, labels: list[str], names: list[str], label: str, rate: float) -> None:
    scores = {one: sum(table[name][one] for name in names) for one in labels}
    top = max(scores.values())
    whole = sum(math.exp(score - top) for score in scores.values())
    for one in labels:
        gap = (1.0 if one == label else 0.0) - math.exp(scores[one] - top) / whole
        if abs(gap) < 0.005:
            continue
        for name in names:
            table[name][one] += rate * (gap / math.sqrt(len(names)) - _DECAY * table[name][one])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the second opinion.")
    parser.add_argument("files", nargs="*", type=Path, default=[DEV, HERE / "examples.jsonl"])
    parser.add_argument("--out", type=Path, default=INTENTS / "weights.json")
    chosen = parser.parse_args(arguments)
    table = train(rows(chosen.files))
    chosen.out.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(table)} features → {chosen.out.name}, {chosen.out.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
