"""An operator's word files: laid over the shipped ones, refused with a sentence when they cannot be used."""

import threading
from datetime import datetime
from pathlib import Path

import pytest

from intents import edition
from intents.compare import compared, examples
from intents.overlay import HERE, WordsError
from intents.reading import Context, Reading
from intents.slow import may_be_slow
from intents.understand import Understanding

CONTEXT = Context(datetime.fromisoformat("2026-11-24T10:00:00+08:00"))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    folder = tmp_path / "words"
    folder.mkdir()
    return folder


def read(understanding: type[Understanding], text: str) -> Reading:
    return understanding([]).read(text, CONTEXT)


def test_a_new_word_is_understood_and_the_running_words_do_not_know_it(words: Path) -> None:
    (words / "things.toml").write_text('[device]\nmicrophone = ["会说话的棒子"]\n', encoding="utf-8")
    changed = edition.load(words)
    assert read(changed, "会说话的棒子坏了").slots["device"] == ["microphone"]
    assert "device" not in read(Understanding, "会说话的棒子坏了").slots


def test_a_word_can_be_taken_out_and_a_rule_put_in(words: Path) -> None:
    (words / "things.toml").write_text('[without.device]\nprojector = ["投影仪"]\n', encoding="utf-8")
    (words / "signals.toml").write_text("[signals]\npassword_lost = ['密码(?:忘|丢)了']\n", encoding="utf-8")
    rule = '[[rule]]\nname = "lost_password"\nintent = "consult"\nwhen = "password_lost"\nsure = 0.9\n'
    (words / "rules.toml").write_text(rule, encoding="utf-8")
    changed = edition.load(words)
    assert read(changed, "密码忘了").intent == "consult"
    assert read(changed, "密码忘了").why[0].rule == "lost_password.password_lost"
    assert read(Understanding, "密码忘了").intent != "consult"


def test_the_example_of_the_handbook_can_be_used(words: Path) -> None:
    handbook = (HERE.parent / "docs" / "词表.md").read_text(encoding="utf-8")
    (words / "things.toml").write_text(handbook.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    changed = edition.load(words)
    assert read(changed, "会说话的棒子坏了").slots["device"] == ["microphone"]
    assert "device" not in read(changed, "咪头坏了").slots


def test_no_words_of_an_operator_read_as_the_shipped_ones(words: Path) -> None:
    same = edition.load(words)([])
    shipped = Understanding([])
    for example in examples(words)[::9]:
        assert same.read(example.text, example.context) == shipped.read(example.text, example.context)


def test_loading_may_happen_in_a_thread_while_messages_are_read(words: Path) -> None:
    made: list[type[Understanding]] = []
    thread = threading.Thread(target=lambda: made.append(edition.load(words)))
    thread.start()
    while thread.is_alive():
        assert read(Understanding, "话筒没声音").intent == "fault.report"
    assert read(made[0], "话筒没声音").intent == "fault.report"


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("thing.toml", "", "没有这个词表，是不是 things.toml"),
        ("things.toml", "device =", "things.toml 写法有误"),
        ("things.toml", '[device]\nmicrofone = ["麦"]', "[device] 里没有 microfone，是不是 microphone"),
        ("things.toml", '[device]\nmicrophone = "麦"', "device.microphone 应写成列表"),
        (
            "things.toml",
            '[device]\nmicrophone = ["投影仪"]',
            "“投影仪”同时写在 device.microphone 和 device.projector 里",
        ),
        ("things.toml", '[symptom]\nnoise = ["(嗡"]', "symptom.noise 里的“(嗡”写法有误"),
        ("things.toml", '[symptom]\nnoise = ["(?:嗡)*"]', "“(?:嗡)*”对什么话都成立"),
        ("things.toml", '[without.device]\nmicrophone = ["没有的词"]', "要去掉的“没有的词”不在 device.microphone 里"),
        ("signals.toml", '[signals]\nthanks_only = [""]', "对什么话都成立"),
        ("slips.toml", "[exact]\n'头影' = '投影仪'", "“头影”改成“投影仪”字数不同"),
        ("rules.toml", '[[rule]]\nname = "x"\nintent = "ack"\nwhen = "no_such_thing"', "没有叫“no_such_thing”的说法"),
        ("rules.toml", '[[rule]]\nname = "x"\nintent = "ack"\nwhen = "(client"', "括号没有收口"),
        ("rules.toml", '[[rule]]\nname = "x"\nintent = "ack"\nwhen = "client &"', "没有写完"),
        (
            "rules.toml",
            '[[rule]]\nname = "x"\nintent = "ask"\nwhen = "client"',
            "规则“x”的 intent 没有“ask”，是不是 ack？",
        ),
        ("rules.toml", '[[rule]]\nintent = "ack"\nwhen = "client"', "没有写 name"),
        ("rules.toml", '[[rule]]\nname = "x"\nintent = "ack"\nwhen = "client"\nsore = 1', "不认得 sore，是不是 sure"),
        ("rules.toml", '[[rule]]\nname = "x"\nintent = "ack"\nwhen = "client"\nsure = 7', "sure 应是 0 到 1 之间的数"),
        ("life.toml", "x = 1", "life.toml 里没有 x"),
        ("signals.toml", '[signals]\nslow = ["(啊+)+$"]', "重复套着重复"),
        ("signals.toml", '[signals]\nslow = ["{greeting}+[a-z]*$"]', "重复套着重复"),
        ("phrases.toml", '[phrases]\ngreeting = [".*.*x"]', "两处不限次数的重复"),
        ("polarity.toml", "negates_before = 3", "negates_before 应写成一个字符串"),
    ],
)
def test_what_cannot_be_used_is_refused_with_file_place_and_why(words: Path, file: str, text: str, said: str) -> None:
    (words / file).write_text(text, encoding="utf-8")
    with pytest.raises(WordsError) as refused:
        edition.load(words)
    assert said in str(refused.value)
    assert file in str(refused.value)


