"""The stream gateway: registration with single-use tickets, and the WebSocket upgrade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import ApiError
from tests.simulators.dingtalk.stream import Ack, Connection, State, Topics
from tests.simulators.dingtalk.world import App

KINDS = {"SYSTEM", "EVENT", "CALLBACK"}


@dataclass
class Ticket:
    app: App
    topics: Topics
    expires_at: float


class Gateway:
    """Keeps tickets and connections; who gets a push is decided in `pushes`."""

    def __init__(self, context: Context, on_ack: Callable[[Ack], None]) -> None:
        self._context = context
        self._on_ack = on_ack
        self._tickets: dict[str, Ticket] = {}
        self.connections: list[Connection] = []
        self.registrations: list[Json] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1.0/gateway/connections/open", self._open), web.get("/connect", self._connect)]

    def live(self, client_id: str | None = None) -> list[Connection]:
        """Connections that really deliver, oldest first."""
        return [
            connection
            for connection in self.connections
            if connection.state is State.LIVE and client_id in (None, connection.app.client_id)
        ]

    def eligible(self, app: App, kind: str, topic: str) -> list[Connection]:
        """Connections the server believes in: live ones, and dead ones it has not noticed yet."""
        return [
            connection
            for connection in self.connections
            if connection.app is app and connection.wants(kind, topic) and self._believed(connection)
        ]

    def _believed(self, connection: Connection) -> bool:
        if connection.state is State.DEAD:
            ghost = self._context.limits.ghost_seconds
            return connection.died_at is not None and self._context.clock() < connection.died_at + ghost
        return connection.state is not State.LEAVING

    async def _open(self, request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        if self._context.limits.require_json_accept and "application/json" not in accept:
            return web.Response(text="<OpenConnectionResponse/>", content_type="application/xml")
        body: Json = await request.json()
        app = self._context.world.apps.get(str(body.get("clientId")))
        if app is None or app.client_secret != body.get("clientSecret"):
            raise ApiError(401, "authFailed", "鉴权失败")
        topics = _topics(body.get("subscriptions"))
        ticket = self._context.serial("ticket/+")
        self._tickets[ticket] = Ticket(app, topics, self._context.clock() + self._context.limits.ticket_seconds)
        self.registrations.append({**body, "clientSecret": "***"})
        endpoint = self._context.base_url.replace("http://", "ws://") + "/connect"
        return web.json_response({"endpoint": endpoint, "ticket": ticket})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        ticket = self._tickets.pop(request.query.get("ticket", ""), None)
        if ticket is None or ticket.expires_at <= self._context.clock():
            return web.Response(status=400, text="invalid ticket")
        socket = web.WebSocketResponse(autoping=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(
            self._context, ticket.app, ticket.topics, socket, request, self._on_ack,
            id=self._context.serial("connection-"), opened_at=self._context.clock(),
        )  # fmt: skip
        for topic in self._context.limits.greetings:
            await connection.send_system(topic, {})
        self.connections.append(connection)
        connection.start_timers()
        await connection.read()
        return socket


def _topics(subscriptions: object) -> Topics:
    if not isinstance(subscriptions, list) or not subscriptions:
        raise ApiError(400, "invalidParameter.subscriptions")
    topics: set[tuple[str, str]] = set()
    for entry in subscriptions:
        kind, topic = str(entry.get("type")), str(entry.get("topic"))
        if kind not in KINDS or (kind == "EVENT" and topic != "*"):
            raise ApiError(400, "invalidParameter.subscriptions", f"{kind} {topic}")
        topics.add((kind, topic))
    return frozenset(topics)
