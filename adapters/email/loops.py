"""Mails that are never answered, and how many answers one address gets in an hour.

Two machines that answer each other fill two mailboxes in a night. So nothing that a machine has written is taken as a
message (RFC 3834), and what looks like a person gets at most eight answers an hour; two when the mail does not prove
who wrote it, counted apart, so that a forger cannot use up the share of the person he plays.
"""

import re
import tomllib
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from adapters.email.letter import Letter
from adapters.email.threads import Threads
from storage.clock import Clock

HOUR = timedelta(hours=1)
MOST_ANSWERS = {True: 8, False: 2}
"""Answers per address and hour, by whether the mail answered proves its sender."""
MOST_REMEMBERED = 5000
BULK = {"bulk", "list", "junk", "auto_reply"}
MARKS = (
    "List-Id",
    "List-Unsubscribe",
    "X-Loop",
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply-From",
    "X-Failed-Recipients",
)
QUIET = {"all", "oof", "autoreply", "dr", "ndr", "rn", "nrn"}

Recent = Callable[[str, bool, datetime], Awaitable[list[datetime]]]
"""When answers went to an address since a moment, as the outbox knows."""


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("loops.toml").read_text("utf-8"))


@cache
def _patterns(name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in _rules()[name]), re.IGNORECASE)


def never_answer(letter: Letter, own: str, threads: Threads) -> str:
    """Why a mail is no message of a person (for the log), or an empty string. ``own``: the bot's mailbox."""
    return _by_sender(letter, own, threads) or _by_headers(letter) or _by_words(letter)


def _by_sender(letter: Letter, own: str, threads: Threads) -> str:
    local = letter.sender.partition("@")[0]
    if not letter.sender:
        return "no sender"
    if letter.sender == own.casefold() or threads.read(letter.message_id) is not None:
        return "our own mail"
    if any(re.match(rf"{re.escape(name)}(?:$|[-+._=\d])", local) for name in _rules()["robots"]):
        return "a robot's address"
    return ""


def _by_headers(letter: Letter) -> str:
    def header(name: str) -> str:
        return str(letter.message.get(name, "") or "").strip().casefold()

    automatic = header("Auto-Submitted").partition(";")[0].strip()
    if automatic not in ("", "no"):
        return "Auto-Submitted"
    if "Return-Path" in letter.message and header("Return-Path") in ("", "<>"):
        return "empty Return-Path"
    if header("Precedence") in BULK:
        return "Precedence"
    for name in MARKS:
        if name in letter.message:
            return name
    if {word.strip() for word in header("X-Auto-Response-Suppress").split(",")} & QUIET:
        return "X-Auto-Response-Suppress"
    return "a report" if letter.message.get_content_type() == "multipart/report" else ""


def _by_words(letter: Letter) -> str:
    if _patterns("subjects").search(letter.subject):
        return "the subject of an automatic reply"
    return "the words of an automatic reply" if _patterns("texts").search(letter.text) else ""


class Caps:
    """Counts answers per address over a sliding hour. ``recent`` tells what went out before this process started."""

    def __init__(self, clock: Clock, recent: Recent) -> None:
        self._clock, self._recent = clock, recent
        self._sent: dict[tuple[str, bool], deque[datetime]] = {}

    async def full_until(self, partner: str, *, proven: bool) -> datetime | None:
        """None while one more answer may go; else when the next may."""
        sent = await self._of(partner, proven)
        return sent[-MOST_ANSWERS[proven]] + HOUR if len(sent) >= MOST_ANSWERS[proven] else None

    async def count(self, partner: str, *, proven: bool) -> None:
        """An answer has gone out."""
        (await self._of(partner, proven)).append(self._clock.now())

    async def _of(self, partner: str, proven: bool) -> deque[datetime]:
        since = self._clock.now() - HOUR
        sent = self._sent.get((partner, proven))
        if sent is None:
            if len(self._sent) >= MOST_REMEMBERED:
                self._sent.clear()
            sent = deque(sorted(await self._recent(partner, proven, since)))
            self._sent[partner, proven] = sent
        while sent and sent[0] <= since:
            sent.popleft()
        return sent
