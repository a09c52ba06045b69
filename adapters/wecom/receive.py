"""What people write, from XML or JSON to an :class:`Incoming`.

Lenient in everything but who, where and which message.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from adapters.wecom.fields import BadPayload, Json, items, moment, part, text
from adapters.wecom.words import words
from storage.messages import Address, Attachment, Incoming, Quote, Sender

PLATFORM = "wecom"
APP_REF, BOT_REF = "app:", "aibot:"
"""What an attachment's ref begins with: a media id, or the key and address of an encrypted file."""
_SPACES = re.compile(r"[\u00a0\u2000-\u200a\u202f\u205f\u3000\t ]+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff]")
_LEADING_MENTION = re.compile(r"^\s*@[^\s@]+\s*")
_MENTION = re.compile(r"(?:^|\s)@[^\s@]+(?=\s|$)")
_MEDIA = {"image": "image", "voice": "audio", "video": "video", "file": "file"}


def clean(raw: str) -> str:
    """Without invisible characters and surplus space; the lines stay."""
    lines = (_SPACES.sub(" ", line).strip() for line in _INVISIBLE.sub("", raw).splitlines())
    return "\n".join(lines).strip().replace("＠", "@")


# ---- the self-built app


def read_app(body: Json, corp_id: str, agent_id: int, now: datetime) -> Incoming:
    """A message to the app in its own session. BadPayload when it cannot be placed or is for somebody else."""
    check_receiver(body, corp_id, agent_id)
    user, msg_id = text(body, "FromUserName"), text(body, "MsgId")
    if not user or not msg_id:
        raise BadPayload("FromUserName or MsgId missing")
    said, attachments = _app_content(body)
    return Incoming(
        platform=PLATFORM,
        account=app_account(corp_id, agent_id),
        message_id=msg_id,
        conversation=direct(user),
        sender=Sender(account=user),
        text=said,
        written_at=min(moment(body.get("CreateTime")) or now, now),
        attachments=tuple(attachments),
    )


def check_receiver(body: Json, corp_id: str, agent_id: int) -> None:
    """The envelope may be right and the letter for somebody else all the same."""
    if text(body, "ToUserName") != corp_id or text(body, "AgentID") not in ("", str(agent_id)):
        raise BadPayload("wrong corp or agent")


def app_account(corp_id: str, agent_id: int) -> str:
    """The bot's own identity as an app."""
    return f"{corp_id}:{agent_id}"


def direct(user: str) -> Address:
    """One person's chat, with the app or the robot: people do not tell them apart."""
    return Address(platform=PLATFORM, kind="direct", id=user)


def _app_content(body: Json) -> tuple[str, list[Attachment]]:
    """Words and attachments of any message type; an unknown one has neither."""
    kind = text(body, "MsgType")
    if kind in _MEDIA:
        ref, name = text(body, "MediaId"), text(body, "FileName")
        found = [_attachment(_MEDIA[kind], APP_REF + ref, name)] if ref else []
        return clean(text(body, "Recognition")), found
    if kind == "location":
        place = clean(text(body, "Label")) or f"{text(body, 'Location_X')},{text(body, 'Location_Y')}"
        return words("message.location", place=place), []
    if kind == "link":
        return clean(f"{text(body, 'Title')} {text(body, 'Url')}"), []
    return clean(text(body, "Content")), []


def _attachment(kind: str, ref: str, name: str = "") -> Attachment:
    return Attachment.model_validate({"kind": kind, "ref": ref, "name": name})


# ---- the intelligent robot


def read_aibot(body: Json, bot_id: str, now: datetime) -> Incoming:
    """A message to the robot, in a group with its mention taken off. BadPayload when it cannot be placed."""
    user, place = placed(body, bot_id)
    msg_id = text(body, "msgid")
    if not msg_id or text(body, "msgtype") in ("event", "stream"):
        raise BadPayload("msgid missing, or no message")
    said, attachments = _aibot_content(body)
    return Incoming(
        platform=PLATFORM,
        account=bot_id,
        message_id=msg_id,
        conversation=place,
        sender=Sender(account=user),
        text=without_mention(said) if place.kind == "group" else said,
        written_at=min(moment(body.get("create_time")) or now, now),
        attachments=tuple(attachments),
        quote=_quote(part(body, "quote")),
    )


def placed(body: Json, bot_id: str) -> tuple[str, Address]:
    """Who, and in which conversation."""
    user = text(part(body, "from"), "userid")
    if not user or text(body, "aibotid") not in ("", bot_id):
        raise BadPayload("sender missing or another robot")
    if text(body, "chattype") != "group":
        return user, direct(user)
    chat = text(body, "chatid")
    if not chat:
        raise BadPayload("chatid missing")
    return user, Address(platform=PLATFORM, kind="group", id=chat)


def without_mention(said: str) -> str:
    """Without the mention that brought it here: the leading one, else the only one."""
    rest = _LEADING_MENTION.sub("", said, count=1)
    if rest == said and len(_MENTION.findall(said)) == 1:
        rest = _MENTION.sub("", said)
    return rest.strip()


def _aibot_content(body: Json) -> tuple[str, list[Attachment]]:
    kind = text(body, "msgtype")
    if kind == "mixed":
        parts = items(part(body, "mixed"), "msg_item")
        said = "\n".join(text(part(item, "text"), "content") for item in parts if text(item, "msgtype") == "text")
        return clean(said), list(_files(item for item in parts if text(item, "msgtype") == "image"))
    said = clean(text(part(body, kind), "content")) if kind in ("text", "voice") else ""
    return said, list(_files([body])) if kind in ("image", "file", "video") else []


def _files(bodies: Iterable[Json]) -> Iterable[Attachment]:
    for body in bodies:
        kind = text(body, "msgtype")
        file = part(body, kind)
        if url := text(file, "url"):
            yield _attachment(_MEDIA[kind], f"{BOT_REF}{text(file, 'aeskey')}:{url}", text(file, "filename"))


def _quote(quoted: Json) -> Quote | None:
    """The quoted words; the platform does not say which message they are from."""
    said = _aibot_content(quoted)[0] if quoted else ""
    return Quote(text=said) if said else None
