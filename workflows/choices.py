"""Numbered questions: the bot asks once when two things fit, and the answer picks one."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlmodel import select

from storage.messages import Action
from storage.models import Expectation
from workflows.turn import Turn, places_of
from workflows.words import Words

WORDS = Words("choices")
PICK = re.compile(WORDS.get("match.pick"))
DIGITS: dict[str, int] = WORDS.get("match.digits")
ABOUT_IT = re.compile(WORDS.get("match.about_it"))
ALL_OF_THEM = re.compile(WORDS.get("match.all"))
NONE_OF_THEM = re.compile(WORDS.get("match.none"))
DAY: tuple[str, str] = tuple(WORDS.get("match.day"))
EVERY = "*"
"""The value of a choice that means all the others."""
PICKED = "pick"
NUMBER = re.compile("[0-9]{1,18}")
TWICE_WITHIN = timedelta(minutes=10)

Resume = Callable[[Turn, dict[str, Any], str], Awaitable[None]]
RESUME: dict[str, Resume] = {}
"""What to do with a picked value, by the name a question was asked with; workflows register theirs."""


def resumes(name: str) -> Callable[[Resume], Resume]:
    """Register what happens when a question of this name is answered: ``async (turn, pending, picked value)``."""

    def register(function: Resume) -> Resume:
        RESUME[name] = function
        return function

    return register


async def ask(
    turn: Turn,
    name: str,
    question: str,
    options: Sequence[tuple[str, str]],
    *,
    about: str = "",
    pending: dict[str, Any] | None = None,
) -> None:
    """Ask with numbered (label, value) choices; the answer comes back to the function registered as ``name``.

    A number, the words of a choice, or its button: whatever comes first answers.
    """
    asked = await turn.expect(
        "choice",
        about,
        options=[{"label": label, "value": value} for label, value in options],
        pending={"name": name, **(pending or {})},
    )
    lines = [f"{index}. {label}" for index, (label, _) in enumerate(options, 1)]
    buttons = [
        Action(label=label, value=f"{PICKED}:{asked.id}:{index}", say=str(index))
        for index, (label, _) in enumerate(options, 1)
    ]
    in_group, in_private = ("\n".join([question, *lines, WORDS(how)]) for how in ("how_group", "how"))
    await turn.ask(in_group, in_private, about=about, actions=buttons)


async def answer(turn: Turn) -> bool:
    """Read the message as the pick of the newest numbered question; False when it is not one."""
    question = next((row for row in turn.expectations if row.kind == "choice"), None)
    newest = max(turn.expectations, key=lambda row: row.id or 0, default=None)
    if question is None or question is not newest:
        return question is None and await _answered_twice(turn)
    value = _picked(turn.incoming.text, question.options)
    if value is None:
        return await _not_among(turn, question)
    await _resume(turn, question, value)
    return True


async def _answered_twice(turn: Turn) -> bool:
    """The same number again in the other place where it was asked: it is no word about anything else."""
    if not PICK.match(turn.incoming.text):
        return False
    since = turn.work.now - TWICE_WITHIN
    query = select(Expectation).where(
        Expectation.person_id == turn.person.person_id,
        Expectation.kind == "choice",
        Expectation.state == "met",
        Expectation.asked_at >= since,
    )
    here = str(turn.incoming.conversation)
    asked = [row for row in (await turn.work.session.exec(query)).all() if here in places_of(row)]
    return any(len(places_of(row)) > 1 for row in asked)


async def clicked(turn: Turn) -> None:
    """``pick:<question>:<number>``: for the one who was asked, as long as the question is open."""
    _, number, index = [*turn.incoming.click.split(":"), "", ""][:3]
    question = await turn.work.session.get(Expectation, int(number)) if NUMBER.fullmatch(number) else None
    options = question.options if question is not None and question.kind == "choice" else []
    if question is None or not (NUMBER.fullmatch(index) and 1 <= int(index) <= len(options)):
        await turn.reply(WORDS("stale"))
    elif question.person_id != turn.person.person_id:
        await turn.reply(WORDS("not_asked"), about=question.about)
    elif question.state != "open" or (question.expires_at is not None and question.expires_at <= turn.work.now):
        await turn.reply(WORDS("stale"), about=question.about)
    else:
        await _resume(turn, question, str(options[int(index) - 1]["value"]))


async def _resume(turn: Turn, question: Expectation, value: str) -> None:
    question.state = "met"
    turn.work.session.add(question)
    await turn.take_up(question)
    await RESUME[str(question.pending["name"])](turn, question.pending, value)


def _picked(text: str, options: Sequence[dict[str, Any]]) -> str | None:
    """The value whose number or whole label the text gives."""
    if match := PICK.match(text):
        number = DIGITS.get(match[1]) or int(match[1]) if match[1] in DIGITS or match[1].isdigit() else 0
        return str(options[number - 1]["value"]) if 1 <= number <= len(options) else None
    if ALL_OF_THEM.match(text) and any(option["value"] == EVERY for option in options):
        return EVERY
    return _named(ABOUT_IT.sub("", "".join(text.split())), options)


def _named(wanted: str, options: Sequence[dict[str, Any]]) -> str | None:
    """The one choice that is called so, or else begins so, or else has these words in it; None for two of them."""
    wanted = wanted.replace(*DAY)
    labels = {str(option["label"]).replace(*DAY): str(option["value"]) for option in options}
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = [value for label, value in labels.items() if wanted and fits(label, wanted)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


async def _not_among(turn: Turn, question: Expectation) -> bool:
    """A number that the question does not have, or none of its choices: the question stays. The rest is a message."""
    if NONE_OF_THEM.match(turn.incoming.text):
        await turn.reply(WORDS("none_of_them"))
        return True
    if not PICK.match(turn.incoming.text):
        return False
    await turn.reply(WORDS("not_among", most=len(question.options)))
    return True
