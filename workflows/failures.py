"""When a message cannot be delivered: the next channel for whoever it was for, and who hears that a channel is down.

A personal message turns to the person's mail, else to somebody else of the unit; a group's message to the unit's groups
on other platforms, else to those on duty. Alarms are one per channel and reason: hourly while a platform is down, once
when it is back.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from storage.messages import Address, Outgoing, Urgency
from storage.models import Delivery, Group, Obligation, Person, Timer
from storage.outbox import post
from storage.recall import KIND as RECALL
from storage.timers import set_timer
from storage.work import Work
from workflows.people import responders
from workflows.phrases import call, clock, fit, joined
from workflows.words import Words

WORDS = Words("failures")
ARRIVED, WAITING = ("sent", "delivered", "read"), ("pending", "sending")
LOCAL = ("reply", "prompt", "help", "stranger", "tally", "echo", "card", "channel", "undone")
"""Kinds that only matter where they were said: they do not wander to other channels."""
ONE_BY_ONE = frozenset({"email"})
"""Platforms where every dead address is told by itself: they die singly, and somebody has to look each up."""
MANY_REFUSED = 10
"""More than this in the same words on one day are told once: then it is not the addresses."""
DELAYED = re.compile(r"4\.\d")
"""A mail system's word for not yet (RFC 3463)."""
STRANGER = "stranger"
"""Answers to people nobody knows: that they cannot be answered is no matter for operators."""
ALARM = "channel"
WATCH = "channel_watch"
ADVICE = "advice"
COLLECT = timedelta(minutes=1)
"""How long places are gathered about which an operator can do the same."""
LOOK_EVERY = timedelta(minutes=1)
AGAIN_AFTER = timedelta(hours=1)


async def turn_to_next_channel(work: Work, row: Delivery, final: bool) -> None:
    """A delivery failed for good (``final``), or ten minutes of retries have not helped."""
    if row.kind == RECALL:
        row.state = "cancelled"
        work.session.add(row)
        work.audit("notice.not_recalled", about=row.about, to=row.address, reason=row.error)
        return
    if row.kind != ALARM:
        if final:
            await _refused(work, row)
        else:
            await _down(work, row)
    if row.kind in LOCAL:
        return
    copies = await _copies(work, row)
    if not any(copy.state in ARRIVED for copy in copies):
        await _go_elsewhere(work, row, copies)


async def _copies(work: Work, row: Delivery) -> Sequence[Delivery]:
    """The other copies of a personal message, on other platforms."""
    if not row.person_id:
        return ()
    same = (Delivery.about == row.about, Delivery.kind == row.kind, Delivery.created_at == row.created_at)
    together = (Delivery.bundle == row.bundle,) if row.bundle else same
    query = select(Delivery).where(Delivery.person_id == row.person_id, Delivery.id != row.id, *together)
    return (await work.session.exec(query)).all()


async def _go_elsewhere(work: Work, row: Delivery, copies: Sequence[Delivery]) -> None:
    address = Address.parse(row.address)
    message = Outgoing.model_validate(row.message)
    if row.person_id:
        await _for_person(work, row, message, copies)
    elif address.kind == "group" and (group := work.org.group_at(address)) is not None:
        await _for_group(work, row, message, group)


# ---- whom else, and where


async def _for_person(work: Work, row: Delivery, message: Outgoing, copies: Sequence[Delivery]) -> None:
    """Other channels of the person that have no copy of it yet (mail too); else somebody else of the unit."""
    person = work.org.people.get(row.person_id or "")
    if person is None:
        return
    tried = {row.platform, *(copy.platform for copy in copies)}
    own = [place for place in _channels(work, person) if place.platform not in tried]
    if own:
        for place in own:
            await _repost(work, row, place, _redirected(row, message), person)
        return
    if any(copy.state in WAITING for copy in copies):
        return
    for other in _others(work, person):
        for place in _ways_to(work, other, row):
            await _repost(work, row, place, _passed_on(row, message, person, other), other, rendered=False)


def _ways_to(work: Work, other: Person, row: Delivery) -> list[Address]:
    """Other platforms; mail itself where there is nothing else and only this address is dead."""
    places = _channels(work, other)
    elsewhere = [place for place in places if place.platform != row.platform]
    one_address = row.state == "failed" and row.platform in ONE_BY_ONE
    return elsewhere or (places if one_address else [])


def _channels(work: Work, person: Person) -> list[Address]:
    """Every address of a person, mail included."""
    return [
        Address(platform=platform, kind="direct", id=account)
        for platform in sorted(work.platforms)
        for account in work.org.accounts(person.person_id, platform)
    ]


def _others(work: Work, person: Person) -> Sequence[Person]:
    """Who can pass it on: colleagues on duty, else the unit's supervisors."""
    colleagues = [one for one in responders(work.org, person.unit_id, work.now) if one is not person]
    colleagues = colleagues or [one for one in work.org.members(person.unit_id, "engineer") if one is not person]
    return colleagues or [one for one in work.org.supervisors(person.unit_id) if one is not person]


