"""The same understanding with other words: a private copy of this package's modules over an operator's word files.

The modules turn their data files into patterns once, when they are loaded; that is what makes reading fast. To change
words while messages are being read, the modules that hold data are loaded a second time, beside the first and unseen by
it: the running words stay as they are until the new ones are complete, and for good when those are refused. Loading
takes about a second and may be done in a thread.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from intents import phrases
from intents.overlay import HERE, TEXTS, WordsError, own_files
from intents.reading import Context
from intents.rules import ConditionError
from intents.understand import Understanding

SHARED = frozenset({"slow", "reading", "common", "sounds", "lexicon", "sieve", "rules", "second", "overlay"})
"""Modules without words of their own: one copy serves all editions."""
_PACKAGE = "intents"

Stamp = tuple[tuple[str, int, int], ...]


def stamp(folder: Path | None) -> Stamp:
    """What tells whether any word file, shipped or the operator's, has been changed: cheap enough for every look."""
    found = []
    for place in filter(None, (HERE, folder)):
        for path in sorted(place.glob("*.toml")):
            try:
                seen = path.stat()
            except FileNotFoundError:
                continue  # taken away between the listing and the look
            found.append((str(path), seen.st_mtime_ns, seen.st_size))
    return tuple(found)


def load(folder: Path) -> type[Understanding]:
    """The class whose readings use the shipped words with those of ``folder`` laid over. WordsError: why not."""
    own = {path.name for path in own_files(folder)}
    copies = _Copies(folder)
    try:
        if own & {"signals.toml", "phrases.toml"}:
            _refuse_slow(copies.module("phrases").slow_ones() - phrases.slow_ones())
        made: type[Understanding] = copies.module("understand").Understanding
        made([]).read_all(_PACKAGE, Context(datetime.min.replace(tzinfo=UTC)))
    except WordsError:
        raise
    except ConditionError as error:
        why = TEXTS["condition"][error.wrong].format(words=error.words)
        raise WordsError("rule_when", file="rules.toml", name=error.owner, why=why) from error
    except (ValueError, KeyError, TypeError, AttributeError, ImportError, re.error) as error:
        raise WordsError("unfit", why=error) from error
    return made


def _refuse_slow(signals: set[tuple[str, str]]) -> None:
    for name, pattern in sorted(signals):
        raise WordsError("slow_pattern", file="signals.toml", key=f"signals.{name}", word=pattern)


class _Copies:
    """Modules of this package by their short names, each loaded when it is first imported by another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, ModuleType] = {}

    def module(self, name: str) -> ModuleType:
        if name in SHARED:
            return importlib.import_module(f"{_PACKAGE}.{name}")
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> ModuleType:
        full = f"{_PACKAGE}.{name}"
        spec = importlib.util.find_spec(full)
        if spec is None or spec.loader is None:
            raise ImportError(full)
        module = importlib.util.module_from_spec(spec)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        spec.loader.exec_module(module)
        if name == "words":
            module.__dict__["OVERLAY"] = self._folder
        return module

    def _import(
        self,
        name: str,
        scope: Mapping[str, Any] | None = None,
        inner: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        """What ``import`` does inside a copy: this package's own modules come from the copies."""
        if name == _PACKAGE:
            return SimpleNamespace(**{part: self.module(part) for part in fromlist})
        if name.startswith(f"{_PACKAGE}."):
            return self.module(name.partition(".")[2])
        return builtins.__import__(name, scope, inner, fromlist, level)
