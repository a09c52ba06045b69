"""Every raw mail of the corpus says what a person would read in it; any bytes are read in time, without error."""

import base64
import tomllib
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.email.letter import LARGEST_FILE, Letter, Unread, read_letter
from adapters.email.loops import never_answer
from storage.clock import Stopwatch
from tests.email.letters import BOT, THREADS

CORPUS = Path(__file__).parent / "corpus"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((CORPUS / "expected.toml").read_text("utf-8"))
DIRECT = ("sender", "sender_name", "subject", "message_id", "text")


def raw(name: str) -> bytes:
    return (CORPUS / f"{name}.eml").read_bytes()


def test_every_mail_of_the_corpus_has_an_expectation() -> None:
    assert {path.stem for path in CORPUS.glob("*.eml")} == set(EXPECTED)
    assert len(EXPECTED) > 60


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_says_what_a_person_reads_in_it(name: str) -> None:
    letter, expected = read_letter(raw(name)), EXPECTED[name]
    read = {key: getattr(letter, key) for key in DIRECT if key in expected}
    assert read == {key: expected[key] for key in DIRECT if key in expected}
    assert expected.get("quoted", "") in letter.quoted
    assert expected.get("text_has", "") in letter.text
    assert [file.name for file in letter.files] == expected.get("files", [])
    assert [f"{one.why} {one.name}".strip() for one in letter.unread] == expected.get("unread", [])
    assert (letter.date is None) == ("date" in expected or "\nDate:" not in raw(name).decode("latin-1"))


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_machine_wrote_is_known_and_nothing_else_is(name: str) -> None:
    letter = read_letter(raw(name))
    reason = never_answer(letter, BOT, THREADS)
    assert bool(reason) == (EXPECTED[name].get("machine", False) or not letter.sender), reason


@pytest.mark.parametrize("name", [name for name, one in EXPECTED.items() if one.get("status")])
def test_a_delivery_status_shows_its_recipient_and_code(name: str) -> None:
    message = read_letter(raw(name)).message
    assert message.get_content_type() == "multipart/report"
    [status] = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    blocks = status.get_payload()
    assert isinstance(blocks, list)
    fields = {key: str(value) for block in blocks for key, value in block.items()}  # type: ignore[union-attr]
    assert fields["Action"] in ("failed", "delayed")
    assert "gov.example.cn" in fields["Final-Recipient"]
    assert fields["Status"][0] in "45"
    assert any("hb-41.HY-20261125-001" in str(part.get_payload()) for part in message.walk())


def test_the_same_mail_is_the_same_mail_on_every_way() -> None:
    first = raw("qq")
    moved = b"Received: from elsewhere\r\nDelivered-To: other@example.cn\r\n" + first
    assert read_letter(first).identity == read_letter(moved).identity
    later = first.replace(b"10:12:30", b"10:12:31")
    assert read_letter(first).identity != read_letter(later).identity


def test_without_an_id_the_words_tell_mails_apart_and_so_does_the_writer() -> None:
    one = raw("no_message_id")
    assert read_letter(one).identity == read_letter(b"X-Any: 1\r\n" + one).identity
    assert read_letter(one).identity != read_letter(one + b"!").identity
    assert read_letter(one).identity != read_letter(one.replace(b"li@corp", b"wang@corp")).identity


def with_file(data: bytes, name: str = "a.bin") -> bytes:
    head = (
        'From: a@b.cn\nMessage-ID: <x@b>\nContent-Type: multipart/mixed; boundary="m"\n\n--m\n\nhello\n--m\n'
        "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
        f'Content-Disposition: attachment; filename="{name}"\n\n'
    )
    return head.encode() + base64.encodebytes(data) + b"\n--m--\n"


def test_a_file_up_to_the_limit_is_kept_and_a_larger_one_is_named_but_left_out() -> None:
    whole = read_letter(with_file(b"x" * LARGEST_FILE))
    assert [len(file.data) for file in whole.files] == [LARGEST_FILE]
    assert whole.unread == ()
    beyond = read_letter(with_file(b"x" * (LARGEST_FILE + 1)))
    assert (beyond.text, beyond.files, beyond.unread) == ("hello", (), (Unread("too_large", "a.bin"),))


def test_a_hundred_files_are_not_kept() -> None:
    part = b"--m\nContent-Disposition: attachment; filename=a.txt\n\nx\n"
    letter = read_letter(b"From: a@b.cn\nContent-Type: multipart/mixed; boundary=m\n\n" + part * 100 + b"--m--\n")
    assert len(letter.files) == 30
    assert len(letter.unread) == 70


