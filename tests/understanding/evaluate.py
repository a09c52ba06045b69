"""Scores the understanding on labelled lines: `python tests/understanding/evaluate.py [FILE.jsonl] [--errors]`.

Prints intents with recall and precision, each slot's F1, the confusion list, and what the targets ask for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from intents.cli import load_places
from intents.reading import Context, Reading
from intents.understand import Understanding, outward

HERE = Path(__file__).parent
SITES = HERE / "sites.csv"
DEV = HERE / "dev.jsonl"
FRESH = HERE / "fresh.jsonl"
"""Written by hands that did not look at the rules; tuned on after the first reading."""
HELD = HERE / "held.jsonl"
"""Written likewise; never trained on. Its misses have been looked at since, and what was behind them mended."""
SPOKEN = HERE / "spoken.jsonl"
"""How people talk when they do not name the thing, and small talk beside it: intents alone, no slots."""
CREATING = {
    "fault.report",
    "meeting.notice",
    "meeting.change",
    "meeting.cancel",
    "fault.confirm",
    "fault.cancel",
    "fault.resolve",
    "assign",
}


@dataclass
class Scores:
    """What came out: pairs of (wanted, got) intents, slot counts, and the lines that went wrong."""

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    present: Counter[str] = field(default_factory=Counter)
    talk: Counter[str] = field(default_factory=Counter)
    """What was done about lines that want nothing: "act", "ask", "ignore"; "begun" where something began or ended."""
    errors: list[str] = field(default_factory=list)

    @property
    def intent(self) -> float:
        return _share(sum(count for (want, got), count in self.pairs.items() if want == got), self.pairs.total())

    @property
    def slots(self) -> float:
        return f1(self.right.total(), self.extra.total(), self.missed.total())

    @property
    def sites(self) -> float:
        return _share(self.exact["site"], self.present["site"])

    @property
    def starts(self) -> float:
        return _share(self.exact["start"], self.present["start"])

    @property
    def small_talk_acted(self) -> float:
        return self._talk("act")

    @property
    def small_talk_asked(self) -> float:
        return self._talk("ask")

    @property
    def small_talk_begun(self) -> float:
        return self._talk("begun")

    def _talk(self, what: str) -> float:
        return _share(self.talk[what], sum(self.talk[act] for act in ("act", "ask", "ignore")))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def f1(right: int, extra: int, missed: int) -> float:
    """2·right / (2·right + extra + missed); 1 when nothing was there to find."""
    return _share(2 * right, 2 * right + extra + missed)


def load(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def context_of(record: dict[str, Any]) -> Context:
    return Context(
        datetime.fromisoformat(record["now"]), record["role"], record["chat"], record["expecting"], record["step"]
    )


def score(records: Iterable[dict[str, Any]], understanding: Understanding) -> Scores:
    scores = Scores()
    for record in records:
        reading = understanding.read(record["text"], context_of(record))
        _count(scores, record, reading)
    return scores


def _count(scores: Scores, record: dict[str, Any], reading: Reading) -> None:
    scores.pairs[record["intent"], reading.intent] += 1
    if record["intent"] == "none" and record.get("act", "ignore") == "ignore":
        scores.talk[reading.act] += 1
        scores.talk["begun"] += reading.act == "act" and reading.intent in CREATING
    got = outward(reading.slots)
    want = record.get("slots", got)
    wrong = record["intent"] != reading.intent or got != want
    if wrong:
        scores.errors.append(_told(record, reading, got))
    for name in set(got) | set(want):
        mine, theirs = _items(got.get(name)), _items(want.get(name))
        scores.right[name] += len(mine & theirs)
        scores.extra[name] += len(mine - theirs)
        scores.missed[name] += len(theirs - mine)
        if name in want:
            scores.present[name] += 1
            scores.exact[name] += mine == theirs


def _told(record: dict[str, Any], reading: Reading, got: dict[str, Any]) -> str:
    want = record.get("slots", got)
    around = f"{record['role']} {record['expecting']} {record['step']} {record['now'][:16]}"
    lines = [f"{record['id']} [{around}] {record['text'][:120]}"]
    if record["intent"] != reading.intent:
        lines.append(f"    INTENT want {record['intent']} got {reading.intent} by {[one.rule for one in reading.why]}")
    lines += [
        f"    {name}: want {want.get(name)} got {got.get(name)}"
        for name in sorted(set(want) | set(got))
        if want.get(name) != got.get(name)
    ]
    return "\n".join(lines)


def _items(value: object) -> set[str]:
    if value is None:
        return set()
    return {str(item) for item in value} if isinstance(value, list) else {str(value)}


def report(scores: Scores) -> Iterable[str]:
    labels = sorted({label for pair in scores.pairs for label in pair})
    for label in labels:
        hit = scores.pairs[label, label]
        wanted = sum(count for (want, _), count in scores.pairs.items() if want == label)
        said = sum(count for (_, got), count in scores.pairs.items() if got == label)
        yield f"{label:18} n={wanted:4} recall={_share(hit, wanted):6.1%} precision={_share(hit, said):6.1%}"
    for name in sorted(set(scores.right) | set(scores.extra) | set(scores.missed)):
        yield (
            f"  slot {name:12} F1={f1(scores.right[name], scores.extra[name], scores.missed[name]):6.1%} "
            f"exact={_share(scores.exact[name], scores.present[name]):6.1%} of {scores.present[name]}"
        )
    for (want, got), count in scores.pairs.most_common():
        if want != got:
            yield f"  confused {want} → {got}: {count}"
    yield (
        f"intent {scores.intent:.2%} · slots F1 {scores.slots:.2%} · sites {scores.sites:.2%} · "
        f"start {scores.starts:.2%} · small talk acted on {scores.small_talk_acted:.2%}, "
        f"asked about {scores.small_talk_asked:.2%}, something begun or ended {scores.small_talk_begun:.2%}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Score the understanding on labelled lines.")
    parser.add_argument("files", nargs="*", type=Path, default=[DEV, FRESH, SPOKEN, HELD])
    parser.add_argument("--sites", type=Path, default=SITES)
    parser.add_argument("--errors", action="store_true", help="print each line that went wrong")
    chosen = parser.parse_args(arguments)
    understanding = Understanding(load_places(chosen.sites))
    for path in chosen.files:
        scores = score(load(path), understanding)
        if chosen.errors:
            print("\n".join(scores.errors))
        print("\n".join([str(path), *report(scores)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
