"""The mailbox: watched over one connection, each mail kept before it is marked as seen, then taken once.

IDLE is only a hint that something may have come; after each wake, and every ``poll_every`` anyway, the server is asked
for what is new. That also finds dead connections: a server that does not answer in time is left.

==================  ================================================================================================
first connection    unseen mails of the last two days are taken, older ones are left alone
later               everything with a higher UID than the last, seen by others or not
UIDVALIDITY new     everything since two days before the last look; the inbox knows what it has had
closed, silent      a new connection after 1, 2, 4 … 30, 60 s with jitter; one that held resets this
wrong password      told to operators, tried again every five minutes: many providers lock accounts that guess
==================  ================================================================================================
"""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from adapters.email.errors import Misconfigured, NotSecure
from adapters.email.imap import LARGEST_MAIL, Denied, Envelope, Imap
from adapters.email.letter import LEFT_OUT, Letter, read_letter
from adapters.email.words import words
from storage.clock import sleep
from storage.letters import Letters, StoredLetter, forget, mail_store, whole
from storage.messages import Attachment
from storage.ports import Refused, SendError
from storage.settings import EmailSettings
from storage.work import Ground

REIDLE = timedelta(minutes=9)
SOONEST = timedelta(seconds=1)
"""Between two looks, whatever is configured."""
LOOK_BACK = timedelta(days=2)
CLEAN_EVERY = timedelta(hours=1)
STABLE = timedelta(seconds=30)
LOCKED_OUT = timedelta(minutes=5)
LONGEST_PAUSE, SLOW_PAUSE, SLOW_AFTER = 30.0, 60.0, 30
REFUSALS = 3
"""How often the server may refuse to give out a mail before it is passed over."""
CHUNK = 256 * 1024
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

log = structlog.get_logger(__name__)

Take = Callable[[Letter], Awaitable[None]]
"""Deals with a mail; raises when that failed and the mail must be taken again."""


