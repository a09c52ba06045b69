"""``/metrics``: Prometheus text. State is read from the tables when asked; requests are counted as they pass."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.models import AuditEntry, Delivery, Fault, InboxRow, Meeting, Obligation, Timer
from storage.runtime import Runtime

COUNTED: Sequence[tuple[str, str, Sequence[Any]]] = (
    ("huibao_inbox_messages", "Received messages by state", (InboxRow.state,)),
    ("huibao_outbox_messages", "Outgoing messages by platform and state", (Delivery.platform, Delivery.state)),
    ("huibao_obligations", "Obligations by kind and state", (Obligation.kind, Obligation.state)),
    ("huibao_faults", "Faults by level and state", (Fault.level, Fault.state)),
    ("huibao_meetings", "Meetings by state", (Meeting.state,)),
)


class Metrics:
    """Owns a registry of its own: several bots in one process (tests) do not mix."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._registry = CollectorRegistry()
        self._counts = [
            Gauge(name, text, [column.key for column in columns], registry=self._registry)
            for name, text, columns in COUNTED
        ]
        self._gauges = {
            name: Gauge(name, text, registry=self._registry)
            for name, text in (
                ("huibao_obligations_unmet", "Obligations that are still owed"),
                ("huibao_deadlines_overdue", "Rungs and timers whose moment has passed and that have not fired"),
                ("huibao_deadline_lateness_seconds", "How late the oldest unfired rung or timer is"),
                ("huibao_inbox_oldest_seconds", "Age of the oldest unhandled message"),
                ("huibao_outbox_oldest_seconds", "Age of the oldest message that should have left"),
                ("huibao_audit_unsealed", "Audit entries not yet in the chain"),
            )
        }
        self._up = Gauge("huibao_platform_up", "1 while a platform works", ["platform"], registry=self._registry)
        self._requests = Counter(
            "huibao_http_requests", "Answered HTTP requests", ["route", "status"], registry=self._registry
        )

    def routes(self) -> list[web.RouteDef]:
        """What the application adds."""
        return [web.get("/metrics", self.answer)]

    def count(self, request: web.Request, status: int) -> None:
        """Count a request under its route pattern (never under the raw path: strangers choose those)."""
        resource = request.match_info.route.resource
        self._requests.labels(resource.canonical if resource else "unknown", str(status)).inc()

    async def answer(self, _request: web.Request) -> web.Response:
        """All figures, now."""
        async with self._runtime.ground.database.read() as session:
            for gauge, (_, _, columns) in zip(self._counts, COUNTED, strict=True):
                await _fill(session, gauge, columns)
            await self._fill_ages(session)
        for adapter in self._runtime.adapters:
            self._up.labels(adapter.platform).set(0 if adapter.trouble() else 1)
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def _fill_ages(self, session: AsyncSession) -> None:
        now = self._runtime.ground.clock.now()
        rungs = await _overdue(session, Obligation.next_at, col(Obligation.next_at) <= now)
        timers = await _overdue(session, Timer.due_at, col(Timer.due_at) <= now)
        inbox = await _overdue(session, InboxRow.received_at, InboxRow.state == "new")
        outbox = await _overdue(session, Delivery.not_before, Delivery.state == "pending", Delivery.not_before <= now)
        self._set("huibao_deadlines_overdue", rungs[0] + timers[0])
        oldest = [moment for _, moment in (rungs, timers) if moment is not None]
        self._set("huibao_deadline_lateness_seconds", max(((now - m).total_seconds() for m in oldest), default=0.0))
        for name, (_, moment) in (("huibao_inbox_oldest_seconds", inbox), ("huibao_outbox_oldest_seconds", outbox)):
            self._set(name, (now - moment).total_seconds() if moment else 0.0)
        self._set("huibao_obligations_unmet", (await _overdue(session, Obligation.id, _is_unmet()))[0])
        self._set("huibao_audit_unsealed", (await _overdue(session, AuditEntry.id, col(AuditEntry.seq).is_(None)))[0])

    def _set(self, name: str, value: float) -> None:
        self._gauges[name].set(max(value, 0.0))


def _is_unmet() -> Any:
    return col(Obligation.closed_at).is_(None)


async def _overdue(session: AsyncSession, column: Any, *conditions: Any) -> tuple[int, Any]:
    """How many rows fit, and the smallest value of ``column`` among them."""
    count, first = (await session.exec(select(func.count(), func.min(column)).where(*conditions))).one()
    return count, first


async def _fill(session: AsyncSession, gauge: Gauge, columns: Sequence[Any]) -> None:
    gauge.clear()
    pick: Any = select  # its overloads end at four fixed columns
    for *labels, count in (await session.exec(pick(*columns, func.count()).group_by(*columns))).all():
        gauge.labels(*labels).set(count)
