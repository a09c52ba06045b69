"""What a mail says, and since when: the subject of a new mail counts, that of an answer does not."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.email.letter import LetterFile, Unread
from adapters.email.receive import read_message, said, written_at
from adapters.email.render import text_of
from storage.messages import Incoming, Outgoing
from tests.email.letters import BOT, THREADS, letter

NOW = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
WRITTEN = datetime.fromisoformat("2026-11-24T09:00:00+08:00")


def message(**changes: object) -> Incoming:
    return read_message(replace(letter(), **changes), BOT, THREADS, NOW, proven=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        ("青山县会场没有声音", "", "青山县会场没有声音"),
        ("青山县会场", "没有声音", "青山县会场\n没有声音"),
        ("会场没有声音", "青山县会场没有声音，请处理", "青山县会场没有声音，请处理"),
        ("会场 没有声音", "会场没有声音。请处理", "会场没有声音。请处理"),
        ("回复：会议通知", "收到", "收到"),
        ("Re: 会议通知", "", ""),
        ("答复: 会议通知", "收到", "收到"),
        ("", "没有声音", "没有声音"),
    ],
)
def test_the_subject_of_a_new_mail_is_part_of_what_is_said(subject: str, text: str, expected: str) -> None:
    assert said(replace(letter(), subject=subject, text=text), THREADS) == expected


def test_the_subject_of_a_mail_in_a_thread_is_not() -> None:
    assert said(replace(letter(), subject="会议通知", text="收到", in_reply_to=("<x@y>",)), THREADS) == "收到"


OURS = text_of(Outgoing(text="【会议保障通知】HY-20261125-001 会商。请于15:20前回“收到”。"), (), by_reply=True)
OUTLOOK = "发件人: 会保\n发送时间: 2026年11月24日 9:00\n收件人: 李\n主题: 通知\n\n"
QQ = "------------------ 原始邮件 ------------------\n发件人: 会保\n发送时间: 2026年11月24日\n\n"


@pytest.mark.parametrize("heading", [OUTLOOK, QQ])
@pytest.mark.parametrize("below", ["收到，按时参加。", "收到，按时参加。\n\n发自我的iPhone"])
def test_an_answer_below_the_whole_of_our_mail_is_found(heading: str, below: str) -> None:
    """These clients do not say where the quote ends; we know how our own mails end."""
    ours = THREADS.message_id("hb-41", "HY-20261125-001")
    assert message_of(f"{heading}{OURS}\n{below}", ours) == "收到，按时参加。"
    assert message_of(f"{heading}{OURS}", ours) == ""
    assert message_of(f"知道了\n\n{heading}{OURS}\n{below}", ours) == "知道了"
    assert message_of(f"{heading}{OURS}\n{below}", "<somebody@else.example.cn>") == ""


def message_of(text: str, answered: str) -> str:
    mail = letter(text, subject="回复：[HY-20261125-001] 会议通知", In_Reply_To=answered)
    return read_message(mail, BOT, THREADS, NOW, proven=True).text


@pytest.mark.parametrize(
    ("date", "arrived", "expected"),
    [
        (WRITTEN, NOW - timedelta(minutes=5), WRITTEN),
        (WRITTEN, None, WRITTEN),
        (None, WRITTEN, WRITTEN),
        (NOW + timedelta(hours=1), WRITTEN, WRITTEN),
        (NOW - timedelta(days=30), WRITTEN, WRITTEN),
        (NOW - timedelta(days=30), None, NOW),
        (None, NOW + timedelta(hours=8), NOW),
    ],
)
def test_a_mail_counts_from_when_it_was_written_as_far_as_that_is_believable(
    date: datetime | None, arrived: datetime | None, expected: datetime
) -> None:
    assert written_at(replace(letter(), date=date, arrived=arrived), NOW) == expected


def test_the_same_mail_has_the_same_name() -> None:
    assert message().message_id == message(source="f" * 64, arrived=NOW).message_id
    assert message().message_id != read_message(letter("别的", Date=""), BOT, THREADS, NOW, proven=True).message_id


def test_files_are_named_by_what_they_are_and_by_where_they_lie() -> None:
    files = (
        LetterFile("现场.JPG", "application/octet-stream", b"1"),
        LetterFile("录音.mp3", "audio/mpeg", b"12"),
        LetterFile("通知.docx", "application/octet-stream", b"123"),
    )
    attachments = message(files=files, source="a" * 64).attachments
    assert [(one.kind, one.name, one.size) for one in attachments] == [
        ("image", "现场.JPG", 1),
        ("audio", "录音.mp3", 2),
        ("file", "通知.docx", 3),
    ]
    assert [one.ref for one in attachments] == [f"{'a' * 64}/{place}" for place in range(3)]


def test_what_was_left_out_is_said_once() -> None:
    unread = (Unread("too_large", "录像.mp4"), Unread("too_large", "录像.mp4"), Unread("cut"))
    lines = message(unread=unread).hints["left_out"].splitlines()
    assert len(lines) == 2
    assert "录像.mp4" in lines[0]
    assert "10 MB" in lines[0]
    assert "left_out" not in message().hints