class Mailbox:
    """Reads the INBOX of ``settings``. ``context`` verifies certificates (tests bring their own authority)."""

    def __init__(
        self,
        settings: EmailSettings,
        ground: Ground,
        take: Take,
        *,
        context: ssl.SSLContext | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._ground = ground
        self._imap_settings, self._clock, self._take, self._context = settings.imap, ground.clock, take, context
        owner = settings.imap.username or settings.address
        self._letters = Letters(ground.database, f"{owner.casefold()}@@{settings.imap.host.casefold()}")
        self._store = mail_store(ground.settings)
        self._rng = rng or random.Random()  # noqa: S311  spreads reconnects, keeps no secret
        self._keep_mail, self._cleaned = settings.keep_mail, datetime.min.replace(tzinfo=UTC)
        self._failures = 0
        self._locked_out = False
        self._refusals: dict[tuple[int, int], int] = {}
        self._connected = False
        self._trouble = words("trouble.starting")

    def trouble(self) -> str:
        """Why no mail comes in, for operators; empty while all is well."""
        return self._trouble if self._imap_settings.host else words("trouble.no_mailbox")

    def ever_connected(self) -> bool:
        """True once the mailbox has been opened since start (or none is configured)."""
        return self._connected or not self._imap_settings.host

    async def probe(self) -> None:
        """Connect, log in, open the mailbox and leave; raises SendError."""
        imap = await Imap.open(self._imap_settings, self._context)
        try:
            await imap.select()
        finally:
            await imap.close()

    async def download(self, attachment: Attachment) -> bytes:
        """The bytes of an attachment, out of the kept mail; raises Refused when there is none."""
        source, _, place = attachment.ref.partition("/")
        try:
            raw = await self._store.load(source)
            letter = await asyncio.to_thread(read_letter, raw)
            return letter.files[int(place)].data
        except (ValueError, IndexError, FileNotFoundError) as error:
            raise Refused(words("refused.file")) from error

    async def forget(self, source: str) -> None:
        """Keep a raw mail no longer."""
        async with self._ground.work() as work:
            await forget(work, source)

    async def clean_up(self) -> None:
        """Keep raw mails no longer than configured. That they were read stays known: by their rows and the inbox."""
        while old := await whole(self._letters.outlived(self._clock.now() - self._keep_mail)):
            for source in old:
                await whole(self.forget(source))
            log.info("old mails are kept no longer", count=len(old))
        self._cleaned = self._clock.now()

    async def run(self) -> None:
        """Receive until cancelled."""
        if not self._imap_settings.host:
            await asyncio.Event().wait()
        while True:
            began, self._locked_out = self._clock.now(), False
            try:
                await self._session()
            except SendError as error:
                self._troubled(error)
            except Exception as error:  # a database out of reach must not end the watch
                log.exception("reading the mailbox failed")
                self._trouble = words("trouble.mailbox", detail=type(error).__name__)
            if self._clock.now() - began >= STABLE:
                self._failures = 0
            await sleep(self._clock, self._pause())

    # ---- one connection

    async def _session(self) -> None:
        await self._take_waiting()
        imap = await Imap.open(self._imap_settings, self._context)
        try:
            await imap.select()
            await self._mark_known(imap)
            while True:
                if self._clock.now() - self._cleaned >= CLEAN_EVERY:
                    await self.clean_up()
                found = await self._collect(imap)
                await self._healthy()
                if not found and not imap.place.grown:  # what came while others were read is not announced again
                    await self._wait(imap)
        finally:
            imap.wire.close()

    async def _wait(self, imap: Imap) -> None:
        """Until something may have come, or it is time to ask."""
        until = self._clock.now() + max(min(self._imap_settings.poll_every, REIDLE), SOONEST)
        changed = asyncio.Event()
        if not imap.can_idle:
            await self._clock.wait(changed, until)
            return
        task = asyncio.create_task(imap.idle(changed.set), name="imap idle")
        task.add_done_callback(lambda _: changed.set())
        try:
            await self._clock.wait(changed, until)
        finally:
            task.cancel()
            [outcome] = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Denied):
            imap.capabilities -= {"IDLE"}
            return
        if isinstance(outcome, SendError):
            raise outcome
        await imap.done()

    # ---- what is new

    async def _collect(self, imap: Imap) -> bool:
        """Keep and take everything new, in the order of the mailbox; whether there was anything."""
        await imap.noop()  # some servers search what they knew when the last command ended
        imap.place.grown = False
        validity, place = imap.place.uidvalidity, await whole(self._letters.place())
        if place is not None and place.uidvalidity == validity:
            uids = [uid for uid in await imap.search(f"UID {place.uid + 1}:*") if uid > place.uid]
            newest = max(uids, default=place.uid)
        else:
            newest = max(await imap.search("UID *"), default=0) if imap.place.exists else 0
            since = place.read_at if place is not None else self._clock.now()
            uids = await imap.search(f"{'' if place else 'UNSEEN '}SINCE {_day(since - LOOK_BACK)}")
            log.info("a mailbox is read from the start", known_before=place is not None, mails=len(uids))
        known = await whole(self._letters.known(validity, uids))
        for uid in uids:
            if uid not in known:
                await self._keep(imap, uid)
                await self._take_waiting()
        await self._take_waiting()
        if place is None or (place.uidvalidity, place.uid) != (validity, newest):
            await whole(self._letters.arrive(validity, newest, self._clock.now()))
        return bool(known.symmetric_difference(uids))

    async def _keep(self, imap: Imap, uid: int) -> None:
        """Bring one mail into the store and the table, then mark it as seen."""
        key = imap.place.uidvalidity, uid
        try:
            fetched = await self._fetch(imap, uid)
        except Denied as error:
            self._refusals[key] = self._refusals.get(key, 0) + 1
            if self._refusals[key] < REFUSALS:
                raise
            log.error("the server does not give out a mail", uid=uid, reason=error.reason)
            await whole(self._letters.keep(self._row(imap, uid, state="dead", error=error.reason)))
            return
        if fetched is None:
            return
        envelope, raw = fetched
        sha256, size = await self._store.save(_chunks(raw))
        await whole(self._letters.keep(self._row(imap, uid, sha256=sha256, size=size, arrived_at=envelope.arrived)))
        await _mark_seen(imap, uid)

    async def _fetch(self, imap: Imap, uid: int) -> tuple[Envelope, bytes] | None:
        """The raw mail, of one beyond the limit the headers; None when it is gone meanwhile."""
        envelope = await imap.envelope(uid)
        if envelope is None:
            return None
        large = envelope.size > LARGEST_MAIL
        raw = await imap.fetch(uid, headers_only=large)
        if raw is None:
            return None
        return envelope, f"{LEFT_OUT}: {envelope.size}\r\n".encode() + raw if large else raw

    def _row(self, imap: Imap, uid: int, **values: object) -> StoredLetter:
        return StoredLetter.model_validate(
            {"mailbox": "", "uidvalidity": imap.place.uidvalidity, "uid": uid, "stored_at": self._clock.now(), **values}
        )

    async def _mark_known(self, imap: Imap) -> None:
        """Mails that were kept before a crash and not yet marked."""
        unseen = await imap.search("UNSEEN")
        for uid in sorted(await whole(self._letters.known(imap.place.uidvalidity, unseen))):
            await _mark_seen(imap, uid)

    # ---- what is kept

    async def _take_waiting(self) -> None:
        """Deal with everything that is kept and not yet taken; what fails is tried again at the next look."""
        tried: set[int | None] = set()
        while rows := [row for row in await whole(self._letters.waiting()) if row.id not in tried]:
            for row in rows:
                tried.add(row.id)
                await whole(self._take_one(row))

    async def _take_one(self, row: StoredLetter) -> None:
        if not row.sha256:  # taken before a crash, and forgotten since
            await self._letters.taken(row)
            return
        try:
            raw = await self._store.load(row.sha256)
            letter = await asyncio.to_thread(read_letter, raw)
            await self._take(replace(letter, source=row.sha256, arrived=row.arrived_at))
        except Exception as error:  # one mail must not hold up the others; it stays in the table
            log.exception("a mail could not be taken", letter=row.id)
            if await self._letters.failed(row, f"{type(error).__name__}: {error}"):
                log.error("a mail was given up", letter=row.id)
            return
        await self._letters.taken(row)

    # ---- trouble

    async def _healthy(self) -> None:
        dead = await whole(self._letters.dead())
        self._connected, self._trouble = True, words("trouble.dead_letters", count=dead) if dead else ""

    def _troubled(self, error: SendError) -> None:
        match error:
            case Misconfigured():
                key = "trouble.mailbox_login"
            case NotSecure():
                key = "trouble.mailbox_insecure"
            case _:
                key = "trouble.mailbox"
        self._trouble = words(key, detail=error.reason)
        self._locked_out = isinstance(error, Misconfigured)
        log.warning("mail does not come in", reason=error.reason)

    def _pause(self) -> timedelta:
        """1, 2, 4 … 30 s, then a minute, drawn from the upper half; five minutes when the login is wrong."""
        if self._locked_out:
            return LOCKED_OUT
        seconds = SLOW_PAUSE if self._failures >= SLOW_AFTER else min(2.0 ** min(self._failures, 10), LONGEST_PAUSE)
        self._failures += 1
        return timedelta(seconds=self._rng.uniform(seconds / 2, seconds))


async def _mark_seen(imap: Imap, uid: int) -> None:
    try:
        await imap.mark_seen(uid)
    except Denied as error:  # for people who read along; what is taken is in our table
        log.info("a mail cannot be marked as seen", reason=error.reason)


async def _chunks(raw: bytes) -> AsyncIterator[bytes]:
    """In pieces, so that hashing a large mail lets others work in between."""
    for start in range(0, len(raw), CHUNK):
        yield raw[start : start + CHUNK]


def _day(moment: datetime) -> str:
    """As IMAP writes days."""
    return f"{moment.day}-{MONTHS[moment.month - 1]}-{moment.year}"
