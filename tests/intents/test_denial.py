"""What is denied, asked, supposed or still to come ends, calls off and hands over nothing, whoever says it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intents.understand import Understanding
from tests.intents.conftest import said

CLOSING = frozenset({"fault.confirm", "fault.resolve", "fault.cancel"})
MENDED = ["好", "修好", "处理好", "弄好", "恢复", "解决", "搞定", "正常"]
NOT_SO = [
    "还没{}", "并没有{}", "尚未{}", "你们根本没给{}", "一直没能{}", "不算{}", "谈不上{}", "不能说{}了",
    "我没说{}了", "谁说{}了", "谁告诉你{}了",
    "哪里{}了", "{}了才怪", "{}什么{}", "{}了个鬼", "怎么可能{}了", "什么叫{}了", "说是{}了其实没有",
    "都说{}了，结果还是老样子", "嘴上说{}了",
    "什么时候能{}", "{}了没", "{}了没有", "是不是{}了", "怎么才能{}", "{}了再说", "等{}了告诉我", "如果{}了",
    "要是{}了就告诉我", "{}了的话跟我说",
    "希望能{}", "请尽快{}", "争取今天{}", "快{}了", "就快{}了", "差一点就{}了", "必须{}", "只要{}了就行", "除非{}",
    "{}了一半", "{}了又坏了",
    "昨天{}了今天又坏了", "{}了没两分钟又卡了",
]  # fmt: skip
ROLES = ["client", "engineer", "coordinator", "supervisor"]
EXPECTED = [None, "ack", "arrival", "step", "fix_confirmation", "notice_confirmation", "site", "score"]
AROUND = st.tuples(st.sampled_from(ROLES), st.sampled_from(EXPECTED), st.booleans())


def done(understanding: Understanding, text: str, around: tuple[str, str | None, bool]) -> set[str]:
    """The intents that would be acted upon."""
    role, expecting, addressed = around
    step = "link" if expecting == "step" else None
    readings = understanding.read_all(text, said(role, expecting, step, addressed=addressed))
    return {one.intent for one in readings if one.act == "act"}


@given(st.sampled_from(NOT_SO), st.sampled_from(MENDED), AROUND)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_not_so_closes_nothing(
    understanding: Understanding, frame: str, word: str, around: tuple[str, str | None, bool]
) -> None:
    assert not done(understanding, frame.replace("{}", word), around) & CLOSING


OTHERS = {
    "assign": [
        "不派老王", "别让老王去", "没安排老王", "不是老王负责", "老王不负责", "谁说派老王了", "是不是派老王",
        "如果派老王去", "别转给老王", "没交给老王",
    ],
    "meeting.cancel": [
        "别取消", "会没取消", "会不取消", "会没说取消", "谁说会取消了", "会是不是取消了", "会取消没",
        "如果会议取消请通知我", "不开会吗", "会不开了吗",
    ],
    "fault.cancel": [
        "别撤单", "不是误报", "没说不修了", "谁说不用来了", "难道不用修了", "是不是不用来了", "不要取消报修",
        "报修没取消", "故障单别取消",
    ],
    "meeting.notice": [
        "明天没会", "是不是明天九点开会", "明天九点的会别发通知", "没说明天开会", "如果明天九点开会",
        "不是明天九点开会",
    ],
    "arrive": ["还没到现场", "到了告诉我", "到了才怪", "谁到了", "等到了再说", "到了没"],
    "ack": ["没人收到", "谁收到了", "如果收到了", "等收到再说", "收到才怪", "收到了说一声", "别确认", "先别发"],
}  # fmt: skip


@given(st.sampled_from([(intent, text) for intent, texts in OTHERS.items() for text in texts]), AROUND)
@settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_not_so_hands_over_calls_off_and_books_nothing(
    understanding: Understanding, case: tuple[str, str], around: tuple[str, str | None, bool]
) -> None:
    assert case[0] not in done(understanding, case[1], around)


@pytest.mark.parametrize(
    ("text", "role", "expecting", "intent"),
    [
        ("刚才说没修好，现在修好了", "engineer", None, "fault.resolve"),
        ("没声音的问题解决了", "client", "fix_confirmation", "fault.confirm"),
        ("已修好，有问题再联系我", "engineer", None, "fault.resolve"),
        ("不派老王了，让老李去", "supervisor", None, "assign"),
        ("刚才没收到，现在收到了", "engineer", "ack", "ack"),
        ("不用来了", "client", None, "fault.cancel"),
        ("明天的会不开了", "coordinator", None, "meeting.cancel"),
    ],
)
def test_what_is_said_beside_it_still_counts(
    understanding: Understanding, text: str, role: str, expecting: str | None, intent: str
) -> None:
    assert intent in {one.intent for one in understanding.read_all(text, said(role, expecting))}
