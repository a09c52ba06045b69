"""Speaking about a fault: to its reporters, to the groups and people who were told; always with its number."""

from collections.abc import Iterable, Sequence

from sqlmodel import select

from storage.messages import Action, Address, Outgoing, Urgency
from storage.models import Delivery, Fault, Group, Obligation, Person
from storage.outbox import post, post_person
from storage.work import Work
from workflows import fault_book as book
from workflows import manners
from workflows.digest import MERGED
from workflows.people import by_mail_only
from workflows.phrases import WORDS as PHRASES
from workflows.phrases import greeting

RENDERER = "fault"
REPLACES_CARDS = frozenset({"taken"})
"""Said under these keys, it is what the cards of the fault show from now on: who has it, and nothing to press."""


def address_of(group: Group) -> Address:
    """The conversation of a bound group."""
    return Address(platform=group.platform, kind="group", id=group.conversation_id)


def mentions(work: Work, people: Iterable[Person], platform: str) -> tuple[str, ...]:
    """Accounts to mention on a platform, one per person."""
    return tuple(account for person in people for account in work.org.accounts(person.person_id, platform)[:1])


async def to_address(
    work: Work,
    fault: Fault,
    address: Address,
    text: str,
    key: str,
    *,
    urgency: Urgency = Urgency.FAULT,
    mention: Sequence[Person] = (),
    actions: Sequence[Action] = (),
    person: Person | None = None,
    debt: Obligation | None = None,
) -> bool:
    """One message about the fault into one conversation. ``key`` names what is said: the same is said there once.

    With ``debt`` it is only sent while that is still owed.
    """
    message = Outgoing(
        text=text,
        about=fault.number,
        urgency=urgency,
        mentions=mentions(work, mention, address.platform) if address.kind == "group" else (),
        actions=tuple(actions),
        card=fault.number if actions or key.partition(":")[0] in REPLACES_CARDS else "",
    )
    name = f"{fault.number}:{key}"
    return await post(
        work,
        address,
        message,
        key=name,
        kind=f"fault:{key.partition(':')[0]}",
        person_id=person.person_id if person else None,
        bundle=f"{name}>{person.person_id}" if person else "",
        renderer=RENDERER if debt else "",
        render_args={"obligation": debt.id} if debt else None,
    )


async def render(work: Work, row: Delivery) -> Outgoing | None:
    """A message that hangs on a debt: nothing once the debt is settled."""
    debt = await work.session.get(Obligation, row.render_args["obligation"])
    return Outgoing.model_validate(row.message) if debt is not None and debt.closed_at is None else None


async def to_person(
    work: Work,
    fault: Fault,
    person: Person,
    text: str,
    key: str,
    *,
    skip: Iterable[str] = (),
    urgency: Urgency = Urgency.FAULT,
    actions: Sequence[Action] = (),
    debt: Obligation | None = None,
) -> bool:
    """A personal message on every platform the person has, except in the conversations of ``skip``.

    With ``debt`` it is only sent while that is still owed.
    """
    places = work.org.addresses(person.person_id, work.platforms)
    for place in places:
        if str(place) not in set(skip):
            await to_address(work, fault, place, text, key, urgency=urgency, actions=actions, person=person, debt=debt)
    return bool(places)


async def to_groups(
    work: Work,
    fault: Fault,
    groups: Iterable[Address],
    text: str,
    key: str,
    *,
    skip: Iterable[str] = (),
    mention: Sequence[Person] = (),
    actions: Sequence[Action] = (),
    debt: Obligation | None = None,
) -> None:
    """The same text into several groups, once into each; with ``debt`` only while that is still owed."""
    for address in groups:
        if str(address) not in set(skip):
            await to_address(work, fault, address, text, key, mention=mention, actions=actions, debt=debt)


