"""Who is told of a fault, and the ten minutes in which somebody takes it.

Whoever is on duty and reports a fault has it: nobody needs to take it from himself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.messages import Action, Address
from storage.models import Fault, Obligation, Person
from storage.obligations import ack_ladder, open_obligation, settle_cancelled
from storage.work import Work
from workflows import fault_book as book
from workflows import fault_clock, fault_history, fault_voice, fault_words, manners, reminder_cards
from workflows.people import upper_supervisors
from workflows.phrases import call, calls, clock
from workflows.turn import Turn, forget
from workflows.words import Words

WORDS = Words("fault_dispatch")
NEW, AGAIN, HANDED, MOVED, OWN = "new", "again", "handed", "moved", "own"
"""Why it is sent out: reported, broken again, handed over, the place was corrected, reported by who is on duty."""
UNTIL_BROKEN = ("fault_ack", "progress", "promise", "onsite", "observation", "fault_report")
"""Debts that end when it turns out to be broken still; the time by which service is back runs on."""


@dataclass(frozen=True)
class Sent:
    """What sending out a fault did: who is to take it, until when."""

    duty: list[Person]
    due_at: datetime
    taken: bool = False
    """The one on duty reported it: it is taken already."""
    ack: Obligation | None = None
    """The debt of taking it: personal calls to take it are only sent while it stands."""
    told_at: datetime | None = None
    """When they hear of it, where night or noon makes it wait."""

    @property
    def who(self) -> str:
        """``值班李工``; a general word when nobody could be found."""
        return WORDS("who", people=calls(self.duty)) if self.duty else WORDS("who_nobody")


async def dispatch(
    work: Work,
    fault: Fault,
    why: str,
    *,
    skip: str = "",
    people: Sequence[Person] = (),
    by: Person | None = None,
    via: str = "",
) -> Sent:
    """Send the fault to those who are to take it.

    ``skip``: a conversation whose own answer says it already; ``people``: to whom it goes (else the engineers on duty);
    ``by``: who caused it; ``via``: the platform of a new report.
    """
    duty = list(people) or on_duty(work, fault.unit_id)
    book.note(work, fault, round=int(fault.extra.get("round", 0)) + 1)
    await work.session.flush()
    told_at = await manners.starts(work, fault.number)
    ack = _open_ack(work, fault, duty, told_at)
    if why == NEW and (reporter := _at_work(duty, fault)) is not None:
        return await _already_taken(work, fault, reporter, skip=skip, via=via)
    sent = Sent(duty, ack.due_at, ack=ack, told_at=told_at if told_at > work.now else None)
    await work.session.flush()
    await _tell_duty(work, fault, sent, why, skip, by)
    if why in (NEW, MOVED):
        await tell_above(work, fault, sent, skip)
    return sent


def _at_work(duty: Sequence[Person], fault: Fault) -> Person | None:
    """The reporter, when it is their work to mend it (and it surely was they who reported)."""
    if fault.extra.get(book.UNPROVEN):
        return None
    return next((one for one in duty if one.person_id == fault.reporter and "engineer" in one.roles), None)


async def _already_taken(work: Work, fault: Fault, owner: Person, *, skip: str, via: str) -> Sent:
    """The reporter has it from the start; others hear that, and nobody is asked to take it."""
    await work.session.flush()
    await fault_clock.settle(work, fault, "fault_ack", by=owner.person_id, via=via, at=work.now)
    fault.state, fault.owner, fault.acked_at = "accepted", owner.person_id, work.now
    work.audit("fault.taken", about=fault.number, who=owner.person_id, via=via)
    following = await fault_clock.start(work, fault, work.now)
    sent = Sent([owner], following.due_at, taken=True)
    await _tell_duty(work, fault, sent, OWN, skip, None)
    await tell_above(work, fault, sent, skip)
    return sent


def on_duty(work: Work, unit_id: str) -> list[Person]:
    """Engineers on duty, else the supervisors of the nearest unit that has some: a fault never goes to nobody.

    People whom no message reaches (no account on any platform that is switched on) count as nobody while others can be.
    """
    org = work.org
    circles = [
        org.on_duty(unit_id, work.now),
        org.on_duty(unit_id, work.now, "backup"),
        org.supervisors(unit_id),
        upper_supervisors(org, unit_id),
    ]
    found = [circle for circle in circles if circle]
    reached = [one for one in found if any(org.addresses(person.person_id, work.platforms) for person in one)]
    return next(iter(reached or found), [])


def _open_ack(work: Work, fault: Fault, duty: Sequence[Person], told_at: datetime) -> Obligation:
    """Ten minutes from when they are told: a night that lets them sleep is not counted against them."""
    policy = work.settings.policy.fault_ack
    ack = Obligation(
        kind="fault_ack",
        unit_id=fault.unit_id,
        site_id=fault.site_id,
        person_ids=[person.person_id for person in duty],
        fault=fault.number,
        meeting=fault.meeting,
        version=fault.extra["round"],
        due_at=told_at + policy.within,
        opened_at=work.now,
    )
    return open_obligation(work, ack, ack_ladder(policy))


def names(people: Sequence[Person]) -> str:
    """``李工、王工``."""
    return calls(people)


def buttons(number: str) -> tuple[Action, ...]:
    """The buttons of a fault that waits for somebody."""
    return (
        Action(label=WORDS("take_label"), value=f"take:{number}", say=WORDS("take_say")),
        Action(label=WORDS("hand_label"), value=f"hand:{number}", say=WORDS("hand_say")),
    )


async def _tell_duty(work: Work, fault: Fault, sent: Sent, why: str, skip: str, by: Person | None) -> None:
    words = fault_words.describe(work, fault) | {
        "people": calls(sent.duty),
        "due": clock(work, sent.due_at),
        "by": call(by) if by else "",
        "history": await fault_history.lines(work, fault) if why in (NEW, MOVED, OWN) else "",
    }
    groups = fault_voice.support_groups(work, fault)
    key = f"{why}:{fault.extra['round']}"
    asleep = await _is_told_in_private(work, fault, sent)
    group_text = WORDS("group.asleep" if asleep else f"group.{why}", at=clock(work, work.now), **words)
    actions = () if sent.taken else buttons(fault.number)
    untaken = sent.ack if asleep else None
    await fault_voice.to_groups(
        work, fault, groups, group_text, key, skip=[skip], mention=sent.duty, actions=actions, debt=untaken
    )
    for person in sent.duty:
        text = WORDS(f"person.{why}", call=call(person), contact=contact(work, fault, person), **words)
        if not (sent.taken and skip):
            await fault_voice.to_person(work, fault, person, text, key, skip=[skip], actions=actions, debt=sent.ack)
    alone = sent.duty if not groups or why == HANDED else ()
    remember(work, fault, [str(group) for group in groups], [person.person_id for person in alone])


def morning_text(work: Work, fault: Fault, people: Sequence[Person]) -> str:
    """What a group that slept through it reads in the morning, while it still waits for ``people`` to take it."""
    words = fault_words.describe(work, fault) | {"people": calls(people)}
    return WORDS("group.asleep", at=clock(work, work.now), history="", **words)


async def _is_told_in_private(work: Work, fault: Fault, sent: Sent) -> bool:
    """Whether groups sleep while people are called: what they read in the morning must not name an hour gone by."""
    return not sent.taken and manners.groups_sleep(work) and await manners.cannot_wait(work, fault.number)


def contact(work: Work, fault: Fault, reader: Person) -> str:
    """The reporter's number, for those who go there; only ever in a direct message."""
    reporter = work.org.people.get(fault.reporter or "")
    if reporter is None or not reporter.phone or reporter.person_id == reader.person_id:
        return ""
    return WORDS("contact", phone=reporter.phone)


