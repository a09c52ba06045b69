"""What may be pressed on a reminder instead of being written; once it is settled, its card says how and offers nothing.

Whoever owes gets the answers of that kind of debt. A supervisor gets [已知悉], which stops their own step of the ladder
and never settles a debt.
"""

from collections.abc import Iterable, Sequence

from sqlmodel import col, or_, select

from storage.messages import Action, Address, Outgoing, Urgency
from storage.models import Delivery, Obligation
from storage.outbox import post
from storage.work import Work
from workflows import settled_cards
from workflows.digest import MERGED
from workflows.phrases import call, clock
from workflows.words import Words

WORDS = Words("reminder_cards")
KIND = "card"
KNOWN = "known"
TO_OWERS = ("nudge", "backup", "again")
TO_SUPERVISORS = ("due", "upper", "group", "repeat", "nobody")
LEFT = ("sending", "sent", "delivered", "read")
MOST_PLACES = 6
"""Buttons one message has on every platform."""
MOST_KNOWN = 50
"""Debts one press takes note of: their ids are the button's value, which platforms limit."""


def with_buttons(work: Work, message: Outgoing, row: Delivery, debts: Sequence[Obligation], rung: str) -> Outgoing:
    """The reminder of ``row`` about these debts as it goes to a person; to a group it goes without."""
    actions = _actions(work, debts, rung) if row.person_id else ()
    return message.model_copy(update={"actions": actions, "card": _card(row)}) if actions else message


def _actions(work: Work, debts: Sequence[Obligation], rung: str) -> tuple[Action, ...]:
    first = debts[0]
    if rung in TO_SUPERVISORS:
        ids = ",".join(str(debt.id) for debt in debts[:MOST_KNOWN])
        return (_action(KNOWN, ids),)
    if rung not in TO_OWERS or not WORDS.has(f"answers.{first.kind}"):
        return ()
    if first.kind == "arrival":
        return _arrivals(work, debts)
    number = first.fault if first.kind == "fault_ack" else first.meeting
    return tuple(_action(verb, number) for verb in WORDS.get(f"answers.{first.kind}"))


def _arrivals(work: Work, debts: Sequence[Obligation]) -> tuple[Action, ...]:
    """[已到位], of several places one for each; none where there are more than a message has room for."""
    if len(debts) == 1:
        return (_action("arrive", str(debts[0].id)),)
    named = [(debt, work.org.sites[debt.site_id].name) for debt in debts if debt.site_id in work.org.sites]
    return tuple(
        Action(
            label=WORDS("label.arrive_at", site=name), value=f"arrive:{debt.id}", say=WORDS("say.arrive_at", site=name)
        )
        for debt, name in (named if len(named) <= MOST_PLACES else ())
    )


def _action(verb: str, value: str) -> Action:
    return Action(label=WORDS(f"label.{verb}"), value=f"{verb}:{value}", say=WORDS(f"say.{verb}"))


def _card(row: Delivery) -> str:
    return f"reminder:{row.id}"


# ---- settled


async def settle(work: Work, debt: Obligation) -> None:
    """Nothing more is owed: what was pressed or could be pressed on its reminders is gone."""
    by = work.org.people.get(debt.met_by or "")
    if debt.met_at is not None and by is not None:
        text = WORDS("met", number=_number(debt), by=call(by), at=clock(work, debt.met_at))
    else:
        text = WORDS("gone", number=_number(debt))
    if debt.kind == "notice_ack":
        await settled_cards.notice(work, debt, text)
    if debt.step == 0:
        return
    rows = [row for row in await _reminders(work, debt) if await _all_closed(work, row)]
    await _replace(work, debt, rows, text)


async def note(work: Work, debts: Iterable[Obligation], person_id: str) -> None:
    """A supervisor has taken note: nothing is left to press on what told them so."""
    for debt in debts:
        rows = [row for row in await _reminders(work, debt) if row.person_id == person_id]
        await _replace(work, debt, rows, WORDS("noted", number=_number(debt)))


async def _reminders(work: Work, debt: Obligation) -> list[Delivery]:
    query = select(Delivery).where(
        Delivery.about == _about(debt),
        col(Delivery.kind).startswith(f"escalation:{debt.kind}:"),
        col(Delivery.person_id).is_not(None),
        or_(col(Delivery.state).in_(LEFT), Delivery.error == MERGED),
    )
    rows = (await work.session.exec(query)).all()
    return [row for row in rows if debt.id in row.render_args["obligations"]]


async def _all_closed(work: Work, row: Delivery) -> bool:
    query = select(Obligation.id).where(
        col(Obligation.id).in_(row.render_args["obligations"]), col(Obligation.closed_at).is_(None)
    )
    return (await work.session.exec(query.limit(1))).first() is None


async def _replace(work: Work, debt: Obligation, rows: Sequence[Delivery], text: str) -> None:
    for row in rows:
        message = Outgoing(text=text, about=_about(debt), urgency=Urgency.ANSWER, card=_card(row), silent=True)
        await post(work, Address.parse(row.address), message, key=f"{KIND}:{row.id}:{debt.id}:{debt.fence}", kind=KIND)


def _about(debt: Obligation) -> str:
    """What its reminders are filed under."""
    return debt.meeting or debt.fault


def _number(debt: Obligation) -> str:
    return debt.fault or debt.meeting
