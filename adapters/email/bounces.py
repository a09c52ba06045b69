"""Bounces: what a delivery status notification says about a mail of ours (RFC 3464).

The mail is known by its own Message-ID, which comes back in the copy of its headers and carries our signature: nobody
makes a delivery fail by inventing a bounce. Status 5.x says that the address is dead; 4.x that it takes longer. Some
providers (QQ, 163) write their bounces for people only; there the code is looked for in the words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from adapters.email.letter import Letter
from adapters.email.threads import Threads

REPORT = "multipart/report"
STATUS = "message/delivery-status"
LONGEST_REASON = 160
POSTMASTERS = ("postmaster", "mailer-daemon")
_WORDED_CODE = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])[^<\n]{0,120}")
_STATUS_CODE = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_MESSAGE_ID = re.compile(r"^Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_ANY_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")


@dataclass(frozen=True)
class Bounce:
    """``key``: the delivery it is about, empty when none of ours; ``failed``: given up, not only late."""

    key: str
    recipient: str
    status: str
    failed: bool
    reason: str


def read(letter: Letter, threads: Threads) -> Bounce | None:
    """What the mail says about a delivery; None when it is no delivery status notification."""
    parts = list(_walk(letter.message))
    report = next((part for part in parts if part.get_content_type() == STATUS), None)
    return _worded(letter, parts, threads) if report is None else _reported(letter, parts, report, threads)


def _worded(letter: Letter, parts: list[Message], threads: Threads) -> Bounce | None:
    """A postmaster's letter that has one of our mails in it."""
    if letter.sender.partition("@")[0] not in POSTMASTERS or not (key := _key(parts, letter, threads)):
        return None
    said = "\n".join(str(part.get_payload()) for part in parts if part.get_content_maintype() == "text")
    code = _WORDED_CODE.search(said)
    reason = " ".join(code[0].split()) if code else letter.subject
    return Bounce(key, "", "", code is None or code[1] == "5", reason[:LONGEST_REASON])


def _reported(letter: Letter, parts: list[Message], report: Message, threads: Threads) -> Bounce:
    fields = _fields(report)
    status = _first_code(fields.get("status", "")) or _first_code(fields.get("diagnostic-code", ""))
    action = fields.get("action", "").strip().casefold()
    failed = action == "failed" or (not action and status.startswith("5"))
    said = fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("diagnostic-code", "")
    recipient = fields.get("final-recipient", fields.get("original-recipient", "")).rpartition(";")[2].strip()
    reason = " ".join(f"{status} {said.removeprefix(status)}".split())[:LONGEST_REASON]
    return Bounce(_key(parts, letter, threads), recipient, status, failed, reason or action)


def _fields(report: Message) -> dict[str, str]:
    """The fields of the first recipient that failed, else of the first; our mails have one."""
    blocks = [block for block in _below(report) if "Action" in block or "Status" in block]
    blocks.sort(key=lambda block: str(block.get("Action", "")).strip().casefold() != "failed")
    return {name.casefold(): str(value) for name, value in blocks[0].items()} if blocks else {}


def _key(parts: list[Message], letter: Letter, threads: Threads) -> str:
    """The key of the mail that came back: from the copy of its headers, else from what the report refers to."""
    for message_id in (*_returned_ids(parts), *letter.in_reply_to, *letter.references):
        ours = threads.read(message_id)
        if ours is not None:
            return ours.key
    return ""


def _returned_ids(parts: list[Message]) -> Iterator[str]:
    for part in parts:
        if part.get_content_type() not in ("text/rfc822-headers", "message/rfc822", "message/rfc822-headers"):
            continue
        for inner in _below(part):
            yield str(inner.get("Message-ID", ""))
        payload = part.get_payload()
        if isinstance(payload, str):
            yield from _MESSAGE_ID.findall(payload.replace("\r\n ", " "))
    for part in parts:
        original = part.get("X-Original-Message-ID", "") or part.get("Original-Message-ID", "")
        yield from _ANY_ID.findall(str(original))


def _first_code(text: str) -> str:
    match = _STATUS_CODE.search(text)
    return match[1] if match else ""


def _walk(message: Message) -> Iterator[Message]:
    yield message
    for part in _below(message):
        yield from _walk(part)


def _below(message: Message) -> list[Message]:
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []
