"""What messages mean, by their sense: negation, what was asked, several acts, evidence."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intents.understand import Understanding, outward
from tests.intents.conftest import said


@pytest.mark.parametrize(
    ("text", "expecting", "role", "intent"),
    [
        ("不是没声音，是有杂音", None, "client", "fault.report"),
        ("还没到位", "arrival", "engineer", "none"),
        ("已到位", "arrival", "engineer", "arrive"),
        ("没收到", "ack", "engineer", "none"),
        ("收到", "ack", "engineer", "ack"),
        ("没问题了？还是卡", "fix_confirmation", "client", "fault.reject"),
        ("没问题了", "fix_confirmation", "client", "fault.confirm"),
        ("不卡了", "fix_confirmation", "client", "fault.confirm"),
        ("还卡", "fix_confirmation", "client", "fault.reject"),
        ("不用来了", None, "client", "fault.cancel"),
        ("怎么还不来", None, "client", "fault.urge"),
        ("能不能听到", None, "client", "none"),
        ("听不到", None, "client", "fault.report"),
        ("别断线", None, "coordinator", "none"),
        ("又断线了", None, "client", "fault.report"),
        ("没修好", "fix_confirmation", "client", "fault.reject"),
        ("修好了", "fix_confirmation", "client", "fault.confirm"),
        ("修好了吗", None, "client", "fault.query"),
        ("修好了", None, "engineer", "fault.resolve"),
        ("还没修好", None, "engineer", "fault.update"),
        ("没有声音", None, "client", "fault.report"),
        ("有声音了", "fix_confirmation", "client", "fault.confirm"),
        ("明天的会不开了", None, "coordinator", "meeting.cancel"),
        ("明天的会还开吗", None, "client", "meeting.query"),
        ("可以了", "fix_confirmation", "client", "fault.confirm"),
        ("不可以", "fix_confirmation", "client", "fault.reject"),
    ],
)
def test_negation_and_turns(
    understanding: Understanding, text: str, expecting: str | None, role: str, intent: str
) -> None:
    assert understanding.read(text, said(role, expecting)).intent == intent


@pytest.mark.parametrize(
    ("text", "expecting", "role", "intent"),
    [
        ("好了", "fix_confirmation", "client", "fault.confirm"),
        ("好了", None, "engineer", "fault.resolve"),
        ("好了", "step", "engineer", "checklist.report"),
        ("1", "ack", "engineer", "ack"),
        ("1", "step", "engineer", "checklist.report"),
        ("确认", "notice_confirmation", "coordinator", "ack"),
        ("20分钟到", "arrival", "engineer", "ack"),
        ("20分钟到", None, "engineer", "fault.update"),
        ("谢谢", None, "client", "none"),
        ("改成9点", "notice_confirmation", "coordinator", "meeting.change"),
    ],
)
def test_short_answers_are_read_against_what_was_asked(
    understanding: Understanding, text: str, expecting: str | None, role: str, intent: str
) -> None:
    step = "power" if expecting == "step" else None
    assert understanding.read(text, said(role, expecting, step)).intent == intent


def test_denied_symptoms_are_not_reported(understanding: Understanding) -> None:
    assert understanding.read("不是没声音，是有杂音", said()).slots["symptom"] == ["noise"]
    assert understanding.read("声音正常，就是投影不亮", said()).slots["device"] == ["projector"]


def test_a_question_goes_back_only_where_something_is_awaited(understanding: Understanding) -> None:
    assert understanding.read("没收到", said("engineer", "ack")).act == "ask"
    assert understanding.read("没收到", said("engineer")).act == "ignore"


@pytest.mark.parametrize(
    ("text", "role", "expecting", "intent"),
    [
        ("修好了", "engineer", "ack", "fault.resolve"),
        ("好了", "engineer", "ack", "fault.resolve"),
        ("搞定", "engineer", "ack", "fault.resolve"),
        ("换了灯泡，修好了", "engineer", "ack", "fault.resolve"),
        ("没修好", "engineer", "ack", "fault.update"),
        ("'; DROP TABLE fault;--", "engineer", None, "none"),
        ("{0.__class__}", "engineer", None, "none"),
        ("已到位", "engineer", "ack", "arrive"),
        ("已关机断电", "engineer", None, "checklist.report"),
        ("突然断电了", "engineer", None, "fault.report"),
        ("故障报告已提交", "engineer", None, "fault.update"),
        ("GZ-20261124-001 好了", "client", None, "fault.confirm"),
        ("还是不行", "client", None, "fault.reject"),
        ("不是三楼，是二楼会议室", "client", None, "none"),
        ("HY-20261125-001加上黑石镇", "coordinator", None, "meeting.change"),
        ("全省防汛视频会商，各市县参加", "coordinator", None, "meeting.notice"),
        ("今天下午4点开紧急防汛会商，全市各县参加", "coordinator", None, "meeting.notice"),
        ("元旦值班调整：1号原小周改小吴", "coordinator", None, "assign"),
        ("收到请回复", "coordinator", None, "none"),
    ],
)
def test_answers_beside_the_question(
    understanding: Understanding, text: str, role: str, expecting: str | None, intent: str
) -> None:
    assert understanding.read(text, said(role, expecting)).intent == intent


@pytest.mark.parametrize("role", ["client", "engineer", "coordinator"])
def test_a_notice_is_one_whoever_forwards_it(understanding: Understanding, role: str) -> None:
    reading = understanding.read("明天上午9点半全省防汛视频会商，各市县提前一小时到位", said(role))
    assert (reading.intent, reading.slots["title"]) == ("meeting.notice", "全省防汛视频会商")


def test_a_place_answers_where(understanding: Understanding) -> None:
    reading = understanding.read("德清县水利局", said("client", "site"))
    assert (reading.intent, reading.act, reading.slots["site"]) == ("fault.report", "act", ["德清县水利局分会场"])
    assert understanding.read("德清县水利局", said("client")).intent == "none"


@pytest.mark.parametrize("expecting", ["step", "ack"])
def test_a_check_put_right_is_a_check(understanding: Understanding, expecting: str) -> None:
    step = "link" if expecting == "step" else None
    readings = understanding.read_all("不是三楼，光路是好的，刚才看错了", said("engineer", expecting, step))
    assert [(one.intent, one.slots["step"], one.slots["status"]) for one in readings] == [
        ("checklist.report", ["link"], "ok")
    ]


def test_nothing_done_yet_is_asked_again(understanding: Understanding) -> None:
    reading = understanding.read("还没弄好", said("engineer", "step", "power"))
    assert (reading.intent, reading.act) == ("none", "ask")


@pytest.mark.parametrize("text", ["收到，还有40分钟到", "在路上，还有40分钟到"])
def test_under_way_is_one_answer_with_its_minutes(understanding: Understanding, text: str) -> None:
    [reading] = understanding.read_all(text, said("engineer", "arrival"))
    assert (reading.intent, reading.slots["eta_minutes"]) == ("ack", 40)


def test_words_of_a_check_carry_no_line_breaks(understanding: Understanding) -> None:
    readings = understanding.read_all("已到位，电源正常，光路红灯", said("engineer", "arrival"))
    results = readings[1].slots["results"]
    assert isinstance(results, list)
    assert [one["text"] for one in results] == ["电源正常，", "光路红灯"]


@pytest.mark.parametrize(
    "text",
    [
        "我家那台老电视昨晚突然没声音了",
        "游戏里队友掉线，输得莫名其妙",
        "生日会改到周五晚上了，寿星要加班",
        "楼下幼儿园的大喇叭又响了",
        "到了到了，饭店门口等你们",
        "会议圆满结束，感谢各位",
        "隔壁群说画面卡了，不是咱们这个系统的",
    ],
)
@pytest.mark.parametrize("role", ["client", "engineer"])
def test_life_is_left_alone(understanding: Understanding, text: str, role: str) -> None:
    assert understanding.read(text, said(role)).intent == "none"


def test_a_misheard_long_name_is_not_the_short_one_inside_it(understanding: Understanding) -> None:
    assert understanding.read("温州时政务中心没声音了", said()).slots["site"] == ["温州市政务中心分会场"]


def test_a_day_put_off_is_counted_from_the_old_one(understanding: Understanding) -> None:
    reading = understanding.read("11月26日河长制视频会顺延一天,时间仍为9:00", said("coordinator"))
    assert (reading.intent, reading.slots["start"]) == ("meeting.change", "2026-11-27T09:00:00+08:00")


@pytest.mark.parametrize(
    ("text", "role", "expecting", "intents"),
    [
        ("收到，但投影坏了", "engineer", "ack", ["ack", "fault.report"]),
        ("收到。明天几点开会？", "client", None, ["ack", "meeting.query"]),
        ("已到位，电源正常，光路红灯", "engineer", "arrival", ["arrive", "checklist.report"]),
        ("好了，另外二楼会议室的大屏黑屏", "client", "fix_confirmation", ["fault.confirm", "fault.report"]),
        ("好了，谢谢", "client", "fix_confirmation", ["fault.confirm"]),
        ("收到，20分钟到", "engineer", "ack", ["ack"]),
        ("今天真冷", "client", None, ["none"]),
    ],
)
def test_several_acts_in_order(
    understanding: Understanding, text: str, role: str, expecting: str | None, intents: list[str]
) -> None:
    readings = understanding.read_all(text, said(role, expecting))
    assert [reading.intent for reading in readings] == intents
    assert all(text[one.start : one.end] == one.text for reading in readings for one in reading.why)


def test_mixed_checks_stay_one_answer_with_a_result_each(understanding: Understanding) -> None:
    [reading] = understanding.read_all("电源正常，光路红灯", said("engineer", "step", "power"))
    assert (reading.slots["status"], reading.slots["step"]) == ("abnormal", ["power", "link"])
    results = reading.slots["results"]
    assert isinstance(results, list)
    assert [(one["step"], one["status"]) for one in results] == [("power", "ok"), ("link", "abnormal")]
    assert "results" not in outward(reading.slots)


def test_the_two_stories(understanding: Understanding) -> None:
    fault = understanding.read("三楼会议室没声音了，会马上开始", said())
    assert fault.intent == "fault.report"
    assert outward(fault.slots) == {"room": "三楼会议室", "symptom": ["no_audio"], "level": "emergency"}
    notice = understanding.read("明天上午9点半全省防汛视频会商，各市县提前一小时到位", said("coordinator"))
    assert outward(notice.slots) == {"start": "2026-11-25T09:30:00+08:00", "scope": "all", "system": "water"}
    assert (notice.slots["title"], notice.slots["arrive_before_minutes"]) == ("全省防汛视频会商", 60)


def test_a_quoted_message_is_not_the_senders_word(understanding: Understanding) -> None:
    assert understanding.read("> 三楼没声音\n> 快来人\n收到", said("engineer", "ack")).intent == "ack"
    assert understanding.read("“王芳：投影坏了”\n- - - - - -\n收到，我来", said("engineer", "ack")).intent == "ack"


def test_every_answer_carries_its_evidence(understanding: Understanding) -> None:
    text = "三楼会议室　没聲音了"
    reading = understanding.read(text, said())
    assert reading.why
    assert all(text[one.start : one.end] == one.text for one in reading.why)
    assert any(one.text == "没聲音" for one in reading.why)


PLAIN = [
    "投影没图像了",
    "收到，明天准时参加",
    "还是没声音",
    "修好了吗",
    "明天下午三点开会，各市县参加",
    "怎么还没人来修",
    "误报，不用来了",
    "今晚谁值班",
    "光路红灯",
    "德清县水利局没声音",
    "已到位",
    "会议取消了",
]


def _full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


@pytest.mark.parametrize("text", PLAIN)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "，谢谢",
        lambda text: "@会保 " + text,
        " ".join,
        _full_width,
        lambda text: text + "[抱拳]",
        lambda text: text + "！！",
        lambda text: text.replace("没", "沒").replace("声", "聲").replace("会", "會"),
    ],
)
def test_manners_do_not_change_the_meaning(understanding: Understanding, text: str, change: object) -> None:
    plain = understanding.read(text, said())
    other = understanding.read(change(text), said())  # type: ignore[operator]  # a function of one text
    assert (other.intent, outward(other.slots)) == (plain.intent, outward(plain.slots))


NEGATED = ["没{}", "还没{}", "没有{}", "并没{}", "根本没{}", "还没有{}", "一直没{}", "没{}呢", "没{}啊"]


@given(
    st.sampled_from(NEGATED),
    st.sampled_from(["修好", "好", "恢复", "解决", "弄好", "处理好", "搞定"]),
    st.sampled_from(["client", "engineer", "supervisor", "coordinator"]),
    st.sampled_from([None, "fix_confirmation", "ack", "arrival", "site"]),
    st.sampled_from(["", "！", "，麻烦看下"]),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_negated_close_never_closes(
    understanding: Understanding, frame: str, verb: str, role: str, expecting: str | None, tail: str
) -> None:
    reading = understanding.read(frame.format(verb) + tail, said(role, expecting))
    assert reading.intent not in ("fault.confirm", "fault.resolve", "fault.cancel")


@given(
    st.text(max_size=120),
    st.sampled_from(["client", "engineer", "coordinator"]),
    st.sampled_from([None, "ack", "step", "arrival", "fix_confirmation", "notice_confirmation", "score", "site"]),
)
@settings(max_examples=150, deadline=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_typed_is_read(understanding: Understanding, text: str, role: str, expecting: str | None) -> None:
    step = "link" if expecting == "step" else None
    for reading in understanding.read_all(text, said(role, expecting, step)):
        assert all(0 <= one.start <= one.end <= len(text) for one in reading.why)


ODD = ["没", "会", "1", "的", "1点", "周", "没声音", "、", "安吉", "不是", "(", "各市县", "[", "@", " ", "到"]


@pytest.mark.parametrize("piece", ODD)
def test_long_odd_texts_end_in_bounded_time(understanding: Understanding, piece: str) -> None:
    started = time.process_time()
    understanding.read_all(piece * 6000, said())
    assert time.process_time() - started < 2
