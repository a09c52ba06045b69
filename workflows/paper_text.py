"""The words of an attached paper: what kind of file it is by its content, and what can be read of it.

Files come from anybody: sizes are looked at before anything is unpacked. Runs in a process of its own
(:mod:`workflows.paper_reader`), where time and memory are bounded too.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST = 30_000
"""Characters that are kept; a notice with all its tables has a tenth of that."""
FEWEST = 12
"""Fewer letters than this are no paper: a scan, or a font that does not say which characters it shows."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SEALED = "EncryptedPackage".encode("utf-16-le")
"""The stream of a compound file in which a Word file with a password lies."""
LETTERS = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]")
HAN = re.compile(r"[\u4e00-\u9fff]")
BETWEEN_HAN = re.compile(r"(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])[ \u00a0]+(?=[\u3000-\u303f\u4e00-\u9fff])")
ENCODINGS = ("utf-8-sig", "gb18030")


class UnreadableError(Exception):
    """The paper cannot be read. ``why``: scanned · old · sealed · broken · large · unknown."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class PaperText:
    """``problem`` is empty when ``text`` could be read, else why it could not (see :class:`UnreadableError`)."""

    text: str = ""
    problem: str = ""


def paper_text(data: bytes) -> PaperText:
    """What stands in a file, whatever its name says. Never raises for odd files."""
    try:
        return PaperText(_readable(tidy(_extract(data))))
    except UnreadableError as error:
        return PaperText(problem=error.why)
    except MemoryError:
        return PaperText(problem="large")
    except Exception:  # noqa: BLE001 - a parser's trouble with a stranger's file: there is nothing to mend here
        return PaperText(problem="broken")


def _extract(data: bytes) -> str:
    for magic, read in KINDS.items():
        if data.startswith(magic):
            return read(data)
    if b"%PDF-" in data[:1024]:
        return _pdf(data)
    return _plain(data)


def _word(data: bytes) -> str:
    from workflows.paper_docx import docx_text

    return docx_text(data)


def _pdf(data: bytes) -> str:
    from workflows.paper_pdf import pdf_text

    return pdf_text(data)


def _old(data: bytes) -> str:
    raise UnreadableError("sealed" if SEALED in data else "old")


def _unknown(_data: bytes) -> str:
    raise UnreadableError("unknown")


KINDS: Mapping[bytes, Callable[[bytes], str]] = {
    b"PK\x03\x04": _word,
    b"%PDF-": _pdf,
    OLE: _old,
    b"{\\rtf": _unknown,
    b"\xff\xd8\xff": _unknown,
    b"\x89PNG": _unknown,
}


def _plain(data: bytes) -> str:
    """Text in UTF-8, UTF-16 with its mark, or the encodings of Chinese Windows."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if b"\x00" in data:
        raise UnreadableError("broken")
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError("broken")


def tidy(text: str) -> str:
    """Lines without the spaces that justify Chinese print, and without empty ones."""
    clean = text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")[:LONGEST]
    lines = [BETWEEN_HAN.sub("", line.replace("\u3000", " ")).strip() for line in clean.splitlines()]
    return "\n".join(line for line in lines if line)


def _readable(text: str) -> str:
    """The same; UnreadableError when too little is there."""
    if len(LETTERS.findall(text)) < FEWEST or len(HAN.findall(text)) < FEWEST // 2:
        raise UnreadableError("scanned")
    return text
