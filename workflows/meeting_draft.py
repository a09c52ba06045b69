"""From the words of a coordinator to a draft that is read back. What is missing is asked; what is odd is shown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from intents.times import TimeSpan, find_times
from storage.models import Expectation, Meeting, Unit
from workflows import choices, meeting_details, paper_basis, settled_cards
from workflows.meeting_edit import Desk, new_time
from workflows.meeting_plan import Plan, site_names
from workflows.meeting_readback import read_draft
from workflows.meeting_scope import (
    area_of,
    in_area,
    named_sites,
    namesakes,
    ordered,
    outside,
    part_of,
    says_tier,
    wanted,
    who_may,
    whole_area,
)
from workflows.phrases import call, calls, day, full_clock, joined
from workflows.reader import NUMBER
from workflows.turn import Turn, forget, places_of
from workflows.words import Words

WORDS = Words("meeting")
KIND = "notice_confirmation"
DAY = "meeting.day"
BASIS = [re.compile(WORDS.get(f"match.{name}")) for name in ("basis", "basis_from")]
WEEKDAY = re.compile(WORDS.get("match.weekday"))
CLOSING = time(17, 30)


async def begin(turn: Turn, slots: Mapping[str, Any], text: str) -> None:
    """Draft a meeting from the slots of a reading and its text, or say why not, or ask for what is missing."""
    area = area_of(turn.work.org, turn.person)
    if area is None:
        await refuse(turn)
    elif turn.group is not None and turn.group.purpose == "client":
        await turn.reply(WORDS("say.client_group"))
    else:
        brought = {} if slots.get("files") else await paper_basis.brought(turn, text, confirmations(turn))
        await _draft(turn, area, {**brought, **slots}, text)


async def refuse(turn: Turn) -> None:
    """Not this person: who may is named."""
    home = turn.work.org.operations_unit(turn.person.unit_id)
    people = who_may(turn.work.org, home.unit_id) if home else []
    await turn.reply(WORDS("say.refused", who=calls(people)) if people else WORDS("say.refused_nobody"))


async def _draft(turn: Turn, area: Unit, slots: dict[str, Any], text: str) -> None:
    start = moment_from(slots.get("start"))
    if not isinstance(start, datetime):
        await _ask_start(turn, start, slots, text)
        return
    systems = (str(slots["system"]),) if slots.get("system") else ()
    sites = _sites(turn, area, slots, text, systems)
    if not sites:
        await ask_missing(turn, "scope", "scope", slots, text)
        return
    if await refuse_outside(turn, sites):
        return
    plan = Plan(
        title=str(slots.get("title") or WORDS("untitled")),
        systems=systems,
        starts_at=start,
        ends_at=_end(turn, slots.get("end")),
        arrive_before_s=_arrive_before(turn, slots),
        site_ids=tuple(sites),
        basis=str(slots.get("basis") or _basis(text) or slots.get(paper_basis.TITLE, "")),
        tested_at=_tested_at(turn, slots, text),
        contact=str(slots.get("contact") or meeting_details.said("contact", text)),
        host=meeting_details.said("host", text),
        heads=meeting_details.said("heads", text),
        venues=meeting_details.room(text),
    )
    notes = [*slots.get("notes", ()), *paper_basis.note(slots), *_notes(turn, area, plan, text)]
    meeting = await _store(turn, area, plan, notes)
    unread = slots.get(paper_basis.UNREAD, ())
    meeting.extra = {**meeting.extra, "files": list(slots.get("files", ())), paper_basis.UNREAD: list(unread)}
    if not await _ask_weekday(turn, meeting, text) and not await _ask_when(turn, meeting, text):
        await read_back(turn, meeting)


def moment_from(value: Any) -> datetime | date | None:
    """A slot's ISO text as a moment, or as a date when no clock time was said."""
    if not value:
        return None
    text = str(value)
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _end(turn: Turn, value: Any) -> datetime | None:
    end = moment_from(value)
    if end is None or isinstance(end, datetime):
        return end
    return datetime.combine(end, CLOSING, turn.work.zone)


