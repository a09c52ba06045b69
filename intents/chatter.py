"""Whether a message is talk among people, whatever rule it happened to fit: a linear weighing of how it speaks.

Rules know the words of this work; they cannot know everything else people talk about. This weighs the other side:
frames (frames.toml: told of the past, of others, supposed, a likeness …), how much of the message is about nothing we
know, and the characters themselves. Trained offline by tests/understanding/train.py; it can only silence or put a
question where a rule would act, never act by itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache

from intents.facts import Facts
from intents.second import features as told
from intents.words import HERE, compiled, load_toml

_FRAMES = load_toml("frames.toml")
_TALK = {name: compiled(text, f"frames.toml: {name}") for name, text in _FRAMES["talk"].items()}
_WORK = {name: compiled(text, f"frames.toml: {name}") for name, text in _FRAMES["work"].items()}
_BESIDE = ("broken", "device", "meeting")
_STEPS = (2, 5, 9, 15, 30)


def features(facts: Facts) -> list[str]:
    """What the second opinion looks at too, the frames beside what is told, and how much is left over."""
    frames = list(_frames(facts))
    beside = [name for name in _BESIDE if facts.has(name)]
    return [*told(facts), *frames, *(f"{name}&{frame}" for name in beside for frame in frames)]


def _frames(facts: Facts) -> Iterator[str]:
    text = facts.spans.view.text
    for name, pattern in _TALK.items():
        if pattern.search(text):
            yield f"frame={name}"
    for name, pattern in _WORK.items():
        yield f"frame={name}" if pattern.search(text) else f"frame=no_{name}"
    rest = facts.spans.left_over
    yield f"rest={sum(rest > step for step in _STEPS)}"
    yield f"share={min(3, 5 * rest // max(1, len(text)))}"


def likelihood(facts: Facts) -> float:
    """0..1: how likely the message is talk among people. 0 without the trained file."""
    table = weights()
    score = sum(table.get(name, 0.0) for name in features(facts)) if table else -30.0
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


@lru_cache(maxsize=1)
def weights() -> Mapping[str, float]:
    """The trained weights: feature → weight. Without the file nothing is weighed."""
    path = HERE / "chatter.json"
    if not path.exists():
        return {}
    loaded: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
