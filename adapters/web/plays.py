"""The stories on the dashboard: who says what where, one step after the other."""

from collections.abc import Container
from typing import Any

from adapters.web.show import View, link
from adapters.web.words import words
from storage.directory import CONSOLE

FILLED = ("say", "subject", "attach")
"""What a step fills in: the words, and of a mail its subject and what is attached."""


def plays_view(people: Container[str], platforms: Container[str]) -> list[View]:
    """The stories of ``words.toml`` as far as their people exist and their platforms are shown."""
    plays = [play for play in words()["story"]["plays"] if play.get("platform", CONSOLE) in platforms]
    return [
        {"title": play["title"], "steps": [_step(s) for s in play["steps"] if s["who"] in people]} for play in plays
    ]


def _step(step: dict[str, Any]) -> View:
    filled = {name: step[name] for name in FILLED if step.get(name)}
    return {"text": step["text"], "say": step["say"], "href": link(step["who"], _place(step), **filled)}


def _place(step: dict[str, Any]) -> str:
    """``where``: a group of the console, a conversation with its platform, or nothing for the direct one."""
    if ":" in step["where"]:
        return str(step["where"])
    return f"{CONSOLE}:group:{step['where']}" if step["where"] else f"{CONSOLE}:direct:{step['who']}"
