"""What an intelligent robot may say, over either mode: replies, welcomes, card updates, pushes, streams, uploads."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from tests.simulators.common.windows import Window
from tests.simulators.wecom.cards import check_card, text_of
from tests.simulators.wecom.context import ApiError, Context, Json
from tests.simulators.wecom.gateway import Connection
from tests.simulators.wecom.ledger import Seen, direct
from tests.simulators.wecom.media import LARGEST, Media
from tests.simulators.wecom.world import Aibot

REPLIES = {
    "aibot_respond_msg": "message",
    "aibot_respond_welcome_msg": "enter_chat",
    "aibot_respond_update_msg": "template_card_event",
}
KINDS = {
    "message": ("stream", "template_card", "markdown", "file", "image", "voice", "video"),
    "enter_chat": ("text", "template_card"),
    "push": ("markdown", "template_card", "file", "image", "voice", "video"),
}


@dataclass(frozen=True)
class Asked:
    """A callback that may be answered: `about` is message, enter_chat, template_card_event or other."""

    bot: Aibot
    about: str
    place: str
    user: str
    at: float
    task_id: str = ""


@dataclass(eq=False)
class Upload:
    kind: str
    name: str
    size: int
    total: int
    md5: str
    at: float
    chunks: dict[int, bytes] = field(default_factory=dict)


class Robot:
    """`place` of a conversation: a chat id, or direct:<user>."""

    def __init__(self, context: Context, media: Media) -> None:
        self._context, self._media = context, media
        limits, clock = context.limits, context.clock
        self._minute = Window(limits.conversation_per_minute, 60, clock)
        self._hour = Window(limits.conversation_per_hour, 3600, clock)
        self._uploading = Window(limits.uploads_per_minute, 60, clock)
        self._streams: dict[tuple[str, str], Seen] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self._uploads: dict[str, Upload] = {}
        self.asked: dict[str, Asked] = {}
        self.spoken: set[tuple[str, str]] = set()
        """Bot and place where somebody has spoken to it: only there may it push."""

    def work(self, connection: Connection, cmd: str, body: Json, req_id: str) -> Json:
        """One command of the long connection."""
        bot = connection.bot
        assert bot is not None
        if cmd in REPLIES:
            self.reply(self._asked(bot, cmd, req_id), body)
            return {}
        if cmd == "aibot_send_msg":
            self.push(bot, body)
            return {}
        if cmd.startswith("aibot_upload_media_"):
            return self._upload(bot, cmd.rpartition("_")[2], body)
        raise ApiError(846601, "unknown cmd")

    def _asked(self, bot: Aibot, cmd: str, req_id: str) -> Asked:
        asked = self.asked.get(req_id)
        if asked is None or asked.bot is not bot or asked.about != REPLIES[cmd]:
            raise ApiError(846605, "invalid req_id")
        limits = self._context.limits
        window = limits.reply_seconds if asked.about == "message" else limits.answer_seconds
        if self._context.clock() - asked.at > window:
            raise ApiError(846605, "invalid req_id")
        return asked

    def reply(self, asked: Asked, body: Json, *, passive: bool = False) -> None:
        """Answer a callback. `passive`: in URL mode, where streams may carry pictures and cards."""
        if asked.about == "template_card_event":
            self._update_card(asked, body)
            return
        kind = str(body.get("msgtype"))
        allowed = (*KINDS[asked.about], "stream_with_template_card") if passive else KINDS[asked.about]
        if kind not in allowed:
            raise ApiError(40008, "invalid message type")
        via = "passive" if passive else "welcome" if asked.about == "enter_chat" else "reply"
        if kind in ("stream", "stream_with_template_card"):
            self._stream(asked, body["stream"], via, passive)
            if kind == "stream":
                return
            kind = "template_card"
        self._spend(asked.bot, asked.place)
        self._show(asked.bot, asked.place, via, kind, body)

    def push(self, bot: Aibot, body: Json) -> None:
        """aibot_send_msg: a place by id and type; without a type groups are tried first."""
        kind = str(body.get("msgtype"))
        if kind not in KINDS["push"]:
            raise ApiError(40008, "invalid message type")
        place = self._place(str(body.get("chatid", "")), body.get("chat_type") or 0)
        if kind == "template_card" and not place.startswith("direct:"):
            raise ApiError(40058, "template_card in single chat only")
        if (bot.bot_id, place) not in self.spoken:
            raise ApiError(self._context.limits.push_refused, "no conversation")
        self._spend(bot, place)
        self._show(bot, place, "push", kind, body)

    def _place(self, chat_id: str, chat_type: int) -> str:
        world = self._context.world
        if chat_type in (0, 2) and chat_id in world.groups:
            return chat_id
        if chat_type in (0, 1) and world.spelt(chat_id) in world.people:
            return direct(world.spelt(chat_id))
        raise ApiError(93006, "invalid chatid")

    def _spend(self, bot: Aibot, place: str) -> None:
        key = f"{bot.bot_id} {place}"
        if not self._minute.admit(key) or not self._hour.admit(key):
            raise ApiError(self._context.limits.over_quota, "conversation quota")

    def _show(self, bot: Aibot, place: str, via: str, kind: str, body: Json) -> None:
        card: Json = {}
        if kind == "template_card":
            card = check_card(body.get("template_card"))
            text = text_of(card)
        elif kind in ("markdown", "text"):
            text = str((body.get(kind) or {}).get("content") or "")
            if not text or len(text.encode()) > self._context.limits.stream_bytes:
                raise ApiError(40058, "content length")
        else:
            text = self._media.name_of(str((body.get(kind) or {}).get("media_id")), bot.bot_id)
        seen = Seen(self._context.clock(), place, via, kind, text, card=card, bot=bot.bot_id)
        self._context.ledger.show(seen)

    def _stream(self, asked: Asked, stream: Json, via: str, passive: bool) -> None:
        """Cumulative text that replaces the bubble; finished, the id is closed for ever."""
        content, key = str(stream.get("content", "")), (asked.bot.bot_id, str(stream.get("id", "")))
        if not key[1] or len(content.encode()) > self._context.limits.stream_bytes:
            raise ApiError(40058, "stream content length")
        if stream.get("msg_item") and not (passive and stream.get("finish")):
            raise ApiError(40058, "msg_item not supported")
        seen = self._streams.get(key)
        if seen is None:
            self._spend(asked.bot, asked.place)
            seen = Seen(self._context.clock(), asked.place, via, "stream", content, stream=key[1], bot=key[0])
            self._streams[key] = self._context.ledger.show(seen)
            self._owners[key] = asked.user
        elif seen.finished:
            raise ApiError(846608, "stream message is finished, cannot update")
        elif self._context.clock() - seen.at > self._context.limits.stream_seconds:
            raise ApiError(846608, "stream message update expired (>6 minutes), cannot update")
        seen.text, seen.finished = content, bool(stream.get("finish"))

    def unfinished(self, bot_id: str, user: str) -> int:
        """Streams of a person that are still open: interactions in progress."""
        mine = [key for key, owner in self._owners.items() if key[0] == bot_id and owner == user]
        return sum(not self._streams[key].finished for key in mine)

    def stream_of(self, bot_id: str, stream_id: str) -> Seen | None:
        return self._streams.get((bot_id, stream_id))

    def _update_card(self, asked: Asked, body: Json) -> None:
        """The whole card is replaced; a button cannot be disabled, and the task id stays."""
        if body.get("response_type") != "update_template_card":
            raise ApiError(93050, "response_type invalid")
        card = check_card(body.get("template_card"))
        if card.get("task_id") != asked.task_id:
            raise ApiError(42016, "task_id unknown")
        users = body.get("userids") or [asked.user]
        for seen in self._context.ledger.with_task(asked.task_id):
            if seen.bot and (not seen.place.startswith("direct:") or seen.place.removeprefix("direct:") in users):
                seen.card, seen.text = dict(card), text_of(card)

    # ---- uploads

    def _upload(self, bot: Aibot, step: str, body: Json) -> Json:
        if step == "init":
            return self._begin(bot, body)
        upload = self._uploads.get(str(body.get("upload_id")))
        if upload is None or self._context.clock() - upload.at > self._context.limits.upload_seconds:
            raise ApiError(40058, "invalid upload_id")
        if step == "chunk":
            return self._chunk(upload, body)
        data = b"".join(upload.chunks.get(index, b"") for index in range(upload.total))
        if len(upload.chunks) != upload.total or len(data) != upload.size:
            raise ApiError(40058, "chunks missing")
        if upload.md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != upload.md5:
            raise ApiError(40058, "md5 mismatch")
        made = self._media.keep(upload.kind, upload.name, data, bot.bot_id)
        return {"type": made.kind, "media_id": made.media_id, "created_at": str(self._context.now())}

    def _begin(self, bot: Aibot, body: Json) -> Json:
        limits, size, total = self._context.limits, int(body["total_size"]), int(body["total_chunks"])
        kind, name = str(body.get("type")), str(body.get("filename"))
        if kind not in LARGEST or not 5 <= size <= LARGEST[kind] or not 1 <= total <= limits.chunks:
            raise ApiError(40058, "parameter invalid")
        if len(name.encode()) > 256:
            raise ApiError(40058, "filename too long")
        if not self._uploading.admit(bot.bot_id):
            raise ApiError(limits.over_quota, "upload quota")
        upload_id = self._context.serial("UP-")
        self._uploads[upload_id] = Upload(kind, name, size, total, str(body.get("md5") or ""), self._context.clock())
        return {"upload_id": upload_id}

    def _chunk(self, upload: Upload, body: Json) -> Json:
        index = int(body["chunk_index"])
        try:
            data = base64.b64decode(body["base64_data"], validate=True)
        except binascii.Error:
            raise ApiError(40058, "base64_data") from None
        if not 0 <= index < upload.total or len(data) > self._context.limits.chunk_bytes:
            raise ApiError(40058, "chunk invalid")
        upload.chunks[index] = data
        return {}
