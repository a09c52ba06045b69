"""A linear second opinion, asked only where no rule speaks: weights from a file, scored in plain Python."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from intents.facts import Facts
from intents.words import HERE

_DIGITS = re.compile(r"\d+")
_TELLING = (
    "broken",
    "gone",
    "asked",
    "device",
    "anything",
    "time",
    "clock",
    "place",
    "person",
    "ends_asking",
    "meeting",
    "domain",
    "foreign",
    "duration",
    "tiny",
    "short",
    "long",
    "steps",
    "asks",
    "tech_word",
    "fault_word",
    "negative",
    "positive",
)
Weights = tuple[tuple[str, ...], Mapping[str, tuple[tuple[int, float], ...]]]
"""The labels, and for each feature what it adds to which of them."""


def features(facts: Facts) -> list[str]:
    """Characters in ones, twos and threes, the context, and the telling facts; made once for one message."""
    if facts.told is None:
        facts.told = _features(facts)
    return facts.told


def _features(facts: Facts) -> list[str]:
    context = facts.spans.context
    return [
        *_pieces(facts.spans.view.text[:200]),
        f"role={context.role}",
        f"expecting={context.expecting}",
        f"{context.role}/{context.expecting}",
        *(f"is:{name}" for name in _TELLING if facts.has(name)),
        *(f"is:{name}/{context.expecting}" for name in _TELLING if facts.has(name)),
    ]


def _pieces(text: str) -> Iterator[str]:
    padded = f"^{_DIGITS.sub('0', text)}$"
    yield from dict.fromkeys(padded[at : at + size] for size in (1, 2, 3) for at in range(len(padded) - size + 1))


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The trained weights, from a file of feature → label → weight. Without it the rules stand alone."""
    path = HERE / "weights.json"
    if not path.exists():
        return (), {}
    loaded: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    labels = sorted({label for row in loaded.values() for label in row})
    at = {label: index for index, label in enumerate(labels)}
    table = {name: tuple((at[label], weight) for label, weight in row.items()) for name, row in loaded.items()}
    return tuple(labels), table


def likeliest(names: list[str], table: Weights) -> tuple[str, float]:
    """The best label and its probability."""
    labels, rows = table
    if not labels:
        return "none", 0.0
    scores = [0.0] * len(labels)
    for name in names:
        for index, weight in rows.get(name, ()):
            scores[index] += weight
    top = max(scores)
    return labels[scores.index(top)], 1.0 / sum(math.exp(score - top) for score in scores)
