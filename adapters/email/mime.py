"""A raw mail to a tree of parts, without ever raising and in time that is linear in its size.

The standard library's parser takes minutes for a few megabytes of empty parts and fails on deep nesting; here size,
depth and number are limited before anything is looked at. Header values become text at once; see ``headers``.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

from adapters.email.charset import decode, guess
from adapters.email.headers import parameters

DEEPEST = 20
MOST_PARTS = 300
MOST_HEADERS = 1000
LONGEST_HEADER = 32 * 1024
HEADER_BYTES = 512 * 1024
TEXT_BYTES = 1024 * 1024
"""Of one part that is read as words; the rest of it is left out."""
CHUNK = 512 * 1024
"""Characters of base64 decoded in one go: other threads get their turn in between."""
MOST_PIECES = 2000
"""Padded pieces of base64 in one part; with more the padding is damage."""

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
_HEADER = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ALPHABET = re.compile(rb"[A-Za-z0-9+/]+")
_WIDE = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
_STATUS = ("message/delivery-status", "message/disposition-notification", "message/feedback-report")


class _AsRead(EmailPolicy):
    """Header values as they were set: they are text already, and reading them must not fail."""

    def header_fetch_parse(self, name: str, value: str) -> Any:  # noqa: ARG002 - the library calls it so
        return value


POLICY = _AsRead()


@dataclass(frozen=True)
class Part:
    """One part. ``body`` is what the mail has, still encoded; ``message`` has its headers and the parts below."""

    message: EmailMessage
    body: bytes = field(repr=False)
    content_type: str
    params: dict[str, str]
    disposition: str
    name: str
    encoding: str = ""
    """The Content-Transfer-Encoding, in lower case."""
    parts: tuple["Part", ...] = ()

    def data(self) -> bytes:
        """The content, transfer encoding undone as far as it can be."""
        if self.encoding == "base64":
            return unbase64(self.body)
        return binascii.a2b_qp(self.body) if self.encoding == "quoted-printable" else self.body

    def text(self) -> str:
        """The content as words."""
        text = decode(self.data()[:TEXT_BYTES], self.params.get("charset", ""))
        flowed = self.params.get("format", "").lower() == "flowed" and self.content_type == "text/plain"
        return unflow(text, self.params.get("delsp", "").lower() == "yes") if flowed else text

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in the order of the mail."""
        yield self
        for part in self.parts:
            yield from part.walk()


class Reader:
    """Reads one mail. ``cut`` tells afterwards whether something was beyond the limits."""

    def __init__(self) -> None:
        self.cut = False
        self._count = 0

    def read(self, raw: bytes, depth: int = 0, default: str = "text/plain") -> Part:
        """The tree of a whole mail or of one part of it."""
        self._count += 1
        headers, body = self._split(raw)
        message = EmailMessage(policy=POLICY)
        for name, value in headers:
            message.set_raw(name, value)
        content_type, params = _type(message, default)
        disposition, named = parameters(str(message.get("Content-Disposition", "")))
        name = named.get("filename", "") or params.get("name", "")
        parts: tuple[Part, ...] = ()
        if content_type.startswith("multipart/"):
            parts = tuple(self._below(body, params.get("boundary", ""), depth, content_type))
            content_type = content_type if parts or self._full(depth) else "text/plain"
        encoding = str(message.get("Content-Transfer-Encoding", "")).strip().lower()
        part = Part(message, body, content_type, params, disposition, name, encoding, parts)
        _fill(part)
        return part

    def _split(self, raw: bytes) -> tuple[list[tuple[str, str]], bytes]:
        if raw[:1] == b"\n" or raw[:2] == b"\r\n":
            return [], raw.partition(b"\n")[2]
        end = _END_OF_HEADERS.search(raw)
        block, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
        self.cut |= len(block) > HEADER_BYTES
        headers = read_headers(block[:HEADER_BYTES])
        return (headers, body) if headers else ([], raw)

    def _below(self, body: bytes, boundary: str, depth: int, content_type: str) -> Iterator[Part]:
        default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        for piece in pieces(body, boundary):
            if self._full(depth):
                self.cut = True
                return
            yield self.read(piece, depth + 1, default)

    def _full(self, depth: int) -> bool:
        return depth >= DEEPEST or self._count >= MOST_PARTS


