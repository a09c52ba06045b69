"""From rows to what a page shows: people, conversations and bubbles, as plain values for the templates."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode

from markupsafe import Markup, escape

from adapters.email.threads import PLATFORM, partner_of
from adapters.web import mail
from adapters.web.sight import ROLES, Conversation, conversations, main_role
from adapters.web.stage import Stage
from adapters.web.talk import BOT, Overview, calls, silent
from adapters.web.words import label, words
from storage.console import ConsoleMessage
from storage.directory import Directory
from storage.messages import Address
from storage.models import Person

View: TypeAlias = dict[str, Any]

MAX_PEOPLE = 200
_MARKS = re.compile(r"(?P<number>(?:HY|GZ)-\d{8}-\d{3,})|(?P<at>@[\w\u4e00-\u9fff]+)")


def rich(text: str) -> Markup:
    """Escaped text with numbers and mentions marked."""
    return Markup(_MARKS.sub(_mark, str(escape(text))))  # noqa: S704 - escaped before anything is added


def _mark(match: re.Match[str]) -> str:
    return f'<span class="{match.lastgroup}">{match[0]}</span>'


def link(person_id: str, conversation: str = "", **extra: str) -> str:
    """The address of the console as this person, in this conversation."""
    return "/console?" + urlencode({"as": person_id, **({"in": conversation} if conversation else {}), **extra})


def day_of(moment: datetime) -> str:
    """ "11月24日 周二"."""
    weekday = words()["days"]["week"][moment.weekday()]
    return str(words()["days"]["date"]).format(month=moment.month, day=moment.day, weekday=weekday)


def clock_of(moment: datetime, today: datetime) -> str:
    """ "15:20", with the date when it is not today."""
    if moment.date() == today.date():
        return f"{moment:%H:%M}"
    return str(words()["days"]["short"]).format(month=moment.month, day=moment.day, clock=f"{moment:%H:%M}")


def person_view(org: Directory, person: Person) -> View:
    """Name, unit and tier of a person."""
    unit = org.units.get(person.unit_id)
    return {
        "id": person.person_id,
        "name": person.name,
        "title": person.title if len(person.title) > 1 else "",
        "initial": person.name[:1],
        "role": main_role(person),
        "role_label": label("role", main_role(person)),
        "unit": unit.name if unit else "",
        "tier": label("tier", unit.tier) if unit else "",
    }


def people_view(stage: Stage, overview: Overview) -> View:
    """Everybody by role, with the number of unread messages."""
    org, me = stage.org, stage.me
    people = sorted(org.people.values(), key=lambda person: [*ROLES, "other"].index(main_role(person)))
    shown = people[:MAX_PEOPLE] if me in people[:MAX_PEOPLE] else [me, *people[: MAX_PEOPLE - 1]]
    sections: dict[str, list[View]] = {}
    for person in shown:
        fresh = [overview.unread(person.person_id, talk.key) for talk in _talks(stage, person, overview)]
        view = person_view(org, person) | {
            "href": link(person.person_id),
            "unread": sum(item.count for item in fresh),
            "at_me": any(item.mentioned for item in fresh),
            "current": person.person_id == me.person_id,
        }
        sections.setdefault(view["role_label"], []).append(view)
    return {"sections": sections, "hidden": len(people) - len(shown), "shown": len(shown)}


def apps_view(stage: Stage, overview: Overview) -> list[View]:
    """The person's conversations with their newest line, app by app."""
    found: dict[str, View] = {}
    for talk in _talks(stage, stage.me, overview):
        platform = talk.address.platform
        app = found.setdefault(platform, {"platform": platform, "name": app_name(talk), "talks": []})
        app["talks"].append(_talk(stage, overview, talk))
    return list(found.values())


def _talks(stage: Stage, person: Person, overview: Overview) -> list[Conversation]:
    """Everything a person sees, with the threads of mails behind the sheet for a new one."""
    org, platforms = stage.org, stage.platforms
    return [*conversations(org, person, platforms), *mail.threads(org, person, platforms, overview)]


def app_name(talk: Conversation) -> str:
    """The app in which the conversation is."""
    return label("app_of", talk.address.platform)


