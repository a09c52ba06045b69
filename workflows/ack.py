"""“收到”: which debt an acknowledgement meets.

It meets what is quoted or numbered, else the only open one of the speaker's unit, else a numbered question is asked. A
supervisor's “已知悉” stops his own step of the ladder and leaves the unit's debt alone.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Fault, Meeting, Obligation
from storage.obligations import unmet
from storage.outbox import post
from workflows import (
    checklist,
    checklist_coming,
    checklist_target,
    choices,
    escalation,
    fault_progress,
    manners,
    meeting,
    notice,
    notice_echo,
    reminder_cards,
)
from workflows.authority import may
from workflows.phrases import call, clock, fit, full_clock, joined
from workflows.reader import ARRIVING
from workflows.turn import STAY, Turn
from workflows.words import Words

WORDS = Words("ack")
KNOWN = re.compile(WORDS.get("match.known"))
ALL_OF_THEM = re.compile(WORDS.get("match.all_of_them"))
BARE = re.compile(WORDS.get("match.difficult_bare"))
COMING, DIFFICULT = re.compile(WORDS.get("match.coming")), re.compile(WORDS.get("match.difficult"))
KINDS = ("notice_ack", "fault_ack")
DEBT = re.compile("[0-9]{1,18}")
ALL = "*"
DETAIL_WITHIN = timedelta(minutes=30)


async def acknowledge(turn: Turn) -> None:
    """A message that says yes, received, will do."""
    if await meeting.confirm(turn) or await _known(turn):
        return
    owed = await _candidates(turn)
    subjects = list(dict.fromkeys(_about(debt) for debt in owed))
    if len(subjects) > 1 and not turn.numbers:
        own = [debt for debt in owed if debt.unit_id == turn.person.unit_id]
        owed = own if len({_about(debt) for debt in own}) == 1 else owed
        subjects = list(dict.fromkeys(_about(debt) for debt in owed))
    notices_all = ALL_OF_THEM.search(turn.incoming.text) and all(debt.kind == "notice_ack" for debt in owed)
    if len(subjects) > 1 and not turn.numbers and not notices_all:
        await _ask_which(turn, owed, subjects)
    elif owed:
        await _settle(turn, owed)
    elif (promised := _arrives_at(turn)) is not None:
        await checklist.on_the_way(turn, promised)
    elif not (COMING.search(turn.incoming.text) and await checklist_coming.ask_when(turn)):
        await _nothing_open(turn)


async def _candidates(turn: Turn) -> list[Obligation]:
    """Open acknowledgements this person may give, of named units when the text names places (an answer by proxy)."""
    org = turn.work.org
    named = [_spoken_for(turn, org.sites[site].unit_id) for site in turn.slot("site", ()) if site in org.sites]
    if named and checklist_target.AND_ME.search(turn.incoming.text):
        named.append(turn.person.unit_id)
    units = named or org.serves(turn.person)
    owed = await unmet(turn.work, col(Obligation.unit_id).in_(units), kinds=KINDS)
    owed += [debt for debt in await _handed_to(turn) if debt.unit_id not in units and not named]
    allowed = [debt for debt in owed if _may_answer(turn, debt, by_proxy=bool(named))]
    numbered = [debt for debt in allowed if _about(debt) in turn.numbers]
    return numbered if turn.numbers else [debt for debt in allowed if _is_said_here(turn, debt)]


async def _handed_to(turn: Turn) -> list[Obligation]:
    """Faults that wait for this very person, of whatever unit."""
    waiting = (await turn.work.session.exec(select(Fault.number).where(Fault.state == "open"))).all()
    debts = await unmet(turn.work, col(Obligation.fault).in_(waiting), kinds=("fault_ack",)) if waiting else []
    return [debt for debt in debts if turn.person.person_id in debt.person_ids]


def _is_said_here(turn: Turn, debt: Obligation) -> bool:
    """Notices never go to client groups: a bare “收到” there is about something else."""
    return debt.kind != "notice_ack" or turn.group is None or turn.group.purpose != "client"


def _spoken_for(turn: Turn, unit_id: str) -> str:
    """The unit an answer is for. A customer unit that says its area's name (“临河收到”) means itself."""
    home = turn.work.org.operations_unit(turn.person.unit_id)
    return turn.person.unit_id if home is not None and home.unit_id == unit_id else unit_id


