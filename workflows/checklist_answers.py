"""What an answer does to a checklist: steps recorded, faults opened, corrections, and the word that it is complete."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from storage.models import CheckItem, Fault
from workflows import checklist_end, choices, escalation, fault, fault_progress, files
from workflows import checklist_steps as steps
from workflows.checklist_target import Spot
from workflows.phrases import fit, joined
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("checklist")
MENDED = re.compile(WORDS.get("match.mended"))
ALL_FINE, NOT_ALL = re.compile(WORDS.get("match.all_fine")), re.compile(WORDS.get("match.not_all"))
ALL_OF_IT, REST_FINE = re.compile(WORDS.get("match.all_of_it")), re.compile(WORDS.get("match.rest_fine"))
CLOSED = ("observing", "closed", "cancelled")


@dataclass
class Result:
    """One step's outcome: ``status`` ok or abnormal, with the words it was said in."""

    step: str
    status: str
    text: str


@dataclass
class Report:
    """All results of one message. ``at``: when written; ``evidence``: its photos; ``more``: a question follows."""

    results: list[Result]
    at: datetime
    device: str = ""
    symptom: str = ""
    evidence: list[str] = field(default_factory=list)
    more: bool = False
    arrived: bool = False
    """The same message said that they are there."""
    rest_fine: bool = False
    """What it does not name is all right."""

    def stored(self) -> dict[str, Any]:
        """As JSON, to wait for the answer of a numbered question."""
        results = [vars(result) for result in self.results]
        return {**vars(self), "results": results, "at": self.at.isoformat()}

    @classmethod
    def restored(cls, data: dict[str, Any]) -> "Report":
        """The report that ``stored`` wrote."""
        results = [Result(**result) for result in data["results"]]
        return cls(**{**data, "results": results, "at": datetime.fromisoformat(data["at"])})


def report_of(turn: Turn, asked: str) -> Report:
    """The message's results; a bare answer is about ``asked``, the step that is being asked."""
    text, status = turn.incoming.text, str(turn.slot("status", "ok"))
    given = turn.slot("results") or [{"step": step} for step in turn.slot("step") or [asked] if step]
    results = [Result(str(one["step"]), str(one.get("status", status)), str(one.get("text", text))) for one in given]
    fine = {str(steps.WORDS.get("step")[one.step].get("device", "")) for one in results if one.status == "ok"}
    named = [device for device in turn.slot("device") or () if device not in fine]
    return Report(
        results,
        min(turn.incoming.written_at, turn.work.now),
        device=_first(named),
        symptom=_first(turn.slot("symptom")),
        evidence=files.names_of(turn.incoming),
        rest_fine=REST_FINE.search(text) is not None,
    )


def says_all_fine(text: str) -> bool:
    """Whether the text says of everything, naming nothing, that it is all right."""
    return ALL_FINE.search(text) is not None and NOT_ALL.search(text) is None


async def all_fine(turn: Turn, spot: Spot, at: datetime, *, arrived: bool) -> bool:
    """Everything that is to be checked before the meeting is right, in one word; False when nothing is open."""
    sheet = await steps.sheet(turn.work, spot.meeting, spot.site)
    waiting = [item.step for item in sheet.open_items() if item.step != steps.SHUTDOWN]
    text = WORDS("report.all_fine")
    results = [Result(step, "ok", text) for step in waiting]
    report = Report(results, at, evidence=files.names_of(turn.incoming), arrived=arrived)
    if waiting:
        await record(turn, spot, report)
    return bool(waiting)


async def record(turn: Turn, spot: Spot, report: Report) -> None:
    """Record every result, open faults, ask the next step or say that all is done."""
    sheet = await steps.sheet(turn.work, spot.meeting, spot.site)
    quiet = steps.running(spot.meeting, turn.work.now)
    if quiet and report.evidence:
        report.evidence = []
        await turn.reply(WORDS("photo.refused"), about=spot.meeting.number)
    results = [*report.results, *(_rest(sheet, report) if report.rest_fine else ())]
    noted: list[CheckItem] = []
    corrected: list[CheckItem] = []
    mended: list[CheckItem] = []
    for result in results:
        item = sheet.item(result.step)
        if item is None:
            continue
        if item.step == steps.SHUTDOWN and spot.meeting.starts_at > turn.work.now:
            await turn.reply(WORDS("report.too_early", number=spot.meeting.number), about=spot.meeting.number)
            continue
        if item.state == "abnormal" and result.status == "ok" and (row := await _open_fault(turn, item)):
            over = row.state == "resolved" or MENDED.search(result.text)
            (mended if over else corrected).append(item)
        await _note(turn, spot, item, result, report)
        noted.append(item)
    if noted and not report.more:
        report.more = bool(corrected or mended)  # the question about the fault says what was noted
        await _go_on(turn, sheet, noted, report)
    for item in mended:
        await fault_progress.confirm(replace(turn, numbers=(item.fault,)))
    for item in corrected:
        await _ask_withdrawal(turn, spot, item)


def _rest(sheet: steps.Sheet, report: Report) -> list[Result]:
    """“光路红灯，其他正常”: the open steps that are not named, once something is named that is not right."""
    named = {item.step for result in report.results if (item := sheet.item(result.step))}
    if not any(result.status == "abnormal" for result in report.results):
        return []
    left = [item.step for item in sheet.open_items() if item.step not in named and item.step != steps.SHUTDOWN]
    return [Result(step, "ok", WORDS("report.fine")) for step in left]


