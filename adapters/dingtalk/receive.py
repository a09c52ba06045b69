"""Robot messages, from their JSON to an :class:`Incoming`. Lenient in everything but who, where and which message."""

import re
from collections.abc import Iterable
from datetime import datetime

from adapters.dingtalk.frames import BadPayload, Json, moment
from storage.messages import Address, Attachment, Incoming, Quote, Sender

PLATFORM = "dingtalk"
QUOTA_HINT = "quota_used_up"
_SPACES = re.compile(r"[\u00a0\u2000-\u200a\u202f\u205f\u3000\t ]+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff]")
KINDS = {"audio": "audio", "video": "video", "file": "file"}


def read_message(body: Json, robot_code: str, now: datetime) -> Incoming:
    """What a person wrote. ``robot_code`` stands in where the payload has none. BadPayload when it cannot be placed."""
    msg_id, conversation = _text(body, "msgId"), _text(body, "conversationId")
    if not msg_id or not conversation:
        raise BadPayload("msgId or conversationId missing")
    sender = _sender(body)
    text, attachments = _content(body)
    return Incoming(
        platform=PLATFORM,
        account=_text(body, "robotCode") or robot_code,
        message_id=msg_id,
        conversation=_address(body, sender),
        sender=sender,
        text=text,
        written_at=min(moment(body.get("createAt")) or now, now),
        conversation_name=_text(body, "conversationTitle"),
        attachments=tuple(attachments),
        quote=_quote(body),
        hints={QUOTA_HINT: "1"} if _quota_used_up(body) else {},
    )


def clean(text: str) -> str:
    """Without invisible characters and surplus space; the lines stay."""
    lines = (_SPACES.sub(" ", line).strip() for line in _INVISIBLE.sub("", text).splitlines())
    return "\n".join(lines).strip().replace("＠", "@")


def _sender(body: Json) -> Sender:
    """A staff id proves who it is; outsiders and unpublished robots have none, and prove nothing."""
    staff, encrypted = _text(body, "senderStaffId"), _text(body, "senderId")
    if not staff and not encrypted:
        raise BadPayload("no sender")
    return Sender(account=staff or encrypted, name=_text(body, "senderNick"), verified=bool(staff))


def _address(body: Json, sender: Sender) -> Address:
    if str(body.get("conversationType")) == "2":
        return Address(platform=PLATFORM, kind="group", id=_text(body, "conversationId"))
    return Address(platform=PLATFORM, kind="direct", id=sender.account)


def _content(body: Json) -> tuple[str, list[Attachment]]:
    """Words and attachments of any message type; an unknown one has neither."""
    kind, content = _text(body, "msgtype"), _object(body, "content")
    if kind == "richText":
        return _rich_text(content)
    if kind == "picture":
        return "", list(_pictures([content]))
    if kind in KINDS:
        ref, name = _text(content, "downloadCode"), _text(content, "fileName")
        attachment = Attachment.model_validate({"kind": KINDS[kind], "ref": ref, "name": name})
        return clean(_text(content, "recognition")), [attachment] if ref else []
    return clean(_text(_object(body, "text"), "content")), []


def _rich_text(content: Json) -> tuple[str, list[Attachment]]:
    raw = content.get("richText")
    items = [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []
    return clean("".join(_words(item) for item in items)), list(_pictures(items))


def _words(item: Json) -> str:
    """The words of one rich text item; a mention keeps its name, in front of which a space is due."""
    if _text(item, "atName"):
        return f" @{_text(item, 'atName').lstrip('@')} "
    return _text(item, "text") or ("" if _text(item, "downloadCode") else _text(item, "content"))


def _pictures(items: Iterable[Json]) -> Iterable[Attachment]:
    for item in items:
        ref = _text(item, "downloadCode") or _text(item, "pictureDownloadCode")
        if ref:
            yield Attachment(kind="image", ref=ref)


def _quote(body: Json) -> Quote | None:
    """The quoted message, in the shapes seen in the field; the key of our own send when it is one of ours."""
    replied = _object(_object(body, "text"), "repliedMsg") or _object(body, "quoteMessage")
    message_id = _text(body, "originalProcessQueryKey") or _text(body, "originalMsgId") or _text(replied, "msgId")
    if not replied and not message_id:
        return None
    content = _object(replied, "content") or _object(replied, "text")
    said = _text(content, "text") or _text(content, "content") or _text(content, "fileName")
    return Quote(message_id=message_id, text=clean(said or _rich_text(content)[0]))


def _quota_used_up(body: Json) -> bool:
    return any(str(body.get(key)) == "20001" for key in ("errorCode", "errCode", "errcode"))


def _text(body: Json, key: str) -> str:
    """The text or number under ``key``, without what no database stores: NUL and halves of surrogate pairs."""
    value = body.get(key)
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
    return str(value) if isinstance(value, int | float) else ""


def _object(body: Json, key: str) -> Json:
    value = body.get(key)
    return value if isinstance(value, dict) else {}