def _may_answer(turn: Turn, debt: Obligation, by_proxy: bool) -> bool:
    org, person = turn.work.org, turn.person
    if debt.kind == "fault_ack":
        return may(org, person, "fault.take", debt.unit_id, is_self=person.person_id in debt.person_ids)
    own = may(org, person, "notice.ack", debt.unit_id)
    return own or (by_proxy and may(org, person, "notice.ack_for", debt.unit_id))


async def _settle(turn: Turn, owed: Sequence[Obligation]) -> None:
    """Meet all these debts; those of one meeting are said in one breath."""
    notices = [debt for debt in owed if debt.kind == "notice_ack"]
    for debt in notices:
        await _meet_notice(turn, debt)
    for debt in owed:
        if debt.kind == "fault_ack":
            await fault_progress.take(turn, await turn.work.session.get_one(Fault, debt.fault))
    promised = _arrives_at(turn) if notices else None
    if notices and turn.direct:
        await _receipt(turn, notices, promised)
    if promised is not None:
        await checklist.on_the_way(turn, promised)


def _arrives_at(turn: Turn) -> datetime | None:
    """When the speaker says they will be there, if they say it: in so long, or at an hour that is near."""
    at, minutes, clock_time = turn.incoming.written_at, turn.slot("eta_minutes"), turn.slot("eta_at")
    if isinstance(minutes, int):
        return at + timedelta(minutes=minutes)
    moment = datetime.fromisoformat(clock_time) if isinstance(clock_time, str) else at
    return moment if at < moment <= at + ARRIVING and COMING.search(turn.incoming.text) else None


async def _meet_notice(turn: Turn, debt: Obligation, detail: dict[str, Any] | None = None) -> None:
    said = fit(turn.incoming.text, 200)
    debt.detail = {**debt.detail, "answer": said, **(detail or {})}
    await escalation.meet(turn.work, debt, by=turn.person.person_id, via=turn.via, at=turn.incoming.written_at)
    await notice.answered(turn.work, debt, turn.person, turn.via, said)
    if turn.direct:
        await notice_echo.answered(turn.work, debt)


async def _receipt(turn: Turn, debts: Sequence[Obligation], promised: datetime | None) -> None:
    """In private the answer is confirmed in a line, with what comes next (unless they said when they ``promised`` to be
    there, which is answered by itself); a group only sees the tally."""
    first = debts[0]
    units = [turn.work.org.units[debt.unit_id].name for debt in debts if debt.unit_id in turn.work.org.units]
    late = any(debt.state == "breached" for debt in debts)
    arrivals = await unmet(
        turn.work,
        Obligation.meeting == first.meeting,
        col(Obligation.unit_id).in_([debt.unit_id for debt in debts]),
        kinds=("arrival",),
    )
    then = WORDS("say.next_arrival", due=clock(turn.work, arrivals[0].due_at)) if arrivals and not promised else ""
    key = "say.recorded_late" if late else "say.recorded"
    await turn.reply(WORDS(key, number=first.meeting, units=joined(units), next=then), about=first.meeting)


async def _nothing_open(turn: Turn) -> None:
    """Silence in a group; in private one line that says why nothing was recorded."""
    if not turn.direct:
        return
    closed = await _last_closed(turn)
    if closed is not None:
        await _say_closed(turn, closed)
    elif not (await meeting.point_to_yes(turn) or turn.expectations):
        await turn.reply(WORDS("say.nothing"))


async def _last_closed(turn: Turn) -> Obligation | None:
    """The debt a number in the message points at, when it is settled already."""
    if not turn.numbers:
        return None
    from_units = col(Obligation.unit_id).in_(turn.work.org.serves(turn.person))
    numbered = col(Obligation.meeting).in_(turn.numbers) | col(Obligation.fault).in_(turn.numbers)
    rows = await _rows(turn, from_units, numbered, col(Obligation.kind).in_(KINDS))
    return rows[-1] if rows else None


async def _rows(turn: Turn, *conditions: Any) -> list[Obligation]:
    query = select(Obligation).where(*conditions).order_by(col(Obligation.id))
    return list((await turn.work.session.exec(query)).all())


