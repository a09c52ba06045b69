"""HTML of mail to words, with what is quoted and what is signature told apart where the client marks it.

Read by lxml: the standard library's parser needs a minute for a few hundred kilobytes of broken comments.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

LONGEST = 300_000
"""Characters that are looked at."""
QUOTE, END_QUOTE, REST, CUT, END_CUT = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
"""Marks in the text: a quote and its end, a quote to the end of the mail, a signature and its end."""
BLOCK = "\ue005"
"""The edge of a paragraph: however many meet, they are one line break."""
MARKS = re.compile("[\ue000-\ue005]")
_BLOCKS = re.compile(
    "address|article|blockquote|center|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|li|ol|p|pre|section|"
    "table|tr|ul"
)
_SILENT = re.compile("script|style|head|title|meta|link|noscript|template|object|iframe")
_WIDTH = re.compile(r"(?i)\bwidth:\s*(\d{1,4}px)")
_PREFORMATTED = re.compile(r"(?i)\bwhite-space:\s*pre")
_BLANK = re.compile(r"[ \t\r\n\f]+")


@dataclass(frozen=True)
class _End:
    """The end of an element: what stands behind it, and whether line breaks counted in it."""

    after: str
    preformatted: bool


@cache
def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = tomllib.loads(Path(__file__).with_name("quotes.toml").read_text("utf-8"))["html"]
    return rules


def html_text(html: str) -> str:
    """The words, one paragraph a line, with the marks of this module."""
    soup = BeautifulSoup(MARKS.sub("", html[:LONGEST]), "lxml")
    out: list[str] = []
    _write(soup, out)
    text = re.sub(f"(?:{BLOCK} *)+", BLOCK, "".join(out).replace("\xa0", " "))
    text = text.replace(f"{BLOCK}\n{BLOCK}", "\n\n").replace(f"\n{BLOCK}", "\n").replace(BLOCK, "\n")
    lines = (_BLANK.sub(" ", line).strip(" ") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _write(soup: Tag, out: list[str]) -> None:
    """Walk without recursion: mail nests deeper than Python does."""
    work: list[Tag | str | _End] = [soup]
    preformatted = 0
    while work:
        one = work.pop()
        if isinstance(one, str):
            out.append(one if preformatted else _BLANK.sub(" ", one))
        elif isinstance(one, _End):
            preformatted -= one.preformatted
            out.append(one.after)
        elif not _SILENT.fullmatch(one.name):
            before, after = _around(one)
            out.append(before)
            lines_count = one.name == "pre" or _PREFORMATTED.search(_attribute(one, "style")) is not None
            preformatted += lines_count
            work.append(_End(after, lines_count))
            # comments, processing instructions and the like are strings too, of a class of their own
            work.extend(
                child if isinstance(child, Tag) else str(child)
                for child in reversed(one.contents)
                if isinstance(child, Tag) or type(child) is NavigableString
            )


def _around(tag: Tag) -> tuple[str, str]:
    """What stands before and after the words of an element."""
    if tag.name == "br":
        return "\n", ""
    if tag.name in ("td", "th"):
        return " ", " "
    line = BLOCK if _BLOCKS.fullmatch(tag.name) else ""
    match _role(tag):
        case "quote":
            return f"{line}{QUOTE}", f"{END_QUOTE}{line}"
        case "rest":
            return f"{line}{REST}", line
        case "signature":
            return f"{line}{CUT}", f"{END_CUT}{line}"
        case "signature_rest":
            return f"{line}{CUT}", line
    return line, line


def _role(tag: Tag) -> str:
    """quote · rest (a quote from here on) · signature · signature_rest (up to the quote), or nothing."""
    names = {tag.name, f"#{_attribute(tag, 'id')}", *(f".{name}" for name in _attribute(tag, "class").split())}
    names |= {f"{key}={_attribute(tag, key)}" for key in ("data-ntes", "type") if tag.get(key)}
    names |= {f"{tag.name}[{width}]" for width in _WIDTH.findall(_attribute(tag, "style"))}
    for role in ("quote", "rest", "signature", "signature_rest"):
        if names & set(_rules()[role]):
            return role
    return ""


def _attribute(tag: Tag, key: str) -> str:
    value = tag.get(key) or ""
    return value if isinstance(value, str) else " ".join(value)