async def _note(turn: Turn, spot: Spot, item: CheckItem, result: Result, report: Report) -> None:
    """Write one result into its row; something abnormal becomes a fault on that step."""
    turn.audit(
        "check.answered",
        item.meeting,
        site=item.site_id,
        step=item.step,
        status=result.status,
        text=fit(result.text, 200),
        before=item.state,
    )
    item.state, item.text = result.status, fit(result.text, 200)
    item.answered_at, item.answered_by = report.at, turn.person.person_id
    await files.show_in_check(turn.work, item, report.evidence)
    await steps.close_questions(turn.work, item)
    await steps.show_answer(turn.work, item, turn.person)
    if result.status == "abnormal":
        await _report_fault(turn, spot, item, report)


async def _report_fault(turn: Turn, spot: Spot, item: CheckItem, report: Report) -> None:
    opened = await fault.open_from_check(
        turn.work,
        meeting=spot.meeting,
        site=spot.site,
        step=item.step,
        text=item.text,
        device=report.device or str(steps.WORDS.get("step")[item.step].get("device", "")),
        symptom=report.symptom,
        person=turn.person,
        incoming=turn.incoming,
    )
    await files.show_in_fault(turn.work, opened, report.evidence)
    item.fault = opened.number
    turn.work.session.add(item)


async def _go_on(turn: Turn, sheet: steps.Sheet, noted: Sequence[CheckItem], report: Report) -> None:
    """Meet what is complete and say so; else the next question, once."""
    work, about = turn.work, sheet.meeting.number
    met = [item for item in noted if await _meet(turn, sheet, item, report.at)]
    silent = not turn.direct and steps.running(sheet.meeting, work.now)
    asked_before = [item.step for item in sheet.open_items() if item.state == "asked"]
    following = await steps.ask_next(work, sheet, turn.person, turn.incoming.conversation)
    if silent:
        return
    if any(item.step == steps.SHUTDOWN for item in met):
        if turn.direct:
            await turn.reply(WORDS("report.shut_down", **_names(sheet)), about=about)
    elif met:
        await turn.reply(_done(sheet, report.arrived), about=about, mention=False)
    elif report.more:
        return
    elif following is None:
        if turn.direct:
            await turn.reply(WORDS("report.noted", noted=_labels(noted), **_names(sheet)), about=about)
    elif following.step in asked_before:
        missing = sheet.open_items()
        text = WORDS("report.remaining", noted=_labels(noted), missing=_labels(missing), **_names(sheet))
        await turn.reply(text, about=about, actions=steps.buttons(missing), questions=steps.questions(missing))


async def _meet(turn: Turn, sheet: steps.Sheet, item: CheckItem, at: datetime) -> bool:
    """Meet the debt this step belongs to, when it is complete now and still owed."""
    debt = await steps.debt(turn.work, item)
    complete = item.step == steps.SHUTDOWN or sheet.checked()
    if debt is None or debt.closed_at is not None or not complete:
        return False
    await escalation.meet(turn.work, debt, by=turn.person.person_id, via=turn.via, at=at)
    await checklist_end.summarise_when_done(turn.work, sheet.meeting)
    return True


def _done(sheet: steps.Sheet, arrived: bool) -> str:
    bad = [
        WORDS("report.with_fault", label=steps.label(item.step), fault=item.fault)
        for item in sheet.items
        if item.state == "abnormal"
    ]
    key = f"report.{'arrived_' if arrived else ''}done{'_with_faults' if bad else ''}"
    return WORDS(key, faults=joined(bad), **_names(sheet))


def _names(sheet: steps.Sheet) -> dict[str, str]:
    return {"number": sheet.meeting.number, "site": sheet.site.name}


def _labels(items: Sequence[CheckItem]) -> str:
    return joined([steps.label(item.step) for item in items])


# ---- an abnormal step is corrected: the fault is withdrawn only when that is said


async def _open_fault(turn: Turn, item: CheckItem) -> Fault | None:
    row = await turn.work.session.get(Fault, item.fault) if item.fault else None
    return row if row is not None and row.state not in CLOSED else None


async def _ask_withdrawal(turn: Turn, spot: Spot, item: CheckItem) -> None:
    question = WORDS(
        "report.withdraw",
        number=spot.meeting.number,
        site=spot.site.name,
        label=steps.label(item.step),
        fault=item.fault,
    )
    await ask_withdrawal(turn, item.fault, question, (WORDS("report.withdraw_mended"), "mended"))


async def ask_withdrawal(turn: Turn, number: str, question: str, *more: tuple[str, str]) -> None:
    """Ask whether a fault is to be withdrawn; nothing happens to it without a yes. ``more``: choices before that."""
    options = [*more, (WORDS("report.withdraw_yes"), "yes"), (WORDS("report.withdraw_no"), "no")]
    pending = {"fault": number, "text": turn.incoming.text}
    await choices.ask(turn, "withdraw_fault", question, options, about=number, pending=pending)


@choices.resumes("withdraw_fault")
async def _withdraw(turn: Turn, pending: dict[str, Any], value: str) -> None:
    number = str(pending["fault"])
    turn.numbers = (number,)
    if value == "mended":
        await fault_progress.confirm(turn)
    elif value == "yes":
        turn.incoming = turn.incoming.model_copy(update={"text": pending["text"]})
        await fault_progress.cancel(turn)
    else:
        await turn.reply(WORDS("report.kept", fault=number), about=number)


def _first(value: object) -> str:
    return str(value[0]) if isinstance(value, (list, tuple)) and value else ""