async def _say_closed(turn: Turn, debt: Obligation) -> None:
    by = turn.work.org.people.get(debt.met_by or "")
    unit = turn.work.org.units.get(debt.unit_id)
    if by is None or debt.met_at is None:
        await turn.reply(WORDS("say.gone", number=_about(debt)), about=_about(debt))
        return
    text = WORDS(
        "say.already",
        number=_about(debt),
        unit=unit.name if unit else "",
        by=call(by),
        at=clock(turn.work, debt.met_at),
    )
    await turn.reply(text, about=_about(debt))


# ---- several fit: one numbered question


async def _ask_which(turn: Turn, owed: Sequence[Obligation], subjects: Sequence[str]) -> None:
    labels = [(await _label(turn, next(debt for debt in owed if _about(debt) == s)), s) for s in subjects]
    ids, written_at = [debt.id for debt in owed], turn.incoming.written_at.isoformat()
    pending = {"obligations": ids, "written_at": written_at, STAY: True}
    await choices.ask(turn, "ack", WORDS("say.which"), [*labels, (WORDS("say.all"), ALL)], pending=pending)


async def _label(turn: Turn, debt: Obligation) -> str:
    if debt.kind == "notice_ack":
        row = await turn.work.session.get_one(Meeting, debt.meeting)
        return WORDS(
            "say.option_notice", number=row.number, title=row.title, start=full_clock(turn.work, row.starts_at)
        )
    site = turn.work.org.sites.get(debt.site_id or "")
    return WORDS("say.option_fault", number=debt.fault, place=site.name if site else "")


@choices.resumes("ack")
async def _picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    """The person chose which debt their acknowledgement was for; it counts from when it was first written."""
    owed = await unmet(turn.work, col(Obligation.id).in_(pending["obligations"]))
    written_at = datetime.fromisoformat(pending["written_at"])
    turn.incoming = turn.incoming.model_copy(update={"written_at": written_at})
    await _settle(turn, [debt for debt in owed if value in (ALL, _about(debt))])


# ---- a supervisor has taken note


async def _known(turn: Turn) -> bool:
    """“已知悉” of somebody who was alarmed: their step of the ladder stops, the debt stays."""
    if "supervisor" not in turn.person.roles or not KNOWN.match(turn.incoming.text.strip()):
        return False
    open_debts = await unmet(turn.work, Obligation.state == "breached")
    mine = [debt for debt in open_debts if not turn.numbers or _about(debt) in turn.numbers]
    await _take_note(turn, mine)
    return True


async def _take_note(turn: Turn, debts: Sequence[Obligation]) -> bool:
    """Of those the speaker was told of; False when there are none."""
    me = turn.person.person_id
    mine = [debt for debt in debts if me in debt.alarmed]
    for debt in mine:
        debt.detail = {**debt.detail, "known": list(dict.fromkeys([*debt.detail.get("known", ()), me]))}
        turn.work.session.add(debt)
        turn.audit("obligation.known", _about(debt), obligation=debt.id)
    await reminder_cards.note(turn.work, mine, me)
    if mine and turn.direct:
        await turn.reply(WORDS("say.known"), about=_about(mine[0]))
    return bool(mine)


# ---- buttons


async def known_clicked(turn: Turn) -> None:
    """[已知悉] ``known:`` and the debts a supervisor was told of. It takes note and never settles anything."""
    ids = [int(one) for one in turn.incoming.click.partition(":")[2].split(",") if DEBT.fullmatch(one)]
    told = await unmet(turn.work, col(Obligation.id).in_(ids)) if ids else []
    if "supervisor" not in turn.person.roles or not await _take_note(turn, told):
        await turn.reply(WORDS("say.nothing_to_know"))


