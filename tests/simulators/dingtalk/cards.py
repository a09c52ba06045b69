"""Interactive cards: instances, their deliveries, and what each person sees of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import invalid
from tests.simulators.dingtalk.ledger import Seen, direct
from tests.simulators.dingtalk.world import App

SPACE = re.compile(r"^(IM_GROUP|IM_ROBOT)\.(.+)$")
Params = dict[str, str]


@dataclass(eq=False)
class Card:
    """One instance: data for all, data per person, and refreshes that only the clicker has."""

    out_track_id: str
    app: App
    template_id: str
    callback_type: str
    public: Params
    private: dict[str, Params]
    spaces: list[tuple[str, str]] = field(default_factory=list)
    local: dict[str, Params] = field(default_factory=dict)
    route_key: str = ""
    seen: list[Seen] = field(default_factory=list)

    def view(self, user_id: str) -> Params:
        return {**self.public, **self.private.get(user_id, {}), **self.local.get(user_id, {})}


class Cards:
    """createAndDeliver, create, deliver, update."""

    def __init__(self, context: Context, app_of: Callable[[web.Request], App]) -> None:
        self._context, self._app_of = context, app_of
        self.cards: dict[str, Card] = {}
        self.failing_spaces: dict[str, str] = {}
        """Space id → message: the delivery there fails inside an HTTP 200."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1.0/card/instances/createAndDeliver", self._create_and_deliver),
            web.post("/v1.0/card/instances", self._create_only),
            web.post("/v1.0/card/instances/deliver", self._deliver_only),
            web.put("/v1.0/card/instances", self._update),
            web.post("/v1.0/card/callbacks/register", self._register),
        ]

    async def _register(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        routes = self._app_of(request).callback_routes
        key, url = _text(body, "callbackRouteKey", "param.empty"), _text(body, "callbackUrl", "param.empty")
        if key in routes and not body.get("forceUpdate"):
            raise invalid("param.callbackRouteKeyExist")
        routes[key] = (url, str(body.get("apiSecret") or ""))
        return web.json_response({"success": True, "result": {"callbackUrl": url, "apiSecret": routes[key][1]}})

    async def _create_and_deliver(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        spaces = _spaces(body)
        card = self._create(self._app_of(request), body)
        results = [self._deliver(card, space, body) for space in spaces]
        answer = {"outTrackId": card.out_track_id, "deliverResults": results}
        return web.json_response({"success": True, "result": answer})

    async def _create_only(self, request: web.Request) -> web.Response:
        card = self._create(self._app_of(request), await request.json())
        return web.json_response({"success": True, "result": card.out_track_id})

    async def _deliver_only(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        card = self._find(body)
        results = [self._deliver(card, space, body) for space in _spaces(body)]
        return web.json_response({"success": True, "result": results})

    def _create(self, app: App, body: Json) -> Card:
        out_track_id = _text(body, "outTrackId", "param.outTrackIdEmpty")
        template = self._context.world.templates.get(_text(body, "cardTemplateId", "param.cardTemplateIdEmpty"))
        if template is None:
            raise invalid("param.templateNotExist")
        if not template.published:
            raise invalid("param.templateUnpublished")
        if out_track_id in self.cards:
            raise invalid("param.cardAlreadyExist")
        public = self._params(body.get("cardData"), "param.empty")
        private = self._private(body)
        card = Card(out_track_id, app, template.template_id, str(body.get("callbackType") or ""), public or {}, private)
        card.route_key = str(body.get("callbackRouteKey") or "")
        self.cards[out_track_id] = card
        return card

    def _deliver(self, card: Card, space: tuple[str, str], body: Json) -> Json:
        kind, space_id = space
        result: Json = {"spaceType": kind, "spaceId": space_id, "success": False, "carrierId": "", "errorMsg": ""}
        model = body.get("imGroupOpenDeliverModel" if kind == "IM_GROUP" else "imRobotOpenDeliverModel")
        if not isinstance(model, dict):
            raise invalid("param.openDeliverModelEmpty")
        if kind == "IM_GROUP" and model.get("robotCode") != card.app.robot_code:
            raise invalid("param.openDeliverModelError")
        known = self._context.world.groups if kind == "IM_GROUP" else self._context.world.people
        reason = self.failing_spaces.get(space_id) or ("" if space_id in known else "spaceId is illegal")
        if reason:
            return {**result, "errorMsg": reason}
        seen = self._show(card, kind, space_id, model)
        return {**result, "success": True, "carrierId": seen.key}

    def _show(self, card: Card, kind: str, space_id: str, model: Json) -> Seen:
        at = dict(model.get("atUserIds") or {})
        only = model.get("recipients")
        seen = Seen(
            self._context.clock(), space_id if kind == "IM_GROUP" else direct(space_id), "card", "card",
            _words(card.public), key=self._context.serial("carrier-"), card=card.out_track_id,
            mentions=tuple(user for user in at if user != "@ALL"), mention_all="@ALL" in at,
            only=frozenset(only) if only else None,
        )  # fmt: skip
        card.spaces.append((kind, space_id))
        card.seen.append(self._context.ledger.show(seen))
        return seen

    async def _update(self, request: web.Request) -> web.Response:
        body: Json = await request.json()
        card = self._find(body)
        options = body.get("cardUpdateOptions") or {}
        public = self._params(body.get("cardData"), "")
        private = self._private(body)
        if public is None and not private:
            raise invalid("param.cardDataAndPrivateDataBothEmpty")
        if public is not None:
            # Without the option the whole data is replaced, which is the classic way to lose a card's title.
            card.public = {**card.public, **public} if options.get("updateCardDataByKey") else public
            card.local.clear()
        for user, params in private.items():
            kept = card.private.get(user, {}) if options.get("updatePrivateDataByKey") else {}
            card.private[user] = {**kept, **params}
        for seen in card.seen:
            seen.text = _words(card.public)
        return web.json_response({"success": True, "result": True})

    def _find(self, body: Json) -> Card:
        card = self.cards.get(_text(body, "outTrackId", "param.outTrackIdEmpty"))
        if card is None:
            raise invalid("param.cardNotExist")
        return card

    def _private(self, body: Json) -> dict[str, Params]:
        data = body.get("privateData") or {}
        return {str(user): self._params(part, "param.invalid") or {} for user, part in data.items()}

    def _params(self, data: object, missing: str) -> Params | None:
        """The string map inside `data`; a value that is no string is refused, as on the platform."""
        params = data.get("cardParamMap") if isinstance(data, dict) else None
        if params is None:
            if missing:
                raise invalid(missing)
            return None
        limits = self._context.limits
        for key, value in params.items():
            if not isinstance(value, str):
                raise invalid("param.invalid", f"{key} is not a string")
            if len(key.encode()) > limits.card_key_bytes or len(value.encode()) > limits.card_value_bytes:
                raise invalid("param.invalid", f"{key} is too long")
        return dict(params)


def _text(body: Json, key: str, code: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise invalid(code)
    return value


def _spaces(body: Json) -> list[tuple[str, str]]:
    """The parts of `dtv1.card//IM_GROUP.cid…;IM_ROBOT.user…`."""
    space = _text(body, "openSpaceId", "param.openSpaceIdEmpty")
    if not space.startswith("dtv1.card//"):
        raise invalid("param.openSpaceIdInvalid")
    found = []
    for part in space.removeprefix("dtv1.card//").split(";"):
        match = SPACE.match(part)
        if match is None:
            raise invalid("param.openSpaceIdInvalid")
        found.append((match[1], match[2]))
    return found


def _words(params: Params) -> str:
    return "\n".join(f"{key}: {value}" for key, value in params.items())
