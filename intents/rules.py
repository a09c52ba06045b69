"""Ordered, named rules over named facts: small conditions like "broken & !(ack_word | howto)", read from data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class ConditionError(ValueError):
    """A condition cannot be read: whose it is, what is wrong (a key of overlay.toml), and the words it is about."""

    def __init__(self, owner: str, wrong: str, words: str = "") -> None:
        super().__init__(f"rules.toml: {owner}: {wrong} {words}".rstrip())
        self.owner, self.wrong, self.words = owner, wrong, words


Ask = Callable[[str], bool]
Condition = Callable[[Ask], bool]
_TOKEN = re.compile(r"\s*([&|!()]|[a-z_]+)")


@dataclass(frozen=True)
class Rule:
    """One line of meaning: when the condition holds the message has this intent, with this confidence."""

    name: str
    intent: str
    when: Condition
    sure: float
    names: tuple[str, ...]


Book = tuple[tuple[Rule, ...], dict[str, Condition], dict[str, tuple[str, ...]]]


def load_rules(data: Mapping[str, Any], known: Iterable[str]) -> Book:
    """Rules in order, the defined names, and the names inside each of those.

    ValueError, naming the rule, when a condition cannot be read.
    """
    names = set(known)
    defined = data.get("defined", {})
    clash = names & set(defined)
    if clash:
        raise ValueError(f"rules.toml: defined twice: {', '.join(sorted(clash))}")
    names |= set(defined)
    conditions = {name: _compile(text, names, name) for name, text in defined.items()}
    rules = tuple(
        Rule(
            entry["name"],
            entry["intent"],
            _compile(entry["when"], names, entry["name"]),
            float(entry.get("sure", 0.8)),
            tuple(re.findall(r"[a-z_]+", entry["when"])),
        )
        for entry in data["rule"]
    )
    parts = {name: tuple(re.findall(r"[a-z_]+", text)) for name, text in defined.items()}
    return rules, conditions, parts


def _compile(text: str, names: set[str], owner: str) -> Condition:
    tokens = _tokens(text, owner)
    condition, at = _either(tokens, 0, names, owner)
    if at != len(tokens):
        raise ConditionError(owner, "unexpected", tokens[at])
    return condition


def _tokens(text: str, owner: str) -> list[str]:
    tokens, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ConditionError(owner, "unreadable", text[at:])
        tokens.append(match.group(1))
        at = match.end()
    return tokens


def _either(tokens: list[str], at: int, names: set[str], owner: str) -> tuple[Condition, int]:
    options: list[Condition] = []
    while True:
        option, at = _both(tokens, at, names, owner)
        options.append(option)
        if at >= len(tokens) or tokens[at] != "|":
            return (options[0] if len(options) == 1 else _any(options)), at
        at += 1


def _both(tokens: list[str], at: int, names: set[str], owner: str) -> tuple[Condition, int]:
    plain: list[tuple[str, bool]] = []
    others: list[Condition] = []
    while True:
        negated = at < len(tokens) and tokens[at] == "!"
        word = tokens[at + negated] if at + negated < len(tokens) else ""
        if word in names:
            plain.append((word, not negated))
            at += 1 + negated
        else:
            other, at = _one(tokens, at, names, owner)
            others.append(other)
        if at >= len(tokens) or tokens[at] != "&":
            return _every(plain, others), at
        at += 1


def _one(tokens: list[str], at: int, names: set[str], owner: str) -> tuple[Condition, int]:
    if at >= len(tokens):
        raise ConditionError(owner, "ends")
    word = tokens[at]
    if word == "!":
        inner, at = _one(tokens, at + 1, names, owner)
        return _not(inner), at
    if word == "(":
        inner, at = _either(tokens, at + 1, names, owner)
        if at >= len(tokens) or tokens[at] != ")":
            raise ConditionError(owner, "open")
        return inner, at + 1
    if word not in names:
        raise ConditionError(owner, "unknown", word)
    return _name(word), at + 1


def _name(name: str) -> Condition:
    return lambda ask: ask(name)


def _not(inner: Condition) -> Condition:
    return lambda ask: not inner(ask)


def _every(plain: list[tuple[str, bool]], others: list[Condition]) -> Condition:
    """All names as wanted and all other conditions; names first, since they are known or cheap."""
    if not others and len(plain) == 1:
        return _name(plain[0][0]) if plain[0][1] else _not(_name(plain[0][0]))

    def holds(ask: Ask) -> bool:
        for name, wanted in plain:
            if ask(name) is not wanted:
                return False
        for other in others:  # noqa: SIM110  # a generator costs twice the time, and this runs for every rule
            if not other(ask):
                return False
        return True

    return holds


def _any(options: list[Condition]) -> Condition:
    def holds(ask: Ask) -> bool:
        for option in options:  # noqa: SIM110  # as above
            if option(ask):
                return True
        return False

    return holds
