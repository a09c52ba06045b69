"""The IMAP client against a real server and against liars: encrypted as configured, bounded in time and size."""

import asyncio
import base64

import pytest

from adapters.email import wire
from adapters.email.errors import Misconfigured, NotSecure
from adapters.email.imap import Denied, Imap
from adapters.email.wire import Gone
from storage.ports import Retry
from storage.settings import ImapSettings
from tests.email.liar import CAPABILITY, Answers, liar
from tests.simulators.email.certificates import authority
from tests.simulators.email.imap import PASSWORD, USER, ImapServer, imap_server

RAW = b"From: a@b.cn\r\nSubject: x\r\n\r\nhello\r\n"


def settings(port: int, tls: str = "none", host: str = "127.0.0.1", **more: str) -> ImapSettings:
    return ImapSettings.model_validate(
        {"host": host, "port": port, "tls": tls, "username": USER, "password": PASSWORD, **more}
    )


async def opened(server: ImapServer, **more: str) -> Imap:
    imap = await Imap.open(settings(server.port, **more))
    await imap.select()
    return imap


async def test_mails_are_found_fetched_and_marked() -> None:
    async with imap_server() as server:
        first, second = await server.deliver(RAW), await server.deliver(RAW + b"2", seen=True)
        imap = await opened(server)
        assert await imap.search("UNSEEN") == [first]
        assert await imap.search(f"UID {second}:*") == [second]
        assert await imap.fetch(first) == RAW
        assert await imap.fetch(first, headers_only=True) == RAW[: -len(b"hello\r\n")]
        assert await imap.fetch(9999) is None
        envelope = await imap.envelope(second)
        assert envelope is not None
        assert envelope.size == len(RAW) + 1
        assert await server.seen() == [second], "fetching alone marks nothing"
        await imap.mark_seen(first)
        assert await server.seen() == [first, second]
        await imap.close()


async def test_new_mail_ends_the_wait() -> None:
    async with imap_server() as server:
        imap = await opened(server)
        changed = asyncio.Event()
        waiting = asyncio.create_task(imap.idle(changed.set))
        await asyncio.sleep(0.05)
        assert not changed.is_set()
        uid = await server.deliver(RAW)
        await asyncio.wait_for(changed.wait(), 5)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await imap.done()
        assert await imap.search("UID 1:*") == [uid]
        await imap.close()


async def test_a_wrong_password_is_told_apart_from_trouble() -> None:
    async with imap_server() as server:
        with pytest.raises(Misconfigured):
            await opened(server, password="wrong")


@pytest.mark.parametrize("implicit", [True, False])
async def test_encrypted_as_configured(implicit: bool) -> None:
    tls = "implicit" if implicit else "starttls"
    async with imap_server(tls=authority().server, implicit=implicit) as server:
        imap = await Imap.open(settings(server.port, tls), authority().client)
        assert imap.wire._writer.get_extra_info("ssl_object") is not None
        await imap.select()
        await imap.close()
        if not implicit:
            assert PASSWORD.encode() not in b"".join(server.said)


@pytest.mark.parametrize("implicit", [True, False])
async def test_a_certificate_of_somebody_else_is_refused_before_the_password(implicit: bool) -> None:
    tls = "implicit" if implicit else "starttls"
    async with imap_server(tls=authority("elsewhere.example.org").server, implicit=implicit) as server:
        with pytest.raises(NotSecure):
            await Imap.open(settings(server.port, tls), authority("elsewhere.example.org").client)
        assert PASSWORD.encode() not in b"".join(server.said)


async def test_a_server_without_starttls_never_sees_the_password() -> None:
    async with imap_server() as server:
        with pytest.raises(NotSecure):
            await Imap.open(settings(server.port, "starttls"), authority().client)
        assert PASSWORD.encode() not in b"".join(server.said)


async def test_what_comes_in_the_clear_behind_starttls_is_not_believed() -> None:
    def injecting(tag: str, command: str) -> bytes | None:
        return f"{tag} OK go\r\nh2 OK logged in\r\n".encode() if command == "STARTTLS" else None

    async with liar(injecting) as server:
        with pytest.raises(Retry):
            await Imap.open(settings(server.port, "starttls"), authority().client)
        assert not [line for line in server.heard if "LOGIN" in line]


async def test_a_password_that_login_cannot_carry_goes_as_plain() -> None:
    def plain(tag: str, command: str) -> bytes | None:
        if command == "CAPABILITY":
            return CAPABILITY[:-2] + b" AUTH=PLAIN\r\n" + f"{tag} OK\r\n".encode()
        return b"+ \r\n" if command.startswith("AUTHENTICATE") else b"h2 OK in\r\n" if not command else None

    async with liar(plain) as server:
        imap = await Imap.open(settings(server.port, password="密码"))
        assert base64.b64decode(server.heard[2]) == f"\0{USER}\0密码".encode()
        imap.wire.close()


