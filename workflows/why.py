"""“为什么”: how the bot took what somebody wrote, with the evidence, in Chinese."""

import re
from typing import Any

from storage.learning import LastReading
from workflows import remembered
from workflows.phrases import fit
from workflows.reader import role_of
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("why")
ASKED = re.compile(WORDS.get("match"))
LONGEST = 30
SHOWN = 60


async def command(turn: Turn, again: remembered.Again) -> bool:
    """Explain the quoted message, else the person's last one. False when nobody asks for an explanation."""
    text = turn.incoming.text.strip()
    if turn.incoming.click or len(text) > LONGEST or ASKED.match(text) is None:
        return False
    kept = await remembered.meant(turn, role_of(turn.person, turn.group), again)
    await turn.reply(explained(kept) if kept is not None else WORDS("nothing"))
    return True


def explained(kept: LastReading) -> str:
    """What it was taken to mean, by what, how surely, and how to say that it is wrong."""
    what = WORDS.get("joined").join(dict.fromkeys(intent_name(one["intent"]) for one in kept.readings))
    lines = [WORDS("readings", text=fit(kept.text, SHOWN), what=what)]
    expecting = kept.context.get("expecting")
    if expecting:
        lines.append(WORDS("asked", what=_named("expecting", expecting)))
    lines += dict.fromkeys(_because(one) for one in kept.readings)
    rather = WORDS("otherwise" if kept.readings[0]["intent"] == "fault.report" else "usual")
    return "\n".join([*lines, WORDS("wrong", what=intent_name(kept.readings[0]["intent"]), rather=rather)])


def names_of_intents() -> dict[str, str]:
    """The intents by what they are called here."""
    return {name: intent for intent, name in WORDS.get("intent").items()}


def intent_name(intent: str) -> str:
    """报障 for fault.report."""
    return _named("intent", intent)


def _named(table: str, key: str) -> str:
    names: dict[str, str] = WORDS.get(table)
    return names.get(key, key)


def _because(reading: dict[str, Any]) -> str:
    """The rule with the words that made it hold, the words that slots were read from, and how sure."""
    rules: dict[str, list[str]] = {}
    slots: dict[str, list[str]] = {}
    for name, words in reading["why"]:
        head, _, tail = name.partition(".")
        if head == "word":
            slots.setdefault(_named("word", tail), []).append(fit(words, SHOWN))
        else:
            rules.setdefault(_rule(head), []).extend([fit(words, SHOWN)] if tail else [])
    told = [WORDS("because", rule=rule) + _seen(words) for rule, words in rules.items()]
    told += [WORDS("slot", name=name, words=_listed(words)) for name, words in slots.items()]
    sure = WORDS("sure", percent=round(reading["confidence"] * 100))
    return f"{WORDS.get('joined').join(told)}{WORDS('end')}{sure}"


def _rule(name: str) -> str:
    """What a rule says; one that an operator has added goes by its name."""
    names: dict[str, str] = WORDS.get("rule")
    return names.get(name) or WORDS("unnamed", rule=name)


def _seen(words: list[str]) -> str:
    return WORDS("spoken", words=_listed(words)) if words else ""


def _listed(words: list[str]) -> str:
    return str(WORDS.get("between")).join(dict.fromkeys(words))
