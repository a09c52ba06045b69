"""Moments a workflow asked for: rows, not timers in memory. The engine fires them, once each, in due order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storage.models import Timer
from storage.work import Work


async def set_timer(
    work: Work, key: str, kind: str, due_at: datetime, about: str = "", payload: Mapping[str, Any] | None = None
) -> None:
    """Ask for ``kind`` at ``due_at``; a timer of the same key is moved instead."""
    timer = await work.session.get(Timer, key)
    if timer is None:
        timer = Timer(key=key, kind=kind, about=about, due_at=due_at)
    timer.kind, timer.about, timer.due_at, timer.payload = kind, about, due_at, dict(payload or {})
    work.session.add(timer)
    await work.session.flush()


async def drop_timer(work: Work, key: str) -> None:
    """Forget a timer; unknown keys are fine."""
    timer = await work.session.get(Timer, key)
    if timer is not None:
        await work.session.delete(timer)
        await work.session.flush()