async def to_reporters(work: Work, fault: Fault, text: str, key: str, *, skip: Iterable[str] = ()) -> None:
    """Into every conversation the fault was reported in, mentioning who reported it there."""
    for conversation in fault.conversations:
        if conversation not in set(skip):
            people = reporters_in(work, fault, conversation)
            place = Address.parse(conversation)
            await to_address(work, fault, place, text, key, urgency=Urgency.ANSWER, mention=people)


async def reassure(work: Work, fault: Fault, text: str, key: str, debt: Obligation) -> None:
    """The same while nothing has changed and ``debt`` is still owed: at night to the reporters alone, not the group."""
    alone = manners.groups_sleep(work) and await manners.cannot_wait(work, fault.number)
    for conversation in fault.conversations:
        people, place = reporters_in(work, fault, conversation), Address.parse(conversation)
        if alone and place.kind == "group":
            for person in people:
                await to_person(work, fault, person, text, key, urgency=Urgency.ANSWER, debt=debt)
        else:
            await to_address(work, fault, place, text, key, urgency=Urgency.ANSWER, mention=people, debt=debt)


def reporters_in(work: Work, fault: Fault, conversation: str) -> list[Person]:
    """Who reported the fault in this conversation."""
    known = fault.extra.get("by", {}).get(conversation, [])
    return [work.org.people[person_id] for person_id in known if person_id in work.org.people]


def support_groups(work: Work, fault: Fault) -> list[Address]:
    """The support groups that work on the fault."""
    return [address_of(group) for group in work.org.groups_serving(fault.unit_id, work.platforms)]


async def forget_unheard(work: Work, fault: Fault) -> list[str]:
    """Where all that was ever said of the fault still waits for the end of night or noon, nothing is said at all: what
    waits there is dropped. Returns these conversations."""
    rows = (await work.session.exec(select(Delivery).where(Delivery.about == fault.number).with_for_update())).all()
    waiting = [row for row in rows if row.state == "pending" and row.attempts == 0 and row.not_before > work.now]
    heard = {row.address for row in rows if row not in waiting and (row.state != "cancelled" or row.error == MERGED)}
    unheard = [row for row in waiting if row.address not in heard]
    for row in unheard:
        row.state = "cancelled"
        work.session.add(row)
    return list({row.address for row in unheard})


async def to_everyone_told(
    work: Work,
    fault: Fault,
    text: str,
    key: str,
    *,
    skip: Iterable[str] = (),
    but: Iterable[str] = (),
) -> None:
    """How it goes on, to all who heard of the fault, also those alarmed by a silence. ``skip``, ``but``: conversations
    and people that know it."""
    names = [*fault.extra.get("groups", ()), *fault.extra.get("people", ()), *await book.alarmed(work, fault)]
    passed = {*skip, *fault.conversations}
    for name in dict.fromkeys(names):
        if ":" in name:
            await to_groups(work, fault, [Address.parse(name)], text, key, skip=passed)
        elif name in work.org.people and name not in set(but):
            person = work.org.people[name]
            await to_person(work, fault, person, greeting(person, text), key, skip=passed)


def hears_in_group(work: Work, person: Person, groups: Iterable[Address]) -> bool:
    """Whether what is said in these groups reaches a person now: they have that platform, and groups are not asleep."""
    here = {address.platform for address in groups}
    return any(work.org.accounts(person.person_id, one) for one in here) and not manners.groups_sleep(work)


def news_comes(work: Work, person: Person, groups: Iterable[Address]) -> str:
    """The sentence that says where they hear how it goes on: in the groups, by mail, or in their own chat."""
    if hears_in_group(work, person, groups):
        return PHRASES("news.group")
    return PHRASES("news.mail" if by_mail_only(work.org, person, work.platforms) else "news.direct")


async def send(work: Work, person: Person, text: str, key: str, about: str = "") -> None:
    """A personal message that need not belong to a fault."""
    await post_person(work, person, Outgoing(text=text, about=about, urgency=Urgency.FAULT), key=key, kind="fault:wish")
