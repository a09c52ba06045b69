"""Another name of a place, as people teach it in chat: how it is said, which site is meant, whether it can be one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intents.proposal import Proposal
from intents.reading import Context
from storage.directory import Directory
from storage.models import Site
from workflows.learning_review import WORDS
from workflows.reader import Reader

NAMED = re.compile(r"\{([a-z]+)\}")


def filled(pattern: str, **more: str) -> re.Pattern[str]:
    """A pattern of learning.toml with its {pieces} put in."""
    parts: Mapping[str, Any] = {**WORDS.get("piece"), **more}
    while found := NAMED.search(pattern):  # a piece may hold another one
        pattern = pattern.replace(found[0], f"(?:{parts[found[1]]})")
    return re.compile(pattern)


PLAIN = [filled(pattern) for pattern in WORDS.get("names_plain")]
LIKELY = [filled(pattern) for pattern in WORDS.get("names_likely")]
MARKS = re.compile(WORDS.get("marks"))
PRONOUN = re.compile(WORDS.get("pronouns"))
HAS_LETTERS = re.compile(WORDS.get("letters"))
MEANINGS = ("device", "symptom", "time")


@dataclass(frozen=True)
class Named:
    """What was said: ``alias`` is to be another name of ``target``. Plainly said, it is answered in any case."""

    alias: str
    target: str
    plain: bool


def heard(text: str) -> Named | None:
    """The name that a message teaches, if it does."""
    for patterns, plain in ((PLAIN, True), (LIKELY, False)):
        for pattern in patterns:
            if match := pattern.match(text):
                return Named(MARKS.sub("", match["alias"]).strip(), MARKS.sub("", match["target"]).strip(), plain)
    return None


def right_way_round(org: Directory, named: Named) -> Named:
    """ "把三楼会议室叫做小白楼": the one that is known is the place."""
    if not sites_called(org, named.target) and len(_exactly(org, named.alias)) == 1:
        return Named(named.target, named.alias, named.plain)
    return named


def sites_called(org: Directory, name: str) -> list[Site]:
    """Sites of exactly this name or alias, else those whose name holds it."""
    return _exactly(org, name) or [site for site in org.sites.values() if name in site.name]


def _exactly(org: Directory, name: str) -> list[Site]:
    return [site for site in org.sites.values() if name in (site.name, *site.aliases)]


def unfit(org: Directory, reader: Reader, alias: str, context: Context) -> bool:
    """Whether a word means something else already, so that it would be heard as a place wherever it is said."""
    if (
        HAS_LETTERS.search(alias) is None
        or PRONOUN.match(alias)
        or any(person.name == alias for person in org.people.values())
    ):
        return True
    if any(reading.intent != "none" for reading in reader.again(alias, context)):
        return True
    meant: Sequence[tuple[str, str]] = [(kind, alias) for kind in MEANINGS]
    return any(reader.assume(alias, context, Proposal("fault.report", (one,))) for one in meant)
