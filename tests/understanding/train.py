"""Trains the second opinion and the sense for chatter: `python tests/understanding/train.py` writes both weight files.

Softmax and logistic regression by stochastic gradient steps in plain Python, seeded: the same lines give the same
files. Lines that are held out for measuring (held.jsonl) are never read here.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from intents import chatter
from intents.cli import load_places
from intents.second import features
from intents.understand import Understanding
from intents.words import HERE as INTENTS
from tests.understanding.evaluate import DEV, FRESH, HERE, SITES, context_of, load

Row = tuple[list[str], str]
Table = dict[str, dict[str, float]]
_ROUNDS, _RATE, _DECAY, _KEEP = 14, 0.12, 2e-4, 0.02
_TALK_ROUNDS, _TALK_RATE, _TALK_DECAY = 16, 0.3, 1e-4


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


def talk_rows(paths: Sequence[Path]) -> list[tuple[list[str], float]]:
    """The features of every line that answers nothing, and 1.0 where it is talk among people."""
    understanding = Understanding(load_places(SITES))
    return [
        (chatter.features(understanding.facts(record["text"], context_of(record))), float(record["intent"] == "none"))
        for path in paths
        for record in load(path)
        if record["expecting"] is None
    ]


def train_talk(data: list[tuple[list[str], float]]) -> dict[str, float]:
    """One weight per feature; small ones are dropped."""
    table: dict[str, float] = defaultdict(float)
    order = random.Random(1)
    for number in range(_TALK_ROUNDS):
        order.shuffle(data)
        rate = _TALK_RATE / (1 + 0.2 * number)
        for names, wanted in data:
            gap = wanted - 1 / (1 + math.exp(-max(-30.0, min(30.0, sum(table[name] for name in names)))))
            if abs(gap) < 0.01:
                continue
            for name in names:
                table[name] += rate * (gap / math.sqrt(len(names)) - _TALK_DECAY * table[name])
    return {name: round(value, 3) for name, value in sorted(table.items()) if abs(value) >= _KEEP}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the second opinion.")
    parser.add_argument("files", nargs="*", type=Path, default=[DEV, FRESH, HERE / "examples.jsonl"])
    parser.add_argument("--out", type=Path, default=INTENTS, help="the folder of the two weight files")
    chosen = parser.parse_args(arguments)
    _write(chosen.out / "weights.json", train(rows(chosen.files)))
    _write(chosen.out / "chatter.json", train_talk(talk_rows(chosen.files)))
    return 0


def _write(path: Path, table: Mapping[str, object]) -> None:
    path.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(table)} features → {path.name}, {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    sys.exit(main())