def _talk(stage: Stage, overview: Overview, talk: Conversation) -> View:
    org, me, today = stage.org, stage.me, stage.today
    fresh = overview.unread(me.person_id, talk.key)
    last = fresh.last
    return {
        "key": talk.key,
        "name": talk_name(talk, overview.messages.get(talk.key, ())),
        "kind": label("purpose", talk.group.purpose) if talk.group else words()["talks"][f"{_sort(talk)}_kind"],
        "purpose": talk.group.purpose if talk.group else _sort(talk),
        "href": link(me.person_id, talk.key),
        "unread": fresh.count,
        "at_me": fresh.mentioned,
        "current": talk == stage.talk,
        "preview": _preview(org, last, me) if last else _empty(talk),
        "time": clock_of(last.at.astimezone(today.tzinfo), today) if last else "",
    }


def _sort(talk: Conversation) -> str:
    """What a conversation without a group is: with the bot, a thread of mails, or the sheet for a new one."""
    if not mail.is_mail(talk.address):
        return "direct"
    return "new_letter" if talk.address.kind == "direct" else "letter"


def _empty(talk: Conversation) -> str:
    return talk.account if mail.is_mail(talk.address) else str(words()["talks"]["empty"])


def talk_name(talk: Conversation, rows: Sequence[ConsoleMessage] = ()) -> str:
    """The group's name, the subject of a thread, or the bot's name."""
    if mail.is_mail(talk.address):
        return mail.subject_in(rows) or str(words()["mail"]["new" if talk.address.kind == "direct" else "no_subject"])
    return talk.group.name if talk.group else str(words()["talks"]["direct"])


def _preview(org: Directory, row: ConsoleMessage, me: Person) -> str:
    text = " ".join((row.text or row.body.get("title") or words()["talks"]["photo"]).split())[:60]
    if row.person_id == me.person_id or ":group:" not in row.conversation:
        return text
    return f"{_name(org, row.person_id)}：{text}"


def _name(org: Directory, person_id: str) -> str:
    if person_id == BOT:
        return str(words()["bot"])
    person = org.people.get(person_id)
    return person.name if person else person_id


def _way(row: ConsoleMessage) -> str:
    """From whom to whom a mail went; empty for everything else."""
    if not row.conversation.startswith(f"{PLATFORM}:"):
        return ""
    return mail.way_of(partner_of(Address.parse(row.conversation)), from_bot=row.person_id == BOT)


def _nobody(org: Directory, person_id: str) -> View:
    """The bot, or somebody who has left."""
    role = "bot" if person_id == BOT else "other"
    return {"name": _name(org, person_id), "role": role, "unit": words()["chat"]["bot_unit"] if role == "bot" else ""}


def bubbles_view(stage: Stage, rows: Sequence[ConsoleMessage], overview: Overview) -> list[View]:
    """Messages as bubbles; of several with the same card only the newest keeps its buttons, until it is settled."""
    settled = overview.settled(stage.talk.key)
    newest = {row.body["card"]: row.id for row in rows if row.body.get("card")}
    views: list[View] = []
    for row in rows:
        if silent(row):
            continue
        view = bubble_view(stage.org, row, stage.me, stage.today)
        if newest.get(view["card"], row.id) != row.id or settled.get(view["card"], 0) > (row.id or 0):
            view["actions"] = []
        view["new_day"] = not views or views[-1]["day"] != view["day"]
        views.append(view)
    return views


def bubble_view(org: Directory, row: ConsoleMessage, me: Person, today: datetime) -> View:
    """One message as a bubble."""
    at, body = row.at.astimezone(today.tzinfo), row.body
    person = org.people.get(row.person_id)
    mentioned = [f"@{_name(org, person_id)}" for person_id in body.get("mentions", ()) if person_id]
    if body.get("mention_all"):
        mentioned.append(str(words()["chat"]["mention_all"]))
    return {
        "id": row.id,
        "bot": row.person_id == BOT,
        "mine": row.person_id == me.person_id,
        "who": person_view(org, person) if person else _nobody(org, row.person_id),
        "day": day_of(at),
        "new_day": False,
        "at": at.isoformat(),
        "clock": f"{at:%H:%M:%S}",
        "title": body.get("subject") or body.get("title", ""),
        "way": _way(row),
        "text": row.text,
        "mentioned": [name for name in mentioned if name not in row.text],
        "calls_me": calls(row, me.person_id),
        "actions": body.get("actions", []),
        "quote": body.get("quote", ""),
        "photos": body.get("photos", []),
        "papers": body.get("papers", []),
        "card": body.get("card", ""),
        "call": bool(body.get("urgent_call")),
        "tap": body.get("tap", ""),
        "to_bot": body.get("to_bot", True),
    }
