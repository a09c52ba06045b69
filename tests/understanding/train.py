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
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import add
from pathlib import Path
from typing import NamedTuple

from intents.cli import load_places
from intents.second import TENTHS, features
from intents.understand import Understanding
from intents.words import HERE as INTENTS
from tests.understanding.evaluate import DEV, FRESH, HERE, SITES, SPOKEN, context_of, load

Row = tuple[list[str], str]
Vector = list[tuple[str, float]]
_ROUNDS, _SETTLED, _RATE, _DECAY = 12, 5, 0.5, 1e-5
_SEEN, _KEEP, _SMALL_GAP = 2, 1.0, 0.003
"""The weights are the mean of those after each round that follows the first `_SETTLED`. A feature counts when that many
lines have it; what adds less than that is dropped, smaller errors not mended."""


class Model(NamedTuple):
    """The labels; for each of them a weight that always counts and one for each feature; how telling features are."""

    labels: list[str]
    always: list[float]
    weights: Mapping[str, list[float]]
    telling: Mapping[str, float]


def rows(paths: Sequence[Path]) -> list[Row]:
    understanding = Understanding(load_places(SITES))
    return [
        (features(understanding.facts(record["text"], context_of(record))), record["intent"])
        for path in paths
        for record in load(path)
    ]


def train(data: Sequence[Row]) -> Model:
    """Softmax regression over features weighed by rarity (tf-idf), each weight with its own falling rate (AdaGrad)."""
    labels = sorted({label for _, label in data})
    telling = _telling(data)
    always, pace = [0.0] * len(labels), [0.01] * len(labels)
    table: dict[str, list[float]] = {name: [0.0] * len(labels) for name in telling}
    paces: dict[str, list[float]] = {name: [0.01] * len(labels) for name in telling}
    lines = [
        ([(table[name], paces[name], value) for name, value in _vector(names, telling)] + [(always, pace, 1.0)], label)
        for names, label in data
    ]
    order = random.Random(1)
    sums = {name: [0.0] * len(labels) for name in table}
    for turn in range(_ROUNDS):
        order.shuffle(lines)
        for parts, label in lines:
            _step(parts, labels.index(label), len(labels))
        if turn >= _SETTLED:
            for name, values in table.items():
                sums[name] = list(map(add, sums[name], values))
    counted = _ROUNDS - _SETTLED
    return Model(labels, always, {name: [value / counted for value in row] for name, row in sums.items()}, telling)


def _telling(data: Sequence[Row]) -> dict[str, float]:
    seen = Counter(name for names, _ in data for name in names)
    return {name: 1 + math.log(len(data) / (1 + count)) for name, count in sorted(seen.items()) if count >= _SEEN}


def _vector(names: Sequence[str], telling: Mapping[str, float]) -> Vector:
    """The known features with their shares of a length of one."""
    known = [(name, telling[name]) for name in names if name in telling]
    length = math.sqrt(sum(value * value for _, value in known))
    return [(name, value / length) for name, value in known]


def _step(parts: Sequence[tuple[list[float], list[float], float]], wanted: int, count: int) -> None:
    scores = [0.0] * count
    for values, _, share in parts:
        for at, value in enumerate(values):
            scores[at] += value * share
    top = max(scores)
    raised = [math.exp(score - top) for score in scores]
    whole = sum(raised)
    for at in range(count):
        gap = raised[at] / whole - (at == wanted)
        if abs(gap) < _SMALL_GAP:
            continue
        for values, paces, share in parts:
            slope = gap * share + _DECAY * values[at]
            paces[at] += slope * slope
            values[at] -= _RATE * slope / math.sqrt(paces[at])


def packed(model: Model) -> dict[str, object]:
    """The model as weights.json holds it (see intents/second.py), in whole tenths."""
    found: dict[str, list[int]] = {}
    for name, weights in model.weights.items():
        telling = model.telling[name]
        row = [(at, weight * telling) for at, weight in enumerate(weights) if abs(weight * telling) >= _KEEP]
        if row:
            found[name] = [_tenths(telling**2), *(part for at, adds in row for part in (at, _tenths(adds)))]
    return {"labels": model.labels, "always": [_tenths(weight) for weight in model.always], "features": found}


def _tenths(value: float) -> int:
    return round(value * TENTHS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the second opinion.")
    parser.add_argument("files", nargs="*", type=Path, default=[DEV, FRESH, SPOKEN, HERE / "examples.jsonl"])
    parser.add_argument("--out", type=Path, default=INTENTS, help="the folder of the file of weights")
    chosen = parser.parse_args(arguments)
    _write(chosen.out / "weights.json", packed(train(rows(chosen.files))))
    return 0


def _write(path: Path, table: Mapping[str, object]) -> None:
    path.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    sys.exit(main())
