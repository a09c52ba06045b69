"""Template cards: what is required in which kind of card, and where a kind may be sent."""

from __future__ import annotations

import re

from tests.simulators.wecom.context import ApiError, Json

KINDS = ("text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction")
INTERACTIVE = KINDS[2:]
_TASK = re.compile(r"[0-9A-Za-z_\-@]{1,128}")


def check_card(card: object, *, webhook: bool = False) -> Json:
    """The card, or the refusal it gets."""
    if not isinstance(card, dict):
        raise ApiError(40058, "template_card missing")
    kind = card.get("card_type")
    if kind not in KINDS or (webhook and kind in INTERACTIVE):
        raise ApiError(42031, "template_card.card_type invalid")
    if (kind in INTERACTIVE or "action_menu" in card) and not _TASK.fullmatch(str(card.get("task_id", ""))):
        raise ApiError(42014, "template_card.task_id invalid")
    _CHECKS[kind](card)
    _check_lists(card)
    return card


def text_of(card: Json) -> str:
    """What a reader sees, block under block."""
    title, lines = card.get("main_title") or {}, []
    lines += [title.get("title", ""), title.get("desc", ""), card.get("sub_title_text", "")]
    lines += [f"{item.get('keyname', '')} {item.get('value', '')}" for item in card.get("horizontal_content_list", [])]
    lines += [option["text"] for option in (card.get("checkbox") or {}).get("option_list", [])]
    lines += [select.get("title", "") for select in card.get("select_list", [])]
    lines += [button.get("text", "") for button in card.get("button_list", [])]
    lines += [card.get("replace_text", "")]
    return "\n".join(line for line in lines if line)


def _check_lists(card: Json) -> None:
    for name, most, code in (("horizontal_content_list", 6, 42035), ("jump_list", 3, 42042)):
        if len(card.get(name) or []) > most:
            raise ApiError(code, f"template_card.{name} too long")
    for item in card.get("horizontal_content_list") or []:
        if not item.get("keyname"):
            raise ApiError(42027, "keyname missing")


def _text_notice(card: Json) -> None:
    if (card.get("card_action") or {}).get("type") not in (1, 2):
        raise ApiError(42045, "template_card.card_action missing")
    if not (card.get("main_title") or {}).get("title") and not card.get("sub_title_text"):
        raise ApiError(42033, "title missing")


def _news_notice(card: Json) -> None:
    _text_notice(card)
    if not (card.get("card_image") or {}).get("url") and not card.get("image_text_area"):
        raise ApiError(42044, "card_image.url missing")


def _main_title(card: Json) -> None:
    title = card.get("main_title")
    if not isinstance(title, dict) or not title.get("title"):
        raise ApiError(42033, "main_title missing")


def _buttons(card: Json) -> None:
    _main_title(card)
    buttons = card.get("button_list") or []
    if not 1 <= len(buttons) <= 6:
        raise ApiError(42017, "button_list length")
    for button in buttons:
        if not button.get("text"):
            raise ApiError(42038, "button text")
        if not button.get("key") or len(str(button["key"]).encode()) > 1024:
            raise ApiError(42039, "button key")


def _options(options: list[Json], most: int) -> None:
    if not 1 <= len(options) <= most:
        raise ApiError(42037, "option_list length")
    for option in options:
        if not option.get("id") or len(str(option["id"]).encode()) > 128:
            raise ApiError(42040, "option id")
        if not option.get("text"):
            raise ApiError(42041, "option text")


def _submit(card: Json) -> None:
    button = card.get("submit_button") or {}
    if not button.get("text"):
        raise ApiError(42049, "submit_button text")
    if not button.get("key"):
        raise ApiError(42046, "submit_button key")


def _vote(card: Json) -> None:
    _main_title(card)
    checkbox = card.get("checkbox") or {}
    if not checkbox.get("question_key"):
        raise ApiError(42043, "question_key")
    _options(checkbox.get("option_list") or [], 20)
    _submit(card)


def _multiple(card: Json) -> None:
    _main_title(card)
    selects = card.get("select_list") or []
    if not 1 <= len(selects) <= 3:
        raise ApiError(42047, "select_list length")
    for select in selects:
        if not select.get("question_key"):
            raise ApiError(42043, "question_key")
        _options(select.get("option_list") or [], 10)
    _submit(card)


_CHECKS = {
    "text_notice": _text_notice,
    "news_notice": _news_notice,
    "button_interaction": _buttons,
    "vote_interaction": _vote,
    "multiple_interaction": _multiple,
}
