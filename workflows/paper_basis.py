"""The files a meeting rests on that nobody could read: pictures, scans, tables, archives.

Whether such a file bears a mark of secrecy cannot be seen, so it is kept only once its sender has written in his own
words what it says, has been told that it will be kept, and has confirmed.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from storage.fetches import Fetch
from storage.messages import Address, Outgoing, Urgency
from storage.models import Expectation, InboxRow, Meeting
from storage.outbox import post
from storage.work import Work
from workflows.meeting_clock import HOOKS
from workflows.phrases import joined
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("paper")
PLACE = "basis"
"""Of a fetch that is claimed for a meeting."""
UNREAD, TITLE = "unread", "basis_title"
"""Slots of a draft, and of what waits for one: ids of the fetches · how the basis is named."""
WITHIN = timedelta(hours=1)
"""Words that come later are about something else."""
KINDS = ("image", "file")
MOST = 9
SEE = re.compile(WORDS.get("match.see"))


async def sent_with(turn: Turn) -> list[Fetch]:
    """Pictures and files of the message that is answered."""
    if turn.incoming.click or not any(one.ref and one.kind in KINDS for one in turn.incoming.attachments):
        return []
    at = InboxRow.platform, InboxRow.account, InboxRow.message_id
    of = turn.incoming.platform, turn.incoming.account, turn.incoming.message_id
    inbox = select(InboxRow.id).where(*(column == value for column, value in zip(at, of, strict=True)))
    query = select(Fetch).where(col(Fetch.inbox_id).in_(inbox)).order_by(col(Fetch.id))
    return [one for one in (await turn.work.session.exec(query)).all() if one.attachment.get("kind") in KINDS]


def slots_of(fetches: Sequence[Fetch]) -> dict[str, Any]:
    """What a draft that rests on these files starts with."""
    some = fetches[:MOST]
    return {UNREAD: [one.id for one in some], TITLE: joined([name_of(one) for one in some], 3)} if some else {}


async def brought(turn: Turn, text: str, asked: Sequence[Expectation]) -> dict[str, Any]:
    """What a notice in the sender's own words rests on: files sent with it, else those just asked about.

    Pictures go with many messages: only words that point at them make them the notice.
    """
    fetches = await sent_with(turn)
    if not SEE.search(text):
        fetches = [one for one in fetches if one.attachment.get("kind") != "image"]
    return slots_of(fetches) or _awaited(turn, asked)


def _awaited(turn: Turn, asked: Sequence[Expectation]) -> dict[str, Any]:
    """The files that were sent just before, for which these words were asked; ``asked``: what awaits an answer here."""
    latest = next(iter(asked), None)
    if latest is None or turn.work.now - latest.asked_at > WITHIN:
        return {}
    slots: Mapping[str, Any] = latest.pending.get("slots") or {}
    return {key: slots[key] for key in (UNREAD, TITLE) if key in slots}


def note(slots: Mapping[str, Any]) -> list[str]:
    """For the reading back: nobody has looked into the file, and the yes keeps it."""
    return [WORDS("say.basis_unread", name=slots[TITLE])] if slots.get(UNREAD) else []


async def keep(work: Work, meeting: Meeting) -> None:
    """The yes has come: fetch the files the meeting rests on, if there are any."""
    ids = meeting.extra.get(UNREAD) or []
    query = select(Fetch).where(col(Fetch.id).in_(ids)).with_for_update()
    for fetch in (await work.session.exec(query)).all() if ids else ():
        if fetch.state == "stored":
            add(work, meeting, fetch.sha256)
            continue
        fetch.state, fetch.not_before, fetch.attempts = "waiting", work.now, 0
        fetch.places = [[PLACE, meeting.number]]
        work.session.add(fetch)


async def arrived(work: Work, fetch: Fetch) -> None:
    """A file is there: the meetings that rest on it refer to it by its content."""
    for kind, *key in fetch.places:
        meeting = await work.session.get(Meeting, key[0], with_for_update=True) if kind == PLACE else None
        if meeting is not None:
            add(work, meeting, fetch.sha256)


async def lost(work: Work, fetch: Fetch) -> None:
    """It is not to be had after all: whoever published hears that."""
    for kind, *key in fetch.places:
        meeting = await work.session.get(Meeting, key[0]) if kind == PLACE else None
        if meeting is not None:
            text = WORDS("say.basis_lost", number=meeting.number, name=name_of(fetch))
            message = Outgoing(text=text, about=meeting.number, urgency=Urgency.ANSWER)
            await post(work, Address.parse(meeting.conversation), message, key=f"basis-lost:{fetch.id}", kind="reply")


def add(work: Work, meeting: Meeting, sha256: str) -> None:
    """The meeting rests on this kept file too."""
    meeting.extra = {**meeting.extra, "files": list(dict.fromkeys([*meeting.extra.get("files", ()), sha256]))}
    work.session.add(meeting)


def name_of(fetch: Fetch) -> str:
    """What the file is called, for people."""
    return str(fetch.attachment.get("name", "")) or WORDS(f"unnamed.{fetch.attachment.get('kind', 'file')}")


HOOKS.published.append(keep)
