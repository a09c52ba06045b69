"""DING: in the app, by SMS, by phone call; with an edition that has it and a quota that ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import NO_SCOPE, ApiError, invalid
from tests.simulators.dingtalk.ledger import Seen, direct
from tests.simulators.dingtalk.robot_messages import check_robot
from tests.simulators.dingtalk.world import App

WAYS = {1: "ding:app", 2: "ding:sms", 3: "ding:phone"}
VOICES = {
    "Standard_Female_Voice", "Cantonese_Female_Voice", "Gentine_Female_Voice",
    "Overbearing_Female_Voice", "Lovely_Girl_Voice", "Standard_Male_Voice",
}  # fmt: skip


@dataclass(eq=False)
class Ding:
    ding_id: str
    app: App
    seen: list[Seen]


class Dings:
    """ding/send, ding/recall, ding/readStatuses/query."""

    def __init__(self, context: Context, app_of: Callable[[web.Request], App]) -> None:
        self._context, self._app_of = context, app_of
        self._used = {1: 0, 2: 0, 3: 0}
        self.unreachable: dict[str, str] = {}
        """User id → reason: they come back in `failedList`, inside HTTP 200."""
        self.dings: dict[str, Ding] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1.0/robot/ding/send", self._send),
            web.post("/v1.0/robot/ding/recall", self._recall),
            web.post("/v1.0/robot/ding/readStatuses/query", self._read),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        app = self._allowed(request, body)
        way, users = self._check(body)
        failed: dict[str, list[str]] = {}
        ding = Ding(self._context.serial("ding-"), app, [])
        for user in users:
            reason = self.unreachable.get(user) or ("" if user in self._context.world.people else "miss.staffId")
            if reason:
                failed.setdefault(reason, []).append(user)
                continue
            self._used[way] += 1
            seen = Seen(self._context.clock(), direct(user), WAYS[way], "ding", str(body["content"]), key=ding.ding_id)
            ding.seen.append(self._context.ledger.show(seen))
        self.dings[ding.ding_id] = ding
        return web.json_response({"openDingId": ding.ding_id, "failedList": failed})

    def _allowed(self, request: web.Request, body: Json) -> App:
        app = self._app_of(request)
        if not self._context.limits.ding_edition:
            detail = {"requiredScopes": ["Premium.Ding.Write"]}
            raise ApiError(403, NO_SCOPE, "edition without DING", accessdenieddetail=detail)
        return check_robot(app, body)

    def _check(self, body: Json) -> tuple[int, list[str]]:
        way, users = body.get("remindType"), body.get("receiverUserIdList")
        if way not in WAYS:
            raise invalid("send.ding.exception", "remindType")
        if not isinstance(users, list) or not users:
            raise invalid("miss.staffId")
        if len(users) > self._context.limits.ding_receivers[way - 1]:
            raise invalid("ding.receivercount.limit")
        if not body.get("content") or body.get("callVoice", "Standard_Female_Voice") not in VOICES:
            raise invalid("send.ding.exception", "content or callVoice")
        quota = self._context.limits.ding_quota[way - 1]
        if quota is not None and self._used[way] + len(users) > quota:
            raise invalid("ding.serverquota.insufficient")
        return way, [str(user) for user in users]

    async def _recall(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        ding = self._find(self._allowed(request, body), body)
        self._context.ledger.recall(ding.seen)
        return web.json_response({"openDingId": ding.ding_id})

    async def _read(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        ding = self._find(self._allowed(request, body), body)
        infos = []
        for seen in ding.seen:
            user = seen.place.removeprefix("direct:")
            infos.append({"userId": user, "readStatus": "READ" if user in seen.read_by else "UNREAD"})
        return web.json_response({"success": True, "result": {"robotDingReadInfoList": infos}})

    def _find(self, app: App, body: Json) -> Ding:
        ding = self.dings.get(str(body.get("openDingId")))
        if ding is None or ding.app is not app:
            raise invalid("send.ding.exception", "openDingId")
        return ding
