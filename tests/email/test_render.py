"""How a message reads as a mail: its subject, what comes first, and how to answer last."""

import pytest

from adapters.email.render import Link, answer_subject, html_of, one_line, parts, subject_of, text_of
from storage.messages import Outgoing

HY, GZ = "HY-20261125-001", "GZ-20261124-001"


@pytest.mark.parametrize(
    ("text", "about", "title", "subject"),
    [
        (f"您好：【会议变更】{HY} 会商：改到10:00。", HY, "防汛会商", f"[{HY}]【会议变更】防汛会商"),
        (f"李工您好：{GZ} 三楼：没有声音（紧急），I级，报障人方芳，电话13900000011。请在15:20前回“收到”接单。", GZ, "",
         f"[{GZ}] 三楼：没有声音（紧急），I级，报障人方芳"),
        (f"何工您好：{HY}（11月25日（周三）9:30，8:30前到位）的通知15:10已发，尚未收到江州市回复。", HY, "",
         f"[{HY}] 通知15:10已发，尚未收到江州市回复"),
        (f"【无人接单】临河县 {GZ} 三楼：没有声音。请人工联系。", GZ, "", f"[{GZ}]【无人接单】临河县 三楼：没有声音"),
        (f"何工您好：临河县有I级故障，{GZ} 三楼：没有声音。", GZ, "", f"[{GZ}] 临河县有I级故障，三楼：没有声音"),
        ("您好，我是会保机器人。您的账号还没有登记。", "", "", "我是会保机器人"),
        ("", "", "", ""),
    ],
)  # fmt: skip
def test_the_subject_has_number_state_and_matter(text: str, about: str, title: str, subject: str) -> None:
    assert subject_of(Outgoing(text=text, about=about, title=title)) == subject


def test_a_subject_is_one_line_and_not_endless() -> None:
    subject = subject_of(Outgoing(text="很" * 500 + "\r\nBcc: x@y.cn", about=GZ))
    assert len(subject) <= 70
    assert "\n" not in subject
    assert one_line("a\u2028b\x00c\u202ed\te", 99) == "a b cd e"


@pytest.mark.parametrize(
    ("subject", "answered"),
    [
        ("求助", f"Re: [{GZ}] 求助"),
        ("Re: 回复：答复: 求助", f"Re: [{GZ}] 求助"),
        (f"回复：[{GZ}] 求助", f"Re: [{GZ}] 求助"),
        ("RE[2]: 求助", f"Re: [{GZ}] 求助"),
        ("回复", f"Re: [{GZ}] 回复"),
    ],
)
def test_an_answer_keeps_the_subject_with_one_re_and_the_number(subject: str, answered: str) -> None:
    assert answer_subject(subject, Outgoing(text="x", about=GZ)) == answered


def test_an_answer_to_a_mail_without_subject_has_its_own() -> None:
    assert answer_subject("", Outgoing(text=f"【已接单】{GZ} 三楼。", about=GZ)) == f"[{GZ}]【已接单】三楼"


def test_how_to_answer_comes_last_also_in_a_text_of_several_lines() -> None:
    facts, how = parts(
        Outgoing(text="【请核对】会商\n回“确认”发布，或直接说要改什么。\n时间：9:30\n1. 回“收到”的人\n提醒：没有")
    )
    assert how == ["回“确认”发布，或直接说要改什么。"]
    assert facts == ["【请核对】会商", "时间：9:30", "1. 回“收到”的人", "提醒：没有"]


def test_what_stands_in_quotes_or_brackets_is_not_torn() -> None:
    facts, how = parts(Outgoing(text="他说“好了。谢谢。”（见上。）已处理。请回“好了”。"))
    assert facts == ["他说“好了。谢谢。”（见上。）已处理。"]
    assert how == ["请回“好了”。"]


def test_a_greeting_is_no_row_of_a_table() -> None:
    page = html_of(Outgoing(text="您好：有一个通知。\n范围：临河县"), (), by_reply=True)
    assert "<th" in page
    assert ">您好</th>" not in page
    assert ">范围</th>" in page


def test_the_first_sentence_is_a_sentence() -> None:
    message = Outgoing(text="已登记：HY-20261125-001 临河县已回复，谢谢。请于8:30前到位。")
    assert text_of(message, (), by_reply=True).startswith("已登记：HY-20261125-001 临河县已回复，谢谢。\n")
    assert "<th" not in html_of(message, (), by_reply=True)


def test_where_an_answer_by_mail_does_not_count_the_mail_says_so() -> None:
    links = [Link("收到", "https://x/1")]
    message = Outgoing(text="请回“收到”。")
    assert "不能核实身份" in text_of(message, links, by_reply=False)
    assert "不能核实身份" in html_of(message, links, by_reply=False)
    assert "不能核实身份" not in text_of(message, links, by_reply=True)
    assert "可直接回复" not in text_of(message, (), by_reply=False)


def test_words_of_people_are_words_in_html() -> None:
    page = html_of(
        Outgoing(text='<b>“x”&\n范围：<script>alert("1")</script>'), [Link("<i>", 'https://x/"')], by_reply=True
    )
    assert "<b>" not in page
    assert "<script>" not in page
    assert "<i>" not in page
    assert 'href="https://x/&quot;"' in page
