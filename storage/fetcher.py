"""Brings what people attach from the platforms into the file store, beside the ordered handling of messages.

A workflow that has use for an attachment claims its :class:`Fetch` row. A try is begun by putting the row off in one
transaction, made outside of any, and its outcome recorded in another: after a crash the row comes due again. Trouble is
tried again after 1, 2, 4 … s up to ten minutes; what is gone for good, or not to be had for a day, is given up and the
audit says so. Before anything is kept it is looked into: what may not be kept never touches the disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import col, func, select

from storage.fetches import Fetch
from storage.files import FileStore, TooLargeError, remember
from storage.messages import Attachment
from storage.ports import Downloads, Refused, Retry, SendError
from storage.work import Ground, Work
from storage.worker import Worker

LANES = 3
"""Downloads under way at once at most: each may hold a whole attachment in memory."""
LEASE = timedelta(minutes=2)
LONGEST_WAIT = timedelta(minutes=10)
GIVE_UP = timedelta(hours=24)

log = structlog.get_logger(__name__)

OnFile = Callable[[Work, Fetch], Awaitable[None]]
"""A file is kept: the rows named by its ``places`` may refer to it by ``sha256``. Or, as another hook, it is lost."""
Inspect = Callable[[Ground, Fetch, bytes], Awaitable[dict[str, Any]]]
"""Looks into a file outside of any transaction: what it found, or UnwantedError when the file may not be kept."""


class UnwantedError(Exception):
    """The file is not kept; ``why`` is one word for the workflow that asked for it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def nothing_found(_ground: Ground, _fetch: Fetch, _data: bytes) -> dict[str, Any]:
    """Every file is welcome as it is."""
    return {}


@dataclass(frozen=True)
class Kept:
    """The bytes are in the store."""

    sha256: str
    size: int
    found: dict[str, Any]


class Fetcher(Worker):
    """Fetches for all platforms whose adapters can download."""

    def __init__(
        self,
        ground: Ground,
        adapters: Mapping[str, Downloads],
        store: FileStore,
        on_file: OnFile,
        inspect: Inspect = nothing_found,
        on_lost: OnFile | None = None,
    ) -> None:
        """``on_lost`` hears of files that could not be had (``failed``) or may not be kept (``refused``)."""
        super().__init__(ground, "fetch")
        self._adapters = adapters
        self._store = store
        self._on_file = on_file
        self._inspect = inspect
        self._on_lost = on_lost

    async def _round(self) -> int | None:
        claimed = [] if self._stopping else await self._claim()
        await asyncio.gather(*(self._fetch(row) for row in claimed))
        return len(claimed) or None

    async def next_due(self) -> datetime | None:
        """When the nearest try is due."""
        if not self._adapters:
            return None
        nearest = select(func.min(Fetch.not_before)).where(Fetch.state == "waiting", self._ours())
        [rows] = await self._ground.database.peek(nearest)
        moment: datetime | None = rows[0][0]
        return moment

    async def _claim(self) -> list[Fetch]:
        due = await self.next_due()
        if due is None or due > self._ground.clock.now():
            return []
        async with self._ground.work() as work:
            query = select(Fetch).where(Fetch.state == "waiting", Fetch.not_before <= work.now, self._ours())
            query = query.order_by(col(Fetch.not_before), col(Fetch.id)).limit(LANES)
            rows = list((await work.session.exec(query.with_for_update(skip_locked=True))).all())
            for row in rows:
                row.attempts += 1
                row.not_before = work.now + LEASE
                work.session.add(row)
        return rows

    def _ours(self) -> Any:
        return col(Fetch.platform).in_(self._adapters)

    async def _fetch(self, claimed: Fetch) -> None:
        outcome = await self._try(claimed)
        async with self._ground.work() as work:
            row = await work.session.get(Fetch, claimed.id, with_for_update=True)
            if row is None or (row.state, row.attempts) != ("waiting", claimed.attempts):
                return
            work.session.add(row)
            if isinstance(outcome, Kept):
                await self._keep(work, row, outcome)
            elif isinstance(outcome, UnwantedError):
                row.state, row.error = "refused", outcome.why
            else:
                _put_off(work, row, outcome)
            if row.state != "waiting":
                await self._tell(work, row)

    async def _try(self, row: Fetch) -> Kept | SendError | UnwantedError:
        """Download, look into it, and keep it."""
        try:
            data = await self._adapters[row.platform].download(Attachment.model_validate(row.attachment))
            if len(data) > self._store.limit:
                raise TooLargeError(f"more than {self._store.limit} bytes")
            found = await self._inspect(self._ground, row, data)
            return Kept(*await self._store.save(data), found)
        except (SendError, UnwantedError) as error:
            return error
        except TooLargeError as error:
            return Refused(str(error))
        except Exception as error:  # an adapter's fault or a full disk must not lose the row
            log.exception("fetching failed", fetch=row.id, platform=row.platform)
            return Retry(type(error).__name__)

    async def _keep(self, work: Work, row: Fetch, kept: Kept) -> None:
        attachment = Attachment.model_validate(row.attachment)
        file = await remember(work, kept.sha256, kept.size, attachment.name or attachment.kind)
        row.state, row.sha256, row.error, row.found = "stored", kept.sha256, "", kept.found
        _audit(work, "file.stored", row, sha256=kept.sha256, name=file.name, size=kept.size)

    async def _tell(self, work: Work, row: Fetch) -> None:
        row_id, hook = row.id, self._on_file if row.state == "stored" else self._on_lost
        if hook is None:
            return
        try:
            async with work.attempt():
                await hook(work, row)
        except Exception:  # what became of the file is recorded all the same
            log.exception("cannot show a file where it belongs", fetch=row_id)


def _put_off(work: Work, row: Fetch, error: SendError) -> None:
    row.error = error.reason[:500]
    if isinstance(error, Refused) or work.now - row.created_at > GIVE_UP:
        row.state = "failed"
        _audit(work, "file.lost", row, name=row.attachment.get("name", ""), reason=row.error, attempts=row.attempts)
        return
    wait = min(timedelta(seconds=2 ** min(row.attempts - 1, 10)), LONGEST_WAIT)
    named = error.not_before if isinstance(error, Retry) else None
    row.not_before = max(named, work.now + timedelta(seconds=1)) if named else work.now + wait


def _audit(work: Work, what: str, row: Fetch, **detail: object) -> None:
    """In the name of whoever sent the file."""
    person = work.org.person_at(row.platform, row.sender)
    who = person.person_id if person is not None else row.sender
    about = row.places[0][1] if row.places else ""
    work.audit(what, about=about, who=who, via=row.platform, inbox=row.inbox_id, **detail)
