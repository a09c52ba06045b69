"""From a message to its meaning: normalise, find typed spans, apply the first rule that holds, fill the slots.

The first rule that holds and the linear second opinion are weighed against each other: the odds of the rule (its
``sure``) times those of the opinion. A rule that is certain stands alone. What the opinion alone would close, cancel,
hand over or publish is only ever asked about.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from intents import slots as slot_maker
from intents.acts import parts
from intents.common import words as warm_up
from intents.denial import denied
from intents.facts import NAMES, Facts, Signals
from intents.normal import normalise, simplified
from intents.people import People
from intents.phrases import signal
from intents.places import PlaceIndex
from intents.proposal import Proposal
from intents.reading import Act, Context, Evidence, Place, Reading
from intents.rules import Condition, Rule, load_rules
from intents.second import features, opinion, said, shares, weights
from intents.spans import Spans
from intents.words import load_toml, own_entries, own_names

_LIMIT = 4000
_INTERNAL = frozenset(
    {
        "results",
        "title",
        "kind",
        "arrive_before_minutes",
        "eta_at",
        "about_start",
        "start_date_said",
        "meeting_ahead",
        "site_unsure",
    }
)
_ASKED_BACK = frozenset({"not_received_not_there", "nothing_done_yet"})
_NEVER_SCORED = frozenset(
    {"fault.confirm", "fault.cancel", "fault.resolve", "assign", "meeting.notice", "meeting.change", "meeting.cancel"}
)
_ONLY_ANSWERED = frozenset({"ack", "help", "consult", "score", "fault.query", "meeting.query", "duty.query"})
_DENIED: dict[str, frozenset[str]] = {
    "unmended": frozenset({"fault.confirm", "fault.resolve"}),
    "said_open": frozenset({"fault.cancel"}),
    "not_cancelled": frozenset({"meeting.cancel"}),
    "denies_coming": frozenset({"ack", "arrive"}),
    "denies_fault": frozenset({"fault.report"}),
    "refuses": frozenset({"ack", "fault.update", "fault.resolve", "arrive"}),
}
"""What a denial in the message keeps the second opinion from bringing up."""
_OTHERS_SAY: dict[str, frozenset[str]] = {
    "engineer": frozenset({"fault.confirm", "fault.reject", "fault.cancel", "score"}),
    "client": frozenset({"fault.update", "fault.resolve", "checklist.report"}),
    "coordinator": frozenset({"fault.update", "fault.resolve", "checklist.report", "score"}),
    "supervisor": frozenset({"fault.update", "fault.resolve", "checklist.report", "score"}),
}
"""What is another's to say, by the labels page: likeness alone does not put it into somebody's mouth."""
_CERTAIN = 0.96
"""A rule as sure as this is not weighed against anything."""
_TRUST, _LESS_TALK, _MORE_TALK = 0.3, 1.0, 1.0
"""How much the odds of a rule count beside those of the second opinion, and by how much talk is held less likely than
in the lines it learned from, or more likely where nobody and nothing of ours is spoken of in a group; found by holding
sets back from training and on small talk of public corpora."""
_GUESS, _BOLD_GUESS, _SURE_ENOUGH, _BEGUN, _NOTHING_SAID = 0.65, 0.75, 0.65, 0.93, 0.1
_EVEN, _PLAIN_TALK = 0.5, 0.9
_MAYBE_TALK, _RATHER_TALK, _LIKELY_TALK, _OWN_MATTER = 0.15, 0.4, 0.55, 0.9
_OF_A_MATTER = frozenset({"fault.confirm", "fault.cancel", "fault.urge", "fault.query", "assign", "arrive"})
_ABOUT_IT = frozenset({"fault.cancel", "fault.confirm", "fault.reject", "fault.update", "fault.urge"})


def _own_words() -> re.Pattern[str] | None:
    """What the operator added to the lists of phrases, signals and devices, as one pattern."""
    own = [*own_entries("phrases.toml", "phrases"), *own_entries("signals.toml", "signals")]
    own += map(re.escape, own_entries("things.toml", "device"))
    return signal(own, "signals.toml") if own else None


# Read with the module, as all words are: a file that is broken later must not reach a running bot.
_OWN_RULES, _OWN_WORDS = own_names("rules.toml", "rule"), _own_words()


@lru_cache(maxsize=1)
def _book() -> tuple[tuple[Rule, ...], dict[str, Condition], Signals, dict[str, tuple[str, ...]]]:
    data: dict[str, Any] = load_toml("signals.toml")["signals"]
    signals = {name: signal(patterns, f"signals.toml: {name}") for name, patterns in data.items()}
    rules, defined, parts = load_rules(load_toml("rules.toml"), set(signals) | NAMES)
    return rules, defined, Signals(signals), parts


class Understanding:
    """Reads messages against one lexicon of sites and people. Built once; reading changes nothing in it."""

    def __init__(self, places: Sequence[Place], people: Sequence[str] = ()) -> None:
        self._places = PlaceIndex(places)
        self._people = People(people)
        self._rules, self._defined, self._signals, self._parts = _book()
        warm_up()
        weights()

    def read(self, text: str, context: Context) -> Reading:
        """The one meaning of a message."""
        facts = self.facts(text, context)
        turned: set[str] = set()
        rule = self._rule(facts, turned)
        intent, sure, talk = self._weighed(rule, facts, turned)
        if intent != rule.intent and self._denied(intent, facts):
            intent, sure, talk = self._weighed(rule, facts, turned | {intent})
        spoken_to = facts.has("spoken_to")
        if intent == "none" != rule.intent and spoken_to:
            intent, sure = rule.intent, round(1 - talk, 2)
        if intent == "none" != rule.intent:
            return Reading("none", {}, sure, "ignore", (_whole("talk_among_people", facts),))
        found = slot_maker.fill(intent, facts, self._places)
        why = _why(rule, facts) if intent == rule.intent else (_whole("second_opinion", facts),)
        act = _act(rule, intent, sure, facts)
        if act == "act" and _perhaps_talk(intent, talk, facts):
            act, why = "ask", (*why, _whole("maybe_talk", facts))
        return Reading(intent, found, sure, act, why + _spoken(facts, found))

    def _rule(self, facts: Facts, turned: set[str]) -> Rule:
        """The first rule that holds, not by a word that is denied; `turned` gets the intents of those passed over."""
        for rule in self._rules:
            if rule.intent not in turned and rule.when(facts.has):
                if rule.name in _OWN_RULES or not self._denied(rule.intent, facts):
                    return rule
                turned.add(rule.intent)
        return self._rules[-1]

    def _denied(self, intent: str, facts: Facts) -> bool:
        """Whether the message says this only where it is denied: what else it says is then something different."""
        spans = facts.spans
        stretches = denied(intent, spans.view.text)
        if not stretches:
            return False
        text = list(spans.normal.original)
        for stretch in stretches:
            start, end = spans.normal.span(*spans.view.span(*stretch))
            text[start:end] = "\n" * (end - start)
        rest = self.facts("".join(text), spans.context)
        return next(rule for rule in self._rules if rule.when(rest.has)).intent != intent

    def _weighed(self, rule: Rule, facts: Facts, turned: set[str]) -> tuple[str, float, float]:
        """The intent, how sure it is, and how likely the message is talk: the rule's odds beside the second opinion."""
        scores = opinion(features(facts), weights()) if self._doubtful(rule, facts) else {}
        if not scores:
            return rule.intent, rule.sure, 0.0
        scores["none"] += _MORE_TALK if facts.has("said_to_nobody") else -_LESS_TALK
        scores[rule.intent] = scores.get(rule.intent, 0.0) + _TRUST * math.log(rule.sure / (1 - rule.sure))
        for intent in (*_unsaid(rule, facts), *turned):
            scores.pop(intent, None)
        likely = shares(scores)
        intent = max(likely, key=likely.__getitem__)
        sure = likely[intent]
        if intent != "none" == rule.intent:
            sure = _guessed(sure, facts)
            intent = intent if sure else "none"
        return intent, round(sure or 1 - max(likely.values()), 2), likely.get("none", 0.0)

    def _doubtful(self, rule: Rule, facts: Facts) -> bool:
        """Not so an operator's own rule or words, a rule that is certain, and a bare answer."""
        if rule.sure >= _CERTAIN or rule.name in _OWN_RULES:
            return False
        if _OWN_WORDS is not None and _OWN_WORDS.search(facts.spans.view.text):
            return False
        return rule.intent == "none" or not facts.has("one_word")

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

        def one(piece: str, turned: bool, there: bool) -> Reading:
            around = fresh if turned else context
            return self._seen_there(piece, around) if there else self.read(piece, around)

        return parts(text, whole, one) or [whole]

    def _seen_there(self, piece: str, context: Context) -> Reading:
        """What an engineer finds who came for no fault: trouble with a step of the check is its result."""
        reading = self.read(piece, context)
        if reading.intent == "checklist.report" and not self.facts(piece, context).has("steps"):
            return Reading("none")  # "已到位，全部正常" is one thing: what is all right is known from the arrival
        elsewhere = context.role != "engineer" or context.matter == "handler"
        if elsewhere or reading.intent not in ("fault.report", "fault.update"):
            return reading
        asked = replace(context, expecting="step", step=None)
        return self.read(piece, asked) if self.facts(piece, context).has("steps") else reading


