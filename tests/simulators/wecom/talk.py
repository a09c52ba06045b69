"""People at work: writing to the app or the robot, pressing buttons, opening chats."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.simulators.wecom.callbacks import BadReply, Callbacks, Delivery
from tests.simulators.wecom.context import ApiError, Context, Json, ok
from tests.simulators.wecom.gateway import Gateway
from tests.simulators.wecom.ledger import Seen, direct
from tests.simulators.wecom.media import Media
from tests.simulators.wecom.messages import Messages
from tests.simulators.wecom.robot import Asked, Robot
from tests.simulators.wecom.world import Aibot, App

SINGLE_ONLY = ("image", "voice", "file", "video")


@dataclass(eq=False)
class Spoken:
    """One act of a person and how it went out."""

    seen: Seen | None
    payload: Json | bytes
    req_id: str = ""
    delivery: Delivery | None = None
    reached: int = 0
    response_url: str = ""


def xml(**fields: object) -> bytes:
    """An app's message: text in CDATA, numbers bare."""
    parts = [f"<{k}>{v}</{k}>" if isinstance(v, int) else f"<{k}><![CDATA[{v}]]></{k}>" for k, v in fields.items()]
    return f"<xml>{''.join(parts)}</xml>".encode()


class Talk:
    """`say` speaks to the app in its own session or, in a group or with `bot`, to the intelligent robot."""

    def __init__(
        self, context: Context, callbacks: Callbacks, gateway: Gateway, robot: Robot, messages: Messages, media: Media
    ) -> None:
        self._context, self._callbacks, self._gateway = context, callbacks, gateway
        self._robot, self._messages, self._media = robot, messages, media
        self._response_urls: dict[str, tuple[Asked, float]] = {}
        self._busy: dict[tuple[str, str], int] = defaultdict(int)
        self._polling: list[tuple[Asked, str, float]] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/cgi-bin/aibot/response", self._response)]

    # ---- to the app

    async def to_app(
        self, user: str, words: str, *, kind: str = "text", tries: int = 0, fields: Mapping[str, object] | None = None
    ) -> Spoken:
        """Write to the app in its own session; `fields` for the kinds that are not text."""
        content: Mapping[str, object] = {"Content": words} if kind == "text" else fields or {}
        seen = self._show(direct(user), user, words or kind)
        extra = {"MsgId": self._context.rng.randrange(10**18, 9 * 10**18), "AgentID": self._app().agent_id}
        return await self._app_post(seen, self._app_xml(user, kind, **content, **extra), tries)

    async def app_event(self, user: str, event: str, **fields: object) -> Spoken:
        """enter_agent and the like: without a MsgId."""
        body = self._app_xml(user, "event", Event=event, EventKey="", AgentID=self._app().agent_id, **fields)
        return await self._app_post(None, body, 0)

    async def press(self, user: str, label: str, on: Seen, *, tries: int = 0) -> Spoken:
        """Press the button with this label; AssertionError when it cannot be pressed."""
        keys = [key for text, key in on.buttons if text == label]
        assert keys, f"no button {label} on {on.text!r}"
        return await self.press_key(user, keys[0], on, tries=tries)

    async def press_key(self, user: str, key: str, on: Seen, *, chosen: Json | None = None, tries: int = 0) -> Spoken:
        """Press, also what a client may still show: a stale card. `chosen`: question key → option ids."""
        if on.bot:
            return await self._press_bot(user, key, on, chosen or {})
        code = self._messages.mint(self._app(), on.task_id)
        fields = {"Event": "template_card_event", "EventKey": key, "TaskId": on.task_id}
        fields |= {"CardType": on.card["card_type"], "ResponseCode": code}
        body = self._app_xml(user, "event", **fields, AgentID=self._app().agent_id)
        if chosen:
            body = body.replace(b"</xml>", _selected(chosen).encode() + b"</xml>")
        return await self._app_post(None, body, tries)

    def _app(self) -> App:
        return next(iter(self._context.world.apps.values()))

    def _app_xml(self, user: str, kind: str, **fields: object) -> bytes:
        head = {"ToUserName": self._context.world.corp_id, "FromUserName": user, "CreateTime": self._context.now()}
        return xml(**head, MsgType=kind, **fields)

    async def _app_post(self, seen: Seen | None, body: bytes, tries: int) -> Spoken:
        return Spoken(seen, body, delivery=await self._callbacks.deliver(self._app(), body, tries=tries))

    async def repeat(self, spoken: Spoken) -> Delivery:
        """The platform delivers the same message once more."""
        assert spoken.delivery is not None
        raw = spoken.payload if isinstance(spoken.payload, bytes) else _dump(spoken.payload)
        return await self._callbacks.deliver(spoken.delivery.receiver, raw, tries=1)

    # ---- to the intelligent robot

    async def say(
        self, user: str, words: str, group: str = "", *, mention: bool = True, bot: str = "", quote: Json | None = None,
        changes: Mapping[str, object] | None = None, junk: str = "",
    ) -> Spoken:  # fmt: skip
        """Text to the robot; in a group it hears only what mentions it, and the mention stays in the text."""
        robot = self._bot(bot)
        content = f"@{robot.name} {words}" if group and mention else words
        body: Json = {"msgtype": "text", "text": {"content": content}}
        if quote:
            body["quote"] = quote
        body |= changes or {}
        return await self.send(user, body, group, words=words, mention=mention, bot=bot, junk=junk)

    async def send(
        self, user: str, body: Json, group: str = "", *, words: str = "", mention: bool = True, bot: str = "",
        junk: str = "",
    ) -> Spoken:  # fmt: skip
        """Any content. Pictures, voices and files never come from groups; a change to None removes the key."""
        robot = self._bot(bot)
        seen = self._show(group or direct(user), user, words or str(body.get("msgtype")))
        if group and (not mention or body.get("msgtype") in SINGLE_ONLY):
            return Spoken(seen, {})
        self._robot.spoken.add((robot.bot_id, group or direct(user)))
        asked = Asked(robot, "message", group or direct(user), user, self._context.clock())
        return await self._tell(asked, body, seen, "aibot_msg_callback", junk)

    async def enter_chat(self, user: str, bot: str = "") -> Spoken:
        """The first opening of the single chat that day."""
        asked = Asked(self._bot(bot), "enter_chat", direct(user), user, self._context.clock())
        return await self._tell(asked, _event("enter_chat"), None, "aibot_event_callback")

    async def bot_event(self, user: str, event: str, bot: str = "", **fields: object) -> Spoken:
        asked = Asked(self._bot(bot), "other", direct(user), user, self._context.clock())
        return await self._tell(asked, _event(event, **fields), None, "aibot_event_callback")

    async def _press_bot(self, user: str, key: str, on: Seen, chosen: Json) -> Spoken:
        asked = Asked(self._bot(on.bot), "template_card_event", on.place, user, self._context.clock(), on.task_id)
        detail: Json = {"card_type": on.card["card_type"], "event_key": key, "task_id": on.task_id}
        if chosen:
            items = [{"question_key": q, "option_ids": {"option_id": ids}} for q, ids in chosen.items()]
            detail["selected_items"] = {"selected_item": items}
        body = _event("template_card_event", template_card_event=detail)
        return await self._tell(asked, body, None, "aibot_event_callback")

    def _bot(self, bot_id: str = "") -> Aibot:
        bots = self._context.world.bots
        return bots[bot_id] if bot_id else next(iter(bots.values()))

    async def _tell(self, asked: Asked, body: Json, seen: Seen | None, cmd: str, junk: str = "") -> Spoken:
        bot, group = asked.bot, "" if asked.place.startswith("direct:") else asked.place
        req_id = self._context.serial("REQ-")
        payload: Json = {
            "msgid": self._context.serial("CAIQ-"), "aibotid": bot.bot_id, "chatid": group or None,
            "chattype": "group" if group else "single", "from": {"userid": asked.user}, **body,
        }  # fmt: skip
        if body["msgtype"] == "event":
            payload["create_time"] = self._context.now()
        payload = {key: value for key, value in payload.items() if value is not None}
        self._robot.asked[req_id] = asked
        spoken = Spoken(seen, payload, req_id)
        if bot.receive == "websocket":
            spoken.reached = await self._gateway.push(bot, cmd, payload, req_id=req_id, junk=junk)
        else:
            await self._post(spoken, asked, payload)
        return spoken

    async def _post(self, spoken: Spoken, asked: Asked, payload: Json) -> None:
        """URL mode: at most three interactions of a person at a time; a click is posted once only."""
        key = (asked.bot.bot_id, asked.user)
        in_progress = self._busy[key] + self._robot.unfinished(*key)
        if asked.about == "message" and in_progress >= self._context.limits.in_progress:
            return
        code = self._context.serial("RC-")
        spoken.response_url = f"{self._context.base_url}/cgi-bin/aibot/response?response_code={code}"
        if asked.about != "other":
            expires = self._context.clock() + self._context.limits.response_url_seconds
            self._response_urls[code] = (asked, expires)
            payload["response_url"] = spoken.response_url
        self._busy[key] += 1
        tries = 1 if asked.about == "template_card_event" else 0
        try:
            spoken.delivery = await self._callbacks.deliver(asked.bot, _dump(payload), tries=tries)
        finally:
            self._busy[key] -= 1
        await self._take_passive(asked, spoken.delivery)

    async def _take_passive(self, asked: Asked, delivery: Delivery) -> None:
        reply = self._callbacks.passive(delivery)
        if reply is None:
            return
        if asked.about == "other":
            raise BadReply("this event takes no answer")
        try:
            self._robot.reply(asked, reply, passive=True)
        except ApiError as error:
            raise BadReply(str(error)) from error
        stream = reply.get("stream") or {}
        if stream and not stream.get("finish"):
            self._poll_later(asked, str(stream["id"]), self._context.clock())

    def _poll_later(self, asked: Asked, stream_id: str, since: float) -> None:
        """While a stream is unfinished the platform keeps asking, for six minutes."""

        async def poll() -> None:
            if self._context.clock() - since >= self._context.limits.stream_poll_seconds:
                return
            group = {} if asked.place.startswith("direct:") else {"chatid": asked.place}
            body = {
                "msgid": self._context.serial("CAIQ-"), "aibotid": asked.bot.bot_id, **group,
                "chattype": "group" if group else "single", "from": {"userid": asked.user}, "msgtype": "stream",
                "stream": {"id": stream_id},
            }  # fmt: skip
            delivery = await self._callbacks.deliver(asked.bot, _dump(body), tries=1)
            reply = self._callbacks.passive(delivery)
            if reply is not None:
                self._robot.reply(asked, reply, passive=True)
            seen = self._robot.stream_of(asked.bot.bot_id, stream_id)
            if seen is None or not seen.finished:
                self._poll_later(asked, stream_id, since)

        self._context.schedule.after(self._context.limits.stream_poll_every, poll)

    async def _response(self, request: web.Request) -> web.Response:
        """The one active reply of URL mode."""
        asked, expires = self._response_urls.pop(request.query.get("response_code", ""), (None, 0.0))
        if asked is None or expires <= self._context.clock():
            raise ApiError(60140, "response_code invalid")
        body = await request.json()
        kind = body.get("msgtype")
        if kind not in ("markdown", "template_card") or (kind == "template_card" and asked.place in self._groups()):
            raise ApiError(40008, "invalid message type")
        self._robot._spend(asked.bot, asked.place)
        self._robot._show(asked.bot, asked.place, "response_url", kind, body)
        return ok()

    def _groups(self) -> set[str]:
        return set(self._context.world.groups)

    def _show(self, place: str, user: str, words: str) -> Seen:
        return self._context.ledger.show(Seen(self._context.clock(), place, "person", "text", words, author=user))


def _event(name: str, **fields: object) -> Json:
    return {"msgtype": "event", "event": {"eventtype": name, **fields}}


def _selected(chosen: Json) -> str:
    items = "".join(
        f"<SelectedItem><QuestionKey><![CDATA[{question}]]></QuestionKey><OptionIds>"
        + "".join(f"<OptionId><![CDATA[{option}]]></OptionId>" for option in options)
        + "</OptionIds></SelectedItem>"
        for question, options in chosen.items()
    )
    return f"<SelectedItems>{items}</SelectedItems>"


def _dump(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
