"""message/send, message/recall and message/update_template_card: what an app says to people."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.simulators.common.windows import Window
from tests.simulators.wecom.cards import INTERACTIVE, check_card, text_of
from tests.simulators.wecom.context import ApiError, Context, Json, cut, ok
from tests.simulators.wecom.ledger import Seen, direct
from tests.simulators.wecom.media import Media
from tests.simulators.wecom.tokens import Tokens
from tests.simulators.wecom.world import App

PLAIN = ("text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown", "miniprogram_notice")
KINDS = (*PLAIN, "template_card")


@dataclass(eq=False)
class Code:
    """A response code: one update of one card within three days."""

    app: App
    task_id: str
    expires: float
    used: bool = False


@dataclass(eq=False)
class SentMessage:
    app: App
    at: float
    seen: list[Seen] = field(default_factory=list)


class Messages:
    """Keeps count of what each member got from each app."""

    def __init__(self, context: Context, tokens: Tokens, media: Media) -> None:
        self._context, self._tokens, self._media = context, tokens, media
        limits, clock = context.limits, context.clock
        self._minute = Window(limits.member_per_minute, 60, clock)
        self._hour = Window(limits.member_per_hour, 3600, clock)
        self._recent: dict[str, float] = {}
        self._daily: dict[str, int] = defaultdict(int)
        self.codes: dict[str, Code] = {}
        self.sent: dict[str, SentMessage] = {}
        self.dropped: list[tuple[str, str]] = []
        """User and text of what the platform silently threw away."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/cgi-bin/message/send", self._send),
            web.post("/cgi-bin/message/recall", self._recall),
            web.post("/cgi-bin/message/update_template_card", self._update),
        ]

    def mint(self, app: App, task_id: str) -> str:
        """A new response code for a card."""
        code = self._context.serial("RC-")
        expires = self._context.clock() + self._context.limits.response_code_seconds
        self.codes[code] = Code(app, task_id, expires)
        return code

    async def _send(self, request: web.Request) -> web.Response:
        app, body = self._tokens.app_of(request), await request.json()
        if body.get("agentid") != app.agent_id:
            raise ApiError(40056, "invalid agentid")
        kind = body.get("msgtype")
        if kind not in KINDS:
            raise ApiError(40008, "invalid message type")
        text, card = self._content(app, kind, body)
        good, answer = self._audience(app, body)
        if self._is_repeat(body):
            return ok(**answer, msgid=self._context.serial("msg-"))
        self._spend_day(len(good))
        message_id = self._context.serial("msg-")
        sent = self.sent[message_id] = SentMessage(app, self._context.clock())
        for user in good:
            self._show(sent, user, kind, text, card, message_id)
        if card and (card["card_type"] in INTERACTIVE or "action_menu" in card):
            answer["response_code"] = self.mint(app, card["task_id"])
        return ok(**answer, msgid=message_id)

    def _content(self, app: App, kind: str, body: Json) -> tuple[str, Json]:
        if kind == "template_card":
            card = check_card(body.get("template_card"))
            if card["card_type"] in INTERACTIVE and not app.url:
                raise ApiError(43012, "need a callback url")
            return text_of(card), card
        content = body.get(kind)
        if not isinstance(content, dict):
            raise ApiError(40035, "invalid parameter")
        if kind in ("text", "markdown"):
            if not content.get("content"):
                raise ApiError(44004, "empty content")
            return cut(content["content"], self._context.limits.text_bytes), {}
        if "media_id" in content:
            return self._media.name_of(content["media_id"], str(app.agent_id)), {}
        return json.dumps(content, ensure_ascii=False), {}

    def _audience(self, app: App, body: Json) -> tuple[list[str], Json]:
        world, raw = self._context.world, [user for user in str(body.get("touser", "")).split("|") if user]
        if not raw and not body.get("toparty") and not body.get("totag"):
            raise ApiError(82001, "touser, toparty and totag are all empty")
        if len(raw) > self._context.limits.users_per_call:
            raise ApiError(40058, "touser too long")
        users = list(world.people) if "@all" in raw else list(dict.fromkeys(world.spelt(user) for user in raw))
        visible = [u for u in users if u in world.people and (app.visible is None or u in app.visible)]
        unlicensed = [user for user in visible if not world.people[user].licensed]
        wrong = "|".join(user.lower() for user in users if user not in visible)
        answer = {"invaliduser": wrong, "invalidparty": "", "invalidtag": ""}
        if not visible:
            raise ApiError(81013, "user & party & tag all invalid", invaliduser=wrong)
        if unlicensed:
            answer["unlicenseduser"] = "|".join(user.lower() for user in unlicensed)
        return [user for user in visible if user not in unlicensed], answer

    def _is_repeat(self, body: Json) -> bool:
        """The same request again within the window, when the caller asked for that; how it is answered is a guess."""
        if not body.get("enable_duplicate_check"):
            return False
        key, now = json.dumps(body, sort_keys=True), self._context.clock()
        window = min(body.get("duplicate_check_interval") or self._context.limits.duplicate_seconds, 4 * 3600)
        repeat = now - self._recent.get(key, float("-inf")) < window
        if not repeat:
            self._recent[key] = now
        return repeat

    def _spend_day(self, people: int) -> None:
        limit, day = self._context.limits.daily_recipients, str(self._context.now() // 86400)
        if limit and self._daily[day] + people > limit:
            raise ApiError(45009, "api freq out of limit")
        self._daily[day] += people

    def _show(self, sent: SentMessage, user: str, kind: str, text: str, card: Json, message_id: str) -> None:
        key = f"{sent.app.agent_id} {user}"
        if not self._minute.admit(key) or not self._hour.admit(key):
            self.dropped.append((user, text))
            return
        seen = Seen(self._context.clock(), direct(user), "app", kind, text, msg_id=message_id, card=dict(card))
        sent.seen.append(self._context.ledger.show(seen))

    async def _recall(self, request: web.Request) -> web.Response:
        app, body = self._tokens.app_of(request), await request.json()
        sent = self.sent.get(str(body.get("msgid")))
        if sent is None or sent.app is not app:
            raise ApiError(40058, "invalid msgid")
        if self._context.clock() - sent.at > self._context.limits.recall_seconds:
            raise ApiError(42052, "msgid expired")
        for seen in sent.seen:
            seen.recalled = True
        return ok()

    async def _update(self, request: web.Request) -> web.Response:
        app, body = self._tokens.app_of(request), await request.json()
        code = self.codes.get(str(body.get("response_code")))
        if code is None or code.used or code.expires <= self._context.clock():
            raise ApiError(60140, "invalid response_code")
        if code.app is not app or body.get("agentid") != app.agent_id:
            raise ApiError(42015, "app mismatch")
        spelt = self._context.world.spelt
        users = None if body.get("atall") else {spelt(user) for user in body.get("userids") or []}
        shown = [seen for seen in self._context.ledger.with_task(code.task_id) if seen.via == "app"]
        mine = [seen for seen in shown if users is None or seen.place.removeprefix("direct:") in users]
        if any(not _can_change(seen.card) for seen in mine):
            raise ApiError(42031, "only interactive cards, and those with a menu, can be updated")
        change = self._change(body, mine)
        code.used = True
        for seen in mine:
            change(seen)
        reached = {seen.place.removeprefix("direct:") for seen in mine}
        return ok(invaliduser=[user for user in sorted(users or ()) if user not in reached])

    def _change(self, body: Json, shown: list[Seen]) -> Callable[[Seen], None]:
        if "button" in body:
            name = body["button"].get("replace_name")
            if not name or any(seen.card["card_type"] not in INTERACTIVE for seen in shown):
                raise ApiError(42038, "button.replace_name")

            def grey(seen: Seen) -> None:
                labels = [button["text"] for button in seen.card.get("button_list", [])]
                seen.dead, seen.text = True, "\n".join([*_without(seen.text, labels), name])

            return grey
        card = check_card(body.get("template_card"))

        def replace(seen: Seen) -> None:
            seen.card = {**card, "task_id": card.get("task_id") or seen.task_id}
            seen.text, seen.dead = text_of(card), bool(card.get("replace_text")) or "button_list" not in card

        return replace


def _can_change(card: Json) -> bool:
    return card["card_type"] in INTERACTIVE or "action_menu" in card


def _without(text: str, lines: list[str]) -> list[str]:
    return [line for line in text.splitlines() if line not in lines]