async def tell_above(work: Work, fault: Fault, sent: Sent, skip: str = "") -> None:
    """Level I: the unit's supervisors at once. Levels I and II: the city network department at once."""
    words = fault_words.describe(work, fault) | {"people": calls(sent.duty), "due": clock(work, sent.due_at)}
    key = f"above:{fault.extra['round']}"
    known = {person.person_id for person in sent.duty} | {fault.reporter}
    if fault.level == "I":
        bosses = [person for person in work.org.supervisors(fault.unit_id) if person.person_id not in known]
        for boss in bosses:
            text = WORDS(_said("supervisor", sent), call=call(boss), **words)
            await fault_voice.to_person(work, fault, boss, text, key, skip=[skip])
        remember(work, fault, (), [boss.person_id for boss in bosses])
        known |= {boss.person_id for boss in bosses}
    if fault.level in ("I", "II") and (city := book.city_above(work.org, fault.unit_id)):
        await _tell_city(work, fault, city, sent, key=key, words=words, known=known, skip=skip)


def _said(key: str, sent: Sent) -> str:
    """The wording for a fault that waits for somebody, or has somebody already."""
    return f"{key}_taken" if sent.taken else key


async def _tell_city(
    work: Work,
    fault: Fault,
    city: str,
    sent: Sent,
    *,
    key: str,
    words: dict[str, str],
    known: set[str | None],
    skip: str,
) -> None:
    """The city's support groups and, personally, its engineers on duty (its supervisors when it has none)."""
    own = [str(address) for address in fault_voice.support_groups(work, fault)]
    groups = [fault_voice.address_of(group) for group in work.org.groups_serving(city, work.platforms)]
    groups = [group for group in groups if str(group) not in own]
    unit = work.org.units[fault.unit_id].name
    people = [p for p in work.org.on_duty(city, work.now) or work.org.supervisors(city) if p.person_id not in known]
    asleep = await _is_told_in_private(work, fault, sent)
    said = "city_group_asleep" if asleep else _said("city_group", sent)
    text, untaken = WORDS(said, unit=unit, at=clock(work, work.now), **words), sent.ack if asleep else None
    await fault_voice.to_groups(work, fault, groups, text, key, skip=[skip], mention=people, debt=untaken)
    for person in people:
        news = fault_voice.news_comes(work, person, groups)
        text = WORDS(_said("city_person", sent), call=call(person), unit=unit, news=news, **words)
        await fault_voice.to_person(work, fault, person, text, key, skip=[skip])
    alone = [one.person_id for one in people if not fault_voice.hears_in_group(work, one, groups)]
    remember(work, fault, [str(group) for group in groups], alone)


