"""The messages of a notice: each text once per conversation, whichever slice comes to it first."""

from collections.abc import Iterator, Sequence

from storage.directory import Directory
from storage.messages import Address, Outgoing, Urgency
from storage.models import Group, Meeting, Notice
from storage.outbox import Letter, post_many
from storage.work import Work
from workflows.notice_scope import Audience, asked_in, instant
from workflows.notice_texts import WORDS, Letterhead, by_mail_within
from workflows.phrases import call, clock

KIND = "notice"


async def send(work: Work, meeting: Meeting, notice: Notice, unit_ids: Sequence[str], heard: Audience) -> None:
    """Queue the group and personal messages that belong to these units."""
    head = Letterhead.of(work, meeting, notice)
    key = f"notice:{meeting.number}:{notice.version}"
    here = set(unit_ids)
    letters = [*_to_groups(work, head, key, here, heard), *_to_people(work, head, key, here, heard)]
    await post_many(work, letters)


async def send_copies(work: Work, meeting: Meeting, notice: Notice, heard: Audience) -> None:
    """Higher tiers are informed in their own group, or their supervisors in private where there is none."""
    head = Letterhead.of(work, meeting, notice)
    key = f"notice:{meeting.number}:{notice.version}"
    letters = []
    for unit in heard.copies:
        groups = [g for g in work.org.groups_serving(unit.unit_id, work.platforms) if g.unit_id == unit.unit_id]
        outer = [group for group in groups if group.group_id not in heard.by_group]
        letters += [Letter(_address(group), head.to_reader(), key, KIND) for group in outer]
        supervisors = [] if groups else [person.person_id for person in work.org.supervisors(unit.unit_id)]
        letters += [Letter(to, head.to_reader(), key, KIND, owner) for to, owner in _direct(work, supervisors)]
    await post_many(work, letters)


async def send_all_clear(work: Work, notice: Notice, alarmed: Sequence[str]) -> None:
    """Whoever was alarmed about an earlier version hears that it is no longer to be followed."""
    key = f"replaced:{notice.meeting}:{notice.version}"
    letters = []
    for name in dict.fromkeys(alarmed):
        person = work.org.people.get(name)
        places = work.org.addresses(name, work.platforms) if person else [Address.parse(name)] if ":" in name else []
        hello = WORDS("greeting", call=call(person)) if person else ""
        text = WORDS(f"replaced_{notice.kind}", call=hello, number=notice.meeting)
        message = Outgoing(text=text, about=notice.meeting, urgency=Urgency.NOTICE)
        letters += [Letter(to, message, key, "all_clear", person.person_id if person else None) for to in places]
    await post_many(work, letters)


def _to_groups(work: Work, head: Letterhead, key: str, here: set[str], heard: Audience) -> Iterator[Letter]:
    owing = set(head.notice.unit_ids)
    for group_id, unit_ids in heard.by_group.items():
        if unit_ids[0] not in here:
            continue
        group = work.org.groups[group_id]
        asked = asked_in(work.org, group, [unit_id for unit_id in unit_ids if unit_id in owing])
        yield Letter(_address(group), head.to_group(work, group, _names(work.org, asked)), key, KIND)


def _to_people(work: Work, head: Letterhead, key: str, here: set[str], heard: Audience) -> Iterator[Letter]:
    """Only those who owe are written to in private. Who keeps another site in the meeting is not told to stay away."""
    owing = set(head.notice.unit_ids)
    removed = _removed_units(work.org, head.meeting, head.notice)
    for person_id, unit_ids in heard.by_person.items():
        mine = [unit_id for unit_id in unit_ids if unit_id in owing]
        if not mine or unit_ids[0] not in here:
            continue
        message = head.to_person(_template(head.notice, mine, removed), _due_by_mail(work, head.notice, mine, heard))
        for to in [*work.org.addresses(person_id, work.platforms), *_by_mail_too(work, person_id)]:
            yield Letter(to, message, key, KIND, person_id, f"{key}>{person_id}")


def _due_by_mail(work: Work, notice: Notice, unit_ids: Sequence[str], heard: Audience) -> str:
    """By when these units answer, when mail is all that reaches them; empty: as everybody else."""
    if any(instant(work.org, one, heard.people[one], work.platforms) for one in unit_ids):
        return ""
    return clock(work, min(by_mail_within(work, one, notice.published_at) for one in unit_ids))


def _by_mail_too(work: Work, person_id: str) -> list[Address]:
    """Mail carries notices also to those whom a messenger reaches."""
    if "email" not in work.platforms:
        return []
    addresses = [Address(platform="email", kind="direct", id=one) for one in work.org.accounts(person_id, "email")]
    return [one for one in addresses if one not in work.org.addresses(person_id, work.platforms)]


def _template(notice: Notice, unit_ids: Sequence[str], removed: set[str]) -> str:
    """Newcomers get the whole notice, those who left are told so, the others what is different."""
    if all(unit_id in removed for unit_id in unit_ids) and removed:
        return "removed"
    fresh = set(notice.changes.get("fresh", ()))
    return "new" if fresh.issuperset(unit_ids) else notice.kind


def _removed_units(org: Directory, meeting: Meeting, notice: Notice) -> set[str]:
    """Owing units that have no site in the meeting any more (a customer unit: nor has the one it hangs under)."""
    if not notice.changes.get("removed"):
        return set()
    staying = {org.sites[site_id].unit_id for site_id in meeting.site_ids if site_id in org.sites}
    return {one for one in notice.unit_ids if one not in staying and not _under(org, one, staying)}


def _under(org: Directory, unit_id: str, staying: set[str]) -> bool:
    """A customer unit takes part through the operations unit it hangs under."""
    unit = org.units[unit_id]
    return unit.track == "customer" and unit.parent_id in staying


def _direct(work: Work, person_ids: Sequence[str]) -> list[tuple[Address, str | None]]:
    return [(place, one) for one in person_ids for place in work.org.addresses(one, work.platforms)]


def _address(group: Group) -> Address:
    return Address(platform=group.platform, kind="group", id=group.conversation_id)


def _names(org: Directory, unit_ids: Sequence[str]) -> list[str]:
    return [org.units[unit_id].name for unit_id in unit_ids]