def _tested_at(turn: Turn, slots: Mapping[str, Any], text: str) -> datetime | None:
    """The joint test, as a paper or the speaker's own words name it."""
    told = moment_from(slots.get("tested_at"))
    spans = find_times(text, turn.work.local(turn.incoming.written_at)) if told is None else []
    said = [told, *(span.start for span in spans if span.role == "joint_test")]
    return next((moment for moment in said if isinstance(moment, datetime)), None)


def _arrive_before(turn: Turn, slots: Mapping[str, Any]) -> float:
    minutes = slots.get("arrive_before_minutes")
    if isinstance(minutes, int) and minutes > 0:
        return minutes * 60.0
    return turn.work.settings.policy.arrival.before_start.total_seconds()


def _basis(text: str) -> str:
    found = next((match for pattern in BASIS if (match := pattern.search(text))), None)
    return found["basis"].strip() if found else ""


def _sites(turn: Turn, area: Unit, slots: Mapping[str, Any], text: str, systems: Sequence[str]) -> list[str]:
    """Sites in scope, higher tiers first: named ones as named, everybody as seen from the speaker's area."""
    org, scope = turn.work.org, slots.get("scope")
    part = part_of(org, area, text, systems)
    if isinstance(scope, list):
        meant = [site for site in scope if site in part] or part or scope
        return ordered(org, in_area(org, area, meant) if says_tier(text) else meant)
    everybody = whole_area(org, area.unit_id, systems) if scope == "all" else wanted(org, area, text, systems)
    return ordered(org, part or everybody or slots.get("site", ()))


def _notes(turn: Turn, area: Unit, plan: Plan, text: str) -> list[str]:
    """What the coordinator should look at twice."""
    notes = []
    span = _span_at(turn, text, plan.starts_at)
    if span is not None and "pm_assumed" in span.flags:
        notes.append(WORDS("readback.pm"))
    for word, sites in namesakes(turn.work.org, plan.site_ids, text).items():
        names = joined(site_names(turn.work.org, sites), 6)
        notes.append(WORDS("readback.namesakes", word=word, count=len(sites), sites=names))
    everybody = whole_area(turn.work.org, area.unit_id)
    equipped = whole_area(turn.work.org, area.unit_id, plan.systems)
    if len(equipped) < len(everybody) and set(equipped) == set(plan.site_ids):
        notes.append(WORDS("readback.unequipped", count=len(everybody) - len(equipped)))
    return notes


async def refuse_outside(turn: Turn, sites: Sequence[str]) -> bool:
    """Say which sites are not the speaker's to call, and whose they are."""
    beyond = outside(turn.work.org, turn.person, sites)
    if not beyond:
        return False
    names = joined(site_names(turn.work.org, [site.site_id for site in beyond]), 6)
    people = who_may(turn.work.org, beyond[0].unit_id)
    await turn.reply(WORDS("say.outside", sites=names, who=calls(people) or WORDS("say.somebody_above")))
    return True


async def _store(turn: Turn, area: Unit, plan: Plan, notes: Sequence[str]) -> Meeting:
    work = turn.work
    meeting = Meeting(
        number=await work.next_number("HY", plan.starts_at),
        title=plan.title,
        starts_at=plan.starts_at,
        host_unit_id=area.unit_id,
        extra={"notes": list(notes)},
        created_by=turn.person.person_id,
        conversation=str(turn.incoming.conversation),
        created_at=work.now,
    )
    plan.write(work.org, meeting)
    work.session.add(meeting)
    turn.audit("meeting.drafted", meeting.number, sites=len(plan.site_ids), starts_at=plan.starts_at.isoformat())
    return meeting


