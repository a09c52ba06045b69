"""The words of a PDF: its pages' text, with the lines that the page width cut joined again."""

import io
import logging

from pypdf import PdfReader
from pypdf.errors import DependencyError, PdfReadError, WrongPasswordError

from workflows.paper_text import LONGEST, UnreadableError

MOST_PAGES = 30
"""A notice has two or three pages; what comes after thirty is no notice."""
FULL = 0.85
"""A line this long beside the longest ones was cut by the margin."""
SHORTEST_FULL = 18
ENDS = "。；：:;！!？?"


def pdf_text(data: bytes) -> str:
    """The text of the first pages; UnreadableError when it is under a password or no PDF."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("sealed")
        return "\n".join(_pages(reader))
    except (DependencyError, WrongPasswordError):
        raise UnreadableError("sealed") from None
    except PdfReadError:
        raise UnreadableError("broken") from None


def _pages(reader: PdfReader) -> list[str]:
    texts: list[str] = []
    for page in reader.pages[:MOST_PAGES]:
        texts.append(_joined(page.extract_text()))
        if sum(map(len, texts)) > LONGEST:
            break
    return texts


def _joined(text: str) -> str:
    """Lines as they were written: a line that reaches the margin goes on with the next."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    margin = sorted(map(len, lines))[-max(1, len(lines) // 10)] if lines else 0
    whole: list[str] = []
    goes_on = False
    for line in lines:
        if goes_on:
            whole[-1] += line
        else:
            whole.append(line)
        goes_on = len(line) >= max(SHORTEST_FULL, margin * FULL) and line[-1] not in ENDS
    return "\n".join(whole)
