"""An :class:`Outgoing` as DingTalk can show it: plain words, words with tappable answers, webhook bodies, card data.

Plain text is the rule, since what people wrote cannot break it. Markdown is used where there is something to tap: a
link that makes the client send the answer as the user's own message. That works in direct chats only; in a group such a
message would lack the mention and not reach the bot.
"""

import json
import re
from collections.abc import Sequence
from urllib.parse import quote

from adapters.dingtalk.clicks import VALUE
from adapters.dingtalk.words import words
from storage.messages import Action, Outgoing

TEXT_BYTES = 12_000
"""Of one part, as JSON: msgParam may have 15 000 bytes with title and links, a webhook body 20 000 with mentions."""
CARD_BYTES = 1000
TITLE_LENGTH = 60
MOST_MENTIONS = 50
Json = dict[str, object]
_LINE_START = re.compile(r"^(?=[#>\-*+]|\d+\.)", re.MULTILINE)


def plain(message: Outgoing) -> str:
    """The text, under its title unless it says that itself."""
    if message.title in message.text:
        return message.text
    return f"{message.title}\n{message.text}"


def parts(text: str, limit: int = TEXT_BYTES) -> list[str]:
    """``text`` in pieces of at most ``limit`` bytes as JSON, cut between lines where possible; several are numbered."""
    if _size(text) <= limit:
        return [text]
    pieces: list[str] = []
    current, size = "", 0
    for whole in text.splitlines(keepends=True):
        for line in _short(whole, limit):
            if current and size + _size(line) > limit:
                pieces.append(current)
                current, size = "", 0
            current, size = current + line, size + _size(line)
    pieces.append(current)
    total = len(pieces)
    return [words("message.part", number=n, total=total) + piece.rstrip("\n") for n, piece in enumerate(pieces, 1)]


def _short(line: str, limit: int) -> list[str]:
    """A line longer than the limit in pieces; a character has at most 12 bytes as JSON, Chinese ones have 3."""
    if _size(line) <= limit:
        return [line]
    step = limit // 12
    return [line[at : at + step] for at in range(0, len(line), step)]


def robot_message(text: str, message: Outgoing, *, direct: bool) -> tuple[str, str]:
    """msgKey and msgParam of the robot's own sends."""
    links = _links(message.actions) if direct else ""
    if not links:
        return "sampleText", _dump({"content": text})
    return "sampleMarkdown", _dump({"title": title(message), "text": f"{_as_markdown(text)}  \n\n{links}"})


def webhook_body(text: str, message: Outgoing, *, direct: bool) -> dict[str, object]:
    """Body for a session webhook or a custom robot; a mention counts only when it stands in the text as well."""
    people = [] if direct else list(dict.fromkeys(message.mentions))[:MOST_MENTIONS]
    missing = [f"@{person}" for person in people if f"@{person}" not in text]
    full = f"{text}\n{' '.join(missing)}" if missing else text
    at: Json = {"atUserIds": people, "isAtAll": message.mention_all and not direct}
    links = _links(message.actions) if direct else ""
    if links:
        markdown = {"title": title(message), "text": f"{_as_markdown(full)}  \n\n{links}"}
        return {"msgtype": "markdown", "markdown": markdown, "at": at}
    return {"msgtype": "text", "text": {"content": full}, "at": at}


def card_data(message: Outgoing) -> dict[str, str] | None:
    """Values for our card template, all strings; None when the text does not fit into a card.

    The template has the variables title, content, receipt and buttons: a list of objects with id, text and value.
    """
    buttons = [{"id": a.value, "text": a.label, VALUE: a.value} for a in message.actions]
    data = {"title": title(message), "content": message.text, "buttons": json.dumps(buttons, ensure_ascii=False)}
    fits = all(len(value.encode()) <= CARD_BYTES for value in data.values())
    return data if fits else None


def title(message: Outgoing) -> str:
    """What the list of chats shows: the title, else the first line."""
    first = next((line.strip() for line in plain(message).splitlines() if line.strip()), "")
    return first[:TITLE_LENGTH]


def _links(actions: Sequence[Action]) -> str:
    """Tappable answers; only those that can also be said in words."""
    links = [
        f"[{_harmless(action.label)}](dtmd://dingtalkclient/sendMessage?content={quote(action.say, safe='')})"
        for action in actions
        if action.say
    ]
    return words("message.answer_line") + " ".join(links) if links else ""


def _as_markdown(text: str) -> str:
    """Words that stay words: a quoted user cannot make headings or links, and lines stay lines."""
    return _LINE_START.sub("\u200b", _harmless(text)).replace("\n", "  \n")


def _harmless(text: str) -> str:
    return text.replace("](", "]\u200b(")


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
