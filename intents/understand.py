"""From a message to its meaning: normalise, find typed spans, apply the first rule that holds, fill the slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from intents import slots as slot_maker
from intents.facts import NAMES, Facts
from intents.normal import normalise
from intents.people import People
from intents.places import PlaceIndex
from intents.reading import Act, Context, Evidence, Place, Reading
from intents.rules import Condition, Rule, load_rules
from intents.spans import Spans
from intents.words import load_toml

_LIMIT = 4000
_INTERNAL = frozenset({"results", "title", "kind", "arrive_before_minutes", "eta_at", "about_start"})
_ASKED_BACK = "not_received_not_there"


@lru_cache(maxsize=1)
def _book() -> tuple[tuple[Rule, ...], dict[str, Condition], dict[str, re.Pattern[str]]]:
    data: dict[str, Any] = load_toml("signals.toml")["signals"]
    signals = {name: re.compile("|".join(patterns)) for name, patterns in data.items()}
    rules, defined = load_rules(load_toml("rules.toml"), set(signals) | NAMES)
    return rules, defined, signals


class Understanding:
    """Reads messages against one lexicon of sites and people. Built once; reading changes nothing in it."""

    def __init__(self, places: Sequence[Place], people: Sequence[str] = ()) -> None:
        self._places = PlaceIndex(places)
        self._people = People(people)
        self._rules, self._defined, self._signals = _book()

    def read(self, text: str, context: Context) -> Reading:
        """The one meaning of a message."""
        spans = Spans(normalise(text[:_LIMIT]), context, self._places, self._people)
        facts = Facts(spans, self._signals, self._defined)
        rule = next(rule for rule in self._rules if rule.when(facts.has))
        found = slot_maker.fill(rule.intent, facts, self._places)
        return Reading(rule.intent, found, rule.sure, self._act(rule, facts), _why(rule, facts))

    def read_all(self, text: str, context: Context) -> list[Reading]:
        """Every act of a message, in the order written; never empty."""
        return [self.read(text, context)]

    @staticmethod
    def _act(rule: Rule, facts: Facts) -> Act:
        if rule.name == _ASKED_BACK and facts.spans.context.expecting is not None:
            return "ask"
        return "ignore" if rule.intent == "none" else "act"


def _why(rule: Rule, facts: Facts) -> tuple[Evidence, ...]:
    """The rule, at the words of the signals that made it hold."""
    spans = facts.spans
    found = []
    for name in rule.names:
        if name in facts.matches:
            start, end = spans.normal.span(*spans.view.span(*facts.matches[name]))
            found.append(Evidence(f"{rule.name}.{name}", start, end, spans.normal.original[start:end]))
    original = spans.normal.original
    return tuple(found) or (Evidence(rule.name, 0, len(original), original),)


def outward(slots: dict[str, object]) -> dict[str, object]:
    """The slots of the labels page alone."""
    return {key: value for key, value in slots.items() if key not in _INTERNAL}
