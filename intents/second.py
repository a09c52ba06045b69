"""A linear second opinion on every message: weights from a file, scored in plain Python.

It knows no rule. It looks at the characters, at who speaks and what was asked, and at a few telling facts, and says how
likely each intent is, small talk among them. How it is weighed against the rules is told in intents/understand.py.
Trained offline by tests/understanding/train.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

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
_FIELD, _BIAS, _TENTHS = 24, 1 << 12, 10
_MASK = (1 << _FIELD) - 1


class Weights(NamedTuple):
    """The labels, and for each feature what it adds to each of them.

    A feature's row is one number: a field of 24 bits for each label with the weight in tenths, biased so that it is
    never negative. The rows of a message are then added at the speed of plain additions, all labels at once.
    """

    labels: tuple[str, ...]
    rows: Mapping[str, int]


def features(facts: Facts) -> list[str]:
    """Characters in ones, twos and threes (thanks at the end left out), the context, and the telling facts."""
    context = facts.spans.context
    around = f"expecting={context.expecting}/{context.step}" if context.step else f"expecting={context.expecting}"
    return [
        *_pieces(facts.without("manners")[:200]),
        f"role={context.role}",
        f"chat={context.chat}",
        around,
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
        return Weights((), {})
    loaded: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    labels = sorted({label for row in loaded.values() for label in row})
    shift = {label: _FIELD * index for index, label in enumerate(labels)}
    nothing = sum(_BIAS << at for at in shift.values())
    rows = {
        name: nothing + sum(round(weight * _TENTHS) << shift[label] for label, weight in row.items())
        for name, row in loaded.items()
    }
    return Weights(tuple(labels), rows)


def opinion(names: Sequence[str], table: Weights) -> dict[str, float]:
    """For each label how it scores, as a logarithm up to a common constant; empty without weights.

    A long message has more features: their sum is divided by the root of their number, as in training.
    """
    rows = table.rows
    known = [rows[name] for name in names if name in rows]
    whole, bias = sum(known), len(known) * _BIAS
    scale = 1 / (_TENTHS * math.sqrt(max(1, len(names))))
    return {label: ((whole >> _FIELD * index & _MASK) - bias) * scale for index, label in enumerate(table.labels)}


def shares(scores: Mapping[str, float]) -> dict[str, float]:
    """Probabilities that add up to one, from logarithms."""
    top = max(scores.values())
    raised = {label: math.exp(score - top) for label, score in scores.items()}
    whole = sum(raised.values())
    return {label: value / whole for label, value in raised.items()}