def remember(work: Work, fault: Fault, groups: Iterable[str], people: Iterable[str]) -> None:
    """These groups and people know of the fault and hear how it goes on."""
    book.note(
        work,
        fault,
        groups=list(dict.fromkeys([*fault.extra.get("groups", ()), *groups])),
        people=list(dict.fromkeys([*fault.extra.get("people", ()), *people])),
    )


async def take_back(work: Work, fault: Fault, why: str, who: str, *kinds: str) -> None:
    """Nobody owes these any more (all kinds when none is named)."""
    for debt in await book.owed(work, fault, *kinds):
        settle_cancelled(work, debt, why, who)
        await reminder_cards.settle(work, debt)


async def again(turn: Turn, fault: Fault) -> Sent:
    """It was thought mended and is not: the clock of taking it runs anew, for its owner and those on duty."""
    work = turn.work
    who = turn.person.person_id
    await take_back(work, fault, "reopened", who, *UNTIL_BROKEN)
    await fault_clock.stop_watching(work, fault)
    await forget(work, fault.number, "fix_confirmation")
    before = work.org.people.get(fault.owner or "")
    duty = on_duty(work, fault.unit_id)
    people = [*([before] if before else []), *(person for person in duty if person != before)]
    fault.state, fault.owner, fault.resolved_at, fault.closed_at = "open", None, None, None
    book.note(work, fault, assigned="", until="")
    turn.audit("fault.reopened", about=fault.number, text=turn.incoming.text)
    sent = await dispatch(work, fault, AGAIN, skip=str(turn.incoming.conversation), people=people, by=turn.person)
    text = WORDS("again_told", due=clock(work, sent.due_at), people=calls(people), **fault_words.describe(work, fault))
    groups = [str(group) for group in fault_voice.support_groups(work, fault)]
    told = [person.person_id for person in people]
    await fault_voice.to_everyone_told(work, fault, text, f"again_told:{turn.key}", skip=groups, but=told)
    return sent


def is_told_place(work: Work, fault: Fault, conversation: Address, duty: Sequence[Person]) -> bool:
    """Whether the place of the report is one where it is to be taken: a support group, a duty engineer's own chat."""
    if conversation in fault_voice.support_groups(work, fault):
        return True
    return any(conversation in work.org.addresses(person.person_id, work.platforms) for person in duty)
