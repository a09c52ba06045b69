"""A fault is reported: opened, or joined to the one that is known; the reporter gets one message with its number."""

from collections.abc import Sequence
from typing import Any

from storage.messages import Incoming
from storage.models import Fault, Meeting, Person, Site
from storage.work import Work
from workflows import (
    desk,
    fault_clock,
    fault_correct,
    fault_dispatch,
    fault_end,
    fault_history,
    fault_level,
    fault_pick,
    fault_site,
    fault_takeover,
    fault_worse,
    files,
    manners,
)
from workflows import fault_book as book
from workflows.authority import may
from workflows.fault_words import describe
from workflows.phrases import clock
from workflows.turn import Turn
from workflows.words import Words

__all__ = ["describe", "open_from_check", "report"]

WORDS = Words("fault")
PREFIX = "GZ"


async def report(turn: Turn) -> None:
    """Somebody says that something does not work."""
    if turn.slot("level") == "consult":
        await desk.consult(turn)
    elif not may(turn.work.org, turn.person, "fault.report", turn.person.unit_id):
        await turn.reply(WORDS("forbidden"))
    elif waiting := fault_site.waiting(turn):
        await fault_site.place_said(turn, waiting, report_at)
    elif not await fault_correct.corrected(turn) and not await _still_broken(turn):
        await _report(turn)


async def report_unproven(turn: Turn, ask_where: str) -> None:
    """A report from somebody who may not be who they seem: taken at a place that is plain, and marked. It corrects and
    continues nothing; ``ask_where`` is said when the place is not plain."""
    sites = fault_site.named(turn) or fault_site.own(turn)
    if not may(turn.work.org, turn.person, "fault.report", turn.person.unit_id):
        await turn.reply(WORDS("forbidden"))
    elif len(sites) == 1 or (fault_site.certain(turn) and turn.reading.act == "act"):
        await report_at(turn, sites)
    else:
        await turn.reply(ask_where)


fault_end.reporting.append(report)


async def _still_broken(turn: Turn) -> bool:
    """A report that names a fault of the speaker's own speaks of that one, whatever words it uses."""
    mine = await fault_pick.mine_as_reporter(turn, book.ACTIVE)
    named = [fault for fault in mine if fault.number in turn.numbers]
    if len(named) == 1:
        await fault_pick.do(turn, "reject", named, "")
    return len(named) == 1


async def _report(turn: Turn) -> None:
    sites = fault_site.named(turn) or fault_site.own(turn)
    if len(sites) == 1 or (fault_site.certain(turn) and turn.reading.act == "act"):
        await report_at(turn, sites)
    else:
        await fault_site.ask(turn, sites)


@fault_site.continues
async def report_at(turn: Turn, sites: Sequence[Site]) -> None:
    """Report what the text says at these sites, and answer with one message."""
    lines, here, mention = [], False, []
    for site in sites:
        known = await _known(turn, site)
        if known is not None and await fault_takeover.says_it_too(turn, known):
            continue
        if known is not None:
            lines.append(await _join(turn, known))
            await files.show_in_fault(turn.work, known, files.names_of(turn.incoming))
            number = known.number
            continue
        fault, sent = await _open(turn, site, len(sites))
        await files.show_in_fault(turn.work, fault, files.names_of(turn.incoming))
        number = fault.number
        lines.append(await _taken_by_reporter(turn, fault) if sent.taken else _accepted(turn, fault, sent))
        if not sent.taken and fault_dispatch.is_told_place(turn.work, fault, turn.incoming.conversation, sent.duty):
            here, mention = True, sent.duty
            lines.append(_take_here(turn, fault, sent))
    if lines:
        await _answer(turn, number, lines, fault_dispatch.buttons(number) if here and len(sites) == 1 else (), mention)


async def _answer(turn: Turn, number: str, lines: list[str], actions: Any, mention: Sequence[Person]) -> None:
    await fault_site.say(turn, "\n".join(lines), about=number, actions=actions, mention=mention)


def _accepted(turn: Turn, fault: Fault, sent: fault_dispatch.Sent) -> str:
    key = "accepted" if turn.direct else "accepted_group"
    words = describe(turn.work, fault) | {"who": sent.who, "due": clock(turn.work, sent.due_at)}
    if sent.told_at is not None:
        return WORDS(f"{key}_later", start=clock(turn.work, sent.told_at), **words)
    return WORDS(key, **words)


async def _taken_by_reporter(turn: Turn, fault: Fault) -> str:
    """Whoever is on duty and reports has it: number, what was understood, and how to go on."""
    history = await fault_history.lines(turn.work, fault)
    return WORDS("own" if turn.direct else "own_group", history=history, **describe(turn.work, fault))


def _take_here(turn: Turn, fault: Fault, sent: fault_dispatch.Sent) -> str:
    key = "take_direct" if turn.direct else "take_group"
    return WORDS(key, people=fault_dispatch.names(sent.duty), due=clock(turn.work, sent.due_at), number=fault.number)


async def _known(turn: Turn, site: Site) -> Fault | None:
    """The open fault of the same site and the same matter."""
    found = await book.find(turn.work, Fault.site_id == site.site_id)
    devices, symptoms = turn.slot("device") or [], turn.slot("symptom") or []
    same = [fault for fault in found if book.same_matter(fault, devices, symptoms, turn.incoming.text)]
    return await book.load(turn.work, same[0].number) if same else None


