"""An operator's words laid over the shipped ones: merged file by file, checked, refused in plain Chinese.

In a file of the operator's: a table is merged with the shipped table of that name; the words of a list are added to the
shipped list; any other value takes the shipped one's place; ``[without.…]`` takes words out of a list. In a list of
tables an entry replaces the one of the same ``name`` (or goes before the last, which is the catch-all).
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from intents.slow import may_be_slow
from intents.sounds import sound

HERE = Path(__file__).parent
TEXTS: dict[str, Any] = tomllib.loads((HERE / "overlay.toml").read_text(encoding="utf-8"))
OPEN = frozenset(
    {("signals.toml", "signals"), ("phrases.toml", "phrases"), ("rules.toml", "defined"), ("slips.toml", "exact")}
)
"""Tables that may be given new names; elsewhere a name that is not shipped is a slip of the pen."""
NO_WORDS = frozenset({"overlay.toml"})
_NO_PATTERNS = frozenset({"rules.toml"})
_RULE = ("name", "intent", "when", "sure")

Table = dict[str, Any]


class WordsError(ValueError):
    """An operator's words cannot be used; the message is one Chinese sentence that says where and why."""

    def __init__(self, sentence: str, /, **values: object) -> None:
        super().__init__(str(TEXTS[sentence]).format(**values))


def own_files(folder: Path) -> list[Path]:
    """The word files of a folder, in order of name; WordsError when one lays over nothing."""
    known = sorted({path.name for path in HERE.glob("*.toml")} - NO_WORDS)
    found = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    for path in found:
        if path.name not in known:
            raise WordsError("unknown_file", file=path.name, near=near(path.name, known), all=" ".join(known))
    return found


def read(path: Path) -> Table:
    """One file of the operator's."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise WordsError("syntax", file=path.name, why=error) from error
    except (OSError, UnicodeDecodeError) as error:
        raise WordsError("unreadable", file=path.name, why=error) from error


def merged(file: str, shipped: Table, own: Table) -> Table:
    """``shipped`` with ``own`` laid over it."""
    without = own.pop("without", {})
    table = _without(file, shipped, without)
    table = _merge(file, "", table, own)
    if file == "things.toml":
        _refuse_clash(file, table, own.get("device", {}))
    if file == "slips.toml":
        _refuse_slips(file, table, own)
    if file == "rules.toml":
        _refuse_rules(file, own.get("rule", []))
    return table


def _merge(file: str, path: str, shipped: Table, own: Table) -> Table:
    table = dict(shipped)
    for key, value in own.items():
        name = f"{path}.{key}" if path else key
        if key in shipped:
            table[key] = _joined(file, name, shipped[key], value)
        elif (file, path) in OPEN:
            like = next(iter(shipped.values()))
            table[key] = _joined(file, name, type(like)(), value)
        else:
            raise WordsError(
                "unknown_key" if path else "unknown_top", file=file, table=path, key=key, near=near(key, shipped)
            )
    return table


def _joined(file: str, name: str, shipped: Any, own: Any) -> Any:
    if type(own) is not type(shipped):
        raise WordsError("wrong_kind", file=file, key=name, wanted=TEXTS["kinds"][type(shipped).__name__])
    if isinstance(own, dict):
        return _merge(file, name, shipped, own)
    if isinstance(own, list):
        return _listed(file, name, shipped, own)
    if isinstance(own, str):
        _refuse_pattern(file, name, own)
    return own


def _listed(file: str, name: str, shipped: list[Any], own: list[Any]) -> list[Any]:
    kind = dict if shipped and isinstance(shipped[0], dict) else str
    for one in own:
        if not isinstance(one, kind):
            raise WordsError("wrong_kind", file=file, key=name, wanted=TEXTS["kinds"][kind.__name__])
        if isinstance(one, str):
            _refuse_pattern(file, name, one, added=True)
    if kind is str:
        return list(dict.fromkeys([*shipped, *own]))
    named = {one["name"]: one for one in own if "name" in one}
    kept = [named.get(one.get("name"), one) for one in shipped]
    new = [one for one in own if one not in kept]
    return [*kept[:-1], *new, *kept[-1:]]


def _without(file: str, shipped: Table, without: Table, path: str = "") -> Table:
    table = dict(shipped)
    for key, words in without.items():
        name = f"{path}.{key}" if path else key
        known = table.get(key)
        if isinstance(words, dict) and isinstance(known, dict):
            table[key] = _without(file, known, words, name)
        elif isinstance(words, list) and isinstance(known, list):
            for word in words:
                if word not in known:
                    raise WordsError("not_there", file=file, word=word, key=name)
            table[key] = [word for word in known if word not in words]
        else:
            raise WordsError("unknown_key", file=file, table=path or "without", key=key, near=near(key, table))
    return table


def _refuse_pattern(file: str, name: str, text: str, *, added: bool = False) -> None:
    """What cannot be compiled, and what in a list of alternatives would hold for every message."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise WordsError("bad_pattern", file=file, key=name, word=text, why=error) from error
    if file not in _NO_PATTERNS and may_be_slow(text):
        raise WordsError("slow_pattern", file=file, key=name, word=text)
    if added and pattern.search("") is not None:
        raise WordsError("matches_all", file=file, key=name, word=text)


