"""Everything typed that one message holds, found once; and the message as the rules see it, names taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from intents import checks, things, times
from intents.clauses import Clause, own_word_mask, split
from intents.common import words
from intents.courtesy import core
from intents.lexicon import WordIndex
from intents.normal import Normal
from intents.people import People, Person
from intents.places import PlaceHit, PlaceIndex
from intents.reading import Context
from intents.slips import mend
from intents.words import load_toml, patterns

PLACE, PERSON = "⌂", "☺"
_PIECE = 3
_OFF = frozenset({"no_power", "dropped", "no_network"})
_DARK = frozenset({"alarm_light", "black_screen"})
_CLINGS = load_toml("polarity.toml")["clings"]
_TICKET = patterns("rooms.toml")["ticket"]
_DAILY = load_toml("life.toml")
_LIFE: WordIndex[str] = WordIndex(
    {word: kind for kind in ("weak", "firm") for words in _DAILY[kind].values() for word in words}
    | dict.fromkeys(_DAILY["not"]["words"], "")
)
_FILLERS = re.compile("|".join(load_toml("polarity.toml")["fillers"]))
_EVERYBODY = re.compile("|".join(load_toml("scope.toml")["all"]))
_COURTESY = re.compile(load_toml("polarity.toml")["courtesy"])
_LINE_END = re.compile(r"(?<=[^,.;!?:、\n])\n(?!\n)")
"""A new line where a comma might have been; below a heading and between paragraphs it is more."""
_ROOMS = load_toml("rooms.toml")
_ROOM = re.compile(f"(?:{_ROOMS['building']})?(?:{_ROOMS['floor']})?(?:{_ROOMS['called']}){{0,5}}(?:{_ROOMS['kind']})")
_ROOM_KIND = re.compile(rf"^(?:{_ROOMS['kind']}|{_ROOMS['bare']})$")
_SEVERAL_ROOMS = re.compile(_ROOMS["several"])
_SINGLE_ROOM = re.compile(_ROOMS["single"])
_ROOM_NUMBER = re.compile(_ROOMS["number"])


@dataclass(frozen=True)
class View:
    """`text` with each place as ⌂ and each person as ☺; `starts`, `ends` lead back to the normalised text."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the normalised text."""
        if not self.starts:
            return 0, 0
        if start >= end:
            at = self.starts[min(start, len(self.starts) - 1)]
            return at, at
        return self.starts[start], self.ends[end - 1]


