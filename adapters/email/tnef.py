"""``winmail.dat``: what Outlook makes of a mail when it takes its reader for another Outlook ([MS-OXTNEF]).

Only the attachments are taken out. Never raises: what is broken ends the reading, and what came before it counts.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.email.charset import decode, guess

SIGNATURE = 0x223E9F78
MOST_FILES = 100
_RENDERING, _TITLE, _DATA, _PROPERTIES = 0x00069002, 0x00018010, 0x0006800F, 0x00069005
_LONG_NAME, _SHORT_NAME = 0x3707, 0x3704
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_TEXT, _UNICODE = 0x1E, 0x1F
_VARIABLE = (0x0D, _TEXT, _UNICODE, 0x102)
_SEVERAL = 0x1000


@dataclass
class Packed:
    """A file inside; ``long_name`` wins over the title, which may be of the 8.3 kind."""

    title: str = ""
    long_name: str = ""
    data: bytes = b""


def unpack(data: bytes) -> list[tuple[str, bytes]]:
    """Names and contents of the files inside; empty when there are none or it is no TNEF."""
    found: list[Packed] = []
    for attribute, value in _attributes(data):
        if attribute == _RENDERING:
            if len(found) >= MOST_FILES:
                break
            found.append(Packed())
        elif found and attribute == _TITLE:
            found[-1].title = guess(value.split(b"\0", 1)[0])
        elif found and attribute == _DATA:
            found[-1].data = value
        elif found and attribute == _PROPERTIES:
            names = dict(_names(value))
            found[-1].long_name = names.get(_LONG_NAME, "") or names.get(_SHORT_NAME, "")
    return [(one.long_name or one.title, one.data) for one in found if one.data]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(attribute, value) of every attribute that is whole."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != SIGNATURE:
        return
    at = 6
    while at + 9 <= len(data):
        attribute, length = struct.unpack_from("<II", data, at + 1)
        if at + 9 + length > len(data):
            return
        yield attribute, data[at + 9 : at + 9 + length]
        at += 9 + length + 2


def _names(data: bytes) -> Iterator[tuple[int, str]]:
    """(property, text) of the texts in a list of MAPI properties, up to the first thing that is not understood."""
    try:
        (count,) = struct.unpack_from("<I", data)
        at = 4
        for _ in range(min(count, 1000)):
            kind, name = struct.unpack_from("<HH", data, at)
            at = _past_name(data, at + 4) if name >= 0x8000 else at + 4
            several, kind = kind & _SEVERAL, kind & ~_SEVERAL
            if kind not in _VARIABLE and kind not in _FIXED:
                return
            values, at = _values(data, at, kind, bool(several))
            if values and kind in (_TEXT, _UNICODE):
                text = decode(values[0], "utf-16le") if kind == _UNICODE else guess(values[0])
                yield name, text.split("\0", 1)[0]
    except struct.error:
        return


def _past_name(data: bytes, at: int) -> int:
    """Behind the name of a named property: a GUID, then a number or a text."""
    (kind,) = struct.unpack_from("<I", data, at + 16)
    (value,) = struct.unpack_from("<I", data, at + 20)
    return at + 24 + (_padded(value) if kind else 0)


def _values(data: bytes, at: int, kind: int, several: bool) -> tuple[list[bytes], int]:
    """The values of a property and where the next one begins."""
    count = 1
    if several or kind in _VARIABLE:
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
    values: list[bytes] = []
    for _ in range(min(count, 1000)):
        size = _FIXED.get(kind, 0)
        if kind in _VARIABLE:
            (size,) = struct.unpack_from("<I", data, at)
            at += 4
        if at + size > len(data):
            raise struct.error
        values.append(data[at : at + size])
        at += _padded(size)
    return values, at


def _padded(size: int) -> int:
    return size + (-size) % 4
