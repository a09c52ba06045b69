"""“保障情况怎么样”: how all stands: notices and arrivals of the coming meetings, and open faults."""

import re
from collections.abc import Sequence

from sqlmodel import col, select

from storage.models import Meeting, Obligation
from workflows import fault_ask, fault_pick, meeting_query
from workflows import fault_book as book
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("status")
ASKED, SHORT = re.compile(WORDS.get("match")), re.compile(WORDS.get("short"))
FOLLOWING = ("coordinator", "supervisor", "dispatcher", "auditor")


async def command(turn: Turn) -> bool:
    """Answer the question. False when it was not asked, or not by somebody who follows it, or in a client group."""
    follows = set(turn.person.roles) & set(FOLLOWING) and (turn.group is None or turn.group.purpose != "client")
    text = turn.incoming.text.strip()
    in_full = ASKED.match(text) is not None
    if turn.incoming.click or not follows or not (in_full or SHORT.match(text)):
        return False
    meetings = [await _meeting(turn, meeting, tally) for meeting, tally in await meeting_query.followed(turn)]
    active = await fault_pick.in_view(turn, book.ACTIVE)
    if not in_full and (turn.numbers or not meetings or (active and "supervisor" in turn.person.roles)):
        return False
    faults = fault_ask.listed(turn, active)
    await turn.reply("\n".join([*meetings, *faults]) or WORDS("nothing"))
    return True


async def _meeting(turn: Turn, meeting: Meeting, tally: str) -> str:
    """The tally of the notice; and, once anybody is awaited there, how many are."""
    query = select(Obligation).where(Obligation.meeting == meeting.number, Obligation.state != "cancelled")
    rows = (await turn.work.session.exec(query.where(col(Obligation.kind).in_(("arrival", "checklist"))))).all()
    arrivals = [row for row in rows if row.kind == "arrival"]
    checks = [row for row in rows if row.kind == "checklist" and not row.detail.get("step")]
    if not any(row.met_at or row.due_at <= turn.work.now for row in arrivals):
        return tally
    counts = {"arrived": _met(arrivals), "sites": len(arrivals), "checked": _met(checks), "checks": len(checks)}
    return "\n".join([tally, WORDS("on_site", **counts)])


def _met(rows: Sequence[Obligation]) -> int:
    return sum(row.met_at is not None for row in rows)
