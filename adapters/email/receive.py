"""A mail as an :class:`Incoming`: what was written, in which thread, with which files."""

import mimetypes
import re
from datetime import datetime, timedelta
from typing import Literal

from adapters.email.letter import LARGEST_FILE, Letter, LetterFile
from adapters.email.quotes import split
from adapters.email.render import footers
from adapters.email.threads import PLATFORM, Threads
from adapters.email.words import pattern, words
from storage.letters import SOURCE
from storage.messages import Attachment, Incoming, Sender

LATEST = timedelta(hours=4)
"""How long a mail may have been under way for its own date to be believed."""
_SPACES = re.compile(r"\s+")


def read_message(letter: Letter, own: str, threads: Threads, now: datetime, *, proven: bool) -> Incoming:
    """What the rest of the bot gets. ``own``: the bot's mailbox; ``proven``: whether the sender is who he says."""
    return Incoming(
        platform=PLATFORM,
        account=own,
        message_id=letter.identity,
        conversation=threads.conversation_of(letter),
        sender=Sender(account=letter.sender, name=letter.sender_name, verified=proven),
        text=said(letter, threads),
        written_at=written_at(letter, now),
        conversation_name=letter.subject,
        attachments=tuple(_attachment(letter, place) for place in range(len(letter.files))) if letter.source else (),
        quote=threads.quote_of(letter),
        hints={**threads.hints_of(letter, proven=proven), **_left_out(letter), **_source(letter)},
    )


def said(letter: Letter, threads: Threads) -> str:
    """The words; in a mail that answers nothing the subject is part of them, and often all of them."""
    subject, text = letter.subject.strip(), letter.text or _below(letter, threads)
    answers = letter.in_reply_to or letter.references or pattern("match.prefix").match(subject)
    if not subject or answers or _SPACES.sub("", subject) in _SPACES.sub("", text[: 2 * len(subject) + 20]):
        return text
    return f"{subject}\n{text}".strip()


def _below(letter: Letter, threads: Threads) -> str:
    """What stands below a mail of ours that is quoted without an end: we know how our mails end.

    Only in an answer to that very mail, and when nothing is written above it.
    """
    if not letter.in_reply_to or threads.read(letter.in_reply_to[0]) is None:
        return ""
    lines = letter.quoted.split("\n")
    last = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].strip() in footers()), None)
    return split("\n".join(lines[last + 1 :])).new if last is not None else ""


def written_at(letter: Letter, now: datetime) -> datetime:
    """When it was written: its own date when that is believable, else when the server got it; never after ``now``."""
    arrived = min(letter.arrived or now, now)
    written = letter.date
    return written if written is not None and arrived - LATEST <= written <= arrived else arrived


def _attachment(letter: Letter, place: int) -> Attachment:
    file = letter.files[place]
    return Attachment(kind=_kind(file), ref=f"{letter.source}/{place}", name=file.name, size=len(file.data))


def _kind(file: LetterFile) -> Literal["image", "audio", "video", "file"]:
    content_type = file.content_type
    if content_type == "application/octet-stream":
        content_type = mimetypes.guess_type(file.name)[0] or content_type
    match content_type.partition("/")[0]:
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
    return "file"


def _source(letter: Letter) -> dict[str, str]:
    """Which raw mail it was, so that it can be forgotten."""
    return {SOURCE: letter.source} if letter.source else {}


def _left_out(letter: Letter) -> dict[str, str]:
    """What could not be taken, in words for the writer: an answer says it."""
    limit = LARGEST_FILE // (1024 * 1024)
    said_of = dict.fromkeys(words(f"unread.{one.why}", file=one.name, limit=limit) for one in letter.unread)
    return {"left_out": "\n".join(list(said_of)[:10])} if said_of else {}