def unflow(text: str, delsp: bool) -> str:
    """Lines that the writer's program has broken made whole again (RFC 3676); quoted ones stay as they are."""
    out: list[str] = []
    before = ""
    for raw in text.replace("\r\n", "\n").split("\n"):
        line = raw.removeprefix(" ")
        goes_on = before.endswith(" ") and not {"-- ", ">"} & {before, before[:1], line, line[:1]}
        if goes_on and (delsp or (_WIDE.match(before[-2:-1]) and _WIDE.match(line[:1]))):
            out[-1] = before[:-1]
        if out and not goes_on:
            out.append("\n")
        out.append(line)
        before = line
    return "".join(out)


def read_headers(block: bytes) -> list[tuple[str, str]]:
    """Names and values; folded lines joined, raw 8-bit characters read, lines that are no header left out."""
    found: list[list[bytes]] = []
    known = False
    for line in re.split(rb"\r?\n|\r", block):
        if line[:1] in (b" ", b"\t"):
            if known:
                found[-1].append(line)
            continue
        match = _HEADER.fullmatch(line)
        known = match is not None and len(found) < MOST_HEADERS
        if match is not None and known:
            found.append([match[1], match[2]])
    return [
        (name.decode("ascii"), guess(b"".join(lines)[:LONGEST_HEADER]).replace("\0", "").strip())
        for name, *lines in found
    ]


def pieces(body: bytes, boundary: str) -> Iterator[bytes]:
    """What stands between the boundary lines; a missing closing line is no trouble."""
    mark = b"--" + boundary.encode("utf-8", "surrogateescape")
    start, at = -1, body.find(mark) if boundary else -1
    while at >= 0:
        end_of_line = body.find(b"\n", at)
        line_end = len(body) if end_of_line < 0 else end_of_line
        tail = body[at + len(mark) : min(line_end, at + len(mark) + 80)].strip()
        if (at == 0 or body[at - 1 : at] == b"\n") and tail in (b"", b"--"):
            if start >= 0:
                yield body[start : max(start, at - (2 if body[at - 2 : at] == b"\r\n" else 1))]
            if tail:
                return
            start = line_end + 1
        at = body.find(mark, at + len(mark))
    if 0 <= start < len(body):
        yield body[start:]


def unbase64(body: bytes) -> bytes:
    """Decoded base64, damaged or not; the body itself when it plainly is none."""
    dense = body.translate(None, b" \t\r\n")
    strange = len(dense.translate(None, _LETTERS + b"="))
    if strange * 10 > len(dense):
        return body
    if strange:
        dense = dense.translate(None, bytes(set(dense) - set(b"=") - set(_LETTERS)))
    if dense.count(b"=") > MOST_PIECES:
        dense = dense.replace(b"=", b"")
    return b"".join(_decoded(run) for match in _ALPHABET.finditer(dense) for run in _chunks(match[0]))


def _chunks(run: bytes) -> Iterator[bytes]:
    for start in range(0, len(run), CHUNK):
        yield run[start : start + CHUNK]


def _decoded(run: bytes) -> bytes:
    rest = len(run) % 4
    whole = run[:-1] if rest == 1 else run
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _type(message: EmailMessage, default: str) -> tuple[str, dict[str, str]]:
    value, params = parameters(str(message.get("Content-Type", "")))
    return (value if re.fullmatch(r"[\w.+-]+/[\w.+-]+", value) else default), params


def _fill(part: Part) -> None:
    """Give the message what others look for in it: its parts, the blocks of a delivery status, short texts."""
    message = part.message
    if part.parts:
        message.set_payload([below.message for below in part.parts])
    elif part.content_type in _STATUS:
        message.set_payload(list(_blocks(part.data()[:HEADER_BYTES])))
    elif part.content_type.startswith(("text/", "message/")):
        message.set_payload(part.text())
        del message["Content-Transfer-Encoding"]


def _blocks(data: bytes) -> Iterator[EmailMessage]:
    for block in re.split(rb"(?:\r?\n){2,}", data, maxsplit=50):
        headers = read_headers(block)
        if headers:
            message = EmailMessage(policy=POLICY)
            for name, value in headers:
                message.set_raw(name, value)
            yield message
