"""What a notice may say beside time and scope: the host, the room, how many people come, whom to ask. Pure."""

import re
from collections.abc import Sequence

from storage.directory import Directory
from workflows.meeting_scope import named_sites
from workflows.words import Words

WORDS = Words("meeting_details")
SAID: dict[str, list[re.Pattern[str]]] = {
    name: [re.compile(pattern) for pattern in patterns] for name, patterns in WORDS.get("match.said").items()
}
ROOM, MOVED, SURE = (re.compile(WORDS.get(f"match.{name}")) for name in ("room", "moved", "sure"))
EVERYWHERE = ""
"""In place of a site: the room is the same for all, or the only one."""

Venues = tuple[tuple[str, str], ...]
"""Site and room; see :data:`EVERYWHERE`."""


def said(name: str, text: str) -> str:
    """The host, the heads or the contact that a text names; empty when it names none."""
    found = (pattern.search(text) for pattern in SAID[name])
    return next((match[name].strip() for match in found if match), "")


def room(text: str) -> Venues:
    """“地点：二楼会议室” in a notice."""
    told = ROOM.search(text)
    return ((EVERYWHERE, told["venue"]),) if told else ()


def moved_room(org: Directory, sites: Sequence[str], known: Venues, clause: str) -> Venues | None:
    """“地点改到二楼会议室”, “临河县会场换到四楼会议室”; None when the clause moves no room."""
    told = MOVED.search(clause)
    if told is None or (named_sites(org, told["venue"]) and not SURE.search(told[0])):
        return None
    named = [site for site in named_sites(org, clause[: told.start("venue")]) if site in sites]
    fresh = [(site, told["venue"]) for site in named or [EVERYWHERE]]
    kept = [(site, at) for site, at in known if named and site not in named]
    return (*kept, *fresh)


def moved_sites(old: Venues, new: Venues, sites: Sequence[str]) -> list[str]:
    """Sites whose room is another one."""
    return [site for site in sites if _at(old, site) != _at(new, site)]


def _at(venues: Venues, site_id: str) -> str:
    rooms = dict(venues)
    return rooms.get(site_id, rooms.get(EVERYWHERE, ""))


def in_words(org: Directory, venues: Venues) -> str:
    """The rooms in one phrase."""
    parts = [
        WORDS("at", site=org.sites[site].name, venue=at) if site in org.sites else at
        for site, at in venues
        if site == EVERYWHERE or site in org.sites
    ]
    return str(WORDS.get("separator")).join(parts)
