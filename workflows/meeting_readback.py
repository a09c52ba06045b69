"""Reading a draft back: what was understood, what looks odd, and how to say yes."""

from collections.abc import Sequence
from datetime import timedelta

from storage.directory import Directory
from storage.messages import Action
from storage.models import Meeting
from storage.work import Work
from workflows import notice, settled_cards
from workflows.meeting_details import in_words
from workflows.meeting_plan import FEW, Plan, scope_words, site_names
from workflows.notice_scope import audience, owing_units
from workflows.notice_texts import on_the_day, systems
from workflows.phrases import clock, full_clock, joined
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("meeting")
LISTED = 12
"""Up to so many sites are listed by name beside the count."""


async def read_draft(turn: Turn, meeting: Meeting, plan: Plan) -> None:
    """One message with everything that will be published."""
    work, units = turn.work, owing_units(turn.work.org, plan.site_ids)
    lines = [
        WORDS("readback.head", number=meeting.number, title=plan.title, systems=systems(plan.systems)),
        _time(work, plan),
        WORDS("readback.arrive", arrive=on_the_day(work, plan.arrive_at, plan.starts_at)),
        _scope(work.org, plan, len(units)),
        WORDS("readback.test", test=full_clock(work, plan.tested_at)) if plan.tested_at else "",
        WORDS("readback.venue", venue=in_words(work.org, plan.venues)) if plan.venues else "",
        WORDS("readback.host", host=plan.host) if plan.host else "",
        WORDS("readback.heads", heads=plan.heads) if plan.heads else "",
        WORDS("readback.contact", contact=plan.contact) if plan.contact else "",
        WORDS("readback.basis", basis=plan.basis) if plan.basis else "",
        *(WORDS("readback.warning", text=text) for text in [*meeting.extra.get("notes", ()), *warnings(work, plan)]),
        _through(work, units),
    ]
    await _ask(turn, meeting, lines, "readback", button(meeting, "readback.publish"), title=plan.title)


async def read_change(turn: Turn, meeting: Meeting, lines: Sequence[str], owing: int, told: int) -> None:
    """What will be different, and how many will be asked again."""
    parts = [
        WORDS("change.head", number=meeting.number, title=meeting.title),
        *lines,
        WORDS("change.answer", units=owing) if owing else "",
        WORDS("change.inform", units=told) if told else "",
    ]
    await _ask(turn, meeting, parts, "change", button(meeting, "readback.publish"), title=meeting.title)


async def read_cancel(turn: Turn, meeting: Meeting, units: int) -> None:
    """That the meeting will be called off."""
    start = full_clock(turn.work, meeting.starts_at)
    head = WORDS("cancel.head", number=meeting.number, title=meeting.title, start=start, units=units)
    await _ask(turn, meeting, [head], "cancel", button(meeting, "cancel.button"), title=meeting.title)


async def _ask(turn: Turn, meeting: Meeting, lines: Sequence[str], table: str, yes: Action, *, title: str) -> None:
    """The lines that are not empty and how to answer them: in a group the mention is needed."""
    said = [line for line in lines if line]
    in_group, in_private = ("\n".join([*said, WORDS(f"{table}.{how}")]) for how in ("how_group", "how_direct"))
    await settled_cards.read_back(turn.work, meeting.number, "newer")
    await turn.ask(in_group, in_private, about=meeting.number, title=title, actions=[yes])


def button(meeting: Meeting, label: str) -> Action:
    """The yes that needs no words."""
    return Action(label=WORDS(label), value=f"publish:{meeting.number}", say=WORDS("readback.confirm"))


def _time(work: Work, plan: Plan) -> str:
    end = WORDS("readback.end", end=on_the_day(work, plan.ends_at, plan.starts_at)) if plan.ends_at else ""
    return WORDS("readback.time", start=full_clock(work, plan.starts_at), end=end)


def _scope(org: Directory, plan: Plan, units: int) -> str:
    named = FEW < len(plan.site_ids) <= LISTED
    names = WORDS("readback.names", names=joined(site_names(org, plan.site_ids), LISTED)) if named else ""
    return WORDS("readback.scope", scope=scope_words(org, plan.site_ids), names=names, units=units)


def _through(work: Work, units: Sequence[str]) -> str:
    through = notice.through_at(work, notice.count_messages(work, units))
    return WORDS("readback.through", through=clock(work, through)) if through else ""


def warnings(work: Work, plan: Plan) -> list[str]:
    """What the coordinator should know before saying yes."""
    units = owing_units(work.org, plan.site_ids)
    found = [_past(work, plan), _tested(work, plan), _late(work, plan), *_staff(work, units)]
    return [text for text in found if text]


def _past(work: Work, plan: Plan) -> str:
    passed = plan.starts_at <= work.now
    return WORDS("readback.past", start=full_clock(work, plan.starts_at)) if passed else ""


def _tested(work: Work, plan: Plan) -> str:
    """A joint test belongs between now and the meeting."""
    if plan.tested_at is None or work.now < plan.tested_at < plan.starts_at:
        return ""
    return WORDS("readback.test_odd", test=full_clock(work, plan.tested_at))


def _late(work: Work, plan: Plan) -> str:
    within = work.settings.policy.notice_ack.within
    arrive = max(plan.arrive_at, min(work.now + within, plan.starts_at))
    if plan.starts_at <= work.now or arrive == plan.arrive_at:
        return ""
    span = _minutes(timedelta(seconds=plan.arrive_before_s))
    return WORDS("readback.late_arrival", span=span, arrive=clock(work, arrive))


def _minutes(span: timedelta) -> str:
    return WORDS("minutes", count=round(span.total_seconds() / 60))


def _staff(work: Work, units: Sequence[str]) -> list[str]:
    """Units without engineers of their own, without a roster now, or that nobody can reach."""
    org = work.org
    operations = [one for one in units if org.units[one].track == "operations"]
    handed = [one for one in operations if not org.members(one, "engineer")]
    rostered = {shift.unit_id for shift in org.shifts if shift.starts_at <= work.now < shift.ends_at}
    unrostered = [one for one in operations if one not in rostered and org.members(one, "engineer")]
    people = audience(org, tuple(units), work.platforms, work.now).people
    within_reach = {one for one in {p.person_id for some in people.values() for p in some} if _reachable(work, one)}
    lost = [one for one in units if not any(p.person_id in within_reach for p in people[one])]
    parents = dict.fromkeys(org.units[p.unit_id].name for one in handed for p in people[one] if p.unit_id in org.units)
    texts = [
        WORDS("readback.no_engineers", units=_names(org, handed), parents=joined(list(parents), 3)) if parents else "",
        WORDS("readback.no_roster", units=_names(org, unrostered)) if unrostered else "",
        WORDS("readback.unreachable", units=_names(org, lost)) if lost else "",
    ]
    return [text for text in texts if text]


def _reachable(work: Work, person_id: str) -> bool:
    return any(work.org.accounts(person_id, platform) for platform in work.platforms)


def _names(org: Directory, units: Sequence[str]) -> str:
    return joined([org.units[one].name for one in units], 4)
