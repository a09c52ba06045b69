"""What is new in a mail, apart from what it quotes and how it is signed.

Clients mark quotes in three ways: with an element (see ``html``), with ``>`` before every line, or with a heading below
which everything is old. The patterns are data: ``quotes.toml``.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from adapters.email.html import CUT, END_CUT, END_QUOTE, MARKS, QUOTE, REST

LONGEST = 300_000
"""Characters that are looked at."""
LONGEST_LINE = 500
"""Characters of a line that patterns look at."""
_ANNOUNCES = re.compile(r"(?:写道|寫道|wrote|書いた)\s*[:：]$", re.IGNORECASE)
_LEVEL = re.compile(r"\s{0,3}[>＞]")


@dataclass(frozen=True)
class Split:
    """A text in its two halves."""

    new: str
    quoted: str


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("quotes.toml").read_text("utf-8"))


@cache
def _pattern(section: str, key: str) -> re.Pattern[str]:
    found = _rules()[section][key]
    return re.compile(found if isinstance(found, str) else "|".join(f"(?:{one})" for one in found), re.IGNORECASE)


def split(text: str) -> Split:
    """The new part without its signature, and what is quoted. ``text`` may carry the marks of ``html``."""
    new, old = _marked(text[:LONGEST])
    kept, quoted = _by_lines(new.split("\n"))
    return Split(tidy("\n".join(unsigned(kept))), tidy("\n".join([*quoted, MARKS.sub("", old)])))


def is_answer(subject: str) -> bool:
    """Whether a subject says that the mail answers another."""
    return _pattern("answers", "subject").match(subject[:LONGEST_LINE]) is not None


def tidy(text: str) -> str:
    """Without blank lines at the ends and more than one between paragraphs."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def _marked(text: str) -> tuple[str, str]:
    """Apart by the marks: (new, quoted); signatures fall away from both."""
    new: list[str] = []
    old: list[str] = []
    quotes = cuts = 0
    rest = False
    for piece in re.split(f"({MARKS.pattern})", text):
        quotes = max(quotes + (piece == QUOTE) - (piece == END_QUOTE), 0)
        cuts = max(cuts + (piece == CUT) - (piece == END_CUT), 0)
        rest |= piece == REST
        if not MARKS.match(piece) and not (cuts and not quotes and not rest):
            (old if quotes or rest else new).append(piece)
    return "".join(new), "".join(old)


def _by_lines(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    new: list[str] = []
    old: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at][:LONGEST_LINE]
        if _LEVEL.match(line):
            old.append(lines[at])
            at += 1
            continue
        if _is_rest(lines, at):
            old.extend(lines[at:])
            break
        length = _announcement(lines, at)
        if length:
            old.extend(lines[at : at + length])
            at += length
            following = next((one for one in lines[at:] if one.strip()), "")
            if following and not _LEVEL.match(following):
                old.extend(lines[at:])
                break
            continue
        new.append(lines[at])
        at += 1
    return new, old


def _is_rest(lines: Sequence[str], at: int) -> bool:
    """Whether the older mail begins at this line and goes on to the end."""
    line = lines[at][:LONGEST_LINE].strip()
    if not line:
        return False
    if _pattern("text", "rest").fullmatch(line):
        return True
    if _pattern("text", "rule").fullmatch(line):
        following = next((place for place in range(at + 1, min(at + 4, len(lines))) if lines[place].strip()), None)
        return following is not None and _is_heading(lines, following)
    return _is_heading(lines, at)


def _is_heading(lines: Sequence[str], at: int) -> bool:
    if not _label("first").match(_plain(lines[at])):
        return False
    near = [_plain(line) for line in lines[at + 1 : at + 10]]
    labels = {match[0].split(":")[0] for line in near if (match := _label("others").match(line))}
    return len(labels) >= 2


@cache
def _label(key: str) -> re.Pattern[str]:
    return re.compile(rf"\s*{_rules()['text'][key]}\s*[:：]", re.IGNORECASE)


def _plain(line: str) -> str:
    return line[:LONGEST_LINE].replace("*", "").replace("\u3000", " ").strip()


def _announcement(lines: Sequence[str], at: int) -> int:
    """How many lines from here on announce a quote (``… wrote:``); 0 when they do not.

    Words above an announcement are no part of it: when it reads as one without this line, it begins later, unless it
    would begin with the address that belongs to the name on this line.
    """
    for length in range(1, 4):
        if at + length > len(lines) or not lines[at + length - 1].strip():
            return 0
        if _announces(lines[at : at + length]):
            later = any(_announces(lines[start : at + length]) for start in range(at + 1, at + length))
            return 0 if later and not lines[at + 1].lstrip().startswith("<") else length
    return 0


def _announces(lines: Sequence[str]) -> bool:
    joined = " ".join(line[:LONGEST_LINE].strip() for line in lines)
    return bool(_ANNOUNCES.search(joined[-20:]) and _pattern("text", "announced").fullmatch(joined))


def unsigned(lines: Sequence[str]) -> list[str]:
    """The lines up to the signature, without those that a program added."""
    kept: list[str] = []
    for line in lines:
        stripped = line[:LONGEST_LINE].strip()
        if any(_pattern("signature", "rest").fullmatch(one) for one in (stripped, line[:LONGEST_LINE]) if one):
            break
        if not (stripped and _pattern("signature", "line").fullmatch(stripped)):
            kept.append(line)
    return kept
