"""A formal notice that moves or calls off a meeting already published: read back as such, when it is clear which one.

Which meeting is meant is said by its number, by the number of the paper it rests on, or by its whole name; one that
fits the old time it names, when several do. Nothing is guessed: else the sender is asked to say it in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from storage.fetches import Fetch
from storage.models import Meeting
from workflows import meeting_find, paper_basis
from workflows.meeting_draft import moment_from
from workflows.meeting_plan import Plan
from workflows.meeting_publish import propose_cancel, propose_change
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("paper")
SHORTEST = 4
"""Characters of a meeting's name by which it can be known."""


async def proposed(turn: Turn, main: Fetch, paper: Mapping[str, Any], basis: str) -> bool:
    """Read the change or the cancellation back and await the yes; False when it is not clear what is meant."""
    mine = [one for one in await meeting_find.alive(turn.work) if meeting_find.changeable(turn, one)]
    meant = _meant(turn, mine, paper)
    if len(meant) != 1:
        return False
    [meeting] = meant
    plan = _moved(Plan.of(meeting), paper)
    if not paper["cancels"] and plan == Plan.of(meeting):
        return False
    turn.audit("paper.read", about=meeting.number, name=paper_basis.name_of(main), sha256=main.sha256)
    paper_basis.add(turn.work, meeting, main.sha256)
    if paper["cancels"]:
        await turn.reply(WORDS("say.read_cancel", name=paper_basis.name_of(main)), about=meeting.number)
        await propose_cancel(turn, meeting)
    else:
        await propose_change(turn, meeting, replace(plan, basis=basis or plan.basis))
    return True


def _meant(turn: Turn, meetings: Sequence[Meeting], paper: Mapping[str, Any]) -> list[Meeting]:
    """The meetings the paper can mean by the surest thing it says."""
    numbers = {*turn.numbers, *paper["cites"]}
    by_number = [one for one in meetings if one.number in numbers]
    by_basis = [one for one in meetings if any(cite in one.basis for cite in paper["cites"])]
    by_name = [one for one in meetings if len(one.title) >= SHORTEST and one.title in paper["title"]]
    found = by_number or by_basis or by_name
    old = moment_from(paper["old_start"])
    at_that_time = [one for one in found if isinstance(old, datetime) and one.starts_at == old]
    return at_that_time if len(found) > 1 else found


def _moved(plan: Plan, paper: Mapping[str, Any]) -> Plan:
    """What the paper says anew; where it is silent everything stays."""
    start, end, test = (moment_from(paper[key]) for key in ("start", "end", "tested_at"))
    if isinstance(start, datetime):
        plan = plan.moved(start, end if isinstance(end, datetime) else None)
    if isinstance(test, datetime):
        plan = replace(plan, tested_at=test)
    return replace(plan, contact=paper["contact"]) if paper["contact"] and plan.contact else plan
