"""Answers to the on-site check: which steps a message speaks of, and how each went."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from intents.phrases import signal
from intents.reading import Context
from intents.things import Symptom
from intents.words import load_toml, patterns

ORDER = ("power", "link", "terminal", "av_test", "shutdown")
_STEPS = tuple((code, re.compile("|".join(patterns))) for code, patterns in load_toml("checks.toml")["step"].items())
_SIGNALS = load_toml("signals.toml")["signals"]
_OK, _SHUT_DOWN, _BAD = (signal(_SIGNALS[name], name) for name in ("step_ok", "shut_down", "step_bad"))

_PATTERNS = patterns("checks.toml")
_DENIED, _SETTLED = _PATTERNS["denied"], _PATTERNS["settled"]
_LEAD = re.compile(r"[,.;!\n]")


@dataclass(frozen=True)
class Check:
    """One step, "ok" or "abnormal", and the words about it (normalised offsets)."""

    step: str
    status: str
    start: int
    end: int


def find(text: str, symptoms: Sequence[Symptom], context: Context) -> list[Check]:
    """Steps in the order of the form. Without a step word the whole text is about the step that was asked."""
    marks = _of_their_own(text, _marks(text), context)
    if context.expecting == "step" and context.step:
        marks = _seen_from(context.step, marks)
    if not marks:
        return []
    pieces = _with_lead(text, marks, symptoms, context)
    found: dict[str, Check] = {}
    pending: list[tuple[str, int]] = []
    for step, start, end in pieces:
        status = _status(text[start:end], start, end, symptoms)
        if status is None:
            pending.append((step, start))
            continue
        for name, begin in [*pending, (step, start)]:
            _add(found, Check(name, status, begin, end))
        pending = []
    for step, start in pending:
        _add(found, Check(step, "ok" if not _any_bad(symptoms) else "abnormal", start, len(text)))
    return sorted(found.values(), key=lambda check: ORDER.index(check.step))


def _add(found: dict[str, Check], check: Check) -> None:
    known = found.get(check.step)
    if known is None or check.status == "abnormal":
        found[check.step] = check


def _marks(text: str) -> list[tuple[str, int, int]]:
    return sorted(
        ((code, match.start(), match.end()) for code, pattern in _STEPS for match in pattern.finditer(text)),
        key=lambda mark: mark[1],
    )


def _of_their_own(text: str, marks: list[tuple[str, int, int]], context: Context) -> list[tuple[str, int, int]]:
    """Without what only tells how another step fails ("交换机没电"), unless the power is what was asked for."""
    if context.step == "terminal":
        return [mark for mark in marks if mark[0] != "av_test" or not _PATTERNS["shows_in"].match(text, mark[2])]
    if context.step == "power":
        return marks
    return [
        mark
        for at, mark in enumerate(marks)
        if not (
            at
            and mark[0] == "power"
            and text[mark[1]] in "没有"
            and _PATTERNS["its_own"].fullmatch(text[marks[at - 1][2] : mark[1]])
        )
    ]


def _seen_from(step: str, marks: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """The asked step claims words that could be about another ("开机" while shutdown or power is asked)."""
    if step == "shutdown":
        return []
    codes = {mark[0] for mark in marks}
    if step in codes or not codes:
        wanted = ("av_test", "power", "link") if step == "av_test" else ORDER[:-1]
        return [mark for mark in marks if mark[0] in wanted]
    return marks


def _pieces(text: str, marks: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    pieces: list[tuple[str, int, int]] = []
    for index, (code, start, _) in enumerate(marks):
        if pieces and pieces[-1][0] == code:
            pieces[-1] = (code, pieces[-1][1], marks[index + 1][1] if index + 1 < len(marks) else len(text))
            continue
        stop = marks[index + 1][1] if index + 1 < len(marks) else len(text)
        pieces.append((code, start if index else 0, stop))
    return pieces


def _with_lead(
    text: str, marks: list[tuple[str, int, int]], symptoms: Sequence[Symptom], context: Context
) -> list[tuple[str, int, int]]:
    """ "正常。光路也正常": words before the first step are about the step that was asked."""
    first, asked = marks[0][1], context.step
    pieces = _pieces(text, marks)
    if context.expecting != "step" or not asked or asked in {mark[0] for mark in marks}:
        return pieces
    lead = text[:first]
    if _LEAD.search(lead) is None or _status(lead, 0, first, symptoms) is None:
        return pieces
    return [(asked, 0, first), (pieces[0][0], first, pieces[0][2]), *pieces[1:]]


def _status(piece: str, start: int, end: int, symptoms: Sequence[Symptom]) -> str | None:
    if _SETTLED.search(piece):
        return "ok"
    if any(symptom.state == "present" and start <= symptom.start < end for symptom in symptoms):
        return "abnormal"
    cleaned = _DENIED.sub("正常", piece)
    for symptom in symptoms:
        if symptom.state == "denied" and start <= symptom.start < end:
            cleaned = cleaned.replace(piece[symptom.start - start : symptom.end - start], "")
    if _BAD.search(cleaned):
        return "abnormal"
    return "ok" if _OK.search(cleaned) else None


def _any_bad(symptoms: Sequence[Symptom]) -> bool:
    return any(symptom.state == "present" for symptom in symptoms)


def switched_off(text: str) -> bool:
    """Whether the equipment was switched off as it should be, so that "断电" is no trouble."""
    return _SHUT_DOWN.search(text) is not None


def bare_status(text: str, symptoms: Sequence[Symptom], step: str | None = None) -> str:
    """How a reply without a step word went: abnormal when anything in it is wrong, "2" included.

    What is off or cut is as it should be when the shutdown was asked for."""
    if text.strip(" .,!") in ("2", "否", "不", "no"):
        return "abnormal"
    if step == "shutdown" and _PATTERNS["all_off"].search(text) and not _any_bad(symptoms):
        return "abnormal" if _PATTERNS["not_off"].search(text) else "ok"
    return _status(text, 0, len(text), symptoms) or "ok"
