"""Work on what a connection brings: side by side, not too much at once, done before the connection is let go."""

import asyncio
from collections.abc import Coroutine
from typing import Any

AT_ONCE = 100
FINISH_SECONDS = 3.0


class Crew:
    """Of one connection."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Begin one piece of work, once there is room for it; they begin in the order they came."""
        await self._free.acquire()
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def finish(self) -> None:
        """Wait for what is in hand; bounded, for a peer that has stopped answering."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
        for task in self._tasks:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()
