"""Streams of the robot in callback mode: what is said in the responses to the platform's own calls.

A message is answered with a stream; while it is unfinished the platform keeps asking, and each response holds all
that has been said so far. Words count as delivered when the platform asks again after a response that held them. Then
the stream is finished: in seconds, for a person may have only three open, and none may last longer than six minutes.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.wecom.fields import Json
from adapters.wecom.render import ROBOT_BYTES, as_markdown
from adapters.wecom.words import words
from storage.clock import Clock

SOON = timedelta(seconds=0.7)
"""How long the response to a message waits for its answer: it must be there within a second."""
LINGER = timedelta(seconds=1)
"""How long an answered stream stays open for more words."""
WAITS = timedelta(seconds=5)
"""How long one without an answer stays open: what a person writes while three are open does not reach us."""
FETCHED_WITHIN = timedelta(seconds=3)
"""The platform asks about once a second; nobody else's words shall wait longer for it than this."""
LONGEST = timedelta(minutes=5)
REMEMBERED = 500
GAP = "\n\n"


@dataclass
class Open:
    """One stream. ``told``: so many parts stood in the last response; ``heard``: in one that surely arrived;
    ``hurry``: its user has written again."""

    at: datetime
    user: str
    alone: bool
    parts: list[str] = field(default_factory=list)
    said_at: datetime | None = None
    said: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    told: int = 0
    heard: int = 0
    hurry: bool = False
    over: bool = False


class Streams:
    """``patience``: how long words may wait for the platform to fetch them before they take another way."""

    def __init__(self, clock: Clock, patience: timedelta) -> None:
        self._clock, self._patience = clock, patience
        self._open: dict[str, Open] = {}

    @staticmethod
    def id_of(message_id: str) -> str:
        """The same for every delivery of a message."""
        return f"hb-{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"

    def begin(self, stream: str, user: str, *, alone: bool) -> None:
        """A message came; ``alone``: from a person, who waits for an answer, while a group may be left in peace.

        What else is open for its writer is not kept open any longer.
        """
        now = self._clock.now()
        for one in self._open.values():
            one.hurry = one.hurry or one.user == user
        if len(self._open) >= REMEMBERED:
            self._open = {key: one for key, one in self._open.items() if now - one.at < LONGEST}
        self._open.setdefault(stream, Open(now, user, alone))

    async def first(self, stream: str) -> Json | None:
        """The response to the message: its answer when that is there soon, else a sign of life, in groups silence."""
        opened = self._open.get(stream)
        if opened is None or opened.over:
            return None
        await self._clock.wait(opened.said, opened.at + min(self._patience, SOON))
        if not opened.parts and not opened.alone:
            opened.over = True
            return None
        return self._response(stream, opened)

    def poll(self, stream: str) -> Json:
        """The response to the platform's asking: it has what the last one held."""
        opened = self._open.get(stream)
        if opened is None:
            return _body(stream, words("message.stream_over"), finish=True)
        opened.heard = opened.told
        opened.arrived.set()
        opened.over = opened.over or self._is_over(opened)
        return self._response(stream, opened)

    async def say(self, stream: str, text: str) -> bool:
        """Add to what is being said; True once the platform surely has it, False when it must go another way."""
        opened = self._open.get(stream)
        if opened is None or opened.over or not self._patience:
            return False
        part = as_markdown(text)
        if len(GAP.join([*opened.parts, part]).encode()) > ROBOT_BYTES:
            return False
        opened.parts.append(part)
        mine, opened.said_at = len(opened.parts), self._clock.now()
        opened.said.set()
        deadline = self._clock.now() + min(self._patience, FETCHED_WITHIN)
        while opened.heard < mine and self._clock.now() < deadline:
            opened.arrived.clear()
            await self._clock.wait(opened.arrived, deadline)
        opened.over = opened.over or opened.heard < mine
        return opened.heard >= mine

    def _is_over(self, opened: Open) -> bool:
        now = self._clock.now()
        if now - opened.at >= LONGEST:
            return True
        if opened.said_at is None:
            return opened.hurry or now - opened.at >= WAITS
        return opened.heard == len(opened.parts) and (opened.hurry or now - opened.said_at >= LINGER)

    def _response(self, stream: str, opened: Open) -> Json:
        opened.told = len(opened.parts)
        waiting = words("message.click_received" if opened.over else "message.working")
        return _body(stream, GAP.join(opened.parts) or waiting, finish=opened.over)


def _body(stream: str, content: str, *, finish: bool) -> Json:
    return {"msgtype": "stream", "stream": {"id": stream, "finish": finish, "content": content}}
