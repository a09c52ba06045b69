"""The robot's own sends through the OpenAPI: group and one-to-one, with everything the platform refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import ApiError, invalid
from tests.simulators.dingtalk.ledger import Seen, direct
from tests.simulators.dingtalk.world import App

MSG_KEYS: dict[str, tuple[str, ...]] = {
    "sampleText": ("content",),
    "sampleMarkdown": ("title", "text"),
    "sampleImageMsg": ("photoURL",),
    "sampleLink": ("text", "title", "picUrl", "messageUrl"),
    "sampleActionCard": ("title", "text", "singleTitle", "singleURL"),
    "sampleActionCard2": ("title", "text", "actionTitle1", "actionURL1", "actionTitle2", "actionURL2"),
    "sampleActionCard3": ("title", "text", "actionTitle3", "actionURL3"),
    "sampleActionCard4": ("title", "text", "actionTitle4", "actionURL4"),
    "sampleActionCard5": ("title", "text", "actionTitle5", "actionURL5"),
    "sampleActionCard6": ("title", "text", "buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"),
    "sampleAudio": ("mediaId", "duration"),
    "sampleFile": ("mediaId", "fileName", "fileType"),
    "sampleVideo": ("duration", "videoMediaId", "videoType", "picMediaId"),
}


@dataclass(eq=False)
class Sent:
    """What one process query key stands for."""

    key: str
    app: App
    at: float
    group: bool
    seen: list[Seen]
    asked_early: bool = False


class RobotMessages:
    """groupMessages/send and oToMessages/batchSend; `sent` is what recall and read status look into."""

    def __init__(self, context: Context, app_of: Callable[[web.Request], App]) -> None:
        self._context, self._app_of = context, app_of
        self.sent: dict[str, Sent] = {}
        self.flow_controlled: set[str] = set()
        self.filtered: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1.0/robot/groupMessages/send", self._group),
            web.post("/v1.0/robot/oToMessages/batchSend", self._one_to_one),
        ]

    async def _group(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        app = check_robot(self._app_of(request), body)
        content = self._content(body)
        group = self._context.world.groups.get(str(body.get("openConversationId")))
        if group is None:
            raise invalid("invalid.openConversationId")
        if group.disbanded:
            raise invalid("group.disbanded")
        sent = self._record(app, group=True)
        self._show(sent, group.conversation_id, "groupMessages", content)
        return web.json_response({"processQueryKey": sent.key})

    async def _one_to_one(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        app = check_robot(self._app_of(request), body)
        users = body.get("userIds")
        if not isinstance(users, list) or not users:
            raise invalid("invalidParameter.userIds.empty")
        if len(users) > self._context.limits.users_per_call:
            raise invalid("invalidParameter.userIds.overMax")
        content = self._content(body)
        unknown = [user for user in users if not self._known(user)]
        slow = [user for user in users if user in self.flow_controlled and user not in unknown]
        filtered = [user for user in users if user in self.filtered and user not in unknown]
        sent = self._record(app, group=False)
        for user in users:
            if user not in {*unknown, *slow, *filtered}:
                self._show(sent, direct(user), "oToMessages", content)
        answer = {"processQueryKey": sent.key, "invalidStaffIdList": unknown, "flowControlledStaffIdList": slow}
        return web.json_response({**answer, "filteredStaffIdList": filtered} if filtered else answer)

    def _known(self, user: object) -> bool:
        person = self._context.world.people.get(str(user))
        return person is not None and not person.outsider

    def _content(self, body: Json) -> Json:
        key, raw = body.get("msgKey"), body.get("msgParam")
        if key not in MSG_KEYS:
            raise invalid("invalidParameter.msgKey.invalid")
        if not isinstance(raw, str):
            raise invalid("invalidParameter.msgParam.invalid", "msgParam must be a string")
        if len(raw.encode()) > self._context.limits.msg_param_bytes:
            raise invalid("invalidParameter.msgParam.tooLong")
        try:
            content = json.loads(raw)
        except ValueError as error:
            raise invalid("invalidParameter.msgParam.invalid") from error
        if not isinstance(content, dict) or any(not content.get(need) for need in MSG_KEYS[key]):
            raise invalid("invalidParameter.msgParam.invalid")
        return {"msgKey": key, **content}

    def _record(self, app: App, *, group: bool) -> Sent:
        sent = Sent(self._context.serial("query/key+"), app, self._context.clock(), group, [])
        self.sent[sent.key] = sent
        return sent

    def _show(self, sent: Sent, place: str, via: str, content: Json) -> None:
        # No mentions here: the table of the platform says robot sends cannot @.
        text = content.get("text") or content.get("content") or content.get("mediaId") or content.get("photoURL") or ""
        seen = Seen(
            self._context.clock(), place, via, content["msgKey"], str(text), str(content.get("title") or ""),
            buttons=_buttons(content), key=sent.key,
        )  # fmt: skip
        sent.seen.append(self._context.ledger.show(seen))


def check_robot(app: App, body: Json) -> App:
    """The robot code has to be of the app whose token is used."""
    code = body.get("robotCode")
    if not code:
        raise invalid("invalidParameter.robotCode.notExsit")
    if code != app.robot_code:
        raise invalid("invalidParameter.robotCode.auth")
    if not app.published:
        raise ApiError(400, "chatbotId.notAllow.sendOTO")
    return app


def _buttons(content: Json) -> tuple[tuple[str, str], ...]:
    pairs = [("singleTitle", "singleURL"), *((f"actionTitle{n}", f"actionURL{n}") for n in range(1, 6))]
    pairs += [(f"buttonTitle{n}", f"buttonUrl{n}") for n in (1, 2)]
    return tuple((content[label], content[url]) for label, url in pairs if content.get(label) and content.get(url))
