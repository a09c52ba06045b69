"""How bad a fault is: levels I to III from what was read and which meetings are near (``domain.md``, "A fault")."""

import re
from collections.abc import Sequence

from workflows.words import Words

RULES = Words("fault_level")
SEVERITY = ("I", "II", "III", "IV")
"""Worst first."""


def level_of(said: str, near: str, symptoms: Sequence[str], text: str, sites: int = 1) -> str:
    """``said``: emergency or general as understood; ``near``: running, soon or nothing; ``sites``: how many are down.

    I: a running or starting meeting cannot go on, a whole site or several are down, a leader's meeting is hit. II: any
    other emergency. III: the rest. A meeting the bot knows of weighs as much as one the reporter names.
    """
    stops = bool(set(symptoms) & set(RULES.get("stopping")))
    if said != "emergency":
        return "I" if near and stops else "III"
    if sites > 1 or _says(text, "whole") or leaders(text):
        return "I"
    vague = not set(symptoms) - {"other"}
    return "I" if near and (stops or vague) else "II"


def nearness(text: str, known: str) -> str:
    """``running``, ``soon`` or nothing: what the bot knows of, else what the text says."""
    if known:
        return known
    return next((near for near in ("running", "soon") if _says(text, near)), "")


def leaders(text: str) -> bool:
    """Whether a leader's meeting is hit."""
    return _says(text, "leaders")


def worse(one: str, other: str) -> bool:
    """Whether level ``one`` is worse than ``other``."""
    return SEVERITY.index(one) < SEVERITY.index(other)


def _says(text: str, key: str) -> bool:
    return any(re.search(pattern, text) for pattern in RULES.get(key))
