"""The mailbox is watched: every mail becomes one message, whatever the server, the network or this process does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from adapters.email import mailbox as module
from adapters.email import wire
from adapters.email.letter import Letter
from adapters.email.mailbox import LOCKED_OUT, Mailbox
from storage.clock import ManualClock
from storage.database import Database
from storage.letters import StoredLetter
from storage.messages import Attachment
from storage.ports import Refused
from storage.settings import Settings
from storage.work import Ground
from tests.email.letters import BOT, mail
from tests.email.liar import liar
from tests.email.watch import MINUTE, NOW, Watch, numbered, until
from tests.simulators.email.imap import ImapServer, imap_server


@pytest.fixture
async def server() -> AsyncIterator[ImapServer]:
    async with imap_server() as running:
        yield running


@pytest.fixture
def watch(sqlite_database: Database, tmp_path: Path, server: ImapServer) -> Watch:
    return Watch(sqlite_database, tmp_path, server.port)


async def test_a_mail_that_comes_is_a_message_at_once_and_marked_as_seen(watch: Watch, server: ImapServer) -> None:
    async with watch.running():
        await watch.healthy()
        uid = await server.deliver(numbered(1, "收到"))
        assert await watch.texts(1) == ["收到"]
        assert await server.seen() == [uid]
    [message] = await watch.messages()
    assert (message.platform, message.account, message.sender.account) == ("email", BOT, "li@gov.example.cn")
    assert not message.sender.verified
    assert list((watch.folder / "mail").glob("??/*"))


async def test_without_idle_the_mailbox_is_asked_every_minute(sqlite_database: Database, tmp_path: Path) -> None:
    async with imap_server(idle=False) as server:
        watch = Watch(sqlite_database, tmp_path, server.port)
        async with watch.running():
            await watch.healthy()
            await server.deliver(numbered(1))
            await asyncio.sleep(0.1)
            assert watch.letters == []
            watch.clock.advance(MINUTE)
            assert await watch.texts(1) == ["第1封"]


async def test_a_wait_ends_every_nine_minutes_at_the_latest(watch: Watch, server: ImapServer) -> None:
    async with watch.running():
        await watch.healthy()
        before = b"".join(server.said).count(b"IDLE")
        watch.clock.advance(timedelta(minutes=9))
        await until(lambda: b"".join(server.said).count(b"IDLE") > before)
        assert server.connections == 1


async def test_at_first_only_fresh_unseen_mail_is_taken(watch: Watch, server: ImapServer) -> None:
    await server.deliver(numbered(1), arrived=NOW - timedelta(days=30))
    await server.deliver(numbered(2), seen=True)
    await server.deliver(numbered(3))
    async with watch.running():
        assert await watch.texts(1) == ["第3封"]
        await watch.healthy()
    assert len(await watch.messages()) == 1


async def test_after_a_restart_everything_that_came_meanwhile_is_taken_seen_or_not(
    watch: Watch, server: ImapServer
) -> None:
    await server.deliver(numbered(1))
    async with watch.running():
        await watch.texts(1)
        await watch.healthy()
    await server.deliver(numbered(2), seen=True)
    await server.deliver(numbered(3))
    again = Watch(watch.database, watch.folder, server.port)
    async with again.running():
        assert await again.texts(2) == ["第1封", "第2封", "第3封"]
        await again.healthy()
    assert [letter.text for letter in again.letters] == ["第2封", "第3封"]


async def test_an_empty_mailbox_is_remembered_as_read(watch: Watch, server: ImapServer) -> None:
    async with watch.running():
        await watch.healthy()
    await server.deliver(numbered(1), seen=True)
    again = Watch(watch.database, watch.folder, server.port)
    async with again.running():
        assert await again.texts(1) == ["第1封"]


async def test_a_mailbox_that_was_rebuilt_brings_nothing_twice(watch: Watch, server: ImapServer) -> None:
    await server.deliver(numbered(1))
    async with watch.running():
        await watch.texts(1)
        await watch.healthy()
    await server.start_over()
    await server.deliver(numbered(1), seen=True)
    await server.deliver(numbered(2), seen=True)
    again = Watch(watch.database, watch.folder, server.port)
    async with again.running():
        assert await again.texts(2) == ["第1封", "第2封"]


async def test_two_copies_of_a_mail_are_one_message(watch: Watch, server: ImapServer) -> None:
    await server.deliver(numbered(1))
    await server.deliver(b"Received: by another way\r\n" + numbered(1))
    async with watch.running():
        assert await watch.texts(2) == ["第1封"]


async def test_what_could_not_be_taken_is_taken_later(watch: Watch, server: ImapServer) -> None:
    watch.fail = 1
    await server.deliver(numbered(1))
    await server.deliver(numbered(2))
    async with watch.running():
        await until(lambda: watch.letters)
        watch.clock.advance(MINUTE)
        assert sorted(await watch.texts(2)) == ["第1封", "第2封"]
    assert len(await server.seen()) == 2


async def test_what_can_never_be_taken_is_given_up_and_said(watch: Watch, server: ImapServer) -> None:
    watch.fail = 1000
    await server.deliver(numbered(1))
    async with watch.running():
        await watch.tick(lambda: "1 封" in watch.mailbox.trouble())
        watch.fail = 0
        await server.deliver(numbered(2))
        assert await watch.texts(1) == ["第2封"]


async def test_a_crash_between_keeping_and_marking_is_made_good(watch: Watch, server: ImapServer) -> None:
    uid = await server.deliver(numbered(1))
    async with watch.running():
        await watch.texts(1)
        await watch.healthy()
    inbox = await server._inbox()
    async for message in inbox.messages():
        message.permanent_flags = frozenset()
    async with watch.database.write() as session:
        row = (await session.exec(select(StoredLetter))).one()
        row.state = "new"
        session.add(row)
    again = Watch(watch.database, watch.folder, server.port)
    async with again.running():
        assert await again.texts(1) == ["第1封"]
        await again.healthy()
    assert await server.seen() == [uid]


@pytest.mark.parametrize("moments", [1, 3, 5])
async def test_stopped_at_any_moment_every_mail_is_one_message(watch: Watch, server: ImapServer, moments: int) -> None:
    for number in range(12):
        await server.deliver(numbered(number))
    for _ in range(40):
        attempt = Watch(watch.database, watch.folder, server.port)
        task = asyncio.create_task(attempt.mailbox.run())
        await asyncio.sleep(0.004 * moments)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        moments += 1
        if len(await attempt.messages()) == 12:
            break
    last = Watch(watch.database, watch.folder, server.port)
    async with last.running():
        await last.healthy()
    assert [message.text for message in await last.messages()] == [f"第{number}封" for number in range(12)]


async def test_a_lost_connection_is_opened_again(watch: Watch, server: ImapServer) -> None:
    async with watch.running():
        await watch.healthy()
        server.drop_all()
        await until(watch.mailbox.trouble)
        await server.deliver(numbered(1))
        watch.clock.advance(timedelta(seconds=2))
        assert await watch.texts(1) == ["第1封"]
        await watch.healthy()


async def test_a_connection_that_fell_silent_is_left(
    watch: Watch, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watch.running():
        await watch.healthy()
        server.freeze()
        with monkeypatch.context() as hurry:
            hurry.setattr(wire, "LINE_SECONDS", 0.2)
            watch.clock.advance(MINUTE)
            await until(watch.mailbox.trouble)
        server.thaw()
        await server.deliver(numbered(1))
        await watch.tick(lambda: watch.letters)


async def test_a_wrong_password_is_said_and_not_tried_all_the_time(watch: Watch, server: ImapServer) -> None:
    wrong = Watch(watch.database, watch.folder, server.port, password="wrong")
    async with wrong.running():
        await until(lambda: "拒绝登录" in wrong.mailbox.trouble())
        for _ in range(8):
            wrong.clock.advance(timedelta(seconds=30))
            await asyncio.sleep(0.01)
        assert server.connections == 1
        wrong.clock.advance(LOCKED_OUT)
        await until(lambda: server.connections == 2)
    assert not wrong.mailbox.ever_connected()


async def test_files_come_out_of_the_kept_mail(watch: Watch, server: ImapServer) -> None:
    raw = Path(__file__).with_name("corpus").joinpath("mixed_with_image.eml").read_bytes()
    await server.deliver(raw)
    async with watch.running():
        await watch.texts(1)
    [message] = await watch.messages()
    picture, paper = message.attachments
    assert (picture.kind, paper.kind, paper.name) == ("image", "file", "关于召开会议的通知.pdf")
    assert await watch.mailbox.download(paper) == b"%PDF-1.4 x"
    for ref in ("", "nonsense", f"{'0' * 64}/0", paper.ref.replace("/1", "/7"), "../../etc/passwd/0"):
        with pytest.raises(Refused):
            await watch.mailbox.download(Attachment(kind="file", ref=ref))


async def test_of_a_mail_beyond_all_bounds_the_headers_are_read(
    watch: Watch, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_MAIL", 2000)
    large = mail("长" * 4000, subject="青山县会场断网", **{"Message-ID": "<large@x>"})
    await server.deliver(large)
    await server.deliver(numbered(2))
    async with watch.running():
        assert await watch.texts(2) == ["青山县会场断网", "第2封"]
    [message, _] = await watch.messages()
    assert "没有读到" in message.hints["left_out"]


async def test_a_mail_the_server_does_not_give_out_holds_up_nobody(sqlite_database: Database, tmp_path: Path) -> None:
    raw = numbered(2)

    def broken(tag: str, command: str) -> bytes | None:
        end = f"{tag} OK\r\n".encode()
        if command.startswith("SELECT"):
            return b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n" + end
        if command.startswith("UID SEARCH"):
            return (b"* SEARCH 2\r\n" if "*" in command else b"* SEARCH 1 2\r\n") + end
        if not command.startswith("UID FETCH"):
            return None
        uid = int(command.split()[2])
        if "SIZE" in command:
            return b"* 1 FETCH (UID %d RFC822.SIZE 10)\r\n" % uid + end
        if uid == 1:
            return f"{tag} NO [SERVERBUG] broken\r\n".encode()
        return b"* 1 FETCH (UID 2 BODY[] {%d}\r\n%s)\r\n" % (len(raw), raw) + end

    async with liar(broken) as server:
        watch = Watch(sqlite_database, tmp_path, server.port)
        async with watch.running():
            await watch.tick(lambda: watch.letters, timedelta(seconds=5))
            await watch.tick(lambda: "1 封" in watch.mailbox.trouble(), timedelta(seconds=5))


async def test_a_server_that_says_goodbye_to_idle_is_not_hammered(sqlite_database: Database, tmp_path: Path) -> None:
    async with liar(lambda tag, command: b"* BYE no idling here\r\n" if command == "IDLE" else None) as server:
        watch = Watch(sqlite_database, tmp_path, server.port)
        async with watch.running():
            await until(lambda: "no idling here" in watch.mailbox.trouble())
            await asyncio.sleep(0.2)
            assert server.connections == 1, "the next try is on the clock"
            watch.clock.advance(timedelta(seconds=2))
            await until(lambda: server.connections == 2)


async def test_a_server_that_refuses_idle_is_asked_instead(sqlite_database: Database, tmp_path: Path) -> None:
    refusing = lambda tag, command: f"{tag} NO not now\r\n".encode() if command == "IDLE" else None  # noqa: E731
    async with liar(refusing) as server:
        watch = Watch(sqlite_database, tmp_path, server.port)
        async with watch.running():
            await watch.healthy()
            asked = sum("SEARCH" in line for line in server.heard)
            await watch.tick(lambda: sum("SEARCH" in line for line in server.heard) > asked)
            assert server.connections == 1


async def test_without_a_mailbox_nothing_is_read_and_it_is_said(sqlite_database: Database, tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": str(tmp_path), "email": {"address": BOT}})
    assert settings.email is not None

    async def take(letter: Letter) -> None:
        raise AssertionError

    mailbox = Mailbox(settings.email, Ground(sqlite_database, ManualClock(NOW), settings), take)
    assert mailbox.ever_connected()
    assert "只发不收" in mailbox.trouble()


async def test_a_mail_that_comes_while_another_is_read_does_not_wait_for_the_next_look(
    watch: Watch, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server announces it once, before IDLE begins: nobody may miss that."""
    take = watch.mailbox._take

    async def meanwhile(letter: Letter) -> None:
        await take(letter)
        if len(watch.letters) == 1:
            await server.deliver(numbered(2))

    monkeypatch.setattr(watch.mailbox, "_take", meanwhile)
    async with watch.running():
        await watch.healthy()
        await server.deliver(numbered(1))
        assert await watch.texts(2) == ["第1封", "第2封"]


async def test_raw_mails_are_kept_as_long_as_configured_and_stay_one_message(watch: Watch, server: ImapServer) -> None:
    """What is thrown away is the mail as it came; that it was read is not forgotten."""
    async with watch.running():
        await watch.healthy()
        await server.deliver(numbered(1), arrived=watch.clock.now())
        await watch.texts(1)
        watch.clock.advance(timedelta(days=29))
        await server.deliver(numbered(2), arrived=watch.clock.now())
        await watch.texts(2)
        assert len(kept(watch)) == 2
        watch.clock.advance(timedelta(days=2))
        await watch.tick(lambda: len(kept(watch)) == 1)
        await server.start_over()
        for number in (1, 2, 3):
            await server.deliver(numbered(number), arrived=watch.clock.now())
        server.drop_all()
        await watch.tick(lambda: len(watch.letters) >= 5)
    assert [message.text for message in await watch.messages()] == ["第1封", "第2封", "第3封"]


def kept(watch: Watch) -> list[Path]:
    return list((watch.folder / "mail").glob("??/*"))
