"""The words of a Word file (.docx): headers, paragraphs, tables, text boxes and footers in the order they are read."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from docx import Document
from docx.oxml.ns import qn

from workflows.paper_text import LONGEST, UnreadableError

LARGEST = 60 * 1024 * 1024
"""Bytes of all parts together once unpacked; a notice has less than one megabyte, with scans in it some ten."""
LARGEST_PART = 24 * 1024 * 1024
MOST_PARTS = 2000
TEXT, TAB, BREAK, DELETED = qn("w:t"), qn("w:tab"), {qn("w:br"), qn("w:cr")}, qn("w:del")
PARAGRAPH, TABLE, ROW, CELL, BOX = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc"), qn("w:txbxContent")
CONTENT = {qn("w:sdt"), qn("w:sdtContent")}
MAIN = "word/document.xml"


def docx_text(data: bytes) -> str:
    """All text of the document; UnreadableError when it is too large or no Word file."""
    _look(data)
    document = Document(io.BytesIO(data))
    heads, feet = [], []
    for section in document.sections:
        heads += [section.first_page_header, section.header]
        feet += [section.footer]
    parts = [*(one._element for one in heads), document.element.body, *(one._element for one in feet)]  # noqa: SLF001
    lines: list[str] = []
    for part in parts:
        once = part is not document.element.body
        lines += [line for line in _lines(part) if line.strip() and not (once and line in lines)]
        if sum(map(len, lines)) > LONGEST:
            break
    return "\n".join([*_titles(document), *lines])


def _look(data: bytes) -> None:
    """Refuse before unpacking what would fill the memory, and what is another kind of archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    if MAIN not in {part.filename for part in parts}:
        raise UnreadableError("unknown")
    sizes = [part.file_size for part in parts]
    if len(sizes) > MOST_PARTS or sum(sizes) > LARGEST or max(sizes) > LARGEST_PART:
        raise UnreadableError("large")
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableError("sealed")


def _titles(document: Any) -> list[str]:
    """Marks that are kept as properties of the file (密级) rather than in its text."""
    known = document.core_properties
    return [text for text in (known.category, known.keywords, known.content_status) if text]


def _lines(element: Any) -> Iterator[str]:
    """Lines of a body, cell, header or box: one per paragraph, one per row of a table with tabs between its cells."""
    for child in element:
        if child.tag == PARAGRAPH:
            for box in _boxes(child):
                yield from _lines(box)
            yield from _words(child).split("\n")
        elif child.tag == TABLE:
            for row in child.iter(ROW):
                yield "\t".join(" ".join(_lines(cell)) for cell in row if cell.tag == CELL)
        elif child.tag in CONTENT:
            yield from _lines(child)


def _boxes(paragraph: Any) -> list[Any]:
    """Text boxes drawn at this paragraph; of a drawing and its older likeness only the first."""
    found: dict[str, Any] = {}
    for box in paragraph.iter(BOX):
        found.setdefault("".join(word.text or "" for word in box.iter(TEXT)), box)
    return list(found.values())


def _words(paragraph: Any) -> str:
    """The paragraph as it reads with all changes accepted."""
    words: list[str] = []
    _collect(paragraph, words)
    return "".join(words)


def _collect(element: Any, words: list[str]) -> None:
    for child in element:
        if child.tag == TEXT:
            words.append(child.text or "")
        elif child.tag == TAB:
            words.append(" ")
        elif child.tag in BREAK:
            words.append("\n")
        elif child.tag not in (DELETED, BOX) and isinstance(child.tag, str):
            _collect(child, words)