async def clicked(turn: Turn) -> None:
    """[收到] ``ack:`` · [有困难] ``trouble:`` and a debt or a number."""
    verb, _, value = turn.incoming.click.partition(":")
    if turn.numbers and value == turn.numbers[0]:
        await _clicked_number(turn, verb)
        return
    debt = await turn.work.session.get(Obligation, int(value)) if value.isdigit() else None
    if debt is None:
        await turn.reply(WORDS("say.gone", number=turn.numbers[0]) if turn.numbers else WORDS("say.stale"))
    elif debt.closed_at is not None:
        await _say_closed(turn, debt)
    elif not _may_answer(turn, debt, by_proxy=True):
        unit = turn.work.org.units.get(debt.unit_id)
        await turn.reply(WORDS("say.not_allowed", number=_about(debt), unit=unit.name if unit else ""))
    elif verb == "trouble":
        await _trouble(turn, debt)
    else:
        await _settle(turn, [debt])


async def _clicked_number(turn: Turn, verb: str) -> None:
    """The button of a notice carries its number, the same for everybody: it is for the unit of whoever presses it."""
    owed = await _candidates(turn)
    if not owed:
        await _nothing_open(turn)
    elif verb == "trouble":
        await _trouble(turn, owed[0])
    else:
        await _settle(turn, owed)


async def _trouble(turn: Turn, debt: Obligation) -> None:
    """Received, but with a difficulty: that is an answer; the coordinator hears it and the detail is asked for."""
    await _meet_notice(turn, debt, {"trouble": True})
    in_group, in_private = (WORDS(f"say.what_trouble{where}", number=debt.meeting) for where in ("_group", ""))
    await turn.ask(in_group, in_private, about=debt.meeting)
    await turn.expect("trouble", debt.meeting, pending={"obligation": debt.id})
    await _tell_coordinator(turn, debt, "say.trouble_to_coordinator")


async def difficulty(turn: Turn) -> bool:
    """“人手不够，去不了”: a difficulty said in words to a notice that is owed an answer. It is one, and is passed on at
    once. False when the words say no such thing, or more or less than one notice waits for the speaker's own unit."""
    late = turn.slot("eta_at") or turn.slot("eta_minutes")
    if turn.incoming.click or late or DIFFICULT.search(turn.incoming.text) is None:
        return False
    owed = [debt for debt in await _candidates(turn) if debt.kind == "notice_ack"]
    owed = [debt for debt in owed if debt.unit_id == turn.person.unit_id] or owed
    if len(owed) != 1:
        return False
    if BARE.fullmatch(turn.incoming.text.strip()):
        await _trouble(turn, owed[0])
        return True
    await _meet_notice(turn, owed[0], {"trouble": True})
    await _tell_coordinator(turn, owed[0], "say.difficulty")
    number = owed[0].meeting
    await turn.reply(await manners.told(turn.work, WORDS, "say.difficulty_passed", number, number=number), about=number)
    return True


async def trouble_detail(turn: Turn) -> bool:
    """Pass the words that explain a [有困难], pressed in this conversation just now, on to the coordinator."""
    since = turn.work.now - DETAIL_WITHIN
    asked = next(iter(turn.asked_here("trouble")), None)
    if asked is None or asked.asked_at < since or not turn.incoming.text.strip():
        return False
    asked.state = "met"
    turn.work.session.add(asked)
    debt = await turn.work.session.get_one(Obligation, int(asked.pending["obligation"]))
    debt.detail = {**debt.detail, "answer": fit(turn.incoming.text, 200)}
    turn.work.session.add(debt)
    await _tell_coordinator(turn, debt, "say.trouble_detail")
    await turn.reply(await manners.told(turn.work, WORDS, "say.trouble_passed", debt.meeting), about=debt.meeting)
    return True


async def _tell_coordinator(turn: Turn, debt: Obligation, key: str) -> None:
    row = await turn.work.session.get(Meeting, debt.meeting)
    unit = turn.work.org.units.get(debt.unit_id)
    if row is None or not row.conversation:
        return
    text = WORDS(
        key,
        number=debt.meeting,
        unit=unit.name if unit else "",
        who=call(turn.person),
        text=fit(turn.incoming.text, 200),
    )
    for place in await manners.instead_of_group(turn.work, row, Address.parse(row.conversation)):
        await post(
            turn.work,
            place,
            Outgoing(text=text, about=debt.meeting, urgency=Urgency.ANSWER),
            key=f"trouble:{debt.id}:{turn.key}",
            kind="trouble",
        )


def _about(debt: Obligation) -> str:
    return debt.meeting or debt.fault
