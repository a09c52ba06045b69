"""What `bot.py words` prints: the examples that an operator's words make read differently."""

from collections.abc import Iterator
from pathlib import Path

from intents.compare import Difference, compared
from intents.overlay import own_files
from intents.reading import Reading
from workflows.why import intent_name
from workflows.words import Words

WORDS = Words("command_line")


def report_lines(folder: Path) -> Iterator[str]:
    """WordsError when the words of ``folder`` cannot be used."""
    if not own_files(folder):
        yield WORDS("words_none", folder=folder)
    result = compared(folder)
    if result.changed:
        yield WORDS("words_changed", count=result.count, changed=len(result.changed))
        yield from (_line("words_line", one) for one in result.changed)
    else:
        yield WORDS("words_same", count=result.count)
    if result.misread:
        yield WORDS("words_misread", count=len(result.misread))
        yield from (_line("words_misread_line", one) for one in result.misread)


def _line(key: str, one: Difference) -> str:
    intent, denied = one.example.intent, one.example.denied
    key_of_wanted = "words_wanted" if intent else "words_not_wanted"
    wanted = "" if one.example.fits(one.after) else WORDS(key_of_wanted, intent=intent_name(intent or denied))
    text, before, after = one.example.text, told(one.before), told(one.after)
    return WORDS(key, text=text, before=before, after=after, wanted=wanted).rstrip()


def told(reading: Reading) -> str:
    """A reading in short: its intent in Chinese and its slots as they are named in the data."""
    slots = " ".join(f"{name}={_plain(value)}" for name, value in reading.slots.items())
    return f"{intent_name(reading.intent)} {slots}".strip()


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
