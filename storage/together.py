"""Many callers, one commit: items that arrive while a batch is under way go together in the next.

A caller that is cancelled leaves; the batch goes on for the others. An error of the batch reaches every caller in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LIMIT = 200
"""Items in one batch: keeps a write transaction short."""


class Together(Generic[Item, Result]):
    """``run`` gets the items of one batch, in order of arrival, and gives a result (or an error to raise) for each."""

    def __init__(self, run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]) -> None:
        self._run = run
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """The result for ``item``, once its batch is through; raises what the batch raised."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await future

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:LIMIT], self._waiting[LIMIT:]
                await self._one(batch)
        finally:
            self._worker = None
            _fail(self._waiting, ConnectionError("stopped"))
            self._waiting = []

    async def _one(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._run([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - it belongs to the callers
            _fail(batch, error)
        except BaseException:
            _fail(batch, ConnectionError("stopped"))
            raise
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if isinstance(result, Exception):
                    _fail([(None, future)], result)
                elif not future.done():
                    future.set_result(result)


def _fail(batch: Sequence[tuple[object, asyncio.Future[Result]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
