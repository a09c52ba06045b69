"""An :class:`Outgoing` as a mail: subject with number and state, the facts first, how to answer last; text and HTML.

Chinese clients render HTML with old engines and block what is fetched, so: inline styles, one table, no pictures. What
people wrote is escaped in HTML and cannot break out of the subject line.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.email.words import pattern, words
from storage.messages import Outgoing

SUBJECT_LENGTH = 70
FONT = "font-family:'Microsoft YaHei','微软雅黑',sans-serif;font-size:15px;line-height:1.7;color:#222"
CELL = "border:1px solid #ddd;padding:6px 10px;text-align:left;vertical-align:top"
BUTTON = (
    "display:inline-block;margin:4px 10px 4px 0;padding:8px 22px;background:#1668dc;color:#ffffff;"
    "text-decoration:none;border-radius:4px"
)
SMALL = "color:#888;font-size:13px"

_MARKS = re.compile(r"【[^【】\n]{1,20}】")
_AFTER_COMMA = re.compile(r"(?<=[，。：；])\s+")
_COMMA = re.compile(r"，(?![^（]*）)")
_PHONE = re.compile(r"\d{7,}")
_ROW = re.compile(r"^(\S{2,8})：([^：]+)$")
_ENDS = "。！？!?"
_OPEN, _CLOSE = "“（(《【", "”）)》】"


@dataclass(frozen=True)
class Link:
    """A button of the message with the address that stands for pressing it."""

    label: str
    url: str


def one_line(text: str, most: int) -> str:
    """Without line ends, control and direction characters; cut to ``most`` characters."""
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    kept = "".join(char for char in kept if unicodedata.category(char) not in ("Cf", "Cs", "Co"))
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def subject_of(message: Outgoing) -> str:
    """``[HY-20261125-001]【会议保障通知】防汛会商``: the number, the state, and what it is about."""
    marks = "".join(dict.fromkeys(_MARKS.findall(message.text[:60])))
    number = f"[{message.about}]" if message.about else ""
    head = message.title or _headline(message)
    return one_line(f"{number}{marks}{' ' if number and not marks else ''}{head}".rstrip("。"), SUBJECT_LENGTH)


def _headline(message: Outgoing) -> str:
    """The first sentence without greeting, marks and number, and without the clause that has a telephone number."""
    greeting = pattern("match.greeting")
    first = _sentences(message.text)[0] if message.text.strip() else ""
    said = greeting.sub("", _MARKS.sub("", greeting.sub("", _MARKS.sub("", first).strip())).strip())
    if message.about:
        said = _AFTER_COMMA.sub("", said.replace(message.about, " ").replace("  ", " ")).strip()
    said = pattern("match.aside").sub("", said)
    return "，".join(clause for clause in _COMMA.split(said) if not _PHONE.search(clause))


def answer_subject(subject: str, message: Outgoing) -> str:
    """The subject of the thread with ``Re:`` once, and the number in brackets where it lacks it."""
    plain = one_line(pattern("match.prefix").sub("", subject), 200)
    if not plain:
        return subject_of(message)
    if message.about and message.about not in plain:
        plain = f"[{message.about}] {plain}"
    return words("message.re") + plain


def text_of(message: Outgoing, links: Sequence[Link], *, by_reply: bool) -> str:
    """The mail in plain text. ``by_reply``: an answer to this mail counts."""
    said, how = parts(message)
    facts = [words("message.fact", label=label, value=value) for label, value in _facts(message, said)]
    lines = [line for block in (_prose(message, said), facts, how) if block for line in (*block, "")][:-1]
    lines += ["", _ask(by_reply), *(words("message.link", label=link.label, url=link.url) for link in links)] * bool(
        links
    )
    if links and not by_reply:
        lines.append(words("message.only_links"))
    return "\n".join([*lines, "", "--", _footer(by_reply)]) + "\n"


def html_of(message: Outgoing, links: Sequence[Link], *, by_reply: bool) -> str:
    """The same in HTML."""
    said, how = parts(message)
    body = [_paragraphs(_prose(message, said)), _table(_facts(message, said)), _paragraphs(how)]
    if links:
        buttons = "".join(_button(link) for link in links)
        body.append(f'<p style="margin:12px 0 4px">{html.escape(_ask(by_reply))}</p><p style="margin:0">{buttons}</p>')
        body.append("" if by_reply else f'<p style="{SMALL}">{html.escape(words("message.only_links"))}</p>')
    foot = f'<p style="{SMALL};margin-top:20px">{html.escape(_footer(by_reply))}</p>'
    return f'<!DOCTYPE html><html lang="zh-CN"><body><div style="{FONT}">{"".join(body)}{foot}</div></body></html>\n'


def parts(message: Outgoing) -> tuple[list[str], list[str]]:
    """Lines (else sentences) that say what is so, and those that say how to answer."""
    text = message.text.strip()
    if message.title and message.title not in text:
        text = f"{message.title}\n{text}"
    lines = text.splitlines() if "\n" in text else _sentences(text)
    how = [one for one in lines[1:] if pattern("match.how").search(one) and not one[0].isdigit()]
    return [one for one in lines if one not in how], how


def _sentences(text: str) -> list[str]:
    """Whole sentences; what stands in quotes or brackets is not cut."""
    found, start, depth = list[str](), 0, 0
    for at, char in enumerate(text):
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth = max(depth - 1, 0)
        elif (char in _ENDS and depth == 0) or char == "\n":
            found.append(text[start : at + 1].strip())
            start, depth = at + 1, 0
    return [one for one in [*found, text[start:].strip()] if one] or [text.strip()]


def _facts(message: Outgoing, said: Sequence[str]) -> list[tuple[str, str]]:
    """Label and value of what goes into the table: what the message brings, else its later lines of that form."""
    if message.facts:
        return list(message.facts)
    found = (_ROW.match(line) for line in said[1:])
    return [(row[1], row[2].rstrip("。")) for row in found if row]


def _prose(message: Outgoing, said: Sequence[str]) -> list[str]:
    """The sentences that do not stand in the table."""
    rows = {label for label, _ in _facts(message, said)}
    return [*said[:1], *(line for line in said[1:] if not ((row := _ROW.match(line)) and row[1] in rows))]


def _table(facts: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th style="{CELL};background:#f6f6f6;font-weight:normal;white-space:nowrap">{html.escape(label)}</th>'
        f'<td style="{CELL}">{html.escape(value)}</td></tr>'
        for label, value in facts
    )
    return f'<table style="border-collapse:collapse;margin:8px 0;{FONT}">{cells}</table>' if cells else ""


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f'<p style="margin:6px 0">{html.escape(line) or "&nbsp;"}</p>' for line in lines)


def _button(link: Link) -> str:
    return f'<a href="{html.escape(link.url)}" style="{BUTTON}">{html.escape(link.label)}</a>'


def _ask(by_reply: bool) -> str:
    return words("message.answer_or_reply" if by_reply else "message.answer")


def _footer(by_reply: bool) -> str:
    return words("message.footer_reply" if by_reply else "message.footer")


def footers() -> frozenset[str]:
    """How mails of ours end."""
    return frozenset(map(_footer, (True, False)))
