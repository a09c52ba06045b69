"""Mail out, against a real server: encryption as configured, one connection, what 4xx and 5xx mean."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from adapters.email.errors import Misconfigured, NotSecure, SenderRefused
from adapters.email.smtp import IDLE, Smtp
from storage.clock import ManualClock
from storage.ports import Refused, Retry, Unsure
from storage.settings import SmtpSettings
from tests.simulators.email.certificates import authority
from tests.simulators.email.smtp import SmtpServer, smtp_server

RAW = b"Subject: x\r\n\r\nhello\r\n"
NOW = datetime.fromisoformat("2026-11-24T09:00:00+08:00")


def settings(server: SmtpServer, tls: str = "none", **more: str) -> SmtpSettings:
    return SmtpSettings.model_validate({"host": "127.0.0.1", "port": server.port, "tls": tls, **more})


@asynccontextmanager
async def sender(
    server: SmtpServer, tls: str = "none", context: ssl.SSLContext | None = None, **more: str
) -> AsyncIterator[tuple[Smtp, ManualClock]]:
    clock = ManualClock(NOW)
    smtp = Smtp(settings(server, tls, **more), clock, "example.org", context)
    try:
        yield smtp, clock
    finally:
        await smtp.close()


async def test_one_connection_serves_many_mails() -> None:
    async with smtp_server() as server, sender(server) as (smtp, _):
        for _ in range(5):
            await smtp.send("bot@example.org", "li@example.org", RAW)
        assert (len(server.mails), server.connections) == (5, 1)
        assert smtp.problem is None


async def test_an_idle_or_lost_connection_is_opened_anew_and_nothing_is_lost() -> None:
    async with smtp_server() as server, sender(server) as (smtp, clock):
        await smtp.send("bot@example.org", "li@example.org", RAW)
        clock.advance(IDLE + timedelta(seconds=1))
        await smtp.send("bot@example.org", "li@example.org", RAW)
        assert server.connections == 2
        server.drop_all()
        await smtp.send("bot@example.org", "li@example.org", RAW)
        server.script["MAIL"].append("421 4.4.2 idle for too long")
        await smtp.send("bot@example.org", "li@example.org", RAW)
        assert len(server.mails) == 4


async def test_after_an_error_in_mid_mail_the_next_mail_gets_a_clean_connection() -> None:
    async with smtp_server() as server, sender(server) as (smtp, _):
        server.refuse["gone@example.org"] = "550 5.1.1 no such user"
        with pytest.raises(Refused, match=r"550 5\.1\.1 no such user"):
            await smtp.send("bot@example.org", "gone@example.org", RAW)
        await smtp.send("bot@example.org", "li@example.org", RAW)
        assert (len(server.mails), server.connections) == (1, 2)


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        ("MAIL", "451 4.3.0 try later", Retry),
        ("RCPT", "450 4.2.0 greylisted", Retry),
        ("DATA", "452 4.3.1 no space", Retry),
        ("RCPT", "421 4.7.0 too many", Retry),
        ("RCPT", "553 5.1.3 bad address", Refused),
        ("RCPT", "552 5.2.2 mailbox full", Refused),
        ("DATA", "552 5.3.4 message too large", Refused),
        ("MAIL", "553 Mail from must equal authorized user", SenderRefused),
        ("MAIL", "550 5.7.1 sender address rejected", SenderRefused),
        ("RCPT", "554 5.7.1 <li@example.org>: Relay access denied", SenderRefused),
        ("DATA", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", SenderRefused),
        ("DATA", "554 5.7.1 looks like spam", Refused),
        ("MAIL", "530 5.7.0 authentication required", Misconfigured),
        ("RCPT", "", Retry),
        ("DATA", "", Unsure),
    ],
)
async def test_what_a_refusal_means(stage: str, reply: str, expected: type[Exception]) -> None:
    async with smtp_server() as server, sender(server) as (smtp, _):
        server.script[stage] += [reply, reply]
        with pytest.raises((Retry, Refused)) as caught:
            await smtp.send("bot@example.org", "li@example.org", RAW)
        assert type(caught.value) is expected
        server.script[stage].clear()
        await smtp.send("bot@example.org", "li@example.org", RAW)
        assert len(server.mails) == 1


@pytest.mark.parametrize(("tls", "starttls"), [("implicit", False), ("starttls", True)])
async def test_encryption_as_configured_with_login(tls: str, starttls: bool) -> None:
    ca = authority()
    async with (
        smtp_server(context=ca.server, starttls=starttls, username="bot", password="secret") as server,
        sender(server, tls, ca.client, username="bot", password="secret") as (smtp, _),
    ):
        await smtp.send("bot@example.org", "li@example.org", RAW)
        assert [mail.encrypted for mail in server.mails] == [True]


async def test_a_server_without_starttls_gets_nothing_in_the_clear() -> None:
    async with smtp_server() as server, sender(server, "starttls", authority().client) as (smtp, _):
        with pytest.raises(NotSecure):
            await smtp.send("bot@example.org", "li@example.org", RAW)
        assert isinstance(smtp.problem, NotSecure)
        assert server.mails == []


@pytest.mark.parametrize(("tls", "starttls"), [("implicit", False), ("starttls", True)])
async def test_a_certificate_nobody_vouches_for_is_refused(tls: str, starttls: bool) -> None:
    async with smtp_server(context=authority().server, starttls=starttls) as server, sender(server, tls) as (smtp, _):
        with pytest.raises(NotSecure):
            await smtp.send("bot@example.org", "li@example.org", RAW)


async def test_a_certificate_of_another_host_is_refused() -> None:
    other = authority("mail.elsewhere.test")
    async with smtp_server(context=other.server) as server, sender(server, "implicit", other.client) as (smtp, _):
        with pytest.raises(NotSecure):
            await smtp.send("bot@example.org", "li@example.org", RAW)


async def test_a_wrong_password_is_our_fault_and_not_the_addressee_s() -> None:
    async with (
        smtp_server(username="bot", password="secret") as server,
        sender(server, username="bot", password="wrong") as (smtp, _),
    ):
        with pytest.raises(Misconfigured) as caught:
            await smtp.send("bot@example.org", "li@example.org", RAW)
        assert "wrong" not in str(caught.value)
        assert "secret" not in repr(smtp.problem)


async def test_a_refused_sender_is_known_until_a_mail_goes_and_the_check_finds_it() -> None:
    """A server that takes the login but not our address would have every address look dead."""
    async with smtp_server() as server, sender(server) as (smtp, _):
        server.script["MAIL"] += ["553 Mail from must equal authorized user"] * 2
        with pytest.raises(SenderRefused):
            await smtp.probe("bot@example.org")
        with pytest.raises(SenderRefused):
            await smtp.send("bot@example.org", "li@example.org", RAW)
        assert isinstance(smtp.problem, SenderRefused)
        await smtp.send("bot@example.org", "li@example.org", RAW)
        assert smtp.problem is None


async def test_no_server_at_all_is_no_reason_to_give_up() -> None:
    async with smtp_server() as server:
        pass
    async with sender(server) as (smtp, _):
        with pytest.raises(Retry):
            await smtp.send("bot@example.org", "li@example.org", RAW)
        assert not smtp.ever_connected
