"""The checklist as data: the steps of one site for one meeting, which comes next, and how it is asked.

Every step is one :class:`CheckItem` row. A step is asked once, and again only when the fault opened on it is mended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from storage.messages import Action, Address, Outgoing, Question, Urgency
from storage.models import CheckItem, Delivery, Expectation, Fault, Meeting, Obligation, Person, Site
from storage.outbox import post, post_person
from storage.work import Work
from workflows import fault_book, phrases
from workflows.meeting_clock import HOOKS
from workflows.turn import ASK_LIFETIME, forget
from workflows.words import Words

WORDS = Words("checklist_steps")
SHUTDOWN, RENDERER = "shutdown", "step"
ANSWERED = ("ok", "abnormal")
LEFT = ("sending", "sent", "delivered", "read")


@dataclass
class Sheet:
    """The checklist of one site for one meeting; ``items`` in the order of asking."""

    meeting: Meeting
    site: Site
    items: list[CheckItem]

    def item(self, step: str) -> CheckItem | None:
        """The row of a step; a step the list does not split off is looked up where it belongs."""
        wanted = {step, WORDS.get("part_of").get(step, step)}
        exact = [item for item in self.items if item.step == step]
        return next(iter(exact + [item for item in self.items if item.step in wanted]), None)

    def open_items(self) -> list[CheckItem]:
        """Unanswered steps that are due now: those before the meeting, and shutting down once it has ended."""
        ended = self.meeting.state == "ended"
        return [i for i in self.items if i.state not in ANSWERED and (i.step != SHUTDOWN or ended)]

    def checked(self) -> bool:
        """Whether every step that comes before the meeting is answered."""
        return all(item.state in ANSWERED for item in self.items if item.step != SHUTDOWN)


def steps_of(systems: Sequence[str]) -> list[str]:
    """The steps for a meeting of these systems."""
    lists = WORDS.get("lists")
    return list(next((lists[system] for system in systems if system in lists), lists["default"]))


def label(step: str) -> str:
    """A step's name as people say it."""
    return str(WORDS.get("step")[step]["label"])


async def sheet(work: Work, meeting: Meeting, site: Site) -> Sheet:
    """The site's checklist; its rows are made when it is first needed."""
    query = select(CheckItem).where(CheckItem.meeting == meeting.number, CheckItem.site_id == site.site_id)
    rows = list((await work.session.exec(query.order_by(col(CheckItem.position)))).all())
    if not rows:
        rows = [
            CheckItem(meeting=meeting.number, site_id=site.site_id, step=step, position=position)
            for position, step in enumerate(steps_of(meeting.systems), 1)
        ]
        work.session.add_all(rows)
    return Sheet(meeting, site, rows)


def running(meeting: Meeting, now: datetime) -> bool:
    """Whether the meeting goes on: no chatter then, and no photos."""
    if meeting.state not in ("published", "running"):
        return False
    begun = meeting.state == "running" or meeting.starts_at <= now
    return begun and (meeting.state == "running" or meeting.ends_at is None or now < meeting.ends_at)


async def ask_next(work: Work, what: Sheet, person: Person, place: Address | None) -> CheckItem | None:
    """Ask ``person`` the first open step unless it has been asked; returns it. ``place``: where they last spoke."""
    waiting = what.open_items()
    if waiting and waiting[0].state == "waiting":
        await ask(work, what, waiting[0], person, place)
    return waiting[0] if waiting else None


async def ask(work: Work, what: Sheet, item: CheckItem, person: Person, place: Address | None) -> None:
    """Ask one step: in the group they spoke in (not in a running meeting) and directly, or in their own chat."""
    item.state, item.asked_at = "asked", work.now
    work.session.add(item)
    key = f"step:{item.meeting}:{item.site_id}:{item.step}:{work.now.timestamp():.3f}"
    args = {"meeting": item.meeting, "site": item.site_id, "step": item.step}
    if place is not None and place.kind == "group" and not running(what.meeting, work.now):
        group = await message(work, what, item, work.org.accounts(person.person_id, place.platform))
        await post(work, place, group, key=key, kind="step", renderer=RENDERER, render_args=args)
        await _expect(work, item, person, str(place))
    alone = await message(work, what, item)
    if place is None or place.kind == "group":
        await post_person(work, person, alone, key=key, kind="step", renderer=RENDERER, render_args=args)
    else:
        await post(work, place, alone, key=key, kind="step", renderer=RENDERER, render_args=args)
    places = [place] if place is not None and place.kind != "group" else []
    for direct in places or work.org.addresses(person.person_id, work.platforms):
        await _expect(work, item, person, str(direct))


async def message(work: Work, what: Sheet, item: CheckItem, mentions: Sequence[str] | None = None) -> Outgoing:
    """The question of a step, complete in words and with buttons; with ``mentions`` it is for a group and says so."""
    step, prompt = WORDS.get("step")[item.step], WORDS.get("prompt")
    due = await due_at(work, item)
    text = WORDS(
        "prompt.text",
        number=item.meeting,
        site=what.site.name,
        position=item.position,
        total=len(what.items),
        label=step["label"],
        ask=(prompt["again"] if item.fault else "") + step["ask"],
        how="" if mentions is None else prompt["how_in_group"],
        ok=_fine(item.step),
        example=step["example"],
        until=WORDS("prompt.before", time=phrases.clock(work, due)) if due and due > work.now else prompt["soon"],
    )
    return Outgoing(
        text=text,
        about=item.meeting,
        urgency=Urgency.ANSWER,
        mentions=tuple(mentions or ()),
        actions=buttons([item]),
        card=_card(item),
    )