async def read_back(turn: Turn, meeting: Meeting) -> None:
    """Read a draft back and await the yes; it becomes the speaker's latest here."""
    await read_draft(turn, meeting, Plan.of(meeting))
    await await_yes(turn, meeting.number, {"act": "publish"})


async def await_yes(turn: Turn, number: str, pending: dict[str, Any]) -> None:
    """From now on a yes of this person in this conversation, and in private when this is a group, is for this; what was
    asked there before is closed.
    """
    here = {str(turn.incoming.conversation), *map(str, turn.alone)}
    for row in turn.expectations:
        if row.kind == KIND and row.state == "open" and not here.isdisjoint(places_of(row)):
            row.state = "closed"
            turn.work.session.add(row)
    asked = await turn.expect(KIND, number, pending=pending)
    turn.expectations = [asked, *(row for row in turn.expectations if row.kind != KIND)]


def undated_drafts(turn: Turn) -> list[Expectation]:
    """The questions of this conversation which of two moments a draft means, newest first."""
    return [row for row in turn.asked_here("choice") if row.pending.get("name") == DAY]


def confirmations(turn: Turn) -> list[Expectation]:
    """What the speaker was asked to confirm in this conversation, newest first."""
    return turn.asked_here(KIND)


# ---- what is missing is asked


async def _ask_start(turn: Turn, known: date | None, slots: dict[str, Any], text: str) -> None:
    if known is None:
        await ask_missing(turn, "start", "start", slots, text)
        return
    noon = datetime.combine(known, time(12), turn.work.zone)
    await ask_missing(turn, "start", "clock", slots, text, day=day(turn.work, noon))


async def ask_missing(turn: Turn, need: str, question: str, slots: dict[str, Any], text: str, **values: str) -> None:
    """Ask for one thing and keep the rest until it comes. ``question``: its key, ``values``: its fields."""
    await turn.ask(*(WORDS(f"{table}.{question}", **values) for table in ("ask_in_group", "ask")))
    await await_yes(turn, "", {"act": "missing", "need": need, "slots": slots, "text": text})


async def fill_missing(turn: Turn, asked: Expectation) -> bool:
    """Read the message as the answer to :func:`ask_missing`; False when it is none."""
    pending, area = asked.pending, area_of(turn.work.org, turn.person)
    slots = dict(pending["slots"])
    need = str(pending["need"])
    slots[need] = _told_start(turn, slots.get("start")) if need == "start" else _told_scope(turn, area, slots)
    if not slots[need] or area is None:
        return False
    await _close(turn, asked)
    await _draft(turn, area, slots, str(pending["text"]) or turn.incoming.text)
    return True


async def _close(turn: Turn, asked: Expectation) -> None:
    asked.state = "met"
    turn.work.session.add(asked)
    await turn.take_up(asked)
    await turn.work.session.flush()


def _told_start(turn: Turn, known: Any) -> str | None:
    text = turn.incoming.text
    span = new_time(NUMBER.sub(" ", text), turn.work.local(turn.incoming.written_at))
    if span is None:
        return None
    if known and isinstance(span.start, datetime) and "T" not in str(known):
        return datetime.combine(date.fromisoformat(str(known)), span.start.timetz()).isoformat()
    return span.start.isoformat()


def _told_scope(turn: Turn, area: Unit | None, slots: Mapping[str, Any]) -> list[str] | None:
    org, text = turn.work.org, turn.incoming.text
    systems = [str(slots["system"])] if slots.get("system") else []
    return (wanted(org, area, text, systems) if area else []) or named_sites(org, text) or None


# ---- the weekday does not fit the date


def _span_at(turn: Turn, text: str, start: datetime) -> TimeSpan | None:
    spans = find_times(text, turn.work.local(turn.incoming.written_at))
    return next((span for span in spans if span.start == start), None)


