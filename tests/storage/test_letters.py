"""The table of raw mails: a mail is kept once, in order, and given up in the end; numbers as large as servers use."""

from datetime import datetime

from storage.database import Database
from storage.letters import MOST_ATTEMPTS, Letters, StoredLetter

NOW = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
LARGE = 2**32 - 1


def letter(uid: int, validity: int = LARGE) -> StoredLetter:
    return StoredLetter(mailbox="", uidvalidity=validity, uid=uid, sha256=f"{uid:064x}", size=uid % 100, stored_at=NOW)


async def test_a_mail_is_kept_once_and_known_from_then_on(database: Database) -> None:
    letters = Letters(database, "bot@here")
    for uid in (5, LARGE, 5):
        await letters.keep(letter(uid))
    assert await letters.known(LARGE, range(1, 2000)) == {5}
    assert await letters.known(LARGE, [LARGE]) == {LARGE}
    assert await letters.known(7, [5]) == set()
    assert await Letters(database, "other@there").known(LARGE, [5]) == set()
    assert [row.uid for row in await letters.waiting()] == [5, LARGE]


async def test_the_place_in_the_mailbox_is_remembered(database: Database) -> None:
    letters = Letters(database, "bot@here")
    assert await letters.place() is None
    await letters.arrive(LARGE, 17, NOW)
    await letters.arrive(LARGE, LARGE, NOW)
    place = await letters.place()
    assert place is not None
    assert (place.uidvalidity, place.uid, place.read_at) == (LARGE, LARGE, NOW)


async def test_what_fails_waits_behind_the_others_and_is_given_up_in_the_end(database: Database) -> None:
    letters = Letters(database, "bot@here")
    await letters.keep(letter(1))
    await letters.keep(letter(2))
    [first, _] = await letters.waiting()
    assert not await letters.failed(first, "away")
    assert [row.uid for row in await letters.waiting()] == [2, 1]
    for _ in range(MOST_ATTEMPTS - 1):
        failing = (await letters.waiting())[-1]
        given_up = await letters.failed(failing, "x" * 1000)
    assert given_up
    assert await letters.dead() == 1
    [second] = await letters.waiting()
    await letters.taken(second)
    assert await letters.waiting() == []
