"""Machines are not answered, and nobody is answered without end."""

import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.email.letter import read_letter
from adapters.email.loops import HOUR, Caps, never_answer
from storage.clock import ManualClock
from tests.email.letters import BOT, THREADS, letter

CORPUS = Path(__file__).parent / "corpus"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((CORPUS / "expected.toml").read_text("utf-8"))
MACHINES = {
    "163_holiday", "qq_holiday", "exchange_oof", "mailing_list",
    "dsn_163", "dsn_qq", "dsn_exchange", "dsn_postfix", "dsn_postfix_delay",
}  # fmt: skip
NOW = datetime.fromisoformat("2026-11-24T09:00:00+08:00")


def reason(text: str = "收到", **headers: str) -> str:
    return never_answer(letter(text, **headers), BOT, THREADS)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner-email=x"},
        {"Return_Path": "<>"},
        {"Precedence": "bulk"},
        {"Precedence": "LIST"},
        {"Precedence": "junk"},
        {"Precedence": "auto_reply"},
        {"List_Id": "<dev.example.org>"},
        {"X_Auto_Response_Suppress": "OOF, AutoReply"},
        {"X_Auto_Response_Suppress": "All"},
        {"X_Loop": "yes"},
        {"X_Autoreply": "yes"},
        {"sender": "MAILER-DAEMON@mx.example.org"},
        {"sender": "postmaster@qq.com"},
        {"sender": "no-reply@example.org"},
        {"sender": "noreply+x@example.org"},
        {"sender": BOT.upper()},
        {"Message_ID": THREADS.message_id("hb-1", "HY-20261125-001")},
        {"Content_Type": 'multipart/report; boundary="b"'},
        {"subject": "自动回复: 会议通知"},
        {"subject": "自动答复: 会议通知"},
        {"subject": "Automatic reply: notice"},
        {"subject": "系统退信"},
        {"subject": "退信"},
        {"subject": "Undeliverable: notice"},
        {"subject": "已读: 会议通知"},
    ],
)
def test_what_a_machine_wrote_is_not_answered(headers: dict[str, str]) -> None:
    given = {name: value for name, value in headers.items() if name != "Content_Type"}
    if "Content_Type" in headers:
        raw = (
            b'Content-Type: multipart/report; boundary="b"\r\nFrom: li@gov.example.cn\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n'
        )
        assert never_answer(read_letter(raw), BOT, THREADS)
        return
    assert reason(**given)


@pytest.mark.parametrize(
    "text",
    [
        "这是来自QQ邮箱的假期自动回复邮件。 \n\n您好，我最近正在休假中，无法亲自回复您的邮件。",
        "您好，我正在休假，无法及时回复您的邮件，急事请电话联系。",
        "您好！我正在出差，不便及时回复邮件。",
        "本邮件由系统自动发送，请勿回复。",
    ],
)
def test_a_holiday_note_without_any_mark_is_known_by_its_words(text: str) -> None:
    assert reason(text)


@pytest.mark.parametrize(
    "text",
    [
        "收到",
        "邮件已收到，我们马上处理。",
        "我正在出差，这次请王工负责。",
        "收到，我在休假，已转给李工处理",
        "三楼会议室没声音，自动开关机也坏了",
        "请回复",
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Auto_Submitted": "no"},
        {"subject": "回复：会议通知"},
        {"subject": "自动控制系统故障"},
        {"Return_Path": "<li@gov.example.cn>"},
    ],
)
def test_what_a_person_wrote_is(text: str, headers: dict[str, str]) -> None:
    assert reason(text, **headers) == ""


@pytest.mark.parametrize("name", EXPECTED)
def test_the_mails_of_the_corpus_are_told_apart(name: str) -> None:
    one = read_letter((CORPUS / f"{name}.eml").read_bytes())
    if one.sender:
        assert bool(never_answer(one, BOT, THREADS)) == (name in MACHINES)


async def nothing_before(_partner: str, _proven: bool, _since: datetime) -> list[datetime]:
    return []


@pytest.mark.parametrize(("proven", "most"), [(True, 8), (False, 2)])
async def test_an_address_gets_so_many_answers_an_hour_and_then_some_more(proven: bool, most: int) -> None:
    clock = ManualClock(NOW)
    caps = Caps(clock, nothing_before)
    for _ in range(most):
        assert await caps.full_until("li@x.cn", proven=proven) is None
        await caps.count("li@x.cn", proven=proven)
        clock.advance(timedelta(minutes=1))
    assert await caps.full_until("li@x.cn", proven=proven) == NOW + HOUR
    assert await caps.full_until("wang@x.cn", proven=proven) is None
    clock.set(NOW + HOUR)
    assert await caps.full_until("li@x.cn", proven=proven) is None
    await caps.count("li@x.cn", proven=proven)
    assert await caps.full_until("li@x.cn", proven=proven) is not None


async def test_a_forger_does_not_use_up_what_the_person_gets() -> None:
    caps = Caps(ManualClock(NOW), nothing_before)
    for _ in range(2):
        await caps.count("li@x.cn", proven=False)
    assert await caps.full_until("li@x.cn", proven=False) is not None
    assert await caps.full_until("li@x.cn", proven=True) is None


async def test_answers_given_before_a_restart_count() -> None:
    async def before(partner: str, proven: bool, since: datetime) -> list[datetime]:
        moments = [NOW - timedelta(minutes=90), *[NOW - timedelta(minutes=5)] * 8]
        return [one for one in moments if one > since] if (partner, proven) == ("li@x.cn", True) else []

    caps = Caps(ManualClock(NOW), before)
    assert await caps.full_until("li@x.cn", proven=True) == NOW + timedelta(minutes=55)
    assert await caps.full_until("li@x.cn", proven=False) is None
