"""A received mail as the rest of the bot sees it: who, when, what is new in it, what it answers to, what is attached.

``read_letter`` takes any bytes and never raises. What cannot be read is empty, and ``unread`` says what it was.
"""

import hashlib
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import Literal

from adapters.email.headers import addresses, message_ids, moment, readable
from adapters.email.html import MARKS, html_text
from adapters.email.mime import Part, Reader
from adapters.email.quotes import Split, is_answer, split
from adapters.email.tnef import unpack
from storage.files import safe_name

LARGEST_FILE = 10 * 1024 * 1024
"""Bytes of one attachment that is kept."""
MOST_FILES = 30
LONGEST_TEXT = 100_000
"""Characters of the new part, and of the quoted one."""
LONGEST_SUBJECT = 300
SMALLEST_PICTURE = 4096
"""Bytes; smaller pictures inside the words are logos and smileys."""
LEFT_OUT = "X-Huibao-Left-Out"
"""Stands on a mail of which only the headers were fetched."""
PROGRAMS = frozenset(
    (
        "exe",
        "com",
        "scr",
        "pif",
        "bat",
        "cmd",
        "msi",
        "js",
        "jse",
        "vbs",
        "vbe",
        "wsf",
        "hta",
        "lnk",
        "jar",
        "ps1",
        "cpl",
    )
)
"""Suffixes of files that are never kept."""
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")
_SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/html": "html",
    "text/plain": "txt",
}
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_STATUS = ("message/delivery-status", "message/disposition-notification", "text/rfc822-headers")

Why = Literal["too_large", "too_many", "program", "tnef", "cut"]


