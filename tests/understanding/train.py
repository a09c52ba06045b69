"""Trains the second opinion: `python tests/understanding/train.py` writes intents/weights.json.

Softmax regression by stochastic gradient steps in plain Python, seeded: the same lines give the same file. Lines that
are held out for measuring (held.jsonl) are never read here.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from intents.cli import load_places
from intents.second import features
from intents.understand import Understanding
from intents.words import HERE as INTENTS
from tests.understanding.evaluate import DEV, FRESH, HERE, SITES, SPOKEN, context_of, load

Row = tuple[list[str], str]
Table = dict[str, dict[str, float]]
_ROUNDS, _RATE, _DECAY = 12, 0.15, 1e-4
_SEEN, _KEEP, _SMALL_GAP = 3, 0.3, 0.003
"""A feature counts when that many lines have it; smaller weights are dropped, smaller errors not mended."""


def rows(paths: Sequence[Path]) -> list[Row]:
    understanding = Understanding(load_places(SITES))
    return [
        (features(understanding.facts(record["text"], context_of(record))), record["intent"])
        for path in paths
        for record in load(path)
    ]


def train(data: Sequence[Row]) -> Table:
    """Weights per feature and label: softmax regression, each weight with its own falling rate (AdaGrad)."""
    labels = sorted({label for _, label in data})
    seen = Counter(name for names, _ in data for name in names)
    kept = [
        ([name for name in names if seen[name] >= _SEEN], 1 / math.sqrt(len(names)), label) for names, label in data
    ]
    table: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(labels))
    paces: dict[str, list[float]] = defaultdict(lambda: [0.01] * len(labels))
    order = random.Random(1)
    for _ in range(_ROUNDS):
        order.shuffle(kept)
        for names, scale, label in kept:
            _step([(table[name], paces[name]) for name in names], scale, labels.index(label), len(labels))
    return {
        name: row
        for name, values in sorted(table.items())
        if (row := {label: round(value, 1) for label, value in zip(labels, values, strict=True) if abs(value) >= _KEEP})
    }


def _step(rows: Sequence[tuple[list[float], list[float]]], scale: float, wanted: int, count: int) -> None:
    scores = [scale * sum(values[at] for values, _ in rows) for at in range(count)]
    top = max(scores)
    raised = [math.exp(score - top) for score in scores]
    whole = sum(raised)
    for at in range(count):
        gap = raised[at] / whole - (at == wanted)
        if abs(gap) < _SMALL_GAP:
            continue
        for values, paces in rows:
            slope = gap * scale + _DECAY * values[at]
            paces[at] += slope * slope
            values[at] -= _RATE * slope / math.sqrt(paces[at])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the second opinion.")
    parser.add_argument("files", nargs="*", type=Path, default=[DEV, FRESH, SPOKEN, HERE / "examples.jsonl"])
    parser.add_argument("--out", type=Path, default=INTENTS, help="the folder of the file of weights")
    chosen = parser.parse_args(arguments)
    _write(chosen.out / "weights.json", train(rows(chosen.files)))
    return 0


def _write(path: Path, table: Mapping[str, object]) -> None:
    path.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(table)} features → {path.name}, {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    sys.exit(main())
