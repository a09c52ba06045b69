"""The message formats of webhooks and of answers in the HTTP body: reading and refusing them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.simulators.dingtalk.context import Json
from tests.simulators.dingtalk.errors import OapiError
from tests.simulators.dingtalk.world import Group, World


@dataclass(frozen=True)
class Parsed:
    kind: str
    title: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    can_mention: bool = True


def parse(body: Json) -> Parsed:
    """What the message shows, or errcode 40035 / 400105 for a body that is none."""
    kind = body.get("msgtype")
    if not isinstance(kind, str):
        raise OapiError(40035, "缺少参数 json")
    part = body.get(kind)
    readers = {
        "text": _text,
        "markdown": _markdown,
        "actionCard": _action_card,
        "link": _link,
        "feedCard": _feed_card,
    }
    if kind not in readers:
        raise OapiError(400105, "msgtype不支持")
    if not isinstance(part, dict):
        raise OapiError(40035, f"缺少参数 {kind}")
    return readers[kind](part)


def mentions(parsed: Parsed, body: Json, group: Group | None, world: World, limit: int) -> tuple[tuple[str, ...], bool]:
    """Who is really notified: named in `at` *and* in the text, a member of the group, within the limit."""
    at = body.get("at") or {}
    if group is None or not parsed.can_mention or not isinstance(at, dict):
        return (), False
    asked = _asked(at, world)
    named = [user for user, spelling in asked if f"@{spelling}" in parsed.text and user in group.members]
    return tuple(dict.fromkeys(named))[:limit], str(at.get("isAtAll", "")).lower() == "true"


def _asked(at: Json, world: World) -> Iterable[tuple[str, str]]:
    for user_id in at.get("atUserIds") or []:
        yield str(user_id), str(user_id)
    for mobile in at.get("atMobiles") or []:
        person = world.by_mobile(str(mobile))
        if person:
            yield person.user_id, str(mobile)


def _need(part: Json, *keys: str) -> list[str]:
    missing = [key for key in keys if not isinstance(part.get(key), str) or not part[key]]
    if missing:
        raise OapiError(40035, f"缺少参数 {missing[0]}")
    return [part[key] for key in keys]


def _text(part: Json) -> Parsed:
    (content,) = _need(part, "content")
    return Parsed("text", "", content)


def _markdown(part: Json) -> Parsed:
    title, text = _need(part, "title", "text")
    return Parsed("markdown", title, text)


def _action_card(part: Json) -> Parsed:
    title, text = _need(part, "title", "text")
    if part.get("singleTitle") and part.get("singleURL"):
        return Parsed("actionCard", title, text, ((part["singleTitle"], part["singleURL"]),))
    buttons = [tuple(_need(button, "title", "actionURL")) for button in part.get("btns") or []]
    if not buttons:
        raise OapiError(40035, "缺少参数 btns")
    return Parsed("actionCard", title, text, tuple((label, url) for label, url in buttons))


def _link(part: Json) -> Parsed:
    title, text, url = _need(part, "title", "text", "messageUrl")
    return Parsed("link", title, text, ((title, url),), can_mention=False)


def _feed_card(part: Json) -> Parsed:
    links = part.get("links")
    if not isinstance(links, list) or not links:
        raise OapiError(40035, "缺少参数 links")
    buttons = tuple((title, url) for title, url, _ in (_need(link, "title", "messageURL", "picURL") for link in links))
    return Parsed("feedCard", buttons[0][0], "\n".join(title for title, _ in buttons), buttons, can_mention=False)
