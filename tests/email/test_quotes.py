"""Whatever somebody writes above, below or between a quote of any client is found, whole and alone."""

import tomllib
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.email.html import html_text
from adapters.email.quotes import split

OLD = "会议通知：明天九点开会\n请收到后回复“收到”\n\n地点：省厅 501"
CLIENTS = tomllib.loads(Path(__file__).with_name("clients.toml").read_text("utf-8"))
TEXT, HTML = CLIENTS["text"], CLIENTS["html"]
SIGNATURES = [
    "",
    "\n\n发自我的iPhone",
    "\n-- \n李工\n信息中心",
    "\n\n祝好！\n李工",
    "\n获取 Outlook for iOS<https://aka.ms/o0ukef>",
]
WORDS = [
    "收到",
    "青山县",
    "没有声音",
    "会场",
    "已到场",
    "谢谢",
    "HY-20261125-001",
    "9:00",
    "主题",
    "原因：断网",
    "139",
    "，",
    "。",
    "(",
    "> ",
    "- ",
]
line = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join).map(str.strip)
lines = st.lists(line.filter(lambda one: one and not one.startswith(">")), min_size=1, max_size=6)
"""What people write: no line that begins like a quoted one."""


def marked(text: str) -> str:
    return "\n".join(f"> {one}" for one in text.split("\n"))


def paragraphs(text: str) -> str:
    return "".join(f"<div>{escape(one) or '<br>'}</div>" for one in text.split("\n"))


@pytest.mark.parametrize("client", TEXT)
@settings(max_examples=25, deadline=None)
@given(written=lines, signature=st.sampled_from(SIGNATURES))
def test_the_new_part_of_a_text(client: str, written: list[str], signature: str) -> None:
    new = "\n".join(written)
    halves = split(TEXT[client].format(new=new + signature, old=OLD, marked=marked(OLD)))
    assert halves.new == new
    assert "请收到后回复" in halves.quoted
    assert "地点：省厅 501" in halves.quoted


@pytest.mark.parametrize("client", HTML)
@settings(max_examples=25, deadline=None)
@given(written=lines, signature=st.sampled_from(SIGNATURES))
def test_the_new_part_of_html(client: str, written: list[str], signature: str) -> None:
    new = "\n".join(written)
    html = HTML[client].format(new=paragraphs(new), old=paragraphs(OLD))
    halves = split(html_text(f"<html><body>{html}</body></html>"))
    assert halves.new == new
    assert "请收到后回复" in halves.quoted
    assert "地点：省厅 501" in halves.quoted


@settings(max_examples=100, deadline=None)
@given(lines)
def test_a_mail_that_quotes_nothing_is_new_from_end_to_end(written: list[str]) -> None:
    new = "\n".join(written)
    assert (split(new).new, split(new).quoted) == (new, "")
    assert split(html_text(paragraphs(new))).new == new


def test_answers_between_the_lines_of_a_quote_are_all_found() -> None:
    text = "On 24/11/2026 09:00, Huibao <bot@huibao.example.org> wrote:\n> 几点到？\n八点\n> 谁带队？\n何工\n"
    assert split(text).new == "八点\n何工"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<pre>第一行\n第二行</pre>第三行", "第一行\n第二行\n第三行"),
        ('<div style="white-space: pre-wrap">第一行\n第二行</div>\n<p>第三\n行</p>', "第一行\n第二行\n第三 行"),
        ('<pre class="moz-signature">-- \n何工</pre><div>收到</div>', "收到"),
        ("<div>一<br></div><div><br></div><div>二</div>", "一\n\n二"),
        ("<table><tr><td>电话</td><td>139</td></tr><tr><td>人</td><td>李</td></tr></table>", "电话 139\n人 李"),
        ("一<!-- 看不见 --><script>alert(1)</script><style>p{}</style>二", "一二"),
        ("&lt;b&gt;&amp;nbsp;&nbsp;x", "<b>&nbsp; x"),
        ("", ""),
    ],
)
def test_html_reads_as_it_looks(html: str, text: str) -> None:
    assert split(html_text(html)).new == text
