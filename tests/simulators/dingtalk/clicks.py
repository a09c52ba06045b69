"""A finger on a card: the callback, its two seconds, and what the answer changes on that one screen."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.simulators.dingtalk.callbacks import Callbacks
from tests.simulators.dingtalk.cards import Card, Cards
from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.pushes import CARD_TOPIC, Push, Pushes


@dataclass(eq=False)
class Click:
    """One click; `succeeded` is what the person saw: no error toast within the deadline."""

    card: Card
    user_id: str
    data: Json
    at: float
    push: Push | None = None
    succeeded: bool = False
    failed: bool = False


def card_sign(secret: str, timestamp: str) -> str:
    """The signature of card callbacks in HTTP mode: over the timestamp alone."""
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode(), hashlib.sha256).digest()).decode()


class Clicks:
    """Sends callbacks and applies their answers."""

    def __init__(self, context: Context, cards: Cards, pushes: Pushes, callbacks: Callbacks) -> None:
        self._context, self._cards = context, cards
        self._pushes, self._callbacks = pushes, callbacks

    async def click(
        self, user_id: str, out_track_id: str, action: str, params: Mapping[str, str] | None = None, *,
        legacy: bool = False, times: int = 1,
    ) -> Click:  # fmt: skip
        """Press a button. `legacy` calls the field `value`; `times` 2 is the double click of an impatient thumb."""
        card = self._cards.cards[out_track_id]
        inner = {"cardPrivateData": {"actionIds": [action], "params": dict(params or {})}}
        kind, space_id = card.spaces[0]
        data: Json = {
            "type": "actionCallback", "outTrackId": out_track_id, "corpId": card.app.corp_id, "userId": user_id,
            "userIdType": 1, "spaceType": kind, "spaceId": space_id, "extension": "{}",
            "value" if legacy else "content": json.dumps(inner, ensure_ascii=False),
        }  # fmt: skip
        click = Click(card, user_id, data, self._context.clock())
        for _ in range(times):
            await self._send(click)
        return click

    async def settle(self, click: Click) -> Click:
        """Look at the answer, if there is one by now: applied in time, ignored when late."""
        if click.push is None or click.succeeded or click.failed:
            return click
        late = self._context.clock() - click.at > self._context.limits.card_deadline
        if click.push.succeeded and click.push.acked_at[0] - click.at <= self._context.limits.card_deadline:
            self._apply(click, click.push.response or {})
        elif late or click.push.lost:
            click.failed = True
        return click

    async def _send(self, click: Click) -> None:
        if click.card.callback_type == "STREAM":
            click.push = await self._pushes.push(Push(click.card.app, "CALLBACK", CARD_TOPIC, click.data))
        elif click.card.callback_type == "HTTP":
            await self._post(click)
        else:
            click.failed = True  # the classic: callbackType forgotten, nothing is ever called

    async def _post(self, click: Click) -> None:
        app = click.card.app
        url, secret = app.callback_routes.get(click.card.route_key, (app.card_url, app.card_secret))
        headers = {}
        if secret:
            stamp = str(self._context.now_ms())
            headers = {"x-ddpaas-signature-timestamp": stamp, "x-ddpaas-signature": card_sign(secret, stamp)}
        result = await self._callbacks.post(url, json.dumps(click.data).encode(), headers)
        if result.status == 200:
            self._apply(click, result.json or {})
        else:
            click.failed = True

    def _apply(self, click: Click, response: Json) -> None:
        click.succeeded = True
        for part in ("cardData", "userPrivateData"):
            params = (response.get(part) or {}).get("cardParamMap") or {}
            click.card.local.setdefault(click.user_id, {}).update(params)
