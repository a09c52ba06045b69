"""“刚才发错了”: the speaker's own last act within ten minutes is undone, and said to be undone.

Acts are found in the audit record: all entries that one message wrote name it. What has gone out to the world
(a published notice) cannot be undone; a fault report is withdrawn only after a question.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage.messages import Address, Outgoing, Urgency
from storage.models import AuditEntry, CheckItem, Fault, Meeting, Obligation
from storage.obligations import reopen, settle_cancelled
from storage.outbox import post, post_person
from workflows import checklist_answers, fault_book, notice_echo, notice_recall, notice_tally, undo_fault
from workflows import checklist_steps as steps
from workflows.phrases import call, clock
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("undo")
WRONG = re.compile(WORDS.get("match"))
NOT_YET = re.compile(WORDS.get("not_yet"))
WITHIN = timedelta(minutes=10)
LOOK_BACK = 60
"""Audit entries of one person in ten minutes; more than anybody writes by hand."""
UNDONE = undo_fault.UNDONE

Undo = Callable[[Turn, AuditEntry], Awaitable[str]]
"""Undoes one audited act; returns what to say about it (empty: nothing was left to undo)."""


async def command(turn: Turn) -> bool:
    """Undo the last act when the message says that it was a mistake. False when it says no such thing."""
    if turn.incoming.click or not WRONG.match(_without_reason(turn)):
        return False
    entries = await _last_act(turn)
    if not entries:
        await turn.reply(WORDS("nothing"))
        return True
    before = turn.said
    told = [text for entry in entries if entry.what in ACTS and (text := await ACTS[entry.what](turn, entry))]
    turn.audit(UNDONE, entries[0].about, entries=[entry.id for entry in entries])
    if told:
        await turn.reply(WORDS("done", what=WORDS.get("separator").join(told)), about=entries[0].about)
    await _ask_about_fault(turn, entries)
    await _ask_again(turn, entries)
    if turn.said == before:
        await turn.reply(WORDS("gone"), about=entries[0].about)
    return True


def _without_reason(turn: Turn) -> str:
    """“发错了，还没好”: an engineer takes back that it is mended, and says why."""
    text = turn.incoming.text.strip()
    return NOT_YET.sub("", text) if "engineer" in turn.person.roles else text


async def _last_act(turn: Turn) -> list[AuditEntry]:
    """What the speaker's last message did, in the order done; empty when there is nothing (left) to undo."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.who == turn.person.person_id, AuditEntry.at >= turn.work.now - WITHIN)
        .order_by(col(AuditEntry.id).desc())
        .limit(LOOK_BACK)
    )
    rows = (await turn.work.session.exec(query)).all()
    gone = {entry_id for row in rows if row.what == UNDONE for entry_id in row.detail["entries"]}
    acts = [row for row in rows if row.what in (*ACTS, REPORTED) and row.id not in gone]
    return [row for row in reversed(acts) if _said_in(row) == _said_in(acts[0])]


def _said_in(entry: AuditEntry) -> tuple[datetime, str]:
    """The message an act was done upon: several messages may be handled in one moment."""
    return entry.at, str(entry.detail.get("message", ""))


# ---- one kind of act each


async def _answer(turn: Turn, entry: AuditEntry) -> str:
    """A debt that was met stands again with its old clock; whoever had the all-clear hears it."""
    kind = entry.detail.get("kind")
    row = await turn.work.session.get(Obligation, entry.detail.get("obligation"))
    if row is None or row.met_at is None or kind not in ("notice_ack", "fault_ack", "checklist"):
        return ""
    if kind == "fault_ack":
        return await undo_fault.untake(turn, row)
    reopen(turn.work, row, turn.person.person_id, UNDONE)
    await _tell_alarmed(turn, row)
    if kind == "notice_ack":
        row.detail = {key: value for key, value in row.detail.items() if key not in ("answer", "trouble")}
        key = f"{UNDONE}:{row.id}:{turn.key}"
        await notice_echo.taken_back(turn.work, row, _taken_back(turn, row), key, turn.incoming.conversation)
        await notice_tally.schedule(turn.work, row.meeting)
        unit, due = _unit(turn, row), clock(turn.work, row.due_at)
        key = "ack" if row.due_at > turn.work.now else "ack_late"
        return WORDS(key, number=row.meeting, unit=unit, due=due)
    return ""