class Spans:
    """The typed spans of a message; each kind is looked for when it is first asked for."""

    def __init__(self, normal: Normal, context: Context, places: PlaceIndex, people: People) -> None:
        self.context = context
        own = own_word_mask(normal.text)
        said = core(own, normal.blanks)
        self.mere_courtesy = said is None
        start, end = said or (0, len(own))
        self.normal = normal.part(start, end)
        own = _LINE_END.sub(",", own[start:end])
        self.text = mend(own, places.spelled(own))
        self._index = places
        self._people = people

    @cached_property
    def clauses(self) -> list[Clause]:
        return split(self.text)

    @cached_property
    def places(self) -> list[PlaceHit]:
        return self._index.find(self.text, self.context, self.normal.blanks)

    @cached_property
    def people(self) -> list[Person]:
        hidden = _hide(self.text, [(hit.start, hit.end) for hit in self.places], PLACE)
        return self._people.find(hidden)

    @cached_property
    def times(self) -> list[times.TimeSpan]:
        return times.scan(self.text, self.context.now)

    @cached_property
    def plain(self) -> str:
        """Text of the same length with places hidden: units' own names say nothing about devices or systems."""
        return _hide(self.text, [(hit.start, hit.end) for hit in self.places], PLACE)

    @cached_property
    def core(self) -> str:
        """`plain` without what only closes it: thanks, stickers, exclamation marks."""
        tail = _COURTESY.search(self.plain)
        return self.plain[: tail.start()] if tail is not None and tail.start() else self.plain

    @cached_property
    def devices(self) -> list[things.Thing]:
        return things.devices(self.plain)

    @cached_property
    def symptoms(self) -> list[things.Symptom]:
        found = things.symptoms(self.plain)
        asked = self.context.expecting == "step" and self.context.step == "shutdown"
        if asked or checks.switched_off(self.view.text):
            found = [symptom for symptom in found if symptom.code not in (_OFF | _DARK if asked else _OFF)]
        return found

    @cached_property
    def systems(self) -> list[things.Thing]:
        return things.systems(self.plain)

    @cached_property
    def organised_by(self) -> list[things.Thing]:
        """Systems with provincial offices left readable: they organise meetings."""
        local = [(hit.start, hit.end) for hit in self.places if not self._index.provincial(hit)]
        return things.systems(_hide(self.text, local, PLACE))

    @cached_property
    def checks(self) -> list[checks.Check]:
        return checks.find(self.core, self.symptoms, self.context)

    @cached_property
    def left_over(self) -> int:
        """How many Chinese characters are neither in a typed span nor in a word that says nothing."""
        spans = [*self.rooms, *self.tickets, *(span.span for span in self.times)]
        spans += [(symptom.start, symptom.end) for symptom in self.symptoms]
        spans += [(thing.start, thing.end) for thing in self.devices]
        spans += [(hit.start, hit.end) for hit in self.places]
        rest = _FILLERS.sub("", _hide(self.text, spans, PLACE))
        return sum("\u4e00" <= char <= "\u9fff" for char in rest)

    @cached_property
    def life(self) -> frozenset[str]:
        """ "firm", "weak": the kinds of everyday words in it."""
        return frozenset(kind for _, _, kind in _LIFE.find(self.plain) if kind)

    @cached_property
    def everybody(self) -> bool:
        """Whether all sites are meant, by words like 全省 or 各市县."""
        return self.all_of(self.plain)

    @staticmethod
    def all_of(text: str) -> bool:
        return _EVERYBODY.search(text) is not None

    @cached_property
    def tickets(self) -> list[tuple[int, int]]:
        return [match.span() for match in _TICKET.finditer(self.text)]

    @cached_property
    def rooms(self) -> list[tuple[int, int]]:
        found = [
            match.span()
            for match in _ROOM.finditer(self.plain)
            if not _ROOM_KIND.match(match.group()) and not _SEVERAL_ROOMS.search(self.plain[: match.start()])
        ]
        found = found or [match.span() for match in _ROOM_NUMBER.finditer(self.plain)]
        return found or [match.span() for match in _SINGLE_ROOM.finditer(self.plain)]

    @cached_property
    def _pauses(self) -> list[int]:
        """Where a blank was left instead of a comma: between pieces of some length, and within no name or time."""
        blanks = sorted(self.normal.blanks)
        if not blanks:
            return []
        sides = [0, *blanks, len(self.text)]
        far = [b for a, b, c in zip(sides, blanks, sides[2:], strict=False) if min(b - a, c - b) >= _PIECE]
        whole = [span.span for span in self.times] + self.rooms + self.tickets
        return [at for at in far if _between(self.text, at) and not any(a < at < b for a, b in whole)]

    @cached_property
    def view(self) -> View:
        cuts = sorted(
            [(hit.start, hit.end, PLACE) for hit in self.places]
            + [(person.start, person.end, PERSON) for person in self.people]
            + [(at, at, ",") for at in self._pauses]
        )
        chars: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for start, end, mark in [*cuts, (len(self.text), len(self.text), "")]:
            if start < at:
                continue
            chars += self.text[at:start]
            starts += range(at, start)
            ends += range(at + 1, start + 1)
            if mark:
                chars.append(mark)
                starts.append(start)
                ends.append(end)
            at = end
        return View("".join(chars).strip("\n"), *_trim(chars, starts, ends))


def _trim(chars: list[str], starts: list[int], ends: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Offsets without those of leading line breaks."""
    head = 0
    while head < len(chars) and chars[head] == "\n":
        head += 1
    return tuple(starts[head:]), tuple(ends[head:])


def _between(text: str, at: int) -> bool:
    """Whether no mark stands at either side, and no word of two characters is parted there."""
    pair = text[at - 1 : at + 1]
    return all(char.isalnum() for char in pair) and pair not in words() and text[at] not in _CLINGS


def _hide(text: str, cuts: list[tuple[int, int]], mark: str) -> str:
    for start, end in cuts:
        text = text[:start] + mark * (end - start) + text[end:]
    return text
