"""After the send: recalling messages and asking who has read them."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import invalid
from tests.simulators.dingtalk.robot_messages import RobotMessages, Sent, check_robot
from tests.simulators.dingtalk.world import App


class Receipts:
    """groupMessages/recall and query, otoMessages/batchRecall (lower case!), oToMessages/readStatus."""

    def __init__(self, context: Context, messages: RobotMessages, app_of: Callable[[web.Request], App]) -> None:
        self._context, self._messages, self._app_of = context, messages, app_of

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1.0/robot/groupMessages/recall", self._recall_group),
            web.post("/v1.0/robot/otoMessages/batchRecall", self._recall_direct),
            web.post("/v1.0/robot/groupMessages/query", self._query_group),
            web.get("/v1.0/robot/oToMessages/readStatus", self._query_direct),
        ]

    async def _recall_group(self, request: web.Request) -> web.Response:
        return await self._recall(request, group=True)

    async def _recall_direct(self, request: web.Request) -> web.Response:
        return await self._recall(request, group=False)

    async def _recall(self, request: web.Request, *, group: bool) -> web.Response:
        body: Json = await request.json()
        app = check_robot(self._app_of(request), body)
        keys = body.get("processQueryKeys")
        if not isinstance(keys, list) or not 0 < len(keys) <= self._context.limits.keys_per_recall:
            raise invalid("invalidParameter.processQueryKeys")
        done, failed = [], {}
        for key in keys:
            reason = self._why_not(self._messages.sent.get(key), app, group)
            if reason:
                failed[key] = reason
            else:
                self._context.ledger.recall(self._messages.sent[key].seen)
                done.append(key)
        return web.json_response({"successResult": done, "failedResult": failed})

    def _why_not(self, sent: Sent | None, app: App, group: bool) -> str:
        if sent is None or sent.group is not group:
            return "processQueryKey.notExist"
        if sent.app is not app:
            return "robotCode.notMatch"
        too_old = self._context.clock() - sent.at > self._context.limits.recall_seconds
        return "processQueryKey.expireTime" if too_old else ""

    async def _query_group(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        app = check_robot(self._app_of(request), body)
        sent = self._ready(str(body.get("processQueryKey")), app)
        readers = sorted({user for seen in sent.seen for user in seen.read_by})
        start = int(body.get("nextToken") or 0)
        size = min(int(body.get("maxResults") or 200), 200)
        more = start + size < len(readers)
        answer: Json = {
            "sendStatus": _status(sent), "readUserIds": readers[start : start + size], "hasMore": more,
        }  # fmt: skip
        return web.json_response({**answer, "nextToken": str(start + size)} if more else answer)

    async def _query_direct(self, request: web.Request) -> web.Response:
        app = check_robot(self._app_of(request), dict(request.query))
        sent = self._ready(request.query.get("processQueryKey", ""), app)
        if self._context.clock() - sent.at > self._context.limits.read_status_seconds:
            raise invalid("processQueryKey.expireTime")
        infos = [self._info(seen.place.removeprefix("direct:"), seen.read_by) for seen in sent.seen]
        return web.json_response({"sendStatus": _status(sent), "messageReadInfoList": infos})

    def _info(self, user: str, read_by: set[str]) -> Json:
        name = self._context.world.people[user].name
        return {"name": name, "userId": user, "readStatus": "READ" if user in read_by else "UNREAD", "readTimestamp": 0}

    def _ready(self, key: str, app: App) -> Sent:
        sent = self._messages.sent.get(key)
        if sent is None or sent.app is not app:
            raise invalid("processQueryKey.expireTime", "not generated yet or expired")
        young = self._context.clock() - sent.at < self._context.limits.key_ready_after
        if young and not sent.asked_early:
            sent.asked_early = True
            raise invalid("processQueryKey.expireTime", "not generated yet or expired")
        return sent


def _status(sent: Sent) -> str:
    return "RECALLED" if sent.seen and all(seen.recalled for seen in sent.seen) else "SUCCESS"