def _said_of_itself(intent: str, facts: Facts, least: float) -> bool:
    """Whether the words alone, whatever is awaited, are at least so likely this."""
    return not facts.has("exp_none") and shares(opinion(said(facts), weights()))[intent] >= least


def _guessed(sure: float, facts: Facts) -> float:
    """How far a likeness that no rule bears out is to be trusted; 0 when not at all.

    Where something is awaited nearly anything looks like its answer: the words must do without that.
    """
    if sure < (_GUESS if facts.has("worth_a_guess") else _BOLD_GUESS):
        return 0.0
    if facts.has("exp_none"):
        return sure
    alone = 1 - shares(opinion(said(facts), weights()))["none"]
    return min(sure, alone) if alone > _NOTHING_SAID else 0.0


def _act(rule: Rule, intent: str, sure: float, facts: Facts) -> Act:
    """Silence for chatter; a question where something awaited is denied, or where a score alone would act."""
    if intent == "none":
        return "ask" if rule.name in _ASKED_BACK and facts.spans.context.expecting is not None else "ignore"
    if intent == rule.intent:
        return "act"
    published = intent == "ack" and facts.has("exp_notice")
    if published or (intent in _NEVER_SCORED and not (intent == "meeting.notice" and facts.has("worth_a_draft"))):
        return "ask"
    return "ask" if sure < (_BEGUN if intent == "fault.report" else _SURE_ENOUGH) else "act"


