"""Names of people: with a title, in a list, and words that only look like one."""

from __future__ import annotations

import pytest

from intents.people import People


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("今晚由林涛、郑海蹲守", ["林涛", "郑海"]),
        ("值班改为张磊、刘洋", ["张磊", "刘洋"]),
        ("由林涛和郑海明共同负责", ["林涛", "郑海明"]),
        ("请王伟、李强国、赵敏到场支援", ["王伟", "李强国", "赵敏"]),
        ("让阿斌顶一下", ["阿斌"]),
        ("陈工关总闸", ["陈工"]),
        ("交给信息科小刘", ["小刘"]),
        ("责任人:许志华;备岗:温晓燕", ["许志华", "温晓燕"]),
        ("双林让阿祥跑一趟", ["阿祥"]),
        ("选派一名资深工程师到我处驻点", []),
        ("请派单处理", []),
        ("切了几种模式都是蓝底", []),
        ("都关了总闸也拉了", []),
        ("全省是不是都黑屏了", []),
        ("声音就是小得跟蚊子一样", []),
        ("安排人员过去", []),
    ],
)
def test_who_is_named(text: str, names: list[str]) -> None:
    assert [person.name for person in People().find(text)] == names