async def _for_group(work: Work, row: Delivery, message: Outgoing, group: Group) -> None:
    """The unit's groups of the same purpose elsewhere that have no copy yet; else those on duty, in person."""
    said = row.dedupe_key.removesuffix(f">{row.address}")
    elsewhere = work.org.groups_serving(group.unit_id, work.platforms - {row.platform}, group.purpose)
    for other in elsewhere:
        place = Address(platform=other.platform, kind="group", id=other.conversation_id)
        await _repost(work, row, place, _redirected(row, message), None, key=said)
    if elsewhere or group.purpose == "client":
        return
    for person in responders(work.org, group.unit_id, work.now):
        if not await _told_in_person(work, row, person):
            for place in _channels(work, person):
                if place.platform != row.platform:
                    await _repost(work, row, place, _redirected(row, message, "group_for_person"), person)


async def _told_in_person(work: Work, row: Delivery, person: Person) -> bool:
    """Most things said in a group go directly too: then the person has it."""
    query = select(Delivery.id).where(
        Delivery.person_id == person.person_id,
        Delivery.about == row.about,
        Delivery.kind == row.kind,
        col(Delivery.platform) != row.platform,
        Delivery.created_at >= row.created_at - timedelta(minutes=1),
    )
    return (await work.session.exec(query.limit(1))).first() is not None


def _redirected(row: Delivery, message: Outgoing, key: str = "prefix") -> Outgoing:
    mark = WORDS(f"instead.{key}", platform=_platform(row.platform))
    return message.model_copy(update={"text": f"{mark}{message.text}", "mentions": (), "mention_all": False})


def _passed_on(row: Delivery, message: Outgoing, person: Person, other: Person) -> Outgoing:
    text = WORDS(
        "instead.for_other",
        call=call(other),
        who=call(person),
        platform=_platform(row.platform),
        text=message.text,
    )
    return Outgoing(text=text, about=message.about, urgency=message.urgency)


async def _repost(
    work: Work,
    row: Delivery,
    place: Address,
    message: Outgoing,
    person: Person | None,
    *,
    key: str = "",
    rendered: bool = True,
) -> None:
    """The same once more at another place; what is made anew at sending is made anew there too."""
    await post(
        work,
        place,
        message,
        key=key or f"instead:{row.id}",
        kind=row.kind,
        person_id=person.person_id if person else None,
        bundle=row.bundle if person and person.person_id == row.person_id else "",
        renderer=row.renderer if rendered else "",
        render_args=row.render_args if rendered else {},
    )


# ---- alarms


async def keeps_failing(work: Work, row: Obligation | Timer, tries: int) -> None:
    """A rung of a debt or a timer fails again and again: the operators hear it once a day, and step in."""
    about = row.about if isinstance(row, Timer) else row.meeting or row.fault
    unit = work.org.units.get(row.unit_id) if isinstance(row, Obligation) else None
    fields = {"about": about or WORDS("stuck.unknown"), "tries": tries, "unit": unit.name if unit else ""}
    text = WORDS("stuck.debt" if unit else "stuck.timer", **fields)
    name = row.key if isinstance(row, Timer) else row.id
    key = f"stuck:{type(row).__name__}:{name}:{work.local(work.now):%Y%m%d}"
    await _alarm_operators(work, Outgoing(text=text, about=about, urgency=Urgency.FAULT), key, told=False)


async def _refused(work: Work, row: Delivery) -> None:
    """One address does not take messages: the operators hear it once a day per channel and reason, of mail addresses
    per address. That a mail takes too long says nothing about its address."""
    if DELAYED.match(row.error) or row.kind == STRANGER:
        return
    text = WORDS(
        "channel.refused", platform=_platform(row.platform), who=_receiver(work, row), reason=fit(row.error, 60)
    )
    single = row.platform in ONE_BY_ONE and await _refused_alike(work, row) <= MANY_REFUSED
    what = row.address if single else row.error[:40]
    key = f"refused:{row.platform}:{what}:{work.local(work.now):%Y%m%d}"
    await _alarm_operators(work, Outgoing(text=text, urgency=Urgency.FAULT), key, told=False)


async def _refused_alike(work: Work, row: Delivery) -> int:
    """How many messages were refused in the same words within a day: many mean that the trouble is on our side."""
    same = (Delivery.platform == row.platform, Delivery.state == "failed", Delivery.error == row.error)
    recent = col(Delivery.created_at) > work.now - timedelta(days=1)
    return int((await work.session.exec(select(func.count()).where(*same, recent))).one())


