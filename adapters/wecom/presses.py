"""Presses on the robot's cards: the card must be replaced within five seconds, and only once.

The answer to the press is awaited for three of them, so that the card can show who took the matter; failing that, it
says that the press was received.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from adapters.wecom.aibot import LongConnection
from adapters.wecom.clicks import Click
from adapters.wecom.render import notice_card
from adapters.wecom.words import words
from storage.clock import Clock
from storage.ports import SendError

WAIT = timedelta(seconds=3)

log = structlog.get_logger(__name__)


@dataclass
class Open:
    """A press whose card waits for its new face."""

    request: str
    state: str = ""
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Presses:
    """``link`` is where a card leads that has nothing to press any more."""

    def __init__(self, connection: LongConnection, clock: Clock, link: str) -> None:
        self._connection, self._clock, self._link = connection, clock, link
        self._open: dict[tuple[str, str], Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, click: Click, request: str) -> None:
        """The press was committed; see to its card."""
        opened = self._open[click.user, click.task] = Open(request)
        task = asyncio.create_task(self._see_to(click, opened), name="wecom card")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tell(self, user: str, task: str, state: str) -> None:
        """This is what the press has led to."""
        if opened := self._open.get((user, task)):
            opened.state = state
            opened.told.set()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _see_to(self, click: Click, opened: Open) -> None:
        await self._clock.wait(opened.told, self._clock.now() + WAIT)
        self._open.pop((click.user, click.task), None)
        body = {
            "response_type": "update_template_card",
            "template_card": notice_card(click.task, opened.state or words("message.click_received"), self._link),
        }
        try:
            await self._connection.ask("aibot_respond_update_msg", body, opened.request)
        except SendError as error:
            log.warning("a card was not updated", reason=error.reason)
