"""Which site and meeting an arrival or a check is about: what the message names, else whose place it is.

“已到位” of a county engineer means the county's own site; a site below it that has no engineers of its own is named.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from storage.models import Meeting, Obligation, Site
from workflows import phrases
from workflows.meeting_find import narrowed
from workflows.reader import own_sites
from workflows.turn import Turn
from workflows.words import Words

EVERYWHERE = re.compile(Words("checklist").get("match.everywhere"))
BOTH = re.compile(Words("checklist").get("match.both"))
AND_ME = re.compile(Words("checklist").get("match.and_me"))
AHEAD = timedelta(hours=12)
"""Nobody arrives earlier than this before a meeting without being asked which one is meant."""
TOGETHER = timedelta(hours=3)
"""Meetings of one site that begin within this time of each other cannot be told apart by “已到位”."""
AFTERWARDS = timedelta(hours=24)
"""How long after its start a meeting's checks may still be answered or corrected."""


@dataclass(frozen=True)
class Spot:
    """One site in one meeting."""

    meeting: Meeting
    site: Site

    @property
    def value(self) -> str:
        """As the value of a numbered choice."""
        return f"{self.meeting.number}/{self.site.site_id}"


async def arrivals(turn: Turn) -> list[Obligation]:
    """Arrivals still owed that this message can be about, nearest meeting first."""
    return await _owed(turn, "arrival", col(Obligation.closed_at).is_(None), everywhere=says_everywhere(turn))


def says_everywhere(turn: Turn) -> bool:
    """“都已到位”: at every place that the speaker answers for, none of them named."""
    return EVERYWHERE.search(turn.incoming.text) is not None and not named_sites(turn)


async def checks(turn: Turn) -> list[Obligation]:
    """Checklists of current meetings that this message can be about (answered ones too: an answer may be corrected)."""
    held = col(Obligation.closed_at).is_(None) | col(Obligation.met_at).is_not(None)
    return await _owed(turn, "checklist", held)


async def _owed(turn: Turn, kind: str, still: ColumnElement[bool], *, everywhere: bool = False) -> list[Obligation]:
    query = (
        select(Obligation)
        .join(Meeting, col(Meeting.number) == col(Obligation.meeting))
        .where(Obligation.kind == kind, still, col(Meeting.state).in_(("published", "running", "ended")))
        .where(Meeting.starts_at > turn.work.now - AFTERWARDS)
        .order_by(col(Meeting.starts_at), col(Obligation.id))
    )
    numbers = [number for number in turn.numbers if number.startswith("HY-")]
    if numbers:
        query = query.where(col(Obligation.meeting).in_(numbers))
    circles = _circles(turn)
    for site_ids in [[site for circle in circles for site in circle]] if everywhere else circles:
        rows = (await turn.work.session.exec(query.where(col(Obligation.site_id).in_(site_ids)))).all()
        if rows:
            return list(rows)
    return []


def _circles(turn: Turn) -> list[list[str]]:
    """Site ids to look in, nearest circle first: those named, else the speaker's own, the group's, those served.

    Somebody from above who speaks in a group below means the group's place.
    """
    org, person = turn.work.org, turn.person
    if named := named_sites(turn):
        me_too = own_sites(org, person, None) if AND_ME.search(turn.incoming.text) else []
        return [list(dict.fromkeys(site.site_id for site in [*named, *me_too]))]
    circles = [own_sites(org, person, None), own_sites(org, person, turn.group)]
    if turn.group is not None and person.unit_id in [unit.unit_id for unit in org.upward(turn.group.unit_id)[1:]]:
        circles.reverse()
    circles.append([site for unit_id in org.serves(person) for site in org.sites_of(unit_id)])
    return [[site.site_id for site in circle] for circle in circles if circle]


def named_sites(turn: Turn) -> list[Site]:
    """Sites the message names, by its words or in what it quotes."""
    sites = turn.work.org.sites
    named = [sites[site_id] for site_id in turn.slot("site", ()) if site_id in sites]
    quote = turn.incoming.quote
    if named or quote is None:
        return named
    return [site for site in sites.values() if site.name in quote.text]


async def spots(turn: Turn, rows: Iterable[Obligation]) -> list[Spot]:
    """The rows as places, each once."""
    found: dict[tuple[str, str], Spot] = {}
    for row in rows:
        site = turn.work.org.sites.get(row.site_id or "")
        if site is not None and (row.meeting, site.site_id) not in found:
            meeting = await turn.work.session.get_one(Meeting, row.meeting)
            found[row.meeting, site.site_id] = Spot(meeting, site)
    return list(found.values())


async def spot_of(turn: Turn, number: str, site_id: str) -> Spot | None:
    """One place by meeting number and site id; None when either is gone."""
    meeting = await turn.work.session.get(Meeting, number)
    site = turn.work.org.sites.get(site_id)
    return Spot(meeting, site) if meeting is not None and site is not None else None


def spoken_of(turn: Turn, found: Sequence[Spot]) -> list[Spot]:
    """“财政会的也正常”: those of the meetings that the message speaks of, when it speaks of some."""
    left = {meeting.number for meeting in narrowed(turn, [spot.meeting for spot in found], None)}
    return [spot for spot in found if spot.meeting.number in left]


def nearest(found: Sequence[Spot]) -> list[Spot]:
    """Of each site the nearest meeting, and whatever begins so close to it that both may be meant."""
    chosen: list[Spot] = []
    for site_id in dict.fromkeys(spot.site.site_id for spot in found):
        here = sorted((s for s in found if s.site.site_id == site_id), key=lambda spot: spot.meeting.starts_at)
        chosen += [spot for spot in here if spot.meeting.starts_at - here[0].meeting.starts_at <= TOGETHER]
    return chosen


def certain(turn: Turn, found: Sequence[Spot]) -> bool:
    """Whether the places need no question: each named site once, or just one, and not days ahead."""
    sites = [spot.site.site_id for spot in found]
    told_apart = len(sites) == 1 or bool(named_sites(turn)) or says_everywhere(turn)
    one_each = (len(set(sites)) == len(sites) and told_apart) or BOTH.search(turn.incoming.text) is not None
    numbered = any(number.startswith("HY-") for number in turn.numbers)
    soon = all(spot.meeting.starts_at <= turn.work.now + AHEAD for spot in found)
    return one_each and (numbered or soon)


def choices_of(turn: Turn, found: Sequence[Spot]) -> list[tuple[str, str]]:
    """The places as numbered choices."""
    work = turn.work
    return [
        (f"{spot.meeting.number} {spot.site.name} {phrases.full_clock(work, spot.meeting.starts_at)}", spot.value)
        for spot in found
    ]