def _card(item: CheckItem) -> str:
    return f"step:{item.meeting}:{item.site_id}:{item.step}"


async def show_answer(work: Work, item: CheckItem, person: Person) -> None:
    """The step is answered: every card that asked it says so and offers nothing any more."""
    asked = select(Delivery).where(Delivery.about == item.meeting, Delivery.kind == "step")
    rows = (await work.session.exec(asked.where(col(Delivery.state).in_(LEFT)))).all()
    text = WORDS(
        f"card.{item.state}",
        number=item.meeting,
        label=label(item.step),
        by=phrases.call(person),
        at=phrases.clock(work, item.answered_at or work.now),
    )
    for row in rows:
        if (row.render_args.get("site"), row.render_args.get("step")) == (item.site_id, item.step):
            shown = Outgoing(text=text, about=item.meeting, urgency=Urgency.ANSWER, card=_card(item), silent=True)
            key = f"step-card:{row.id}:{work.now.timestamp():.3f}"
            await post(work, Address.parse(row.address), shown, key=key, kind="card")


def _fine(step: str) -> str:
    """What is said of a step that is all right."""
    prompt = WORDS.get("prompt")
    return str(prompt["shutdown_ok"] if step == SHUTDOWN else prompt["ok"])


def buttons(items: Sequence[CheckItem]) -> tuple[Action, ...]:
    """[正常] and [异常] of one step; of several, that all of them are right."""
    prompt = WORDS.get("prompt")
    if len(items) == 1:
        (item,) = items
        value, example = f"step:{item.meeting}:{item.site_id}:{item.step}", WORDS.get("step")[item.step]["example"]
        fine = Action(label=prompt["button_ok"], value=f"{value}:ok", say=_fine(item.step))
        return fine, Action(label=prompt["button_bad"], value=f"{value}:bad", say=example)
    place = f"{items[0].meeting}:{items[0].site_id}"
    return (Action(label=prompt["button_all_ok"], value=f"step:{place}:*:ok", say=prompt["all_ok"]),)


def questions(items: Sequence[CheckItem]) -> tuple[Question, ...]:
    """Several steps as questions to be answered together, each by the same buttons."""
    if len(items) < 2:
        return ()
    return tuple(Question(label=label(item.step), options=buttons([item])) for item in items)


async def render(work: Work, row: Delivery) -> Outgoing | None:
    """A question that waited to be sent: nothing when somebody has answered it meanwhile."""
    args = row.render_args
    item = await work.session.get(CheckItem, (args["meeting"], args["site"], args["step"]))
    if item is None or item.state in ANSWERED:
        return None
    return Outgoing.model_validate(row.message)


async def debt(work: Work, item: CheckItem) -> Obligation | None:
    """The checklist obligation a step belongs to: the one before the meeting, or the one for shutting down."""
    query = select(Obligation).where(
        Obligation.kind == "checklist", Obligation.meeting == item.meeting, Obligation.site_id == item.site_id
    )
    rows = (await work.session.exec(query.order_by(col(Obligation.id).desc()))).all()
    closing = item.step == SHUTDOWN
    fitting = [row for row in rows if (row.detail.get("step") == SHUTDOWN) == closing]
    return next((row for row in fitting if row.closed_at is None), fitting[0] if fitting else None)


async def due_at(work: Work, item: CheckItem) -> datetime | None:
    """When the step is due; None when nobody owes it."""
    row = await debt(work, item)
    return row.due_at if row else None


async def check_again(work: Work, fault: Fault) -> None:
    """A fault that a check had found is over: that step is asked again, of whoever answered it, before the meeting."""
    item = await work.session.get(CheckItem, (fault.meeting, fault.site_id, fault.step)) if fault.step else None
    site = work.org.sites.get(fault.site_id or "")
    meeting = await work.session.get(Meeting, fault.meeting)
    if item is None or site is None or meeting is None or item.state != "abnormal" or item.fault != fault.number:
        return
    person = work.org.people.get(item.answered_by or "")
    if person is not None and meeting.state == "published":
        await ask(work, await sheet(work, meeting, site), item, person, None)


async def forget_meeting(work: Work, meeting: Meeting) -> None:
    """The meeting is off: no check of it is awaited."""
    await forget(work, meeting.number, "step")


async def forget_sites(work: Work, meeting: Meeting, site_ids: Sequence[str]) -> None:
    """These sites take part no longer: none of their checks is awaited."""
    query = select(CheckItem).where(CheckItem.meeting == meeting.number, col(CheckItem.site_id).in_(site_ids))
    for item in (await work.session.exec(query.where(CheckItem.state == "asked"))).all():
        item.state = "waiting"
        work.session.add(item)
        await close_questions(work, item)


async def close_questions(work: Work, item: CheckItem) -> None:
    """The step is answered: nobody is expected to answer it any more."""
    query = select(Expectation).where(
        Expectation.about == item.meeting,
        Expectation.kind == "step",
        Expectation.step == item.step,
        Expectation.state == "open",
    )
    for row in (await work.session.exec(query)).all():
        if row.pending.get("site") == item.site_id:
            row.state = "closed"
            work.session.add(row)


async def _expect(work: Work, item: CheckItem, person: Person, conversation: str) -> None:
    work.session.add(
        Expectation(
            person_id=person.person_id,
            conversation=conversation,
            kind="step",
            about=item.meeting,
            step=item.step,
            pending={"site": item.site_id},
            asked_at=work.now,
            expires_at=work.now + ASK_LIFETIME,
        )
    )
    await work.session.flush()


fault_book.ENDED.append(check_again)
HOOKS.cancelled.append(forget_meeting)
HOOKS.released.append(forget_sites)
