"""Publishing a notice: one short transaction, then spreading in slices, each opening debts and saying each text once.

A notice is due by its publication, whatever delivery does. A slice is one transaction with its own progress, so that a
crash repeats nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from storage.models import Meeting, Notice, Obligation, Person, Timer
from storage.timers import set_timer
from storage.work import Work
from workflows import notice_debts, notice_letters, notice_tally
from workflows.notice_scope import audience

SLICE = 25
"""Units served in one transaction: under 100 ms with all their debts and messages."""
PER_SECOND = 10
"""Messages that surely leave in a second, for telling when a large notice will be through."""
LARGE = 200


async def publish(
    work: Work,
    meeting: Meeting,
    kind: str,
    by: Person,
    unit_ids: Sequence[str],
    changes: Mapping[str, Any] | None = None,
) -> Notice:
    """Commit a new version of the meeting to be told to ``unit_ids``, who owe an answer. ``changes`` may name ``told``
    (units that are only informed), ``added`` and ``removed`` sites, and the ``lines`` that say what is different.
    """
    meeting.version += 1
    work.session.add(meeting)
    notice = Notice(
        meeting=meeting.number,
        version=meeting.version,
        kind=kind,
        published_at=work.now,
        published_by=by.person_id,
        conversation=meeting.conversation,
        changes=dict(changes or {}),
        unit_ids=list(unit_ids),
    )
    work.session.add(notice)
    work.audit(f"notice.{kind}", about=meeting.number, who=by.person_id, version=meeting.version, units=len(unit_ids))
    await _go_on(work, notice)
    if unit_ids:
        due_at = work.now + work.settings.policy.notice_ack.within
        await set_timer(work, f"due:{meeting.number}", "tally_due", due_at, about=meeting.number)
    return notice


async def _go_on(work: Work, notice: Notice) -> None:
    key = f"notice:{notice.meeting}:{notice.version}"
    await set_timer(work, key, "notice", work.now, about=notice.meeting, payload={"version": notice.version})


async def spread(work: Work, timer: Timer) -> None:
    """Serve the next slice of a notice; the last one informs the higher tiers."""
    notice = await work.session.get(Notice, (timer.about, timer.payload["version"]))
    meeting = await work.session.get(Meeting, timer.about)
    if notice is None or meeting is None or notice.state != "spreading":
        return
    whole = plan(notice)
    concerned = tuple(unit_id for unit_id in whole if unit_id in work.org.units)
    heard = audience(work.org, concerned, work.platforms, notice.published_at)
    units = [unit_id for unit_id in whole[notice.done_units : notice.done_units + SLICE] if unit_id in heard.people]
    await notice_debts.serve(work, meeting, notice, units, heard)
    await notice_letters.send(work, meeting, notice, units, heard)
    notice.done_units = min(notice.done_units + SLICE, len(whole))
    if notice.done_units >= len(whole):
        await notice_letters.send_copies(work, meeting, notice, heard)
        notice.state = "done"
        work.audit("notice.spread", about=meeting.number, version=notice.version)
    else:
        await _go_on(work, notice)
    work.session.add(notice)


def plan(notice: Notice) -> list[str]:
    """Units in the order they are served: those who owe, then those who are only told."""
    return [*notice.unit_ids, *notice.changes.get("told", ())]


async def answered(work: Work, obligation: Obligation, person: Person, via: str, text: str) -> None:
    """A unit has answered: the coordinator sees it in the next tally, one every thirty seconds at most."""
    obligation.detail = {"answer": text, **obligation.detail}
    work.session.add(obligation)
    work.audit("notice.answered", about=obligation.meeting, who=person.person_id, via=via, unit=obligation.unit_id)
    await notice_tally.schedule(work, obligation.meeting)


def through_at(work: Work, messages: int) -> datetime | None:
    """When a notice of so many messages will surely be out; None when it is too small to mention."""
    if messages <= LARGE:
        return None
    return work.now + timedelta(seconds=messages / PER_SECOND + 30)


def count_messages(work: Work, unit_ids: Sequence[str]) -> int:
    """How many messages a notice to these units is."""
    heard = audience(work.org, tuple(unit_ids), work.platforms, work.now)
    people = sum(len(work.org.addresses(one, work.platforms)) for one in heard.by_person)
    return people + len(heard.by_group)
