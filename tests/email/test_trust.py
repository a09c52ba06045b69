"""Who a mail is from: only what our own provider vouches for, for the address that is shown."""

import pytest

from adapters.email.letter import read_letter
from adapters.email.trust import is_proven
from tests.email.letters import letter, mail

OURS = "mx.example.org"


@pytest.mark.parametrize(
    "results",
    [
        "mx.example.org; dmarc=pass header.from=gov.example.cn",
        "mx.example.org; spf=pass smtp.mailfrom=li@gov.example.cn; dkim=pass header.d=gov.example.cn; dmarc=pass",
        "MX.example.org 1; dkim=pass (2048-bit) header.i=@gov.example.cn header.s=s1;",
        "mx.example.org; dkim=pass header.d=example.cn",
        "mx.example.org; dkim=fail header.d=gov.example.cn; dkim=pass header.d=gov.example.cn",
    ],
)
def test_a_mail_that_our_provider_vouches_for_is_proven(results: str) -> None:
    assert is_proven(letter(Authentication_Results=results), OURS)


@pytest.mark.parametrize(
    "results",
    [
        "",
        "mx.example.org; none",
        "mx.example.org; spf=pass smtp.mailfrom=li@gov.example.cn",
        "mx.example.org; dmarc=fail header.from=gov.example.cn",
        "mx.example.org; dmarc=pass header.from=evil.example.net",
        "mx.example.org; dkim=pass header.d=evil.example.net",
        "mx.example.org; dkim=pass header.d=vil-gov.example.cn",
        "mx.example.org; dkim=pass header.d=cn",
        "mx.example.org; dkim=pass",
        "evil.example.net; dmarc=pass header.from=gov.example.cn",
        "mx.example.org.evil.example.net; dmarc=pass header.from=gov.example.cn",
        "mx.example.org; dmarc=none (dmarc=pass header.from=gov.example.cn)",
        'evil.example.net; x="mx.example.org; dmarc=pass"',
        "mx.example.org dmarc=pass header.from=gov.example.cn",
        ";;;; dmarc=pass",
    ],
)
def test_anything_less_is_not(results: str) -> None:
    assert not is_proven(letter(Authentication_Results=results), OURS)


def test_without_a_provider_that_is_believed_mail_proves_nothing() -> None:
    assert not is_proven(letter(Authentication_Results="; dmarc=pass header.from=gov.example.cn"), "")
    assert not is_proven(letter(Authentication_Results="mx.example.org; dmarc=pass"), "")


def test_results_that_came_with_the_mail_are_below_ours_and_do_not_count() -> None:
    forged = b"Authentication-Results: mx.example.org; dmarc=pass header.from=gov.example.cn\r\n"
    ours = b"Authentication-Results: mx.example.org; dmarc=fail header.from=gov.example.cn\r\n"
    relay = b"Authentication-Results: relay.example.net; dmarc=fail\r\n"
    assert not is_proven(read_letter(ours + forged + mail()), OURS)
    assert not is_proven(read_letter(relay + forged + mail()), OURS)
    assert is_proven(read_letter(forged + ours + mail()), OURS)


def test_several_authors_are_nobody() -> None:
    results = "mx.example.org; dmarc=pass header.from=gov.example.cn"
    two = letter(sender="li@gov.example.cn, evil@evil.example.net", Authentication_Results=results)
    assert not is_proven(two, OURS)
    twice = read_letter(b"From: evil@evil.example.net\r\n" + mail(Authentication_Results=results))
    assert not is_proven(twice, OURS)
