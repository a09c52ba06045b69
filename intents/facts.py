"""What the rules may ask about a message: signals (patterns) and facts, each found out at most once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from intents.reading import Context
from intents.rules import Condition
from intents.sieve import Sieve
from intents.spans import Spans
from intents.time_lengths import duration_minutes as find_length

_VAGUE = frozenset({"other", "damaged", "frozen", "overheating", "no_power", "low_volume", "blurred"})
_LITTLE = 3
_WEAK = frozenset({"other", "damaged", "overheating"})
_FACTS: dict[str, Callable[[Spans], bool]] = {
    "place": lambda s: bool(s.places),
    "person": lambda s: bool(s.people),
    "device": lambda s: any(thing.code != "other" for thing in s.devices),
    "ticket": lambda s: bool(s.tickets),
    "room": lambda s: bool(s.rooms),
    "solid": lambda s: any(symptom.state == "present" and symptom.code not in _VAGUE for symptom in s.symptoms),
    "time": lambda s: bool(s.times),
    "clock": lambda s: any(isinstance(span.start, datetime) for span in s.times),
    "future": lambda s: any(isinstance(span.start, datetime) and span.start > s.context.now for span in s.times),
    "broken": lambda s: any(symptom.state == "present" for symptom in s.symptoms),
    "gone": lambda s: any(symptom.state == "gone" for symptom in s.symptoms),
    "semi": lambda s: any(symptom.state == "present" and symptom.code not in _WEAK for symptom in s.symptoms),
    "anything": lambda s: bool(s.devices),
    "duration": lambda s: find_length(s.text) is not None,
    "mention": lambda s: bool(s.normal.mentions),
    "foreign_script": lambda s: not any("\u4e00" <= char <= "\u9fff" for char in s.normal.original),
    "little_else": lambda s: s.left_over <= _LITTLE,
    "system": lambda s: bool(s.systems),
    "denied": lambda s: any(symptom.state == "denied" for symptom in s.symptoms),
    "asked": lambda s: any(symptom.state in ("asked", "supposed") for symptom in s.symptoms),
    "life": lambda s: bool(s.life),
    "life_firm": lambda s: "firm" in s.life,
    "scope_everybody": lambda s: s.everybody,
    "steps": lambda s: bool(s.checks),
    "two_steps": lambda s: len(s.checks) > 1,
    "mere_courtesy": lambda s: s.mere_courtesy,
    "empty": lambda s: not s.view.text.strip(" ,.!?;~、\n\"'-()"),
    "tiny": lambda s: len(s.view.text) <= 4,
    "short": lambda s: len(s.view.text) <= 9,
    "long": lambda s: len(s.text) >= 40,
}


def _around(context: Context) -> dict[str, bool]:
    """What is known before the message is read."""
    role, asked = context.role, context.expecting
    return {
        "client": role == "client",
        "coordinator": role == "coordinator",
        "engineer": role == "engineer",
        "supervisor": role == "supervisor",
        "direct": context.chat == "direct",
        "group": context.chat == "group",
        "exp_ack": asked == "ack",
        "exp_arrival": asked == "arrival",
        "exp_step": asked == "step",
        "exp_fix": asked == "fix_confirmation",
        "exp_notice": asked == "notice_confirmation",
        "exp_site": asked == "site",
        "exp_score": asked == "score",
        "exp_none": asked is None,
        "spoken_to": context.addressed or bool(context.matter),
        "own_matter": bool(context.matter),
        "handler": context.matter == "handler",
        "reporter": context.matter == "reporter",
    }


NAMES = frozenset(_FACTS) | _around(Context(datetime.min.replace(tzinfo=UTC))).keys()


class Signals:
    """Named patterns that are looked for in a message."""

    def __init__(self, patterns: Mapping[str, re.Pattern[str]]) -> None:
        self.patterns = patterns
        self._sieve = Sieve(patterns.items())
        self._none = dict.fromkeys(patterns, False)

    def absent(self, text: str) -> dict[str, bool]:
        """Those that cannot be in a text, each with False for an answer; most of them."""
        absent = self._none.copy()
        for name, _ in self._sieve.candidates(text):
            del absent[name]
        return absent


class _Answers(dict[str, bool]):
    """Answers by name, each found out when it is first asked for; a lookup costs no Python call after that."""

    def __init__(self, find: Callable[[str], bool], known: Mapping[str, bool]) -> None:
        super().__init__(known)
        self._find = find

    def __missing__(self, name: str) -> bool:
        found = self[name] = self._find(name)
        return found


class Facts:
    """Answers `has(name)`; remembers the answers, and for signals where they matched."""

    def __init__(
        self,
        spans: Spans,
        signals: Signals,
        defined: Mapping[str, Condition],
        parts: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.spans = spans
        self._signals = signals
        self._defined = defined
        self._parts = parts
        known = signals.absent(spans.view.text) | _around(spans.context)
        self.has: Callable[[str], bool] = _Answers(self._find, known).__getitem__
        self.told: list[str] | None = None
        """What the second opinion looks at, once it has been put together."""
        self.matches: dict[str, tuple[int, int]] = {}

    def spoken(self, names: tuple[str, ...]) -> list[str]:
        """The signals behind `names` that matched, defined names opened up, each once."""
        found: dict[str, None] = {}
        waiting = list(dict.fromkeys(names))
        while waiting:
            name = waiting.pop(0)
            if name in self._parts:
                waiting = [*self._parts[name], *waiting]
            elif name in self.matches:
                found[name] = None
        return list(found)

    def without(self, name: str) -> str:
        """The text without what a signal matches; the whole of it when nothing else would be left."""
        text = self.spans.view.text
        return self._signals.patterns[name].sub("", text) or text

    def _find(self, name: str) -> bool:
        pattern = self._signals.patterns.get(name)
        if pattern is not None:
            match = pattern.search(self.spans.view.text)
            if match is not None:
                self.matches[name] = match.span()
            return match is not None
        condition = self._defined.get(name)
        return condition(self.has) if condition is not None else _FACTS[name](self.spans)