async def _arrival(turn: Turn, entry: AuditEntry) -> str:
    query = select(Obligation).where(
        Obligation.kind == "arrival",
        Obligation.meeting == entry.about,
        Obligation.site_id == entry.detail["site"],
        col(Obligation.met_at).is_not(None),
    )
    row = (await turn.work.session.exec(query.order_by(col(Obligation.id).desc()).limit(1))).first()
    site = turn.work.org.sites.get(entry.detail["site"])
    if row is None or site is None:
        return ""
    reopen(turn.work, row, turn.person.person_id, UNDONE)
    await _tell_alarmed(turn, row)
    await _stop_asking(turn, row)
    return WORDS("arrival", number=row.meeting, site=site.name)


async def _stop_asking(turn: Turn, arrival: Obligation) -> None:
    """Nobody is there: the check that was asked waits for the arrival."""
    query = select(CheckItem).where(
        CheckItem.meeting == arrival.meeting, CheckItem.site_id == arrival.site_id, CheckItem.state == "asked"
    )
    for item in (await turn.work.session.exec(query)).all():
        item.state = "waiting"
        turn.work.session.add(item)
        await steps.close_questions(turn.work, item)


async def _check(turn: Turn, entry: AuditEntry) -> str:
    detail = entry.detail
    item = await turn.work.session.get(CheckItem, (entry.about, detail["site"], detail["step"]))
    site = turn.work.org.sites.get(detail["site"])
    if item is None or site is None or item.state not in steps.ANSWERED:
        return ""
    before = str(detail["before"])
    item.state = "waiting" if before not in steps.ANSWERED else before
    item.text, item.answered_at, item.answered_by = "", None, None
    turn.work.session.add(item)
    return WORDS("check", number=item.meeting, site=site.name, label=steps.label(item.step))


async def _promise(turn: Turn, entry: AuditEntry) -> str:
    row = await turn.work.session.get(Obligation, entry.detail["obligation"])
    if row is None or row.closed_at is not None:
        return ""
    settle_cancelled(turn.work, row, UNDONE, turn.person.person_id)
    return WORDS("promise", number=entry.about)


async def _published(turn: Turn, entry: AuditEntry) -> str:
    key = "published_now" if await notice_recall.fresh(turn.work, entry.about) else "published"
    await turn.reply(WORDS(key, number=entry.about), about=entry.about)
    return ""


ACTS: Mapping[str, Undo] = {
    "obligation.met": _answer,
    "arrival.recorded": _arrival,
    "arrival.promised": _promise,
    "check.answered": _check,
    "notice.new": _published,
    "notice.change": _published,
    "notice.cancel": _published,
    **undo_fault.ACTS,
}
"""By the ``what`` of an audit entry. What is not listed is not undone by words."""
REPORTED = "fault.reported"


# ---- afterwards


async def _ask_about_fault(turn: Turn, entries: Sequence[AuditEntry]) -> None:
    for number in dict.fromkeys(entry.about for entry in entries if entry.what == REPORTED):
        row = await turn.work.session.get(Fault, number)
        if row is not None and row.state in fault_book.WORKING:
            await checklist_answers.ask_withdrawal(turn, number, WORDS("fault", number=number))


async def _ask_again(turn: Turn, entries: Sequence[AuditEntry]) -> None:
    """The checks whose answers were taken back are asked again, one site at a time."""
    places = dict.fromkeys((e.about, str(e.detail["site"])) for e in entries if e.what == "check.answered")
    for number, site_id in places:
        meeting, site = await turn.work.session.get(Meeting, number), turn.work.org.sites.get(site_id)
        if meeting is not None and site is not None:
            sheet = await steps.sheet(turn.work, meeting, site)
            await steps.ask_next(turn.work, sheet, turn.person, turn.incoming.conversation)


async def _tell_alarmed(turn: Turn, row: Obligation) -> None:
    """Who was alarmed and then calmed hears that the answer was taken back."""
    text = _taken_back(turn, row)
    message = Outgoing(text=text, about=row.meeting or row.fault, urgency=Urgency.ESCALATION)
    key = f"{UNDONE}:{row.id}:{turn.key}"
    for name in row.alarmed:
        person = turn.work.org.people.get(name)
        if ":" in name:
            await post(turn.work, Address.parse(name), message, key=key, kind=UNDONE)
        elif person is not None:
            await post_person(turn.work, person, message, key=key, kind=UNDONE)


def _taken_back(turn: Turn, row: Obligation) -> str:
    return WORDS("alarmed", number=row.meeting or row.fault, unit=_unit(turn, row), who=call(turn.person))


def _unit(turn: Turn, row: Obligation) -> str:
    site, unit = turn.work.org.sites.get(row.site_id or ""), turn.work.org.units.get(row.unit_id)
    return site.name if site is not None else unit.name if unit is not None else ""