SEEDS = [raw(name) for name in EXPECTED]
SPICES = [
    b"\r\n",
    b"\n\n",
    b"--",
    b"=?gb2312?B?",
    b"?=",
    b'boundary="',
    b";",
    b'"',
    b"<",
    b">",
    b"\x80",
    b"=",
    b"&#",
    b"\0",
]


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_damaged_mail_never_raises(data: st.DataObject) -> None:
    mail = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(mail)))
        spice = data.draw(st.sampled_from(SPICES) | st.binary(max_size=8))
        match data.draw(st.sampled_from(["insert", "cut", "replace", "double"])):
            case "insert":
                mail[at:at] = spice
            case "cut":
                del mail[at : at + data.draw(st.integers(1, 200))]
            case "replace":
                mail[at : at + len(spice)] = spice
            case "double":
                mail[at:at] = mail[at : at + 500]
    assert_storable(read_letter(bytes(mail)))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=2000))
def test_any_bytes_never_raise(data: bytes) -> None:
    assert_storable(read_letter(data))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from(["From", "Date", "Content-Type", "Subject", "References", "Content-Disposition"])),
    st.data(),
)
def test_any_header_values_never_raise(names: list[str], data: st.DataObject) -> None:
    head = "".join(f"{name}: {data.draw(st.text(max_size=80))}\n" for name in names)
    assert_storable(read_letter(head.encode("utf-8", "replace") + b"\nbody"))


def assert_storable(letter: Letter) -> None:
    """Text that a database takes, addresses that are ones, names that are no paths."""
    for text in (letter.text, letter.quoted, letter.subject, letter.sender, letter.sender_name, letter.message_id):
        text.encode("utf-8")
        assert "\0" not in text
    assert not letter.sender or ("@" in letter.sender and letter.sender == letter.sender.strip().lower())
    assert all(file.name and "/" not in file.name and "\\" not in file.name for file in letter.files)


MEGABYTES = 3 * 1024 * 1024
HOSTILE = {
    "empty parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * (MEGABYTES // 4),
    "nested parts": b"Content-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * (MEGABYTES // 48),
    "headers": b"X-A: b\n" * (MEGABYTES // 7),
    "one header": b"Subject: " + b"=?utf-8?B?" * (MEGABYTES // 10),
    "folded header": b"From: a\n" + b" <a@b> ,\n" * (MEGABYTES // 9),
    "quotes in a header": b"From: " + b'"\\' * (MEGABYTES // 2),
    "parameters": b"Content-Type: text/plain" + b';a*0*="' * (MEGABYTES // 7),
    "references": b"References: " + b"<a@b>\n " * (MEGABYTES // 7),
    "comments in HTML": b"Content-Type: text/html\n\n" + b"<!--" * (MEGABYTES // 4),
    "deep HTML": b"Content-Type: text/html\n\n" + b"<div>" * (MEGABYTES // 5),
    "entities": b"Content-Type: text/html\n\n" + b"&#" * (MEGABYTES // 2),
    "quote signs": b"\n\n" + b"> " * (MEGABYTES // 2),
    "announcements": "\n\n在于2026年于".encode() * (MEGABYTES // 20) + "写道".encode(),
    "announcing lines": b"\n\n" + ("在" + "于2026年" * 25 + "写道：x写道:\n").encode() * (MEGABYTES // 250),
    "nearly headings": b"\n\n" + "发件人:\n".encode() * (MEGABYTES // 11),
    "dashes": b"\n\n" + b"-" * MEGABYTES,
    "rules": b"\n\n" + b"------\n" * (MEGABYTES // 7),
    "flowing lines": b"Content-Type: text/plain; format=flowed\n\n" + b"x \n" * (MEGABYTES // 3),
    "blank lines": b"\n\n" + b"\n" * MEGABYTES,
    "spaces": b"\n\n" + b" " * MEGABYTES + b"x",
    "broken base64": b"Content-Transfer-Encoding: base64\n\n" + b"=A" * (MEGABYTES // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_takes_no_more_than_moments(name: str) -> None:
    """Measured: three seconds at most; what is quadratic takes minutes."""
    watch = Stopwatch()
    assert_storable(read_letter(HOSTILE[name]))
    assert watch.seconds() < 60


@pytest.mark.parametrize("name", ["会议通知.exe", "通知.pdf.scr", "setup.MSI", "看图.lnk", "宏.js"])
def test_programs_are_not_kept_and_are_named(name: str) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Message-ID"] = "li@gov.example.cn", "<m1@gov.example.cn>"
    message.set_content("见附件")
    message.add_attachment(b"MZ" + b"x" * 100, maintype="application", subtype="octet-stream", filename=name)
    read = read_letter(message.as_bytes())
    assert read.files == ()
    assert [(one.why, one.name) for one in read.unread] == [("program", name)]