def _unsaid(rule: Rule, facts: Facts) -> Iterator[str]:
    """What the second opinion may not bring up against a rule."""
    receives = facts.has("ack_word") or facts.has("yes_head") or _said_of_itself("ack", facts, _EVEN)
    if not receives and rule.intent != "ack" and (rule.intent != "none" or facts.has("negative")):
        yield "ack"  # nobody is booked as having taken a thing because that was awaited
    if rule.intent != "none" and facts.has("answers") and not _said_of_itself("none", facts, _PLAIN_TALK):
        yield "none"  # what answers the bot is no talk
    if rule.intent == "arrive":
        yield "checklist.report"  # "已到位，全部正常": the arrival would be lost
    yield from _OTHERS_SAY.get(facts.spans.context.role, frozenset()) - {rule.intent}
    for name, intents in _DENIED.items():
        if facts.has(name):
            yield from intents - {rule.intent}


def _perhaps_talk(intent: str, talk: float, facts: Facts) -> bool:
    """Whether to ask before something is begun or ended; an answer, or what is said of an own matter, not so soon."""
    if intent in _OF_A_MATTER and facts.has("said_to_nobody"):
        return True
    if intent == "fault.report" and facts.has("nothing_of_ours"):
        return True
    if intent in _ONLY_ANSWERED:
        return talk >= _RATHER_TALK and not facts.has("spoken_to")
    if intent == "fault.report" and facts.has("spoken_to"):
        return talk >= _LIKELY_TALK  # a question keeps who is in trouble waiting; a word withdraws what was none
    return talk >= (_OWN_MATTER if facts.has("own_matter") and intent in _ABOUT_IT else _MAYBE_TALK)


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