async def test_netease_is_told_who_is_there() -> None:
    def netease(tag: str, command: str) -> bytes | None:
        return CAPABILITY[:-2] + b" ID\r\n" + f"{tag} OK\r\n".encode() if command == "CAPABILITY" else None

    async with liar(netease) as server:
        imap = await Imap.open(settings(server.port))
        assert 'ID ("name" "huibao"' in server.heard[-1]
        imap.wire.close()


def replying(verb: str, said: bytes) -> Answers:
    """A liar that answers one command so; ``TAG`` in it stands for the tag."""
    return lambda tag, command: said.replace(b"TAG", tag.encode()) if command.upper().startswith(verb) else None


async def test_a_mail_of_another_number_is_not_taken_for_the_one_asked_for() -> None:
    lie = b"* 1 FETCH (UID 8 BODY[] {3}\r\nabc)\r\n* 2 FETCH (FLAGS (\\Seen))\r\nTAG OK\r\n"
    async with liar(replying("UID FETCH", lie)) as server:
        imap = await Imap.open(settings(server.port))
        assert await imap.fetch(9) is None
        assert await imap.fetch(8) == b"abc"
        imap.wire.close()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b'* 1 FETCH (UID 8 BODY[] "a\\"b")\r\n', b'a"b'),
        (b"* 1 FETCH (UID 8 BODY[] NIL)\r\n", b""),
        (b"* 1 FETCH (UID 8 FLAGS (\\Seen) BODY[] {3}\r\nabc)\r\n", b"abc"),
        (b"* 1 FETCH (BODY[] {3}\r\nabc UID 8)\r\n", b"abc"),
        (b"* 1 FETCH (UID 8 ENVELOPE ({1}\r\nx) BODY[] {2}\r\nyz)\r\n", b"yz"),
    ],
)
async def test_a_mail_is_read_in_every_form_servers_send_it(said: bytes, expected: bytes) -> None:
    async with liar(replying("UID FETCH", said + b"TAG OK\r\n")) as server:
        imap = await Imap.open(settings(server.port))
        assert await imap.fetch(8) == expected
        imap.wire.close()


@pytest.mark.parametrize(
    "said",
    [
        b"* 1 FETCH (UID 8 BODY[] {4000000000}\r\n",
        b"* 1 FETCH (UID 8 BODY[] {100}\r\nabc",
        b"* BYE going down\r\n",
        b"TAG MAYBE\r\n",
        b"x" * (wire.LONGEST_LINE + 10),
        b"",
    ],
)
async def test_an_answer_beyond_bounds_or_none_at_all_ends_the_connection(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with liar(replying("UID FETCH", said)) as server:
        imap = await Imap.open(settings(server.port))
        if not said or said.endswith(b"abc"):
            monkeypatch.setattr(wire, "LINE_SECONDS", 0.2)
        with pytest.raises(Gone):
            await imap.fetch(8)
        imap.wire.close()


async def test_a_flood_of_answers_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.email.imap.ANSWERS_PER_COMMAND", 100)
    async with liar(replying("UID SEARCH", b"* SEARCH 1 2 3\r\n" * 200)) as server:
        imap = await Imap.open(settings(server.port))
        with pytest.raises(Gone):
            await imap.search("ALL")
        imap.wire.close()


async def test_numbers_that_are_no_uids_are_left_out() -> None:
    lie = b"* SEARCH 0 5 99999999999 5 3 abc 4294967296\r\nTAG OK\r\n"
    async with liar(replying("UID SEARCH", lie)) as server:
        imap = await Imap.open(settings(server.port))
        assert await imap.search("ALL") == [3, 5]
        imap.wire.close()


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [(b"* BYE full\r\n", Gone), (b"220 smtp\r\n", Gone), (b"* PREAUTH hi\r\n", NotSecure), (b"", Gone)],
)
async def test_an_odd_greeting_is_the_end(
    greeting: bytes, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not greeting:
        monkeypatch.setattr(wire, "LINE_SECONDS", 0.2)
    async with liar(lambda tag, command: None, greeting) as server:
        with pytest.raises(kind):
            await Imap.open(settings(server.port))


async def test_a_server_that_is_busy_is_no_wrong_password() -> None:
    async with liar(replying("LOGIN", b"TAG NO [UNAVAILABLE] later\r\n")) as server:
        with pytest.raises(Retry) as caught:
            await Imap.open(settings(server.port))
        assert not isinstance(caught.value, Misconfigured | Denied)


@pytest.mark.parametrize("said", [b"TAG NO cannot LOGIN %s\r\n", b"* BYE go away with %s\r\n"])
async def test_a_server_that_repeats_the_password_does_not_get_it_into_the_log(said: bytes) -> None:
    async with liar(replying("LOGIN", said % PASSWORD.encode())) as server:
        with pytest.raises(Retry) as caught:
            await Imap.open(settings(server.port))
        assert PASSWORD not in f"{caught.value.reason} {caught.value}"
        assert caught.value.__cause__ is None


async def test_nobody_listens() -> None:
    async with liar(lambda tag, command: None) as server:
        port = server.port
    with pytest.raises(Gone):
        await Imap.open(settings(port))
