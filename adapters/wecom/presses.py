"""Presses on cards: the card shows within three seconds what the press has led to.

The answer to the press is awaited, so that the card can show who took the matter; failing that, it can only say that
the press was received. A robot's card must be replaced within five seconds, and only once; an app's card can wait,
people cannot.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from adapters.wecom.clicks import Click
from storage.clock import Clock

WAIT = timedelta(seconds=3)
Show = Callable[[str], Awaitable[None]]
"""Puts this state on the card, empty when it is not known yet; never raises a SendError."""


@dataclass
class Open:
    """A press whose card waits for its new face."""

    state: str = ""
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Presses:
    """Those that have not been answered yet, by person and card."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[tuple[str, str], Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, click: Click, show: Show) -> None:
        """The press was committed; see to its card."""
        opened = self._open[click.user, click.task] = Open()
        task = asyncio.create_task(self._see_to(click, opened, show), name="wecom card")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def soon(self, click: Click, within: timedelta) -> str:
        """What the press has led to, empty when that is not known ``within`` so long."""
        opened = self._open[click.user, click.task] = Open()
        await self._clock.wait(opened.told, self._clock.now() + within)
        return self._close(click, opened)

    def tell(self, user: str, task: str, state: str) -> None:
        """This is what the press has led to."""
        if opened := self._open.get((user, task)):
            opened.state = state
            opened.told.set()

    def tell_all(self, task: str, state: str) -> None:
        """This is what the matter of a card has come to: shown where the press itself has not been answered before."""
        for (_, pressed), opened in self._open.items():
            if pressed == task:
                opened.state = opened.state or state
                opened.told.set()

    def pressing(self, task: str) -> list[str]:
        """Who has pressed this card and waits for its new face."""
        return [user for user, pressed in self._open if pressed == task]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _see_to(self, click: Click, opened: Open, show: Show) -> None:
        await self._clock.wait(opened.told, self._clock.now() + WAIT)
        await show(self._close(click, opened))

    def _close(self, click: Click, opened: Open) -> str:
        if self._open.get((click.user, click.task)) is opened:
            del self._open[click.user, click.task]
        return opened.state
