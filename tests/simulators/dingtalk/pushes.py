"""Pushing to stream connections: one at random, lost when nobody is there, pushed again when nobody answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.gateway import Gateway
from tests.simulators.dingtalk.stream import Ack, Connection
from tests.simulators.dingtalk.world import App

ROBOT_TOPIC = "/v1.0/im/bot/messages/get"
CARD_TOPIC = "/v1.0/card/instances/callback"


@dataclass(eq=False)
class Push:
    """One thing to deliver, however often it is tried."""

    app: App
    kind: str
    topic: str
    data: Json
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    message_ids: list[str] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    acked_at: list[float] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def lost(self) -> bool:
        """No connection was there to take it."""
        return not self.message_ids

    @property
    def succeeded(self) -> bool:
        return any(_good(self.kind, ack) for ack in self.acks)

    @property
    def response(self) -> Json | None:
        """The `response` member of the first good answer."""
        for ack in self.acks:
            if _good(self.kind, ack):
                answer = json.loads(ack.get("data") or "{}")
                response = answer.get("response") if isinstance(answer, dict) else None
                return response if isinstance(response, dict) else None
        return None


def _good(kind: str, ack: Ack) -> bool:
    if ack.get("code") != 200:
        return False
    if kind != "EVENT":
        return True
    try:
        data = json.loads(ack.get("data") or "{}")
    except ValueError:
        return True
    return not (isinstance(data, dict) and data.get("status") == "LATER")


class Pushes:
    """Sends pushes and matches the answers by message id."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.gateway = Gateway(context, self._acknowledged)
        self._waiting: dict[str, Push] = {}
        self._held: list[Push] | None = None
        self.all: list[Push] = []
        self.stray_acks: list[Ack] = []

    async def push(self, push: Push) -> Push:
        """Deliver now, or keep back while a test holds the line to change the order."""
        self.all.append(push)
        if self._held is not None:
            self._held.append(push)
        else:
            await self.attempt(push)
        return push

    async def attempt(self, push: Push) -> None:
        """One delivery, with a new message id each time; nobody there: it is dropped."""
        choices = self._context_choices(push)
        if not choices:
            return
        connection = self._context.rng.choice(choices)
        message_id = self._context.serial("frame-")
        push.message_ids.append(message_id)
        push.connections.append(connection)
        self._waiting[message_id] = push
        await connection.send(self._frame(push, connection, message_id))
        self._plan_redelivery(push)

    def hold(self) -> None:
        self._held = []

    async def release(self, order: Callable[[list[Push]], list[Push]] = lambda held: list(reversed(held))) -> None:
        """Deliver what was held, by default in the wrong order."""
        held, self._held = self._held or [], None
        for push in order(held):
            await self.attempt(push)

    def _context_choices(self, push: Push) -> list[Connection]:
        return self.gateway.eligible(push.app, push.kind, push.topic)

    def _frame(self, push: Push, connection: Connection, message_id: str) -> Json:
        headers = {
            "appId": f"app-of-{push.app.client_id}",
            "connectionId": connection.id,
            "contentType": "application/json",
            "messageId": message_id,
            "time": str(self._context.now_ms()),
            "topic": push.topic,
            **push.extra_headers,
        }
        data = json.dumps(push.data, ensure_ascii=False)
        return {"specVersion": "1.0", "type": push.kind, "headers": headers, "data": data}

    def _plan_redelivery(self, push: Push) -> None:
        limits = self._context.limits
        after = limits.redeliver_events_after if push.kind == "EVENT" else limits.redeliver_callbacks_after
        if push.topic == CARD_TOPIC or after is None or len(push.message_ids) > limits.redeliver_at_most:
            return

        async def again() -> None:
            if not push.succeeded:
                await self.attempt(push)

        self._context.schedule.after(after, again)

    def _acknowledged(self, ack: Ack) -> None:
        push = self._waiting.pop(ack["headers"]["messageId"], None)
        if push is None:
            self.stray_acks.append(ack)
            return
        push.acks.append(ack)
        push.acked_at.append(self._context.clock())
        push.answered.set()