@dataclass(frozen=True)
class LetterFile:
    """An attachment; ``name`` is safe to show and to store under."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Unread:
    """What was left out of a mail and why: an attachment by its name, or with ``cut`` something beyond all limits."""

    why: Why
    name: str = ""


@dataclass(frozen=True)
class Letter:
    """One mail. Message ids are written as ``<…>``; addresses are in lower case.

    ``identity`` is the same for the same mail however often and wherever it is delivered. ``sender`` is empty when the
    mail names none, or several: nobody to believe and nobody to answer. ``text`` is the new part without signature,
    ``quoted`` what it repeats of older mails. ``message`` has all headers (raw values, encoded words as they came; see
    ``headers.readable``), the blocks of a delivery status as its parts, and short texts; no attachments.
    """

    message_id: str
    sender: str
    sender_name: str
    to: tuple[str, ...]
    subject: str
    date: datetime | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    text: str
    quoted: str
    files: tuple[LetterFile, ...]
    message: EmailMessage = field(repr=False)
    identity: str = ""
    unread: tuple[Unread, ...] = ()
    source: str = ""
    """SHA-256 of the raw mail in the store of mails, once it is there."""
    arrived: datetime | None = None
    """When the server got it, as the server says."""


def read_letter(raw: bytes) -> Letter:
    """Everything of the mail that can be read. Never raises; time and memory grow with its size, not faster."""
    reader = Reader()
    part = reader.read(raw)
    message = part.message
    name, sender = _author(message)
    content = _Content()
    content.take(part)
    unread = [*content.unread, *([Unread("cut")] if reader.cut or LEFT_OUT in message else [])]
    halves, subject = split(content.text()), _clean(readable(_header(message, "Subject")))[:LONGEST_SUBJECT]
    answered, thread = (message_ids(_header(message, key)) for key in ("In-Reply-To", "References"))
    if not halves.new and not (answered or thread or is_answer(subject)):
        halves = Split(halves.quoted, "")  # what is forwarded, or indented, without a word before it
    ids = message_ids(_header(message, "Message-ID"))
    return Letter(
        message_id=ids[0] if ids else "",
        sender=sender,
        sender_name=_clean(name)[:100],
        to=tuple(address for key in ("To", "Cc") for _, address in addresses(_header(message, key))),
        subject=subject,
        date=moment(_header(message, "Date")),
        in_reply_to=answered,
        references=thread,
        text=_clean(halves.new)[:LONGEST_TEXT],
        quoted=_clean(halves.quoted)[:LONGEST_TEXT],
        files=tuple(content.files),
        message=message,
        identity=_identity(message, sender, ids, part.body),
        unread=tuple(unread),
    )


def _identity(message: EmailMessage, sender: str, ids: tuple[str, ...], body: bytes) -> str:
    """Message-ID + From + Date; without an id the hash of the body stands for it."""
    name = ids[0] if ids else hashlib.sha256(body).hexdigest()
    whole = "\n".join((name, sender or _header(message, "From"), " ".join(_header(message, "Date").split())))
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def _author(message: EmailMessage) -> tuple[str, str]:
    """Name and address of the one who wrote; nobody when From is missing, repeated or names several."""
    values = message.get_all("From", [])
    found = addresses(str(values[0])) if len(values) == 1 else []
    return found[0] if len(found) == 1 else ("", "")


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, ""))


def _clean(text: str) -> str:
    return _INVISIBLE.sub("", text).replace("\u3000", " ").replace("\xa0", " ").strip()


class _Content:
    """Sorts the parts of a mail into words and files."""

    def __init__(self) -> None:
        self.files: list[LetterFile] = []
        self.unread: list[Unread] = []
        self._plain: list[str] = []
        self._html: list[str] = []

    def text(self) -> str:
        """All words of the mail, with the marks of ``html`` where it comes from there."""
        plain = MARKS.sub("", "\n".join(self._plain)).replace("\r\n", "\n").replace("\r", "\n")
        if plain.strip() and not self._html:
            return plain
        html = html_text("\n".join(self._html))
        return html if html.strip() else plain

    def take(self, part: Part) -> None:
        """The words and files of this part and of those below it."""
        kind = part.content_type
        if part.parts:
            report = kind == "multipart/report"
            for place, below in enumerate(part.parts):
                if not (report and place):
                    self.take(below)
        elif kind in ("text/plain", "text/html") and part.disposition != "attachment" and not part.name:
            (self._html if kind == "text/html" else self._plain).append(part.text())
        elif kind not in _STATUS and not kind.startswith("multipart/") and part.body.strip():
            self._file(part)

    def _file(self, part: Part) -> None:
        name, kind = _file_name(part), part.content_type
        if kind in _TNEF or name.lower() == "winmail.dat":
            inside = unpack(part.data())
            for inner, data in inside:
                self._add(safe_name(_clean(inner)), mimetypes.guess_type(inner)[0] or "application/octet-stream", data)
            if inside:
                return
            self.unread.append(Unread("tnef", name))
        if len(part.body) > LARGEST_FILE * 3 // 2:
            self.unread.append(Unread("too_large", name))
            return
        data = part.data()
        small = kind.startswith("image/") and len(data) < SMALLEST_PICTURE
        if not (small and "Content-ID" in part.message):
            self._add(name, kind, data)

    def _add(self, name: str, content_type: str, data: bytes) -> None:
        """Keep a file, or say why not."""
        why: Why | None = None
        if len(self.files) >= MOST_FILES:
            why = "too_many"
        elif name.lower().rpartition(".")[2] in PROGRAMS:
            why = "program"
        elif len(data) > LARGEST_FILE:
            why = "too_large"
        if why is None:
            self.files.append(LetterFile(name, content_type, data))
        else:
            self.unread.append(Unread(why, name))


def _file_name(part: Part) -> str:
    name = _clean(part.name)
    if not name and part.content_type == "message/rfc822":
        name = next(iter(_subjects(part)), "")
    suffix = _SUFFIXES.get(part.content_type, "")
    if not name:
        name = part.content_type.partition("/")[0]
    if suffix and "." not in name:
        name = f"{name}.{suffix}"
    return safe_name(name)


def _subjects(part: Part) -> Iterator[str]:
    inner = Reader().read(part.data()[:65536])
    subject = readable(_header(inner.message, "Subject"))
    if subject:
        yield subject[:80]
