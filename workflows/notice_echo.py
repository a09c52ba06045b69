"""An answer given in private or by mail is echoed where the unit got the notice: whoever waits there learns of it.

One line for all of thirty seconds, with names and without telephone numbers; an answer taken back meanwhile drops out.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import col, select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Meeting, Obligation, Timer
from storage.outbox import post
from storage.timers import set_timer
from storage.work import Work
from workflows.notice_scope import asked_in, groups_of
from workflows.notice_tally import newest_debts
from workflows.phrases import call, joined
from workflows.words import Words

WORDS = Words("notice_echo")
KIND = "echo"
"""Kind of the messages, of the timer, and in a debt's detail what has become of its echo: due or said."""
EVERY = timedelta(seconds=30)


async def answered(work: Work, debt: Obligation) -> None:
    """Have an answer that its group did not see said there, as soon as thirty seconds have passed since the last."""
    debt.detail = {**debt.detail, KIND: "due"}
    work.session.add(debt)
    mine = Delivery.about == debt.meeting, Delivery.kind == KIND, Delivery.created_at <= work.now  # clocks are set back
    last = (await work.session.exec(select(func.max(Delivery.created_at)).where(*mine))).first()
    due_at = max(work.now, last + EVERY) if last is not None else work.now
    await set_timer(work, f"{KIND}:{debt.meeting}", KIND, due_at, about=debt.meeting)


async def on_timer(work: Work, timer: Timer) -> None:
    """Queue the line in each group; its words are made when it is sent."""
    meeting = await work.session.get(Meeting, timer.about)
    debts = [debt for debt in await newest_debts(work, timer.about) if debt.detail.get(KIND) == "due"]
    for debt in debts:
        debt.detail = {**debt.detail, KIND: "said"}
        work.session.add(debt)
    for place, here in _places(work, debts).items():
        if meeting is not None and str(place) != meeting.conversation:
            await post(
                work,
                place,
                Outgoing(text="", about=meeting.number, urgency=Urgency.ROUTINE),
                key=f"{KIND}:{meeting.number}:{work.now.timestamp():.0f}",
                kind=KIND,
                renderer=KIND,
                render_args={"debts": [debt.id for debt in here]},
            )


def _places(work: Work, debts: Sequence[Obligation]) -> dict[Address, list[Obligation]]:
    """The groups that were asked to answer, and for which of these units."""
    found: dict[Address, list[Obligation]] = {}
    for debt in debts:
        for group in groups_of(work.org, debt.unit_id, work.platforms):
            if asked_in(work.org, group, [debt.unit_id]):
                place = Address(platform=group.platform, kind="group", id=group.conversation_id)
                found.setdefault(place, []).append(debt)
    return found


async def render(work: Work, row: Delivery) -> Outgoing | None:
    """Who has answered, as it stands at the moment of sending."""
    given = col(Obligation.id).in_(row.render_args["debts"]), col(Obligation.met_at).is_not(None)
    debts = (await work.session.exec(select(Obligation).where(*given).order_by(col(Obligation.met_at)))).all()
    said = []
    for key in ("ack", "trouble"):
        who = [_who(work, debt) for debt in debts if bool(debt.detail.get("trouble")) == (key == "trouble")]
        said += [WORDS(key, who=joined(who, WORDS.get("most")))] if who else []
    text = WORDS("line", what=WORDS.get("semicolon").join(said), number=row.about)
    return Outgoing.model_validate(row.message).model_copy(update={"text": text}) if said else None


def _who(work: Work, debt: Obligation) -> str:
    unit, person = work.org.units.get(debt.unit_id), work.org.people.get(debt.met_by or "")
    return WORDS("who", unit=unit.name if unit else "", person=call(person) if person else "").strip()


async def taken_back(work: Work, debt: Obligation, text: str, key: str, here: Address) -> None:
    """An echoed answer was a mistake: where it was echoed, except ``here``, it is put right; one due is not said."""
    said = debt.detail.get(KIND) == "said"
    debt.detail = {name: value for name, value in debt.detail.items() if name != KIND}
    work.session.add(debt)
    for place in _places(work, [debt]) if said else ():
        if place == here:
            continue
        message = Outgoing(text=text, about=debt.meeting, urgency=Urgency.ROUTINE)
        await post(work, place, message, key=key, kind="undone")
