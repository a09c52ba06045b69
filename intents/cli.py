"""JSON lines in, JSON lines out: what `bot.py understand` and `bot.py times` print."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from intents.reading import Context, Place, Reading
from intents.times import TimeSpan, find_times
from intents.understand import Understanding, outward

_COLUMNS = ("site_id", "name", "aliases", "unit", "tier", "parent")
_ZONE = timezone(timedelta(hours=8))
_DEFAULT_NOW = datetime(2026, 1, 1, 9, 0, tzinfo=_ZONE)


def load_places(path: Path) -> list[Place]:
    """The sites of a CSV file with `site_id,name,aliases,unit,tier,parent`; ValueError says what is wrong and where."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _places(path.name, csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as a UTF-8 CSV file ({error})") from error


def _places(name: str, rows: csv.DictReader[str]) -> list[Place]:
    missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise ValueError(f"{name}: the heading lacks {', '.join(missing)}")
    return [_place(name, rows.line_num, row) for row in rows]


def _place(name: str, line: int, row: dict[str, str | None]) -> Place:
    if not row["site_id"] or not row["name"]:
        raise ValueError(f"{name}, line {line}: site_id and name must not be empty")
    aliases = tuple(alias.strip() for alias in (row["aliases"] or "").split("|") if alias.strip())
    return Place(
        row["site_id"], row["name"].strip(), aliases, row["unit"] or "", row["tier"] or "", row["parent"] or None
    )


def understand_lines(lines: Iterable[str], places_csv: Path | None) -> Iterator[str]:
    """One answer per line, in order. A line that cannot be read gives {"error": …} and the rest go on."""
    understanding = Understanding(load_places(places_csv) if places_csv else [])
    for line in lines:
        if line.strip():
            yield _dump(_understood(understanding, line))


def times_lines(lines: Iterable[str]) -> Iterator[str]:
    """The same for times alone."""
    for line in lines:
        if line.strip():
            yield _dump(_timed(line))


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not valid JSON: {error}") from error
    if not isinstance(record, dict):
        raise ValueError("a line must be a JSON object")
    if not isinstance(record.get("text"), str):
        raise ValueError("text must be a string")
    if not isinstance(record.get("addressed", False), bool):
        raise ValueError("addressed must be true or false")
    for key in ("role", "chat", "expecting", "step", "now", "matter"):
        if record.get(key) is not None and not isinstance(record[key], str):
            raise ValueError(f"{key} must be a string")
    return record


def _now(record: dict[str, Any]) -> datetime:
    if record.get("now") is None:
        return _DEFAULT_NOW
    try:
        now = datetime.fromisoformat(record["now"])
    except ValueError as error:
        raise ValueError(f"now must be an ISO time: {record['now']!r}") from error
    return now if now.tzinfo else now.replace(tzinfo=_ZONE)


def _understood(understanding: Understanding, line: str) -> dict[str, Any]:
    try:
        record = _record(line)
        context = Context(
            _now(record),
            record.get("role") or "client",
            record.get("chat") or "group",
            record.get("expecting"),
            record.get("step"),
            addressed=record.get("addressed", False),
            matter=record.get("matter") or "",
        )
    except ValueError as error:
        return {"error": str(error)}
    return {"id": record.get("id"), **_told(understanding.read(record["text"], context))}


def _told(reading: Reading) -> dict[str, Any]:
    why = [{"rule": one.rule, "span": [one.start, one.end], "text": one.text} for one in reading.why]
    return {
        "intent": reading.intent,
        "slots": outward(reading.slots),
        "confidence": round(reading.confidence, 3),
        "act": reading.act,
        "why": why,
    }


def _timed(line: str) -> dict[str, Any]:
    try:
        record = _record(line)
        found = find_times(record["text"], _now(record))
    except ValueError as error:
        return {"error": str(error)}
    return {"id": record.get("id"), "times": [_span(span) for span in found]}


def _span(span: TimeSpan) -> dict[str, Any]:
    return {
        "start": _iso(span.start),
        "end": _iso(span.end),
        "span": list(span.span),
        "grain": span.grain,
        "flags": list(span.flags),
    }


def _iso(value: date | datetime | None) -> str | None:
    return None if value is None else value.isoformat()
