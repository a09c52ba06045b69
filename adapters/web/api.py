"""The read API: ``GET /api/v1/{meetings,faults,obligations,deliveries,audit}`` as the contract says.

Newest first. ``limit`` (1 to 1000, default 100; more is cut to 1000), ``after`` (the ``next`` of the page before), and
a filter for any field of the row: equal for plain fields, "holds it" for lists; a repeated filter means any of its
values, an empty one "not set".
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel, or_, select

from adapters.web.filters import BadQuery, condition, whole
from storage.models import AuditEntry, Delivery, Fault, Meeting, Obligation
from storage.work import Ground

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
PAGING = frozenset({"limit", "after"})
JSON = "application/json"
HIDDEN = frozenset({"message", "hints", "render_args", "renderer", "lease_owner", "lease_until", "dedupe_key", "fence"})
"""Machinery, and fields that may carry secrets (session webhooks)."""

dumps = partial(json.dumps, ensure_ascii=False)


@dataclass(frozen=True)
class Resource:
    """A table of the API. ``key`` is the cursor and makes the order total; ``newest``, if any, is ordered by first."""

    model: type[SQLModel]
    key: str
    newest: str = ""

    @property
    def fields(self) -> list[str]:
        """The fields of a row."""
        return [name for name in self.model.model_fields if name not in HIDDEN]


RESOURCES: Mapping[str, Resource] = {
    "meetings": Resource(Meeting, "number", "created_at"),
    "faults": Resource(Fault, "number", "created_at"),
    "obligations": Resource(Obligation, "id"),
    "deliveries": Resource(Delivery, "id"),
    "audit": Resource(AuditEntry, "id"),
}


class ReadApi:
    """The routes. An empty token in the configuration closes the API (403)."""

    def __init__(self, ground: Ground) -> None:
        self._database = ground.database
        self._token = ground.settings.web.api_token.get_secret_value()
        self._zone = ZoneInfo(ground.settings.timezone)

    def routes(self) -> list[web.RouteDef]:
        """What the application adds."""
        return [web.get("/api/v1/{resource}", self.answer)]

    async def answer(self, request: web.Request) -> web.Response:
        """One page of one table."""
        if not self._token:
            return _error(403, "the API is closed: web.api_token is not set")
        if not self._admitted(request):
            response = _error(401, "a valid bearer token is needed")
            response.headers["WWW-Authenticate"] = 'Bearer realm="huibao"'
            return response
        resource = RESOURCES.get(request.match_info["resource"])
        if resource is None:
            return _error(404, f"no such resource; there are: {', '.join(RESOURCES)}")
        try:
            return web.json_response(await self._page(resource, request), dumps=dumps)
        except BadQuery as error:
            return _error(400, str(error))

    def _admitted(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(errors="replace"), self._token.encode())
        return right and scheme.lower() == "bearer"

    async def _page(self, resource: Resource, request: web.Request) -> dict[str, Any]:
        limit = parse_limit(request.query.getall("limit", []))
        conditions = self._filters(resource, request)
        order = [getattr(resource.model, name) for name in (resource.newest, resource.key) if name]
        async with self._database.read() as session:
            if "after" in request.query:
                last = await session.get(resource.model, _cursor(resource, request.query["after"]))
                conditions.append(_behind(order, last))
            query = select(resource.model).where(*conditions).order_by(*[column.desc() for column in order])
            found = (await session.exec(query.limit(limit + 1))).all()
        rows = [self._row(resource, row) for row in found[:limit]]
        return {"rows": rows, "next": str(rows[-1][resource.key]) if len(found) > limit else None}

    def _filters(self, resource: Resource, request: web.Request) -> list[ColumnElement[bool]]:
        names = [name for name in dict.fromkeys(request.query) if name not in PAGING]
        unknown = [name for name in names if name not in resource.fields]
        if unknown:
            raise BadQuery(f"unknown field {unknown[0]!r}; rows have: {', '.join(resource.fields)}")
        return [condition(resource.model, name, request.query.getall(name), self._zone) for name in names]

    def _row(self, resource: Resource, row: SQLModel) -> dict[str, Any]:
        return {name: self._plain(getattr(row, name)) for name in resource.fields}

    def _plain(self, value: Any) -> Any:
        return value.astimezone(self._zone).isoformat() if isinstance(value, datetime) else value


def parse_limit(given: Sequence[str]) -> int:
    """The page size asked for; BadQuery when it is no positive whole number."""
    if not given:
        return DEFAULT_LIMIT
    text = given[0]
    if len(given) > 1 or not (text.isascii() and text.isdigit() and len(text) < 20 and int(text)):
        raise BadQuery(f"limit must be one whole number from 1 to {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def _cursor(resource: Resource, after: str) -> Any:
    try:
        return whole(after) if resource.key == "id" else after.replace("\x00", "")
    except ValueError as error:
        raise BadQuery("after must be the next of an earlier answer") from error


def _behind(order: Sequence[Any], last: SQLModel | None) -> ColumnElement[bool]:
    """Rows that come after ``last`` in descending order."""
    if last is None:
        raise BadQuery("after must be the next of an earlier answer")
    *first, key = order
    behind: ColumnElement[bool] = key < getattr(last, key.key)
    for column in first:
        value = getattr(last, column.key)
        behind = or_(column < value, (column == value) & behind)
    return behind


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status, dumps=dumps)
