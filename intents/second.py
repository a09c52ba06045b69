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
Weights = Mapping[str, Mapping[str, float]]


def features(facts: Facts) -> list[str]:
    """Characters in ones, twos and threes, the context, and the telling facts."""
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
    """The trained weights: feature → label → weight. Without the file the rules stand alone."""
    path = HERE / "weights.json"
    if not path.exists():
        return {}
    loaded: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def likeliest(names: list[str], table: Weights) -> tuple[str, float]:
    """The best label and its probability."""
    scores: dict[str, float] = {}
    for name in names:
        row = table.get(name)
        if row is not None:
            for label, weight in row.items():
                scores[label] = scores.get(label, 0.0) + weight
    if not scores:
        return "none", 0.0
    best = max(scores, key=lambda label: scores[label])
    top = scores[best]
    return best, 1.0 / sum(math.exp(score - top) for score in scores.values())