def _refuse_clash(file: str, table: Table, own: Mapping[str, list[str]]) -> None:
    """A word for two devices."""
    places = {f"device.{code}": words for code, words in table["device"].items()}
    places["device_not"] = table["device_not"]["words"]
    for code, words in own.items():
        mine = f"device.{code}"
        for word in words:
            other = next((name for name, known in places.items() if name != mine and word in known), None)
            if other is not None:
                raise WordsError("clash", file=file, word=word, one=mine, other=other)


def _refuse_slips(file: str, table: Table, own: Table) -> None:
    """Slips are mended in place; words that sound alike cannot both be meant."""
    for wrong, right in own.get("exact", {}).items():
        if wrong.isalnum() and len(wrong) != len(right):
            raise WordsError("uneven", file=file, word=wrong, right=right)
    for word in own.get("vocabulary", ()):
        other = next((one for one in table["vocabulary"] if one != word and sound(one) == sound(word)), None)
        if other is not None:
            raise WordsError("sounds_alike", file=file, word=word, other=other)


def _refuse_rules(file: str, own: list[Table]) -> None:
    """A rule that lacks something, or means what nothing knows. Its condition is read where all names are known."""
    intents = known_intents()
    for rule in own:
        name = rule.get("name", "")
        lacking = next((key for key in _RULE if key != "sure" and not isinstance(rule.get(key), str)), None)
        if lacking:
            raise WordsError("rule_lacks", file=file, name=name, key=lacking)
        other = next((key for key in rule if key not in _RULE), None)
        if other:
            raise WordsError("rule_unknown", file=file, name=name, key=other, near=near(other, _RULE))
        if rule["intent"] not in intents:
            alike = near(rule["intent"], intents)
            raise WordsError(
                "rule_intent", file=file, name=name, intent=rule["intent"], near=alike, all=" ".join(sorted(intents))
            )
        sure = rule.get("sure", 0.8)
        if isinstance(sure, bool) or not isinstance(sure, (int, float)) or not 0 < sure < 1:
            raise WordsError("rule_sure", file=file, name=name)


@cache
def known_intents() -> frozenset[str]:
    """Everything a message may mean."""
    shipped = tomllib.loads((HERE / "rules.toml").read_text(encoding="utf-8"))
    return frozenset(rule["intent"] for rule in shipped["rule"])


def near(name: str, known: Iterable[str]) -> str:
    """The known name that is most like a given one."""
    names = sorted(known)
    return next(iter(difflib.get_close_matches(name, names, 1, 0.0)), "")