def test_a_touched_file_changes_the_stamp_and_nothing_else_does(words: Path) -> None:
    before = edition.stamp(words)
    assert before == edition.stamp(words)
    (words / "things.toml").write_text("", encoding="utf-8")
    assert edition.stamp(words) != before


def test_a_change_is_shown_on_the_examples(words: Path) -> None:
    assert compared(words).changed == []
    moved = '[without.device]\nmicrophone = ["话筒"]\n[device]\ncontrol = ["话筒"]\n'
    (words / "things.toml").write_text(moved, encoding="utf-8")
    changed = compared(words).changed
    assert changed
    assert all("话筒" in one.example.text and one.before != one.after for one in changed)


def test_the_operators_own_examples_count_and_a_broken_line_is_named(words: Path) -> None:
    line = '{"text": "小白楼的钥匙在谁那", "now": "2026-11-24T10:00:00+08:00", "intent": "fault.report"}\n'
    (words / "examples.jsonl").write_text(line, encoding="utf-8")
    assert [one.example.text for one in compared(words).misread] == ["小白楼的钥匙在谁那"]
    (words / "examples.jsonl").write_text(line + "{}\n", encoding="utf-8")
    with pytest.raises(WordsError, match="第2行"):
        examples(words)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{bad", "不是写成一行的"),
        ("[1]", "不是写成一行的"),
        ('{"now": "2026-11-24T10:00:00+08:00", "intent": "ack"}', "没有写 text"),
        ('{"text": 5, "now": "2026-11-24T10:00:00+08:00", "intent": "ack"}', "text 应写成字符串"),
        ('{"text": "好", "now": "昨天", "intent": "ack"}', "now 应是时间"),
        ('{"text": "好", "now": "2026-11-24T10:00:00+08:00"}', "要写一个"),
        ('{"text": "好", "now": "2026-11-24T10:00:00+08:00", "intent": "ack", "not": "ack"}', "只能写一个"),
        ('{"text": "好", "now": "2026-11-24T10:00:00+08:00", "not": "fault.reprt"}', "是不是 fault.report"),
    ],
)
def test_an_example_that_cannot_be_used_is_told_with_its_reason(words: Path, line: str, said: str) -> None:
    (words / "examples.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(WordsError, match=r"examples\.jsonl 第1行不能用") as refused:
        examples(words)
    assert said in str(refused.value)


def test_an_example_may_hold_that_a_name_leads_to_its_site(words: Path) -> None:
    line = '{"text": "小白楼", "now": "2026-11-24T10:00:00+08:00", "site": "临河县水利局三楼会议室"}\n'
    (words / "examples.jsonl").write_text(line, encoding="utf-8")
    assert compared(words).misread == []
    (words / "places.toml").write_text('everyday = ["小白楼"]\n[without]\nsite_after = ["$"]\n', encoding="utf-8")
    (misread,) = compared(words).misread
    assert misread.example.site not in misread.after.slots.get("site", [])  # type: ignore[operator]


@pytest.mark.parametrize(
    ("pattern", "slow"),
    [
        ("(a+)+$", True),
        ("(?:a|b*)*c", True),
        (".*x.*y", True),
        ("a{1,99}b*", True),
        ("(?=a+)b+", True),
        ("(?:没|不)?好+的?", False),
        ("(?:早|午|晚)*好", False),
        ("a{0,6}b{0,6}[^,]{0,12}c*", False),
    ],
)
def test_repeats_in_repeats_are_seen(pattern: str, slow: bool) -> None:
    assert may_be_slow(pattern) == slow


def test_no_shipped_pattern_is_slow_over_a_long_row_of_one_thing() -> None:
    """Every text was read in an instant: a row of digits or of "好" took minutes once."""
    understanding = Understanding([])
    for piece in (
        "1",
        "好",
        "好的",
        "谢谢了，",
        "没有",
        "不是",
        "一下",
        "啊",
        "催了1",
        "问两",
        "嗯好",
        "⌂,",
        " ",
        "，",
    ):
        assert understanding.read(piece * (1200 // len(piece)) + "x", CONTEXT).intent
