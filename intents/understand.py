"""From a message to its meaning: normalise, find typed spans, apply the first rule that holds, fill the slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from intents import chatter
from intents import slots as slot_maker
from intents.acts import parts
from intents.common import words as warm_up
from intents.facts import NAMES, Facts
from intents.normal import normalise, simplified
from intents.people import People
from intents.phrases import signal
from intents.places import PlaceIndex
from intents.proposal import Proposal
from intents.reading import Act, Context, Evidence, Place, Reading
from intents.rules import Condition, Rule, load_rules
from intents.second import features, likeliest, weights
from intents.spans import Spans
from intents.words import load_toml, own_names

_LIMIT = 4000
_INTERNAL = frozenset(
    {"results", "title", "kind", "arrive_before_minutes", "eta_at", "about_start", "start_date_said", "meeting_ahead"}
)
_ASKED_BACK = frozenset({"not_received_not_there", "nothing_done_yet"})
_SILENT = frozenset({"chatter", "engineer_says", "something_seems_wrong"})
_NEVER_SCORED = frozenset(
    {"fault.confirm", "fault.cancel", "fault.resolve", "assign", "meeting.notice", "meeting.change", "meeting.cancel"}
)
_FIRM, _GUESS, _BOLD_GUESS, _OVERRULE, _SURE_NONE = 0.89, 0.28, 0.65, 0.9, 0.93
_ONLY_ANSWERED = frozenset({"ack", "help", "consult", "score", "fault.query", "meeting.query", "duty.query"})
_NEVER_TALK = ("long", "ticket", "bare_answer")
_TALK, _TALK_ANSWERED, _MAYBE_TALK, _NO_TALK = 0.8, 0.65, 0.4, 0.3


@lru_cache(maxsize=1)
def _book() -> tuple[tuple[Rule, ...], dict[str, Condition], dict[str, re.Pattern[str]], dict[str, tuple[str, ...]]]:
    data: dict[str, Any] = load_toml("signals.toml")["signals"]
    signals = {name: signal(patterns, f"signals.toml: {name}") for name, patterns in data.items()}
    rules, defined, parts = load_rules(load_toml("rules.toml"), set(signals) | NAMES)
    return rules, defined, signals, parts


class Understanding:
    """Reads messages against one lexicon of sites and people. Built once; reading changes nothing in it."""

    def __init__(self, places: Sequence[Place], people: Sequence[str] = ()) -> None:
        self._places = PlaceIndex(places)
        self._people = People(people)
        self._rules, self._defined, self._signals, self._parts = _book()
        self._own_rules = own_names("rules.toml", "rule")
        warm_up()
        weights()
        chatter.weights()

    def read(self, text: str, context: Context) -> Reading:
        """The one meaning of a message."""
        facts = self.facts(text, context)
        rule = next(rule for rule in self._rules if rule.when(facts.has))
        scored = self._second_opinion(rule, facts)
        intent, sure = scored or (rule.intent, rule.sure)
        talk = 0.0 if rule.name in self._own_rules else _talk(intent, facts)
        if talk >= (_TALK_ANSWERED if intent in _ONLY_ANSWERED else _TALK):
            return Reading("none", {}, round(talk, 2), "ignore", (_whole("talk_among_people", facts),))
        found = slot_maker.fill(intent, facts, self._places)
        why = (_whole("second_opinion", facts),) if scored else _why(rule, facts)
        act = _act(rule, intent, sure if scored else None, facts)
        if act == "act" and talk >= _MAYBE_TALK and intent not in _ONLY_ANSWERED:
            act, sure, why = "ask", round(min(sure, 1 - talk), 2), (*why, _whole("maybe_talk", facts))
        return Reading(intent, found, sure, act, why + _spoken(facts, found))

    @staticmethod
    def _second_opinion(rule: Rule, facts: Facts) -> tuple[str, float] | None:
        """What the score says, where no rule spoke and something of this work is named, or where it is far surer."""
        if rule.sure >= _FIRM or facts.has("long"):
            return None
        needed = _needed(rule, facts)
        if needed is None:
            return None
        intent, sure = likeliest(features(facts), weights())
        if intent == "none":
            needed = 1.0 if facts.has("short") else _SURE_NONE
        if intent == rule.intent or sure < needed or (intent == "ack" and facts.has("negative")):
            return None
        return intent, round(min(sure, 0.9), 2)

    def facts(self, text: str, context: Context) -> Facts:
        """What the rules may ask about a message; for training and for telling why."""
        spans = Spans(normalise(text[:_LIMIT], simplified()), context, self._places, self._people)
        return Facts(spans, self._signals, self._defined, self._parts)

    def assume(self, text: str, context: Context, proposal: Proposal) -> Reading | None:
        """The text read as what is proposed; None when a value means nothing to the own parsers. Never acted upon."""
        for kind, value in proposal.values:
            spans = self.facts(value, context).spans
            read = {"site": spans.places, "room": spans.rooms, "device": spans.devices, "time": spans.times}
            if not read.get(kind, spans.symptoms):
                return None
        facts = self.facts(text, context)
        found = slot_maker.fill(proposal.intent, facts, self._places)
        return Reading(proposal.intent, found, 0.5, "ask", (_whole("proposed", facts),))

    def read_all(self, text: str, context: Context) -> list[Reading]:
        """Every act of a message, in the order written; never empty."""
        whole = self.read(text, context)
        fresh = replace(context, expecting=None, step=None)
        pieces = parts(text, whole, lambda piece, turned: self.read(piece, fresh if turned else context))
        return pieces or [whole]


def _needed(rule: Rule, facts: Facts) -> float | None:
    """How sure the score must be to speak; None where it may not: small talk stays small talk."""
    if rule.name not in _SILENT:
        return _OVERRULE
    if facts.has("worth_a_guess"):
        return _GUESS
    if facts.has("not_our_work"):
        return None
    return _BOLD_GUESS if facts.has("short") or chatter.likelihood(facts) >= _NO_TALK else _GUESS


def _act(rule: Rule, intent: str, scored: float | None, facts: Facts) -> Act:
    """Silence for chatter; a question where something awaited is denied, or where a score alone would act."""
    if intent == "none":
        return "ask" if rule.name in _ASKED_BACK and facts.spans.context.expecting is not None else "ignore"
    return "ask" if scored is not None and (intent in _NEVER_SCORED or scored < _BOLD_GUESS) else "act"


def _talk(intent: str, facts: Facts) -> float:
    """How likely nobody wanted anything of the bot; an answer, a number, a long or a bare message is not doubted so."""
    if intent == "none" or not facts.has("exp_none") or any(map(facts.has, _NEVER_TALK)):
        return 0.0
    return chatter.likelihood(facts)


def _whole(rule: str, facts: Facts) -> Evidence:
    original = facts.spans.normal.original
    text = original.strip("\n")
    start = original.index(text)
    return Evidence(rule, start, start + len(text), text)


def _spoken(facts: Facts, found: dict[str, object]) -> tuple[Evidence, ...]:
    """The words that slots were read from."""
    spans = facts.spans
    kinds = {
        "site": [(hit.start, hit.end) for hit in spans.places] if "site" in found or "scope" in found else [],
        "device": [(thing.start, thing.end) for thing in spans.devices] if "device" in found else [],
        "symptom": [(one.start, one.end) for one in spans.symptoms] if "symptom" in found else [],
        "time": [span.span for span in spans.times] if "start" in found else [],
    }
    told = []
    for kind, places in kinds.items():
        for place in places[:4]:
            start, end = spans.normal.span(*place)
            told.append(Evidence(f"word.{kind}", start, end, spans.normal.original[start:end]))
    return tuple(told)


def _why(rule: Rule, facts: Facts) -> tuple[Evidence, ...]:
    """The rule, at the words of the signals that made it hold."""
    spans = facts.spans
    found = []
    for name in facts.spoken(rule.names):
        if name in facts.matches:
            start, end = spans.normal.span(*spans.view.span(*facts.matches[name]))
            found.append(Evidence(f"{rule.name}.{name}", start, end, spans.normal.original[start:end]))
    original = spans.normal.original
    return tuple(found) or (Evidence(rule.name, 0, len(original), original),)


def outward(slots: dict[str, object]) -> dict[str, object]:
    """The slots of the labels page alone."""
    return {key: value for key, value in slots.items() if key not in _INTERNAL}
