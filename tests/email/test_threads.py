"""Replies find what they answer: by signed Message-IDs first, by a number in the subject last."""

import pytest

from adapters.email.threads import MOST_REFERENCES, Threads, partner_of, shortened
from tests.email.letters import BOT, THREADS, letter

NOTICE = "HY-20261125-001"
OURS = THREADS.message_id("hb-41", NOTICE)


def test_the_same_delivery_has_the_same_id_and_another_one_another() -> None:
    assert THREADS.message_id("hb-41", NOTICE) == OURS
    assert THREADS.message_id("hb-42", NOTICE) != OURS
    assert OURS.endswith("@huibao.example.org>")


def test_an_id_says_what_it_is_about_only_when_we_signed_it() -> None:
    ours = THREADS.read(OURS)
    assert ours is not None
    assert (ours.key, ours.about) == ("hb-41", NOTICE)
    assert Threads(b"other" * 8, BOT).read(OURS) is None
    assert THREADS.read(OURS.replace("001", "002")) is None
    assert THREADS.read(OURS.replace("hb-41", "hb-42")) is None
    assert THREADS.read("<someone@else>") is None


def test_an_id_is_known_again_after_the_mailbox_has_moved() -> None:
    assert Threads(b"k" * 32, "bot@new.example.org").read(OURS) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"In_Reply_To": OURS},
        {"References": f"<a@b> {OURS}"},
        {"References": f"{OURS} <reply@gov.example.cn>", "In_Reply_To": "<reply@gov.example.cn>"},
        {"In_Reply_To": "<lost@by.client>", "References": f"<x@y> {OURS} <lost@by.client>"},
    ],
)
def test_a_reply_finds_its_notice(headers: dict[str, str]) -> None:
    assert THREADS.about_of(letter(**headers)) == NOTICE


def test_the_latest_of_our_mails_is_the_one_that_is_answered() -> None:
    older = THREADS.message_id("hb-7", "GZ-20261120-003")
    assert THREADS.about_of(letter(References=f"{older} {OURS}")) == NOTICE


def test_a_forged_id_is_about_nothing() -> None:
    forged = f"<hb-41.{NOTICE}.aaaaaaaaaaaaaaaa@huibao.example.org>"
    assert THREADS.about_of(letter(In_Reply_To=forged)) == ""


def test_only_the_number_of_the_thread_counts_in_what_is_quoted() -> None:
    text = f"收到\n\n------------------ 原始邮件 ------------------\n{NOTICE} 会议通知\nHY-20261126-002 另一次会议\n"
    quote = THREADS.quote_of(letter(text, In_Reply_To=OURS))
    assert quote is not None
    assert NOTICE in quote.text
    assert "HY-20261126-002" not in quote.text


def test_a_number_in_the_subject_is_taken_when_the_thread_is_lost() -> None:
    quote = THREADS.quote_of(letter(subject=f"回复：[{NOTICE}]【会议保障通知】防汛会商"))
    assert quote is not None
    assert quote.text.startswith(NOTICE)


def test_a_thread_is_one_partner_on_one_matter() -> None:
    first = THREADS.conversation_of(letter(In_Reply_To=OURS))
    second = THREADS.conversation_of(
        letter(References=f"{OURS} <m1@gov.example.cn>", In_Reply_To="<m1@gov.example.cn>")
    )
    assert first == second
    assert partner_of(first) == "li@gov.example.cn"
    other = THREADS.conversation_of(letter(sender="wang@gov.example.cn", In_Reply_To=OURS))
    assert other != first


def test_a_conversation_that_somebody_else_began_goes_on_as_one() -> None:
    begun = THREADS.conversation_of(letter(Message_ID="<report@gov.example.cn>"))
    ours = THREADS.message_id("hb-9", "GZ-20261124-001")
    later = letter(Message_ID="<m2@gov.example.cn>", References=f"<report@gov.example.cn> {ours}", In_Reply_To=ours)
    assert THREADS.conversation_of(later) == begun
    assert THREADS.about_of(later) == "GZ-20261124-001"


def test_a_mail_without_an_id_still_has_a_conversation() -> None:
    assert partner_of(THREADS.conversation_of(letter(Message_ID=""))) == "li@gov.example.cn"


def test_a_long_chain_of_references_is_cut_in_the_middle() -> None:
    chain = [f"<{number}@x>" for number in range(50)]
    kept = shortened(chain)
    assert len(kept) == MOST_REFERENCES
    assert (kept[0], kept[-1]) == (chain[0], chain[-1])
