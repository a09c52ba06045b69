"""An :class:`Outgoing` as WeCom can show it: plain words, markdown of the robot, template cards.

Words are plain text wherever that exists. The robot knows only markdown: there, what people wrote is kept from turning
into headings, links and mentions.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from adapters.wecom.clicks import SUBMIT
from adapters.wecom.fields import Json
from adapters.wecom.words import words
from storage.messages import Action, Outgoing, Question

APP_BYTES = 2048
ROBOT_BYTES = 20_000
"""20 480 is the limit; what keeps words harmless may add a little."""
TITLE_LENGTH = 36
APP_CARD_TEXT, BOT_CARD_TEXT = 160, 112
"""Longer text is cut on the screen: the words then come as a message of their own before the buttons."""
LIST_TEXT = {APP_CARD_TEXT: 44, BOT_CARD_TEXT: 30}
MOST_BUTTONS, MOST_OPTIONS = 6, 20
MOST_QUESTIONS, MOST_ANSWERS = 3, 10
LABEL_LENGTH = 10
KEY_BYTES, OPTION_BYTES = 1024, 128
NUMBERING = 20
HOME = "https://work.weixin.qq.com"
_LINE_START = re.compile(r"^(?=[#>\-*+|]|\d+\.)", re.MULTILINE)


def plain(message: Outgoing) -> str:
    """The text, under its title unless it says that itself."""
    if message.title in message.text:
        return message.text
    return f"{message.title}\n{message.text}"


def parts(text: str, limit: int) -> list[str]:
    """``text`` in pieces of at most ``limit`` bytes, cut between lines where possible; several are numbered."""
    if len(text.encode()) <= limit:
        return [text]
    room = limit - NUMBERING
    pieces: list[str] = []
    current = ""
    for whole in text.splitlines(keepends=True):
        for line in _short(whole, room):
            if current and len((current + line).encode()) > room:
                pieces.append(current)
                current = ""
            current += line
    pieces.append(current)
    total = len(pieces)
    return [words("message.part", number=n, total=total) + piece.rstrip("\n") for n, piece in enumerate(pieces, 1)]


def _short(line: str, limit: int) -> list[str]:
    """A line longer than the limit in pieces; a character has at most four bytes."""
    if len(line.encode()) <= limit:
        return [line]
    step = limit // 4
    return [line[at : at + step] for at in range(0, len(line), step)]


def app_text(text: str) -> Json:
    """Of the app: text may hold links in angle brackets, which nobody but us shall write."""
    return {"msgtype": "text", "text": {"content": re.sub(r"<(?=/?a\b)", "<\u200b", text, flags=re.IGNORECASE)}}


def group_text(text: str, message: Outgoing) -> Json:
    """Of a group robot or an app's group: with mentions."""
    listed = [*dict.fromkeys(message.mentions)] + (["@all"] if message.mention_all else [])
    return {"msgtype": "text", "text": {"content": text} | ({"mentioned_list": listed} if listed else {})}


def robot_markdown(text: str) -> Json:
    """Of the robot, pushed or posted."""
    return {"msgtype": "markdown", "markdown": {"content": as_markdown(text)}}


def robot_stream(text: str, stream_id: str) -> Json:
    """Of the robot in answer to a message: the whole text at once, and finished."""
    return {"msgtype": "stream", "stream": {"id": stream_id, "finish": True, "content": as_markdown(text)}}


def as_markdown(text: str) -> str:
    """Words that stay words, and lines that stay lines."""
    harmless = text.replace("](", "]\u200b(").replace("<", "<\u200b").replace("`", "\u02cb")
    return _LINE_START.sub("\u200b", harmless)


def title(message: Outgoing) -> str:
    """The title, else the number of the matter, else the first line: what stands below shall not be said twice."""
    first = next((line.strip() for line in message.text.splitlines() if line.strip()), "")
    return shortened(message.title or message.about or first, TITLE_LENGTH)


# ---- cards


