"""A linear second opinion on every message: weights from a file, scored in plain Python.

It knows no rule. It looks at the characters, at who speaks and what was asked, and at a few telling facts, and says how
likely each intent is, small talk among them. How it is weighed against the rules is told in intents/understand.py.
Trained offline by tests/understanding/train.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import add
from typing import Any, NamedTuple

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
_FIELD, _BIAS, TENTHS = 24, 1 << 12, 10
_MASK = (1 << _FIELD) - 1


class Weights(NamedTuple):
    """The labels, what each of them scores in any message, and for each feature what it adds to each of them.

    A feature's row is one number: a field of 24 bits for each label with the weight in tenths, biased so that it is
    never negative, and one more field with how telling the feature is, squared. The rows of a message are then added at
    the speed of plain additions, all labels at once.
    """

    labels: tuple[str, ...]
    always: tuple[float, ...]
    rows: Mapping[str, int]


NO_WEIGHTS = Weights((), (), {})


def features(facts: Facts) -> list[str]:
    """What is said, and who says it, where, and what had been asked."""
    context = facts.spans.context
    around = f"expecting={context.expecting}/{context.step}" if context.step else f"expecting={context.expecting}"
    return [
        *said(facts),
        f"role={context.role}",
        f"chat={context.chat}",
        around,
        f"{context.role}/{context.expecting}",
        *(f"is:{name}/{context.expecting}" for name in _telling(facts)),
    ]


def said(facts: Facts) -> list[str]:
    """The words alone: characters in ones, twos and threes (thanks at the end left out), and the telling facts."""
    return [*_pieces(facts.without("manners")[:200]), *(f"is:{name}" for name in _telling(facts))]


def _telling(facts: Facts) -> list[str]:
    return [name for name in _TELLING if facts.has(name)]


def _pieces(text: str) -> dict[str, None]:
    ones = f"^{_DIGITS.sub('0', text)}$"
    twos = list(map(add, ones, ones[1:]))
    return dict.fromkeys([*ones, *twos, *map(add, twos, ones[2:])])


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The trained weights of weights.json; without the file the rules stand alone.

    The file has `labels`, `always` (a weight for each) and `features`: each with the square of how telling it is and
    then pairs of the place of a label and what it adds to it, all in whole tenths. ValueError when one is out of range.
    """
    path = HERE / "weights.json"
    if not path.exists():
        return NO_WEIGHTS
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    labels = tuple(loaded["labels"])
    nothing = sum(_BIAS << _FIELD * at for at in range(len(labels) + 1))
    rows = {name: nothing + _packed(name, row, len(labels)) for name, row in loaded["features"].items()}
    return Weights(labels, tuple(weight / TENTHS for weight in loaded["always"]), rows)


def _packed(name: str, row: Sequence[int], last: int) -> int:
    if max(row[0], *map(abs, row[2::2])) >= _BIAS or max(row[1::2]) >= last:
        raise ValueError(f"weights.json: {name!r} has a weight or a label out of range; train it anew")
    adds = zip(row[1::2], row[2::2], strict=True)
    return (row[0] << _FIELD * last) + sum(weight << _FIELD * at for at, weight in adds)


def opinion(names: Sequence[str], table: Weights) -> dict[str, float]:
    """For each label how it scores, as a logarithm up to a common constant; empty without weights.

    A feature counts by how telling it is (the rarer, the more); all of them together count the same in every message,
    however long: the sum is divided by the length of the vector of what is known of it, as in training.
    """
    rows = table.rows
    known = [rows[name] for name in names if name in rows]
    whole, bias = sum(known), len(known) * _BIAS
    squared = ((whole >> _FIELD * len(table.labels)) - bias) / TENTHS
    scale = 1 / (TENTHS * math.sqrt(max(1.0, squared)))
    return {
        label: always + ((whole >> _FIELD * at & _MASK) - bias) * scale
        for at, (label, always) in enumerate(zip(table.labels, table.always, strict=True))
    }


def shares(scores: Mapping[str, float]) -> dict[str, float]:
    """Probabilities that add up to one, from logarithms."""
    top = max(scores.values())
    raised = {label: math.exp(score - top) for label, score in scores.items()}
    whole = sum(raised.values())
    return {label: value / whole for label, value in raised.items()}
