"""The clocks of a fault that somebody works on: next word, promised times, being there, report, week of watching."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.models import Fault, Obligation, Timer
from storage.obligations import DUE, Rung, move_due, open_obligation
from storage.timers import drop_timer, set_timer
from storage.work import Work
from workflows import escalation, fault_profile, fault_question, fault_voice, fault_words
from workflows import fault_book as book
from workflows.phrases import clock
from workflows.words import Words

WORDS = Words("fault_clock")
OVERDUE = "overdue"
"""The rung after ``due`` on which the supervisor hears; at ``due`` it is the owner, or the reporter, who does."""
SPOKEN = (DUE, "group", "repeat", "nobody")
"""Rungs of an untaken fault at which the reporter was promised a word."""
OBSERVED, UNCONFIRMED = "fault_observed", "fault_unconfirmed"


async def start(work: Work, fault: Fault, at: datetime) -> Obligation:
    """Somebody has taken the fault: what the level promises from here on. Returns the debt of the next word."""
    await _owe_service(work, fault)
    return await next_progress(work, fault, at)


async def hasten(work: Work, fault: Fault) -> datetime:
    """The level of a taken fault has gone up: what it promises is owed, and the next word sooner. Returns when."""
    await _owe_service(work, fault)
    due = max(fault_profile.next_word(work, fault, work.now), work.now + timedelta(minutes=1))
    for debt in await book.owed(work, fault, "progress"):
        if debt.due_at <= work.now:
            continue
        if debt.due_at > due:
            move_due(work, debt, due)
        due = debt.due_at
    return due


async def _owe_service(work: Work, fault: Fault) -> None:
    """Being there, and the service back, where the level promises them and they are not owed yet."""
    onsite = work.settings.policy.onsite.within
    for kind, agreed in (("onsite", onsite), ("restore", None)):
        within = fault_profile.promised(fault, kind)
        within = agreed if within is not None and agreed is not None else within
        if within is not None and not await book.owed(work, fault, kind):
            _open(work, fault, kind, max(fault.created_at + within, work.now + within / 2), _supervised())


def next_told(work: Work, debts: Sequence[Obligation]) -> datetime | None:
    """When whoever asks hears next: the first time that is owed; where that has passed, the next step of the wait."""
    owed = [debt.due_at for debt in debts]
    owed += [moment for debt in debts if debt.kind == "fault_ack" for moment in _spoken(debt)]
    return min((moment for moment in owed if moment > work.now), default=None)


def _spoken(debt: Obligation) -> list[datetime]:
    """The moments at which the reporter of an untaken fault is promised a word."""
    return [debt.due_at + timedelta(seconds=step["after_s"]) for step in debt.ladder if step["rung"] in SPOKEN]


async def next_progress(work: Work, fault: Fault, after: datetime) -> Obligation:
    """Open the debt of the next word to the reporter."""
    due = max(fault_profile.next_word(work, fault, after), work.now + timedelta(minutes=1))
    remind, late = fault_profile.span("progress.remind_before"), fault_profile.span("progress.supervisor_after")
    return _open(work, fault, "progress", due, [Rung("nudge", -remind), Rung(DUE, timedelta()), Rung(OVERDUE, late)])


async def news(work: Work, fault: Fault, *, by: str, via: str, at: datetime) -> Obligation:
    """The owner has said how it goes: the word is given, the next one is owed."""
    await settle(work, fault, "progress", by=by, via=via, at=at)
    return await next_progress(work, fault, at)


async def promise(work: Work, fault: Fault, due: datetime, text: str, *, by: str, via: str, at: datetime) -> Obligation:
    """A time said in words becomes a debt of its own; a newer time replaces an older one."""
    for old in await book.owed(work, fault, "promise"):
        await escalation.meet(work, old, by=by, via=via, at=at)
    late = fault_profile.span("promise.supervisor_after")
    debt = _open(work, fault, "promise", max(due, work.now), [Rung(DUE, timedelta()), Rung(OVERDUE, late)])
    debt.detail = {"text": text}
    return debt


async def settle(work: Work, fault: Fault, *kinds: str, by: str, via: str, at: datetime) -> None:
    """Meet everything owed of these kinds, with the all-clear to whoever was alarmed."""
    for debt in await book.owed(work, fault, *kinds):
        await escalation.meet(work, debt, by=by, via=via, at=at)


async def watch(work: Work, fault: Fault, at: datetime) -> datetime:
    """The reporter has confirmed: a week of watching, and the written report. Returns the end of the week."""
    ends = max(at, work.now) + fault_profile.span("observation.lasts")
    _open(work, fault, "observation", ends, [])
    within = fault_profile.promised(fault, "report")
    if within is not None and not await book.owed(work, fault, "fault_report"):
        remind = fault_profile.span("report.remind_before")
        _open(work, fault, "fault_report", at + within, [Rung("nudge", -remind), *_supervised()])
    await set_timer(work, _observed(fault), OBSERVED, ends, about=fault.number)
    return ends


async def stop_watching(work: Work, fault: Fault) -> None:
    """It broke again, or was withdrawn: forget the timers, and the question that still waits to be asked."""
    await fault_question.take_back(work, fault)
    await drop_timer(work, _observed(fault))
    for index in range(len(fault_profile.spans("confirmation.remind_after"))):
        await drop_timer(work, f"{UNCONFIRMED}:{fault.number}:{index}")


async def await_confirmation(work: Work, fault: Fault) -> None:
    """Ask the reporter again later, when nothing comes."""
    for index, wait in enumerate(fault_profile.spans("confirmation.remind_after")):
        payload = {"round": fault.extra.get("round", 1)}
        await set_timer(
            work, f"{UNCONFIRMED}:{fault.number}:{index}", UNCONFIRMED, work.now + wait, fault.number, payload
        )


async def on_unconfirmed(work: Work, timer: Timer) -> None:
    """Nobody has said whether it works: one more friendly question."""
    fault = await book.load(work, timer.about)
    if fault is None or fault.state != "resolved" or fault.extra.get("round", 1) != timer.payload["round"]:
        return
    await fault_question.ask(work, fault, fault_words.owner(work, fault), f"unconfirmed:{timer.key}")


async def on_observed(work: Work, timer: Timer) -> None:
    """The week has passed without trouble: the fault is closed."""
    fault = await book.load(work, timer.about)
    if fault is None or fault.state != "observing":
        return
    for debt in await book.owed(work, fault, "observation"):
        await escalation.meet(work, debt, by=fault.owner or "", via="", at=min(debt.due_at, work.now))
    fault.state = "closed"
    work.session.add(fault)
    work.audit("fault.closed", about=fault.number)


async def climb_untaken(work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
    """The usual ladder of a fault nobody takes; at each promised time the reporter hears when the next word comes."""
    told = await escalation.climb(work, obligation, rung, late)
    if rung in (DUE, "nobody") or (told and rung in SPOKEN):
        await _still_waiting(work, obligation, last=rung == "nobody")
    return told


async def _still_waiting(work: Work, debt: Obligation, last: bool) -> None:
    """What was promised for now has not come: the reporter hears so, and the next time; never who was alarmed."""
    fault = await book.load(work, debt.fault)
    if fault is None or fault.state != "open":
        return
    following = [] if last else [moment for moment in _spoken(debt) if moment > work.now]
    words = fault_words.describe(work, fault)
    text = WORDS("still_waiting", due=clock(work, following[0]), **words) if following else WORDS("nobody", **words)
    await fault_voice.reassure(work, fault, text, f"waiting:{debt.id}:{debt.step}", debt)


async def climb(work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
    """The rungs of ``progress`` and ``promise``: first those concerned, then the supervisor."""
    if rung == OVERDUE:
        return await escalation.climb(work, obligation, DUE, late)
    if rung == DUE and obligation.kind == "promise":
        return await escalation.climb(work, obligation, "nudge", late)
    if rung == DUE:
        return await _no_news(work, obligation)
    return await escalation.climb(work, obligation, rung, late)


async def _no_news(work: Work, debt: Obligation) -> bool:
    """The word is due and there is none: the reporter hears that, on time, and when the next one comes."""
    fault = await book.load(work, debt.fault)
    if fault is None or fault.state != "accepted":
        return True
    following = await next_progress(work, fault, debt.due_at)
    if set(fault.reporters) <= {fault.owner}:
        return True
    text = WORDS("no_news", due=clock(work, following.due_at), **fault_words.describe(work, fault))
    await fault_voice.reassure(work, fault, text, f"no_news:{debt.id}", debt)
    return True


def _supervised() -> list[Rung]:
    return [Rung(DUE, timedelta())]


def _open(work: Work, fault: Fault, kind: str, due: datetime, ladder: list[Rung]) -> Obligation:
    number = int(fault.extra.get("debts", 0)) + 1
    book.note(work, fault, debts=number)
    debt = Obligation(
        kind=kind,
        unit_id=fault.unit_id,
        site_id=fault.site_id,
        person_ids=[fault.owner] if fault.owner else [],
        fault=fault.number,
        meeting=fault.meeting,
        version=number,
        due_at=due,
        opened_at=work.now,
    )
    return open_obligation(work, debt, ladder)


def _observed(fault: Fault) -> str:
    return f"{OBSERVED}:{fault.number}"