async def _open(turn: Turn, site: Site, count: int) -> tuple[Fault, fault_dispatch.Sent]:
    meeting, known = await book.meeting_near(turn.work, site.site_id) or (None, "")
    text = turn.incoming.text
    near = fault_level.nearness(text, known)
    level = fault_level.level_of(str(turn.slot("level")), near, turn.slot("symptom") or [], text, count)
    facts = {"near": near, "leaders": fault_level.leaders(text), book.UNPROVEN: not turn.incoming.sender.verified}
    facts[book.AHEAD] = str(turn.slot("meeting_ahead") or "")
    fault = await _new(turn.work, turn.incoming, turn.person, site, meeting, level, facts)
    fault.room = str(turn.slot("room") or "")
    fault.device = book.stored(turn.slot("device") or [])
    fault.symptom = book.stored(turn.slot("symptom") or [book.OTHER])
    fault.text = text
    turn.audit("fault.reported", about=fault.number, level=level, site=site.site_id, text=text)
    sent = await fault_dispatch.dispatch(
        turn.work, fault, fault_dispatch.NEW, skip=str(turn.incoming.conversation), via=turn.via
    )
    return fault, sent


async def _new(  # noqa: PLR0917 - the columns of a report, each once
    work: Work,
    incoming: Incoming,
    reporter: Person,
    site: Site,
    meeting: Meeting | None,
    level: str,
    facts: dict[str, Any],
) -> Fault:
    """A fault row with its number of the day of the report."""
    place = str(incoming.conversation)
    fault = Fault(
        number=await work.next_number(PREFIX, incoming.written_at),
        level=level,
        site_id=site.site_id,
        unit_id=book.unit_of(work.org, site),
        meeting=meeting.number if meeting else "",
        reporter=reporter.person_id,
        reporters=[reporter.person_id],
        conversation=place,
        conversations=[place],
        extra={**facts, "by": {place: [reporter.person_id]}},
        created_at=work.now,
    )
    work.session.add(fault)
    return fault


async def _join(turn: Turn, fault: Fault) -> str:
    """One more report of a known fault: same number; when it was thought mended it is sent out again."""
    place, person = str(turn.incoming.conversation), turn.person.person_id
    by = dict(fault.extra.get("by", {}))
    by[place] = list(dict.fromkeys([*by.get(place, ()), person]))
    fault.reporters = list(dict.fromkeys([*fault.reporters, person]))
    fault.conversations = list(dict.fromkeys([*fault.conversations, place]))
    unproven = bool(fault.extra.get(book.UNPROVEN)) and not turn.incoming.sender.verified
    book.note(turn.work, fault, by=by, **{book.UNPROVEN: unproven})
    turn.audit("fault.joined", about=fault.number, text=turn.incoming.text)
    if fault.state in ("resolved", "observing"):
        sent = await fault_dispatch.again(turn, fault)
        await fault_end.tell_reporters_again(turn, fault, sent)
        words = describe(turn.work, fault) | {"who": sent.who, "due": clock(turn.work, sent.due_at)}
        return await manners.told(turn.work, WORDS, "joined_again", fault.number, **words)
    await fault_worse.worsen(turn, fault)
    return WORDS("joined", promise=await _promise(turn.work, fault), **describe(turn.work, fault))


async def _promise(work: Work, fault: Fault) -> str:
    debts = await book.owed(work, fault, "fault_ack", "progress")
    due = fault_clock.next_told(work, debts)
    return WORDS("promise", due=clock(work, due)) if due else ""


async def open_from_check(  # noqa: PLR0917 - the checklist knows all of these
    work: Work,
    meeting: Meeting,
    site: Site,
    step: str,
    text: str,
    device: str,
    symptom: str,
    person: Person,
    incoming: Incoming,
) -> Fault:
    """A check was abnormal: a fault on that step, sent out as usual. The checklist answers in its own conversation.

    ``device`` and ``symptom``: codes, or empty. The level follows from how near the meeting is. A step that has an open
    fault already gets that one.
    """
    devices, symptoms = book.codes(device), book.codes(symptom) or [book.OTHER]
    for fault in await book.find(work, Fault.site_id == site.site_id):
        if fault.meeting == meeting.number and fault.step == step and fault.state in book.WORKING:
            return fault
        if not fault.step and fault.state in book.WORKING and book.same_matter(fault, devices, symptoms, text):
            fault.step, fault.meeting = step, meeting.number
            work.session.add(fault)
            return fault
    near = await book.meeting_near(work, site.site_id)
    when = near[1] if near and near[0].number == meeting.number else ""
    level = fault_level.level_of("emergency" if when else "general", when, symptoms, text)
    facts = {"near": when, "leaders": fault_level.leaders(text)}
    fault = await _new(work, incoming, person, site, meeting, level, facts)
    fault.step, fault.text = step, text
    fault.device, fault.symptom = book.stored(devices), book.stored(symptoms)
    work.audit(
        "fault.reported", about=fault.number, who=person.person_id, via=incoming.platform, level=level, step=step
    )
    await fault_dispatch.dispatch(work, fault, fault_dispatch.NEW, via=incoming.platform)
    return fault
