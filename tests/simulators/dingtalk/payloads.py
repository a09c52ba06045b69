"""The bodies of robot messages in all the shapes that have been seen, tidy and untidy."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulators.dingtalk.context import Json
from tests.simulators.dingtalk.world import App, Group, Person


def text(content: str) -> Json:
    return {"msgtype": "text", "text": {"content": content}}


def picture(code: str) -> Json:
    return {"msgtype": "picture", "content": {"downloadCode": code, "pictureDownloadCode": f"p-{code}"}}


def rich_text(*items: Json) -> Json:
    return {"msgtype": "richText", "content": {"richText": list(items)}}


def rich_picture(code: str) -> Json:
    return {"type": "picture", "downloadCode": code, "pictureDownloadCode": f"p-{code}"}


def rich_mention(name: str, user_id: str) -> Json:
    return {"atName": name, "atUserId": user_id, "msgType": "at", "content": f"@{name}"}


def audio(code: str, recognition: str, duration: object = 4000) -> Json:
    return {"msgtype": "audio", "content": {"downloadCode": code, "duration": duration, "recognition": recognition}}


def video(code: str, duration: object = "5") -> Json:
    return {"msgtype": "video", "content": {"downloadCode": code, "duration": duration, "videoType": "mp4"}}


def file(code: str, name: str) -> Json:
    content = {"downloadCode": code, "fileName": name, "fileId": "117", "spaceId": "223"}
    return {"msgtype": "file", "content": content}


def unknown(words: str = "(机器人暂不支持接收此类消息)") -> Json:
    return {"msgtype": "unknownMsgType", "content": {"unknownMsgType": words}}


def quota_used_up() -> Json:
    """The month is over: the message arrives without its content."""
    return {"msgtype": "text", "errorCode": 20001, "errorMessage": "本月消息额度已用完"}


def quoting(content: Json, *, msg_id: str, said: str, sender_id: str, created_ms: int) -> Json:
    """A text that quotes an earlier message, in the undocumented shape seen in the field."""
    replied = {
        "msgType": "text",
        "msgId": msg_id,
        "senderId": sender_id,
        "createdAt": created_ms,
        "content": {"text": said},
    }
    return {
        **content,
        "text": {**content["text"], "isReplyMsg": True, "repliedMsg": replied},
        "originalMsgId": msg_id,
    }


def message(
    app: App,
    sender: Person,
    group: Group | None,
    content: Json,
    *,
    msg_id: str,
    now_ms: int,
    mentioned: Sequence[Person],
) -> Json:
    """The whole body around one content, without the session webhook."""
    body: Json = {
        "senderPlatform": "Win",
        "conversationId": group.conversation_id if group else f"cid-direct-{sender.user_id}",
        "conversationType": "2" if group else "1",
        "openThreadId": group.conversation_id if group else f"cid-direct-{sender.user_id}",
        "msgId": msg_id,
        "createAt": now_ms,
        "senderId": sender.sender_id,
        "senderNick": sender.name,
        "senderCorpId": app.corp_id,
        "isAdmin": sender.admin,
        "chatbotCorpId": app.corp_id,
        "chatbotUserId": app.chatbot_user_id,
        "robotCode": app.robot_code,
        **content,
    }
    if app.published and not sender.outsider:
        body["senderStaffId"] = sender.user_id
    if group:
        body |= {"conversationTitle": group.title, "isInAtList": True, "atUsers": _at_users(app, mentioned)}
    return body


def _at_users(app: App, mentioned: Sequence[Person]) -> list[Json]:
    robot = {"dingtalkId": app.chatbot_user_id, "staffId": "", "unionId": ""}
    people = [
        {"dingtalkId": person.sender_id, "staffId": "" if person.outsider else person.user_id} for person in mentioned
    ]
    return [robot, *people]