async def advised(work: Work, row: Delivery, advice: str) -> None:
    """It went, but there is something to be done about the way there: the operators hear that once of each place, of
    all places of a minute in one message."""
    if await work.count(f"{ADVICE}:{row.address}:{advice[:40]}") > 1:
        return
    key = f"{ADVICE}:{row.platform}:{advice[:40]}"
    timer = await work.session.get(Timer, key)
    names = [*(timer.payload["names"] if timer else ()), _receiver(work, row)]
    due_at = timer.due_at if timer else work.now + COLLECT
    await set_timer(work, key, ADVICE, due_at, payload={"platform": row.platform, "advice": advice, "names": names})


async def pass_advice_on(work: Work, timer: Timer) -> None:
    """What can be done about these places."""
    told = timer.payload
    names = joined(told["names"], 20)
    text = WORDS("channel.advice", platform=_platform(told["platform"]), who=names, advice=told["advice"])
    await _alarm_operators(work, Outgoing(text=text), f"{timer.key}:{timer.due_at.isoformat()}", told=False)


def _receiver(work: Work, row: Delivery) -> str:
    person = work.org.people.get(row.person_id or "")
    group = work.org.group_at(Address.parse(row.address))
    return call(person) if person else group.name if group else Address.parse(row.address).id


async def _down(work: Work, row: Delivery) -> None:
    """A platform has taken nothing for ten minutes: start (or go on) watching it."""
    key = f"{WATCH}:{row.platform}"
    if await work.session.get(Timer, key) is None and not await _works(work, row.platform, row.created_at):
        payload = {"since": row.created_at.isoformat(), "reason": fit(row.error, 60)}
        await _say_down(work, row.platform, payload)
        await set_timer(work, key, WATCH, work.now + LOOK_EVERY, payload={**payload, "told": work.now.isoformat()})


async def watch(work: Work, timer: Timer) -> None:
    """Is the platform back? Tell it once; while it is not, remind every hour."""
    platform = timer.key.partition(":")[2]
    payload = dict(timer.payload)
    told = datetime.fromisoformat(payload["told"])
    if await _works(work, platform, told):
        since, until = (clock(work, moment) for moment in (datetime.fromisoformat(payload["since"]), work.now))
        text = WORDS("channel.back", platform=_platform(platform), since=since, until=until)
        await _tell(work, Outgoing(text=text, urgency=Urgency.FAULT), f"back:{platform}:{payload['since']}")
        return
    if work.now - told >= AGAIN_AFTER and await _waiting(work, platform):
        payload["told"] = work.now.isoformat()
        await _say_down(work, platform, payload)
    await set_timer(work, timer.key, WATCH, work.now + LOOK_EVERY, payload=payload)


async def _works(work: Work, platform: str, since: datetime) -> bool:
    """Whether anything has left by this platform after a moment."""
    query = select(Delivery.id).where(Delivery.platform == platform, col(Delivery.sent_at) > since).limit(1)
    return (await work.session.exec(query)).first() is not None


async def _waiting(work: Work, platform: str) -> int:
    """How many messages wait to be sent; not those that wait for the morning."""
    soon = col(Delivery.not_before) <= work.now + LOOK_EVERY
    query = select(func.count()).where(Delivery.platform == platform, Delivery.state == "pending", soon)
    return int((await work.session.exec(query)).one())


async def _say_down(work: Work, platform: str, payload: dict[str, str]) -> None:
    text = WORDS(
        "channel.down",
        platform=_platform(platform),
        since=clock(work, datetime.fromisoformat(payload["since"])),
        reason=payload["reason"],
        waiting=await _waiting(work, platform),
    )
    key = f"down:{platform}:{work.now.timestamp():.0f}"
    await _tell(work, Outgoing(text=text, urgency=Urgency.FAULT), key, but=platform)


async def _tell(work: Work, message: Outgoing, key: str, but: str = "") -> None:
    """The supervisors' groups and the operators; ``but``: a platform that does not work."""
    told = await _alarm_groups(work, message, key, but)
    await _alarm_operators(work, message, key, told=told, but=but)


async def _alarm_operators(work: Work, message: Outgoing, key: str, *, told: bool, but: str = "") -> None:
    """Role admin on every channel, else the supervisors' groups (``told``: these have it already)."""
    admins = work.org.with_role("admin")
    for admin in admins:
        for place in _channels(work, admin):
            if place.platform != but:
                await post(work, place, message, key=key, kind=ALARM, person_id=admin.person_id)
    if not admins and not told:
        await _alarm_groups(work, message, key, but)


async def _alarm_groups(work: Work, message: Outgoing, key: str, but: str) -> bool:
    working = work.platforms - {but}
    groups = [g for g in work.org.groups.values() if g.purpose == "supervisors" and g.platform in working]
    for group in groups:
        place = Address(platform=group.platform, kind="group", id=group.conversation_id)
        await post(work, place, message, key=key, kind=ALARM)
    return bool(groups)


def _platform(name: str) -> str:
    return str(WORDS.get("platforms").get(name, name))