async def _ask_weekday(turn: Turn, meeting: Meeting, text: str) -> bool:
    """“12月3日（周五）” names two days: ask which. The draft waits without being confirmable."""
    span = _span_at(turn, text, meeting.starts_at)
    if span is None or "weekday_mismatch" not in span.flags:
        return False
    said = WEEKDAY.search(text[span.span[0] : span.span[1] + 1])
    if said is None:
        return False
    days = WORDS.get("match.weekdays")
    wanted_weekday = min(days.index(said["weekday"]), 6)
    local = turn.work.local(meeting.starts_at)
    ahead = (wanted_weekday - local.weekday() + 3) % 7 - 3
    await _ask_which(turn, meeting, "ask.weekday", [local, local + timedelta(days=ahead)])
    return True


async def _ask_which(turn: Turn, meeting: Meeting, key: str, moments: Iterable[datetime]) -> None:
    """Which of these moments it is. Until that is said there is nothing to confirm."""
    meeting.extra = {**meeting.extra, "unclear": True}
    options = [(full_clock(turn.work, one), one.isoformat()) for one in moments]
    question, pending = WORDS(key, title=meeting.title), {"number": meeting.number}
    await choices.ask(turn, DAY, question, options, about=meeting.number, pending=pending)


def day_of(moment: datetime | date) -> date:
    """The day of a moment, or the day itself."""
    return moment.date() if isinstance(moment, datetime) else moment


async def _ask_when(turn: Turn, meeting: Meeting, text: str) -> bool:
    """“周三或周四下午两点”, “过几天上午九点”: no time was said that could be published. Which one, or when?"""
    spans = find_times(text, turn.work.local(turn.incoming.written_at))
    open_ = [span for span in spans if "uncertain" in span.flags]
    on_a_day = [day_of(span.start) for span in spans if span not in open_]
    start = turn.work.local(meeting.starts_at)
    if meeting.starts_at not in [span.start for span in open_] or start.date() in on_a_day:
        return False  # "15日至16日，每天上午9点" is exact
    moments = dict.fromkeys(
        span.start if isinstance(span.start, datetime) else datetime.combine(span.start, start.timetz())
        for span in open_
    )
    if len(moments) == 1:
        meeting.extra = {**meeting.extra, "unclear": True}
        await await_yes(turn, meeting.number, {"act": "publish"})
        await turn.reply(WORDS("ask.when", title=meeting.title, number=meeting.number), about=meeting.number)
        return True
    await _ask_which(turn, meeting, "ask.which_time", moments)
    return True


@choices.resumes(DAY)
async def _day_picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    meeting = await turn.work.session.get_one(Meeting, str(pending["number"]))
    if meeting.state == "draft":
        await correct(turn, meeting, Plan.of(meeting).moved(datetime.fromisoformat(value)))


# ---- correction and dropping


async def correct(turn: Turn, meeting: Meeting, plan: Plan) -> None:
    """A correction of a draft: store it and read back again."""
    if await refuse_outside(turn, plan.site_ids):
        return
    plan.write(turn.work.org, meeting)
    meeting.extra = {**meeting.extra, "notes": [], "unclear": False}
    turn.work.session.add(meeting)
    turn.audit("meeting.corrected", meeting.number)
    await read_back(turn, meeting)


async def drop(turn: Turn, meeting: Meeting) -> None:
    """The drafter does not want it any more."""
    meeting.state = "cancelled"
    turn.work.session.add(meeting)
    turn.audit("meeting.dropped", meeting.number)
    await settled_cards.read_back(turn.work, meeting.number, "done")
    await forget(turn.work, meeting.number, KIND)
    await turn.reply(WORDS("say.dropped", number=meeting.number), about=meeting.number)


def desk_of(turn: Turn, area: Unit) -> Desk:
    """What corrections are read with."""
    return Desk(turn.work.org, area, turn.work.local(turn.incoming.written_at))


def drafter(turn: Turn, meeting: Meeting) -> str:
    """Who wrote the draft, politely."""
    person = turn.work.org.people.get(meeting.created_by)
    return call(person) if person else ""