def can_show(message: Outgoing) -> bool:
    """There is something to press, and it fits on a card."""
    return _can_ask(message.questions) or _can_offer(message.actions)


def _can_ask(questions: Sequence[Question]) -> bool:
    return 1 <= len(questions) <= MOST_QUESTIONS and all(
        question.label
        and 1 <= len(question.options) <= MOST_ANSWERS
        and all(option.label and len(option.value.encode()) <= OPTION_BYTES for option in question.options)
        for question in questions
    )


def _can_offer(actions: Sequence[Action]) -> bool:
    limit = KEY_BYTES if _are_buttons(actions) else OPTION_BYTES
    fit = all(action.label and len(action.value.encode()) <= limit for action in actions)
    return 1 <= len(actions) <= MOST_OPTIONS and fit


def _are_buttons(actions: Sequence[Action]) -> bool:
    """Few, and short enough to be read on a button; else they are a list to choose from."""
    return len(actions) <= MOST_BUTTONS and all(len(action.label) <= LABEL_LENGTH for action in actions)


def fits_card(message: Outgoing, limit: int) -> bool:
    """All words of the message can be read on its card; above a list there is room for less."""
    if _can_ask(message.questions) or not _are_buttons(message.actions):
        limit = LIST_TEXT[limit]
    return len(message.text) <= limit


def card(message: Outgoing, task: str, limit: int) -> Json:
    """A card to press: several questions at once, buttons, or one list to choose from."""
    head: Json = {"title": title(message)}
    said = _under_title(message, fits_card(message, limit))
    body: Json = {"task_id": task, "main_title": head}
    if not _can_ask(message.questions) and _are_buttons(message.actions):
        buttons = [
            {"text": action.label, "style": 2 if number else 1, "key": action.value}
            for number, action in enumerate(message.actions)
        ]
        sub_title = {"sub_title_text": said} if said else {}
        return {"card_type": "button_interaction", **body, **sub_title, "button_list": buttons}
    head["desc"] = said
    submit = {"text": words("card.submit"), "key": SUBMIT}
    if _can_ask(message.questions):
        selects = [_select(number, question) for number, question in enumerate(message.questions, 1)]
        return {"card_type": "multiple_interaction", **body, "select_list": selects, "submit_button": submit}
    checkbox = {"question_key": "choice", "mode": 0, "option_list": _options(message.actions)}
    return {"card_type": "vote_interaction", **body, "checkbox": checkbox, "submit_button": submit}


def _select(number: int, question: Question) -> Json:
    return {"question_key": f"q{number}", "title": question.label, "option_list": _options(question.options)}


def _options(actions: Sequence[Action]) -> list[Json]:
    return [{"id": action.value, "text": action.label} for action in actions]


def _under_title(message: Outgoing, fits: bool) -> str:
    """What the title does not say already."""
    return _without_heading(message.text, title(message)) if fits else words("card.see_above")


def _first_sentence(state: str) -> tuple[str, str]:
    """A heading and what stands below it: the first sentence and the rest, else as much as fits and all of it."""
    first, _, rest = state.strip().partition("。")
    if len(first) <= TITLE_LENGTH and "\n" not in first:
        return first, rest.strip()
    return shortened((first.splitlines() or [""])[0], TITLE_LENGTH), state


def _without_heading(text: str, heading: str) -> str:
    return text.removeprefix(heading).lstrip(" ：:，")


def notice_card(task: str, heading: str, state: str, link: str, limit: int) -> Json:
    """What becomes of a card: the state in place of the buttons. A card of this kind must lead somewhere."""
    title_text, said = (heading, _without_heading(state, heading) or state) if heading else _first_sentence(state)
    return {
        "card_type": "text_notice",
        "task_id": task,
        "main_title": {"title": title_text},
        "sub_title_text": shortened(said, limit),
        "card_action": {"type": 1, "url": link if urlsplit(link).scheme in {"http", "https"} else HOME},
    }


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, with a sign that there are more."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
