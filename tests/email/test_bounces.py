"""A bounce is believed when it brings back a mail that we signed; what it says decides whether the address is dead."""

from pathlib import Path

import pytest

from adapters.email import bounces
from adapters.email.letter import read_letter
from tests.email.letters import THREADS, bounce, letter

OURS = THREADS.message_id("hb-41", "HY-20261125-001")
FORGED = "<hb-41.HY-20261125-001.abcdefghij234567@huibao.example.org>"
CORPUS = Path(__file__).parent / "corpus"


def test_a_dead_address() -> None:
    found = bounces.read(read_letter(bounce(OURS)), THREADS)
    assert found == bounces.Bounce("hb-41", "gone@gov.example.cn", "5.1.1", True, "5.1.1 550 5.1.1 User unknown")


def test_a_delay_is_no_failure() -> None:
    found = bounces.read(read_letter(bounce(OURS, status="4.4.1", action="delayed", said="timed out")), THREADS)
    assert found is not None
    assert (found.key, found.failed, found.status) == ("hb-41", False, "4.4.1")


def test_given_up_after_days_is_a_failure_but_the_address_may_live() -> None:
    found = bounces.read(read_letter(bounce(OURS, status="4.4.7", action="failed", said="expired")), THREADS)
    assert found is not None
    assert (found.failed, found.reason[:1]) == (True, "4")


def test_an_invented_bounce_is_about_nothing_of_ours() -> None:
    found = bounces.read(read_letter(bounce(FORGED)), THREADS)
    assert found is not None
    assert found.key == ""


def test_a_person_s_mail_is_none() -> None:
    assert bounces.read(letter("您的邮件 550 没有收到", In_Reply_To=OURS), THREADS) is None


@pytest.mark.parametrize(
    ("name", "failed", "said"),
    [
        ("dsn_postfix", True, "5.1.1"),
        ("dsn_exchange", True, "5.1.10"),
        ("dsn_postfix_delay", False, "4.4.1"),
        ("dsn_163", True, "550 User not found"),
        ("dsn_qq", True, "550 Mailbox not found"),
    ],
)
def test_bounces_as_providers_write_them(name: str, failed: bool, said: str) -> None:
    raw = (CORPUS / f"{name}.eml").read_bytes().replace(FORGED.encode(), OURS.encode())
    found = bounces.read(read_letter(raw), THREADS)
    assert found is not None
    assert (found.key, found.failed) == ("hb-41", failed)
    assert said in found.reason
