"""Arrival and checks: who is on site, which step is being answered, and for which site and meeting."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from storage.models import CheckItem, Fault, Obligation, Person
from storage.obligations import unmet
from storage.outbox import cancel_queued
from workflows import checklist_answers as answers
from workflows import checklist_coming as coming
from workflows import checklist_steps as steps
from workflows import checklist_target as target
from workflows import choices, escalation, fault_progress, files, notice
from workflows.authority import may
from workflows.checklist_target import Spot
from workflows.phrases import call, clock, fit
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("checklist")
FINE, HERE = re.compile(WORDS.get("match.fine")), re.compile(WORDS.get("match.here"))
NOT_HERE = re.compile(WORDS.get("match.not_here"))
ALL = "*"
DESCRIBE_WITHIN = timedelta(minutes=30)


# ---- arrival


async def arrive(turn: Turn) -> None:
    """Somebody is on site: their arrival is met and the first check asked."""
    owed = await target.arrivals(turn)
    allowed = [row for row in owed if _may(turn, "meeting.arrive", row)]
    fine = answers.says_all_fine(turn.incoming.text)
    if not allowed and fine and not owed and await _still_to_check(turn):
        return
    if not allowed:
        await (_refuse(turn, "arrive.not_allowed", owed[0]) if owed else _no_arrival(turn))
        return
    found = target.nearest(target.spoken_of(turn, await target.spots(turn, allowed)))
    if target.certain(turn, found):
        for spot in found:
            await _arrived(turn, spot, turn.incoming.written_at, fine)
        return
    options = target.choices_of(turn, found)
    if len(options) > 1:
        options.append((WORDS("arrive.all"), ALL))
    pending = {"spots": [spot.value for spot in found], "at": turn.incoming.written_at.isoformat(), "fine": fine}
    await choices.ask(turn, "arrive", WORDS("arrive.which"), options, pending=pending)


@choices.resumes("arrive")
async def _arrive_picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    for picked in pending["spots"]:
        number, _, site_id = picked.partition("/")
        spot = await target.spot_of(turn, number, site_id)
        if spot is not None and value in (ALL, picked):
            await _arrived(turn, spot, datetime.fromisoformat(pending["at"]), bool(pending.get("fine")))


async def all_in_one(turn: Turn) -> bool:
    """“已到位，全部正常”, whatever it was taken for, of somebody who is awaited somewhere. Else False."""
    text = turn.incoming.text
    there = HERE.search(text) is not None and answers.says_all_fine(text)
    if not there or not any(_may(turn, "meeting.arrive", row) for row in await target.arrivals(turn)):
        return False
    await arrive(turn)
    return True


async def _still_to_check(turn: Turn) -> bool:
    """“都到了，全部正常” of somebody known to be there answers what is still to be checked. False: nothing is."""
    rows = [row for row in await target.checks(turn) if row.closed_at is None and _may(turn, "checklist.report", row)]
    found = target.nearest(await target.spots(turn, rows))
    at = min(turn.incoming.written_at, turn.work.now)
    return target.certain(turn, found) and any(
        [await answers.all_fine(turn, spot, at, arrived=False) for spot in found]
    )


async def _arrived(turn: Turn, spot: Spot, at: datetime, fine: bool = False) -> None:
    """Meet the arrival (and what was promised about it), then ask the first check. ``fine``: all of it is answered."""
    work, about = turn.work, spot.meeting.number
    person = _who_arrived(turn, spot)
    here = (Obligation.meeting == about, Obligation.site_id == spot.site.site_id, Obligation.fault == "")
    for row in await unmet(work, *here, kinds=("arrival", "promise")):
        if person.person_id != turn.person.person_id:
            row.detail = {**row.detail, "reported_by": turn.person.person_id}
        await escalation.meet(work, row, by=person.person_id, via=turn.via, at=at)
    await _answered_by_being_there(turn, spot, person, at)
    turn.audit("arrival.recorded", about, site=spot.site.site_id, arrived=person.person_id)
    if person.person_id != turn.person.person_id:
        text = WORDS("arrive.proxy", number=about, site=spot.site.name, speaker=call(turn.person), who=call(person))
        await turn.reply(text, about=about, mention=False)
    sheet = await steps.sheet(work, spot.meeting, spot.site)
    await _start_over(turn, sheet)
    if "checklist.report" in turn.also and person == turn.person:
        return  # the same message answers checks: what comes next is asked after them
    if fine and person == turn.person and await answers.all_fine(turn, spot, min(at, work.now), arrived=True):
        return
    if await steps.ask_next(work, sheet, person, turn.incoming.conversation) is None and turn.direct:
        await turn.reply(WORDS("arrive.recorded", number=about, site=spot.site.name), about=about)


async def _start_over(turn: Turn, sheet: steps.Sheet) -> None:
    """Answers given before the present debt was opened (an earlier version of the notice) do not count."""
    debt = await steps.debt(turn.work, sheet.items[0])
    for item in sheet.items:
        if debt and debt.closed_at is None and item.answered_at and item.answered_at < debt.opened_at:
            item.state, item.answered_at, item.answered_by = "waiting", None, None
            turn.work.session.add(item)


async def _answered_by_being_there(turn: Turn, spot: Spot, person: Person, at: datetime) -> None:
    """Whoever is there knows of the meeting: their unit owes no answer to its notice any more."""
    here = Obligation.meeting == spot.meeting.number, Obligation.unit_id == spot.site.unit_id
    for row in await unmet(turn.work, *here, kinds=("notice_ack",)):
        if may(turn.work.org, person, "notice.ack", row.unit_id):
            await escalation.meet(turn.work, row, by=person.person_id, via=turn.via, at=at)
            await notice.answered(turn.work, row, person, turn.via, fit(turn.incoming.text, 200))


def _who_arrived(turn: Turn, spot: Spot) -> Person:
    """The colleague the message names, when the organisation knows them; else the speaker."""
    org = turn.work.org
    near = [*org.members(spot.site.unit_id), *org.engineers(spot.site.unit_id)]
    names = [str(name) for name in turn.slot("person", ())]
    return next((p for p in near for name in names if name in (p.name, call(p))), turn.person)


async def _no_arrival(turn: Turn) -> None:
    """No arrival is owed: perhaps it is about a fault, or it has been recorded; a group gets silence."""
    taken = select(Fault).where(Fault.owner == turn.person.person_id, Fault.state == "accepted").limit(1)
    if (await turn.work.session.exec(taken)).first() is not None:
        await fault_progress.update(turn)
        return
    if not turn.direct:
        return
    for spot in await target.spots(turn, await target.checks(turn)):
        if (row := await _arrival_of(turn, spot)) and row.met_at and row.met_by in turn.work.org.people:
            by, at = call(turn.work.org.people[row.met_by]), clock(turn.work, row.met_at)
            number = spot.meeting.number
            await turn.reply(WORDS("arrive.already", number=number, site=spot.site.name, by=by, at=at), about=number)
            return
    await turn.reply(WORDS("arrive.none"))


async def _arrival_of(turn: Turn, spot: Spot) -> Obligation | None:
    query = select(Obligation).where(
        Obligation.kind == "arrival",
        Obligation.meeting == spot.meeting.number,
        Obligation.site_id == spot.site.site_id,
    )
    return (await turn.work.session.exec(query.order_by(col(Obligation.id).desc()).limit(1))).first()


async def on_the_way(turn: Turn, promised: datetime) -> None:
    """“还有20分钟到”: a promise, of somebody who is awaited."""
    if not await coming.on_the_way(turn, promised):
        await _no_arrival(turn)


# ---- checks


async def report(turn: Turn) -> None:
    """Results of one or more steps, in any order and grouping."""
    if target.says_everywhere(turn) and not answers.says_all_fine(turn.incoming.text) and await target.arrivals(turn):
        await arrive(turn)
        return
    rows = await target.checks(turn)
    allowed = [row for row in rows if _may(turn, "checklist.report", row)]
    if not allowed:
        if rows:
            await _refuse(turn, "report.not_allowed", rows[0])
        elif turn.direct:
            await turn.reply(WORDS("report.none"))
        return
    found = target.nearest(target.spoken_of(turn, await target.spots(turn, await _open_first(turn, allowed))))
    asked = [spot for spot in found if _asked_step(turn, spot)]
    found = asked if asked and not target.named_sites(turn) else found
    if target.certain(turn, found) or len(asked) == 1:
        for spot in found:
            await _take(turn, spot)
        return
    stored = answers.report_of(turn, "").stored()
    pending = {"report": stored, "status": str(turn.slot("status", "ok")), "text": turn.incoming.text}
    await choices.ask(turn, "report", WORDS("report.which"), target.choices_of(turn, found), pending=pending)


async def _take(turn: Turn, spot: Spot) -> None:
    """What the message says of this place: of all that is to be checked, of the steps named, or of the one asked."""
    text, at = turn.incoming.text, min(turn.incoming.written_at, turn.work.now)
    whole, here = answers.says_all_fine(text) and answers.ALL_OF_IT.search(text), HERE.search(text)
    if whole and (await answers.all_fine(turn, spot, at, arrived=False) or here):
        return
    await _record(turn, spot, answers.report_of(turn, await _step_for(turn, spot)))


@choices.resumes("report")
async def _report_picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    number, _, site_id = value.partition("/")
    spot = await target.spot_of(turn, number, site_id)
    if spot is None:
        return
    given = answers.Report.restored(pending["report"])
    step = await _step_for(turn, spot)
    if not given.results and step:
        given.results = [answers.Result(step, str(pending["status"]), str(pending["text"]))]
    await _record(turn, spot, given)


async def _record(turn: Turn, spot: Spot, given: "answers.Report") -> None:
    """Record, take back questions that still wait to be sent elsewhere, and mind an arrival nobody reported."""
    await cancel_queued(turn.work, turn.person.person_id, spot.meeting.number, ("step",))
    text, arrival = turn.incoming.text, await _arrival_of(turn, spot)
    given.arrived = given.arrived or bool("arrive" in turn.also or (HERE.search(text) and not NOT_HERE.search(text)))
    owed = given.results and arrival is not None and arrival.closed_at is None
    if given.arrived and owed and arrival and _may(turn, "meeting.arrive", arrival):
        await _arrived(replace(turn, also=turn.also | {"checklist.report"}), spot, turn.incoming.written_at)
    await answers.record(turn, spot, given)
    arrival = await _arrival_of(turn, spot)
    if given.results and arrival is not None and arrival.closed_at is None:
        await turn.reply(WORDS("report.say_arrived"), about=spot.meeting.number)


async def _open_first(turn: Turn, rows: Sequence[Obligation]) -> list[Obligation]:
    """Where something is still to be answered, if there is such a place; else all (a correction)."""
    waiting = [row for row in rows if row.closed_at is None]
    asked = {(e.about, e.pending.get("site")) for e in turn.expectations if e.kind == "step"}
    waiting += [row for row in rows if row.closed_at is not None and (row.meeting, row.site_id) in asked]
    return waiting or list(rows)


def _asked_step(turn: Turn, spot: Spot) -> str:
    """The step this person was asked for this place, newest first; empty when none is awaited."""
    here = (spot.meeting.number, spot.site.site_id)
    mine = (e for e in turn.expectations if e.kind == "step" and (e.about, e.pending.get("site")) == here)
    return next((e.step for e in mine), "")


async def _step_for(turn: Turn, spot: Spot) -> str:
    """The step a bare answer is about: the one asked of this person, else the first one open."""
    if step := _asked_step(turn, spot):
        return step
    waiting = (await steps.sheet(turn.work, spot.meeting, spot.site)).open_items()
    return waiting[0].step if waiting else ""


# ---- buttons, photos, and words after [异常]


async def clicked(turn: Turn) -> None:
    """[已到位] ``arrive:<obligation>`` · [正常]/[异常] ``step:<meeting>:<site>:<step>:ok|bad``, several one a line."""
    verb, _, value = turn.incoming.click.partition(":")
    await (_arrive_clicked(turn, value) if verb == "arrive" else _steps_clicked(turn, turn.incoming.click.splitlines()))


async def _arrive_clicked(turn: Turn, value: str) -> None:
    row = await turn.work.session.get(Obligation, int(value)) if value.isdigit() else None
    spot = await target.spot_of(turn, row.meeting, row.site_id or "") if row else None
    if row is None or spot is None:
        await turn.reply(WORDS("arrive.none"))
    elif not _may(turn, "meeting.arrive", row):
        await _refuse(turn, "arrive.not_allowed", row)
    elif (current := await _arrival_of(turn, spot)) is None or current.closed_at is not None:
        await _no_arrival(turn)
    else:
        await _arrived(turn, spot, turn.incoming.written_at)


async def _steps_clicked(turn: Turn, lines: Sequence[str]) -> None:
    """One step, or several of one place, pressed together. The first that is not right is asked about."""
    number, site_id = [*lines[0].split(":"), "", "", ""][1:3]
    spot = await target.spot_of(turn, number, site_id)
    pressed = await _pressed(turn, spot, lines) if spot else []
    if spot is None or not pressed or spot.meeting.state not in ("published", "running", "ended"):
        await turn.reply(WORDS("report.stale", number=number, site=spot.site.name if spot else ""), about=number)
        return
    if not may(turn.work.org, turn.person, "checklist.report", spot.site.unit_id):
        unit = turn.work.org.units[spot.site.unit_id]
        await turn.reply(WORDS("report.not_allowed", site=spot.site.name, unit=unit.name), about=number)
        return
    bad = [item for item, ok in pressed if not ok]
    fine = [answers.Result(item.step, "ok", WORDS.get("report")["fine"]) for item, ok in pressed if ok]
    if fine:
        await _record(turn, spot, answers.Report(fine, turn.incoming.written_at, more=bool(bad)))
    if bad:
        await _ask_what(turn, spot, bad[0])


async def _pressed(turn: Turn, spot: Spot, lines: Sequence[str]) -> list[tuple[CheckItem, bool]]:
    """Each step and whether it is all right; nothing when the card is stale: none of this place, or all known."""
    sheet = await steps.sheet(turn.work, spot.meeting, spot.site)
    found: list[tuple[CheckItem, bool]] = []
    for line in lines:
        verb, number, site_id, step, outcome = [*line.split(":"), *[""] * 5][:5]
        wanted = [item for item in sheet.items if item.step == step] if step != ALL else sheet.open_items()
        if (verb, number, site_id) != ("step", spot.meeting.number, spot.site.site_id):
            return []
        found += [(item, outcome == "ok") for item in wanted]
    return [] if all(ok and item.state == "ok" for item, ok in found) else found


async def _ask_what(turn: Turn, spot: Spot, item: CheckItem) -> None:
    """[异常] was pressed: in which way? The next words in this conversation say it."""
    names = {"number": spot.meeting.number, "site": spot.site.name, "label": steps.label(item.step)}
    example = steps.WORDS.get("step")[item.step]["example"]
    in_group, in_private = (WORDS(f"report.what_is_wrong{where}", example=example, **names) for where in ("_group", ""))
    await turn.ask(in_group, in_private, about=item.meeting)
    await turn.expect("symptom", item.meeting, step=item.step, pending={"site": item.site_id})


async def described(turn: Turn) -> bool:
    """Words that say what is wrong after [异常]; False when none were asked for here or they say that all is well."""
    since, text = turn.work.now - DESCRIBE_WITHIN, turn.incoming.text.strip()
    asked = next(iter(turn.asked_here("symptom")), None)
    newest = max(turn.expectations, key=lambda row: row.id or 0, default=None)
    if asked is None or asked is not newest or not text or asked.asked_at < since:
        return False
    spot = await target.spot_of(turn, asked.about, str(asked.pending["site"]))
    asked.state = "met"
    turn.work.session.add(asked)
    if spot is None or FINE.match(text):
        return False
    await turn.take_up(asked)
    given = answers.Report([answers.Result(asked.step, "abnormal", text)], turn.incoming.written_at)
    given.evidence = files.names_of(turn.incoming)
    await _record(turn, spot, given)
    return True


async def photo(turn: Turn) -> bool:
    """A photo without words: evidence for the step being asked; refused while the meeting runs. False: not ours."""
    rows = [row for row in await target.checks(turn) if _may(turn, "checklist.report", row)]
    found = await target.spots(turn, rows)
    if any(steps.running(spot.meeting, turn.work.now) for spot in found):
        await turn.reply(WORDS("photo.refused"))
        return True
    spot = next((spot for spot in found if _asked_step(turn, spot)), None)
    if spot is None:
        return False
    item = await turn.work.session.get(CheckItem, (spot.meeting.number, spot.site.site_id, _asked_step(turn, spot)))
    if item is not None:
        await files.show_in_check(turn.work, item, files.names_of(turn.incoming))
    await turn.reply(WORDS("photo.kept"), about=spot.meeting.number)
    return True


# ---- who may


def _may(turn: Turn, right: str, row: Obligation) -> bool:
    return may(turn.work.org, turn.person, right, row.unit_id)


async def _refuse(turn: Turn, key: str, row: Obligation) -> None:
    site = turn.work.org.sites.get(row.site_id or "")
    unit = turn.work.org.units.get(row.unit_id)
    text = WORDS(key, site=site.name if site else "", unit=unit.name if unit else "")
    await turn.reply(text, about=row.meeting)
