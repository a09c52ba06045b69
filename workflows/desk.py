"""The front desk: help, who is on duty, questions passed on and asked back, and what goes before everything else."""

from datetime import date, datetime, time

from sqlmodel import col

from intents.times import find_times
from storage.messages import Outgoing, Urgency
from storage.models import Meeting, Obligation, Person, Unit
from storage.obligations import unmet
from storage.outbox import post_person
from storage.work import Work
from workflows import checklist, desk_groups, fault_photo, forwarded, manners, paper, paper_unread, undo
from workflows.meeting_clock import arrive_at
from workflows.meeting_scope import area_of
from workflows.phrases import call, calls, clock, day, fit, full_clock, joined
from workflows.reader import role_of
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("desk")
MORNING = time(9)
"""The hour meant when somebody asks who is on duty on another day."""


async def command(turn: Turn) -> bool:
    """What needs no reading: taking back, binding a group, a photo alone, words after [异常]. True when handled."""
    if turn.incoming.attachments and not turn.incoming.text.strip():
        return await _file_alone(turn)
    if await forwarded.handled(turn):
        return True
    return await undo.command(turn) or await desk_groups.bind(turn) or await checklist.described(turn)


async def _file_alone(turn: Turn) -> bool:
    """A paper of somebody who publishes is a notice; else a file belongs to what is being done."""
    if area_of(turn.work.org, turn.person) is not None and await paper.offered(turn):
        return True
    if await checklist.photo(turn) or await fault_photo.photo(turn):
        return True
    return await paper.offered(turn) or await paper_unread.instead(turn)


# ---- who is on duty


async def duty(turn: Turn) -> None:
    """“今天谁值班”: of the places named, else of the group's unit, else of the speaker's own."""
    at = _moment_asked(turn)
    client = turn.group is not None and turn.group.purpose == "client"
    phones = turn.direct and "client" not in turn.person.roles
    lines = [_duty_line(turn, unit, at, phones) for unit in _units(turn)]
    if client or "client" in turn.person.roles:
        lines.append(WORDS("duty.where"))
    await turn.reply("\n".join(dict.fromkeys(lines)))


def _units(turn: Turn) -> list[Unit]:
    org = turn.work.org
    named = [org.sites[site].unit_id for site in turn.slot("site", ()) if site in org.sites]
    here = [turn.group.unit_id] if turn.group is not None else []
    found = [org.operations_unit(unit_id) for unit_id in named or here or [turn.person.unit_id]]
    return list({unit.unit_id: unit for unit in found if unit is not None}.values())


def _moment_asked(turn: Turn) -> datetime:
    """The moment asked about: now, the clock time named, or the morning of another day."""
    local = turn.work.local(turn.work.now)
    found = next(iter(find_times(turn.incoming.text, local)), None)
    if found is None:
        return turn.work.now
    if isinstance(found.start, datetime):
        return found.start
    return turn.work.now if found.start == local.date() else _morning(turn.work, found.start)


def _morning(work: Work, when: date) -> datetime:
    return datetime.combine(when, MORNING, work.zone)


def _duty_line(turn: Turn, unit: Unit, at: datetime, phones: bool) -> str:
    org = turn.work.org
    primary, backup = org.on_duty(unit.unit_id, at), org.on_duty(unit.unit_id, at, "backup")
    if not primary:
        return WORDS("duty.none", unit=unit.name)
    same_day = turn.work.local(at).date() == turn.work.local(turn.work.now).date()
    return WORDS(
        "duty.line",
        unit=unit.name,
        day=WORDS("duty.today") if same_day else day(turn.work, at),
        primary=_people(primary, phones),
        backup=WORDS("duty.backup", people=_people(backup, phones)) if backup else "",
    )


def _people(people: list[Person], phones: bool) -> str:
    """Names with titles; telephone numbers only for staff who ask in private."""
    if not phones:
        return calls(people)
    return joined([WORDS("duty.with_phone", who=call(person), phone=person.phone).strip() for person in people])


# ---- help, questions


async def help_(turn: Turn) -> None:
    """What this person can say here, by their role."""
    text = WORDS(f"help.{role_of(turn.person, turn.group)}")
    await turn.reply(text if turn.direct else f"{text}{WORDS('help.in_group')}")


async def consult(turn: Turn) -> None:
    """A question on how to use something: passed on to whoever is on duty for the place."""
    units = _units(turn)
    people = [person for unit in units for person in turn.work.org.on_duty(unit.unit_id, turn.work.now)]
    people = list({person.person_id: person for person in people}.values())
    if turn.person.person_id in [person.person_id for person in people]:
        await turn.reply(WORDS("consult.self_service"))
        return
    own = turn.work.org.units.get(turn.person.unit_id)
    turn.audit("consult.passed", to=[person.person_id for person in people])
    for person in people:
        text = WORDS(
            "consult.to_engineer",
            call=call(person),
            who=call(turn.person),
            unit=own.name if own else "",
            text=fit(turn.incoming.text, 200),
        )
        await post_person(turn.work, person, Outgoing(text=text, urgency=Urgency.ANSWER), key=f"consult:{turn.key}")
    passed = await manners.told(turn.work, WORDS, "consult.passed", "", who=calls(people))
    await turn.reply(passed if people else WORDS("consult.passed_nobody"))


async def ask_back(turn: Turn) -> None:
    """“没收到”, “还没到位”: one question back about what is awaited."""
    asked = next((row.kind for row in turn.expectations if row.kind == "step"), "")
    owed = await unmet(
        turn.work,
        col(Obligation.unit_id).in_(turn.work.org.serves(turn.person)),
        kinds=("notice_ack", "fault_ack", "arrival"),
    )
    first = min(owed, key=lambda row: row.due_at, default=None)
    if asked:
        await _ask(turn, "step")
    elif first is None:
        await turn.reply(WORDS("ask_back.other"))
    elif first.kind == "notice_ack":
        await _repeat_notice(turn, first)
    elif first.kind == "fault_ack":
        await _ask(turn, "fault", first.fault)
    else:
        await _ask(turn, "arrival", first.meeting)


async def _repeat_notice(turn: Turn, debt: Obligation) -> None:
    meeting = await turn.work.session.get_one(Meeting, debt.meeting)
    start, arrive = full_clock(turn.work, meeting.starts_at), clock(turn.work, arrive_at(meeting))
    await _ask(turn, "ack", meeting.number, title=meeting.title, start=start, arrive=arrive)


async def _ask(turn: Turn, what: str, number: str = "", **values: str) -> None:
    """A question back, which is answered like what it is about."""
    in_group, in_private = (WORDS(f"{table}.{what}", number=number, **values) for table in ("ask_in_group", "ask_back"))
    await turn.ask(in_group, in_private, about=number)
